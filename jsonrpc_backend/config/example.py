"""A configuration file with every setting, its meaning and its default, written from the settings themselves."""

import dataclasses
import json
import textwrap
from collections.abc import Iterator
from typing import Any

from jsonrpc_backend.config import BackendConfig, Config, setting_key

HEADER = """\
# Settings of jsonrpc-backend. Those that are left out have the default shown here.
# `jsonrpc-backend check-config` says what is wrong in this file.
#
# Each can also be set in the environment: its path in upper case behind JSONRPC_BACKEND_, with _ for every other
# character, e.g. JSONRPC_BACKEND_SERVER_PORT or JSONRPC_BACKEND_BACKENDS_APP_API_KEY. The environment wins.
"""

BACKEND_COMMENT = """\
# One table for each app; its name is the backend id, the last part of the app's address /json-rpc/app.
"""

EXAMPLE_KEY = "put-a-long-random-string-here"


def render(api_key: str = EXAMPLE_KEY) -> str:
    """The file as text, with one backend, `app`."""
    config = Config(backends={"app": BackendConfig(api_key=api_key)})
    return HEADER + "\n" + "\n".join(_table(config, ""))


def _table(settings: Any, path: str) -> Iterator[str]:
    """The lines of a table, then those of the tables within it."""
    fields = dataclasses.fields(settings)
    plain = [field for field in fields if "rule" in field.metadata]
    if plain:
        yield from ([BACKEND_COMMENT.rstrip()] if isinstance(settings, BackendConfig) else [])
        yield f"[{path}]"
    for field in plain:
        yield from textwrap.wrap(field.metadata["meaning"], 116, initial_indent="# ", subsequent_indent="# ")
        line = f"{setting_key(field)} = {to_toml(getattr(settings, field.name))}"
        yield f"# {line}" if field.name == "body_file" else line  # body or body_file, not both
    if plain:
        yield ""
    for field in fields:
        if "array" in field.metadata:
            yield from _example_entry(field, f"{path}.{field.name}")
        inner = f"{path}.{field.name}" if path else field.name
        if "section" in field.metadata:
            yield from _table(getattr(settings, field.name), inner)
        elif "tables" in field.metadata:
            for name, entry in getattr(settings, field.name).items():
                yield from _table(entry, f"{inner}.{name}")


def _example_entry(field: dataclasses.Field[Any], path: str) -> Iterator[str]:
    """An array of tables is empty by default; an entry is shown, as a comment."""
    header, *lines = _table(field.metadata["example"], path)
    yield f"# [{header}]"
    yield from (line if line.startswith("#") or not line else f"# {line}" for line in lines)


def to_toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(to_toml, value))}]"
    if isinstance(value, str) and "\n" in value:
        return f'"""\n{value}"""'
    # JSON's escapes are TOML's.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
