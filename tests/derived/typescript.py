"""The TypeScript types of the methods, made of their schemas."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jsonrpc_backend.rpc.schema_files import COMMON, schema_folder

FILE = Path("jsonrpc_backend", "js", "methods.d.mts")

HEAD = """\
// Made of schemas/ by `python3 run.py docs`; edit those.

"""

# Shared definitions that get a name of their own.
NAMED = {"user": "User", "signedIn": "SignedIn"}

# Their choices are settings of each backend.
SETTINGS = {"emailPropertyName", "templateName"}

TYPES = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def render() -> str:
    """The text of the file."""
    common = _read(COMMON)["$defs"]
    named = "".join(
        f"{_comment(common[definition], '')}export interface {name} {_object(common[definition], '')}\n\n"
        for definition, name in NAMED.items()
    )
    folder = schema_folder()
    of_apps = _interface("Methods", (path.name for path in folder.glob("*.json") if path.name != COMMON))
    of_operators = _interface("ManagementMethods", (f"management/{each.name}" for each in folder.glob("*/*.json")))
    return (
        f"{HEAD}{named}/** What every method takes and gives. */\n{of_apps}\n"
        f"/** The same of the operators' API, which needs a key of its own. */\n{of_operators}"
    )


def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((schema_folder() / name).read_text(encoding="utf-8"))
    return document


def _interface(name: str, files: Iterable[str]) -> str:
    return f"export interface {name} {{\n{''.join(_method(_read(file)) for file in sorted(files))}}}\n"


def _method(schema: dict[str, Any]) -> str:
    # In params, null stands for absent; results have no such thing.
    params = _type(schema["params"], "        ", optional="?: {} | null")
    result = _type(schema["result"], "        ")
    return (
        f"    /** {schema['description']} */\n"
        f'    "{schema["title"]}": {{\n        params: {params};\n        result: {result};\n    }};\n'
    )


def _type(schema: dict[str, Any], indent: str, optional: str = "?: {}") -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        known = NAMED | dict.fromkeys(SETTINGS, "string")
        return known.get(name) or _type(_read("common.json")["$defs"][name], indent, optional)
    if "allOf" in schema:
        (whole,) = (_type(part, indent, optional) for part in schema["allOf"])
        required = " | ".join(json.dumps(name) for name in schema["required"])
        return f"{whole} & Required<Pick<{whole}, {required}>>"
    if "const" in schema or "enum" in schema:  # null among them stands for an absent parameter, as everywhere
        choices = [schema["const"]] if "const" in schema else schema["enum"]
        return " | ".join(json.dumps(choice) for choice in choices if choice is not None)
    kinds = schema.get("type", "")
    return " | ".join(_of_kind(kind, schema, indent, optional) for kind in ([kinds] if kinds == str(kinds) else kinds))


def _of_kind(kind: str, schema: dict[str, Any], indent: str, optional: str) -> str:
    if kind == "object":
        return _object(schema, indent, optional)
    if kind == "array":
        return f"{_type(schema.get('items', {}), indent)}[]"
    return TYPES[kind] if kind else "any"


def _object(schema: dict[str, Any], indent: str, optional: str = "?: {}") -> str:
    if "properties" not in schema:
        return "{ [name: string]: any }"
    required = schema.get("required", ())
    inner = indent + "    "
    lines = []
    for name, member in schema["properties"].items():
        form = ": {}" if name in required else optional
        lines.append(f"{_comment(member, inner)}{inner}{name}{form.format(_type(member, inner, optional))};\n")
    if "patternProperties" in schema or "propertyNames" in schema:
        lines.append(f"{inner}/** The user's properties. */\n{inner}[property: string]: any;\n")
    return f"{{\n{''.join(lines)}{indent}}}" if lines else "{}"


def _comment(schema: dict[str, Any], indent: str) -> str:
    return f"{indent}/** {schema['description']} */\n" if "description" in schema else ""
