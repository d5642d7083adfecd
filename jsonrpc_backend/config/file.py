"""The file that settings are written in."""

import dataclasses
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonrpc_backend.config.problems import ConfigError, Problem
from jsonrpc_backend.config.reader import load_config
from jsonrpc_backend.config.settings import Config

DEFAULT_CONFIG_FILE = "config.toml"


def read_config(path: Path, *, environment: Mapping[str, str] | None = None) -> Config:
    """Settings from a TOML file; a relative data_dir is taken from the file's folder.

    Raises ConfigError, also when the file cannot be read or is not TOML.
    """
    table = read_toml(path)
    _read_body_files(table, path)
    config = load_config(table, environment=environment, source=str(path))
    data_dir = str(path.parent / config.server.data_dir)
    return dataclasses.replace(config, server=dataclasses.replace(config.server, data_dir=data_dir))


def _read_body_files(document: Any, path: Path) -> None:
    """Puts the text of each body_file in the place of body. Raises ConfigError. Leaves odd tables to the rules."""
    for backend_id, name, template in _templates_in(document):
        body_file = template.get("body_file")
        if not isinstance(body_file, str) or not body_file:
            continue
        where = f"backends.{backend_id}.mail_templates.{name}.body_file"
        if "body" in template:
            raise ConfigError([Problem(where, "cannot be used together with body")], str(path))
        try:
            template["body"] = (path.parent / body_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise ConfigError([Problem(where, f"{body_file} cannot be read: {reason}")], str(path)) from error


def _templates_in(document: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for backend_id, backend in _tables_in(document, "backends"):
        for name, template in _tables_in(backend, "mail_templates"):
            yield backend_id, name, template


def _tables_in(table: dict[str, Any], key: str) -> list[tuple[str, dict[str, Any]]]:
    found = table.get(key)
    return (
        [(name, entry) for name, entry in found.items() if isinstance(entry, dict)] if isinstance(found, dict) else []
    )


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as tables. Raises ConfigError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([Problem("", f"cannot be read: {error.strerror}")], str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([Problem("", f"is not valid TOML: {error}")], str(path)) from error
