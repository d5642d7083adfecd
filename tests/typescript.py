"""Makes the TypeScript types of the methods out of their schemas.

`python -m tests.typescript` writes jsonrpc_backend/js/methods.d.mts; a test says when that has been forgotten.
"""

import json
import sys
from pathlib import Path
from typing import Any

from jsonrpc_backend.rpc.schemas import schema_folder

FILE = Path(__file__).parent.parent / "jsonrpc_backend" / "js" / "methods.d.mts"

HEAD = """\
// Made of schemas/*.json by `python -m tests.typescript`; edit those.

"""

# Shared definitions that get a name of their own.
NAMED = {"user": "User", "signedIn": "SignedIn"}

# Their choices are settings of each backend.
SETTINGS = {"emailPropertyName", "templateName"}

TYPES = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}


def render() -> str:
    """The text of the file."""
    common = _read("common.json")["$defs"]
    named = "".join(
        f"{_comment(common[definition], '')}export interface {name} {_object(common[definition], '')}\n\n"
        for definition, name in NAMED.items()
    )
    methods = "".join(_method(_read(path.name)) for path in sorted(schema_folder().glob("User.*.json")))
    return f"{HEAD}{named}/** What every method takes and gives. */\nexport interface Methods {{\n{methods}}}\n"


def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((schema_folder() / name).read_text(encoding="utf-8"))
    return document


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
    if "const" in schema:
        return json.dumps(schema["const"])
    if schema.get("type") == "object":
        return _object(schema, indent, optional)
    if schema.get("type") == "array":
        return f"{_type(schema['items'], indent)}[]"
    return TYPES[schema["type"]] if "type" in schema else "any"


def _object(schema: dict[str, Any], indent: str, optional: str = "?: {}") -> str:
    if "properties" not in schema:
        return "{ [name: string]: any }"
    required = schema.get("required", ())
    inner = indent + "    "
    lines = []
    for name, member in schema["properties"].items():
        form = ": {}" if name in required else optional
        lines.append(f"{_comment(member, inner)}{inner}{name}{form.format(_type(member, inner, optional))};\n")
    if "patternProperties" in schema:
        lines.append(f"{inner}/** The user's properties. */\n{inner}[property: string]: any;\n")
    return f"{{\n{''.join(lines)}{indent}}}" if lines else "{}"


def _comment(schema: dict[str, Any], indent: str) -> str:
    return f"{indent}/** {schema['description']} */\n" if "description" in schema else ""


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
    print(f"{FILE} written", file=sys.stderr)
