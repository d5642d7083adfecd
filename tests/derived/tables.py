"""The tables of the documents: what the program itself says of its methods, errors, settings, metrics and commands."""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from jsonrpc_backend.cli import main
from jsonrpc_backend.config import Config, setting_key
from jsonrpc_backend.config.example import to_toml
from jsonrpc_backend.errors import RpcError
from jsonrpc_backend.methods import APP_API, MANAGEMENT_API
from jsonrpc_backend.rpc.registry import Registry
from jsonrpc_backend.rpc.schema_files import COMMON, load
from jsonrpc_backend.telemetry.metrics.declared import METRICS
from tests.commands import leaves
from tests.derived.markdown import Table, coded

Schema = Mapping[str, Any]

# --- methods ---------------------------------------------------------------------------------------------


def methods() -> Table:
    return _methods(APP_API.methods)


def management_methods() -> Table:
    return _methods(MANAGEMENT_API.methods)


def _methods(described: Registry) -> Table:
    rows = []
    for method in described.values():
        schema = load(f"{method.schema}.json")
        codes = ", ".join(str(error["code"]) for error in schema["errors"])
        cells = (f"`{method.name}`", _params(schema["params"]), f"`{_shape(schema['result'])}`")
        rows.append((*cells, coded(schema["description"]), codes))
    return Table(("method", "parameters", "result", "what it does", "errors"), rows, words=3)


def _params(params: Schema) -> str:
    required = params.get("required", ())
    return ", ".join(
        (f"`{name}`" if name in required else f"*`{name}`*") + _limits(_resolved(stated))
        for name, stated in params["properties"].items()
    )


def _limits(stated: Schema) -> str:
    """What a caller has to know of a number or a choice."""
    if "maximum" in stated:
        return f" ({stated['minimum']:,} to {stated['maximum']:,})"
    if "enum" in stated and "default" in stated and not _is_setting(stated):
        return f" ({', '.join(f'`{_choice(choice)}`' for choice in stated['enum'] if choice is not None)})"
    return ""


def _choice(choice: str) -> str:
    return choice or '""'


def _is_setting(stated: Schema) -> bool:
    """The choices of some parameters are settings of each backend."""
    return "setting" in stated.get("description", "")


def _shape(result: Schema) -> str:
    """A result as in `{items: [user], totalItems}`; `?` is behind what may be missing."""
    result = _resolved(result)
    if "allOf" in result:
        (part,) = result["allOf"]
        whole = _resolved(part)
        return _shape({**whole, "required": [*whole["required"], *result["required"]]})
    if "const" in result:
        return json.dumps(result["const"])
    return _members(result) if "properties" in result else str(result["type"])


def _members(result: Schema) -> str:
    required = result.get("required", ())
    members = (
        f"{name}{'' if name in required else '?'}{_inner(stated)}" for name, stated in result["properties"].items()
    )
    return f"{{{', '.join(members)}}}"


def _inner(stated: Schema) -> str:
    """What a list of objects has in it."""
    items = stated.get("items", {})
    if "properties" not in _resolved(items):
        return ""
    return f": [{items['$ref'].rpartition('/')[2] if '$ref' in items else _members(items)}]"


def _resolved(stated: Schema) -> Schema:
    definitions: Mapping[str, Schema] = load(COMMON)["$defs"]
    return {**definitions[stated["$ref"].rpartition("/")[2]], **stated} if "$ref" in stated else stated


# --- errors ----------------------------------------------------------------------------------------------


def errors() -> Table:
    rows = [
        (str(cls.code), cls.message, coded(" ".join((cls.__doc__ or "").split()))) for cls in RpcError.__subclasses__()
    ]
    return Table(("code", "message", "meaning, `data`"), rows, words=2)


# --- settings --------------------------------------------------------------------------------------------


def settings() -> Table:
    return Table(("setting", "default", "allowed", "meaning"), list(_settings(Config, "")), words=3)


def _settings(table: type, path: str) -> Iterator[tuple[str, ...]]:
    for field in dataclasses.fields(table):
        inner = f"{path}{setting_key(field)}"
        kinds = field.metadata
        if "rule" in kinds:
            default = "" if field.default is dataclasses.MISSING else f"`{to_toml(field.default)}`"
            yield f"`{inner}`", default, kinds["rule"].allowed, coded(kinds["meaning"])
        elif "tables" in kinds:
            yield from _settings(kinds["tables"], f"{inner}.<{'name' if path else 'id'}>.")
        else:
            yield from _settings(kinds.get("section") or kinds["array"], f"{inner}.")


# --- metrics ---------------------------------------------------------------------------------------------


def metrics() -> Table:
    rows = [
        (f"`{each.full_name}`", each.kind, ", ".join(f"`{label}`" for label in each.labels), each.meaning)
        for each in METRICS
    ]
    return Table(("metric", "kind", "labels", "meaning"), rows, words=3)


# --- commands --------------------------------------------------------------------------------------------


def commands() -> Table:
    """Each with its own options; those of most commands are in a table of their own."""
    shared = _shared_options().keys()
    rows = []
    for path, command in leaves(main):
        arguments = [_metavar(each, command) for each in command.params if isinstance(each, click.Argument)]
        own = [_usage(each, command) for each in _options(command) if _key(each) not in shared]
        rows.append((f"`{' '.join([*path, *arguments])}`", ", ".join(own), _help(command)))
    return Table(("command", "options", "what it does"), rows, words=2)


def common_options() -> Table:
    rows = [(_usage(option, command), coded(option.help or "")) for option, command in _shared_options().values()]
    return Table(("option", "meaning"), rows, words=1)


def _shared_options() -> dict[tuple[str, str], tuple[click.Option, click.Command]]:
    """Those that many commands have and explain alike."""
    having = [(option, command) for _, command in leaves(main) for option in _options(command)]
    times = Counter(_key(option) for option, _ in having)
    return {_key(option): (option, command) for option, command in having if times[_key(option)] >= len(times) / 4}


def _key(option: click.Option) -> tuple[str, str]:
    return option.opts[0], option.help or ""


def _options(command: click.Command) -> list[click.Option]:
    return [each for each in command.params if isinstance(each, click.Option)]


def _usage(option: click.Option, command: click.Command) -> str:
    return f"`{option.opts[0]}`" if option.is_flag else f"`{option.opts[0]} {_metavar(option, command)}`"


def _metavar(parameter: click.Parameter, command: click.Command) -> str:
    made = parameter.make_metavar(click.Context(command))
    return {"INTEGER RANGE": "N"}.get(made.removesuffix("..."), made)


def _help(command: click.Command) -> str:
    """Without the defaults, which `--help` tells."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in (command.help or "").split("\n\n")]
    return coded(" ".join(paragraph for paragraph in paragraphs if not paragraph.startswith("[default")).strip())


TABLES: dict[str, Callable[[], Table]] = {
    "methods": methods,
    "management methods": management_methods,
    "errors": errors,
    "settings": settings,
    "metrics": metrics,
    "commands": commands,
    "common options": common_options,
}
