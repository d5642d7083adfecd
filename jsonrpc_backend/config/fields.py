"""How a setting is stated: a field of a dataclass with its default, its rule and its meaning in one place."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from jsonrpc_backend.config.rules import Rule


def setting(default: Any, rule: Rule, meaning: str) -> Any:
    """A setting with a default; a list in TOML becomes a tuple."""
    frozen = tuple(default) if isinstance(default, list) else default
    return dataclasses.field(default=frozen, metadata={"rule": rule, "meaning": meaning})


def required(rule: Rule, meaning: str, *, key: str | None = None) -> Any:
    """A setting that has no default; `key` is its name in TOML where Python cannot use that."""
    return dataclasses.field(metadata={"rule": rule, "meaning": meaning} | ({"key": key} if key else {}))


def section(cls: type) -> Any:
    """A table within a table, with settings of its own."""
    return dataclasses.field(default_factory=cls, metadata={"section": cls})


def array_of_tables(cls: type, example: Any) -> Any:
    """A list of tables, none by default; the configuration file shows the example."""
    return dataclasses.field(default=(), metadata={"array": cls, "example": example})


def tables(cls: type, name: re.Pattern[str], allowed_name: str, defaults: Mapping[str, Any] | None = None) -> Any:
    """A table of tables, one for each name; `defaults` are there unless a table of that name replaces them."""
    defaults = defaults or {}
    metadata = {"tables": cls, "name": name, "allowed_name": allowed_name, "defaults": defaults}
    return dataclasses.field(default_factory=lambda: dict(defaults), metadata=metadata)


def setting_rule(section: type, name: str) -> Rule:
    """The rule of a setting, for values that come another way than through a configuration."""
    fields = {field.name: field for field in dataclasses.fields(section)}
    rule: Rule = fields[name].metadata["rule"]
    return rule


def setting_key(field: dataclasses.Field[Any]) -> str:
    """The key of a setting in TOML."""
    return str(field.metadata.get("key", field.name))
