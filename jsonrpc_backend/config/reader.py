"""Reads settings from parsed TOML and the environment.

Precedence: command line flag, then environment, then TOML, then default. Every problem found is reported with the path
of its key (`backends.app.min_password_length`), all of them together.
"""

import dataclasses
import os
from collections.abc import Iterable, Mapping
from typing import Any

from jsonrpc_backend.config.backend_settings import BackendConfig
from jsonrpc_backend.config.contradictions import contradictions
from jsonrpc_backend.config.environment import not_settings, variable_of
from jsonrpc_backend.config.fields import setting_key
from jsonrpc_backend.config.mail_templates import in_language
from jsonrpc_backend.config.problems import ConfigError, Problem, suggestion
from jsonrpc_backend.config.rules import Rule, toml_like
from jsonrpc_backend.config.settings import Config

_ABSENT = object()


class _Reader:
    """Walks the dataclasses beside the TOML tables, collecting values and problems."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.problems: list[Problem] = []
        self.variables_known: set[str] = set()

    def read(self, cls: type, table: object, path: str) -> Any:
        """A `cls` from its table. After a problem the value is of no use, and load_config raises."""
        if not isinstance(table, dict):
            self.problems.append(Problem(path, f"{toml_like(table)} is not allowed; use a table, [{path}]"))
            table = {}
        fields = {setting_key(field): field for field in dataclasses.fields(cls)}
        for key in table.keys() - fields.keys():
            self._unknown(_join(path, key), key, fields)
        return cls(**{field.name: self._value(field, key, table, _join(path, key)) for key, field in fields.items()})

    def _value(self, field: dataclasses.Field[Any], key: str, table: Mapping[str, Any], path: str) -> Any:
        if "section" in field.metadata:
            return self.read(field.metadata["section"], table.get(key, {}), path)
        if "array" in field.metadata:
            return self._array(field, table.get(key, []), path)
        if "tables" in field.metadata:
            return self._tables(field, table.get(key, {}), path)
        return self._setting(field, table.get(key, _ABSENT), path)

    def _setting(self, field: dataclasses.Field[Any], value: Any, path: str) -> Any:
        rule: Rule = field.metadata["rule"]
        variable = variable_of(path)
        self.variables_known.add(variable)
        if variable in self.environment:
            value, path = rule.read(self.environment[variable]), f"{path} (environment variable {variable})"
        if value is _ABSENT:
            if field.default is dataclasses.MISSING:
                self.problems.append(Problem(path, "is missing; use " + rule.allowed))
            return field.default
        if not rule.accepts(value):
            self.problems.append(Problem(path, rule.complaint(value)))
        return tuple(value) if isinstance(value, list) else value

    def _tables(self, field: dataclasses.Field[Any], table: object, path: str) -> dict[str, Any]:
        if not isinstance(table, dict):
            self.problems.append(Problem(path, f"{toml_like(table)} is not allowed; use tables, [{path}.NAME]"))
            return {}
        for name in table:
            if not field.metadata["name"].fullmatch(name):
                message = f"this name is not allowed; use {field.metadata['allowed_name']} characters"
                self.problems.append(Problem(_join(path, name), message))
        read = {name: self.read(field.metadata["tables"], entry, _join(path, name)) for name, entry in table.items()}
        return {**field.metadata["defaults"], **read}

    def _array(self, field: dataclasses.Field[Any], entries: object, path: str) -> tuple[Any, ...]:
        if not isinstance(entries, list):
            self.problems.append(Problem(path, f"{toml_like(entries)} is not allowed; use tables, [[{path}]]"))
            return ()
        cls = field.metadata["array"]
        return tuple(self.read(cls, entry, f"{path}.{index}") for index, entry in enumerate(entries))

    def _unknown(self, path: str, key: str, known: Iterable[str]) -> None:
        self.problems.append(Problem(path, "is not a setting; " + suggestion(key, known)))

    def check_variables(self) -> None:
        """Reports variables that name no setting."""
        for variable in not_settings(self.environment, self.variables_known):
            self._unknown(f"environment variable {variable}", variable, sorted(self.variables_known))


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def load_config(
    table: Mapping[str, Any], *, environment: Mapping[str, str] | None = None, source: str = "configuration"
) -> Config:
    """Settings from a parsed TOML document and the environment (default: the process's).

    Raises ConfigError with everything that is wrong.
    """
    reader = _Reader(os.environ if environment is None else environment)
    config: Config = reader.read(Config, dict(table), "")
    reader.check_variables()
    problems = reader.problems or list(contradictions(config))
    if problems:
        raise ConfigError(problems, source)
    return dataclasses.replace(config, backends={name: _completed(entry) for name, entry in config.backends.items()})


def _completed(backend: BackendConfig) -> BackendConfig:
    return dataclasses.replace(backend, mail_templates=in_language(backend.mail_templates, backend.language))
