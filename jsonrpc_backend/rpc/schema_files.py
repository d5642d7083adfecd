"""The files of the methods' JSON Schemas, as they stand. What reads them only does not import what checks params."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

COMMON = "common.json"

_PACKAGE = Path(__file__).parent.parent


def schema_folder() -> Path:
    """Where the schema files are: inside the package in a wheel, beside it in a source tree."""
    installed = _PACKAGE / "schemas"
    return installed if installed.is_dir() else _PACKAGE.parent / "schemas"


@functools.cache
def load(name: str) -> Mapping[str, Any]:
    """A schema file, e.g. `User.login.json`."""
    document: Mapping[str, Any] = json.loads((schema_folder() / name).read_text(encoding="utf-8"))
    return document
