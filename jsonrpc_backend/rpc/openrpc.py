"""The OpenRPC document of an API: what programs and the reference page know of its methods, made of their schemas.

OpenRPC 1.3, see https://spec.open-rpc.org. Beside its own members a document has, in `x-error-meanings`, what each
error code means and, in a method's `x-error-causes`, when that method gives it.
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend import __version__
from jsonrpc_backend.config import BackendConfig
from jsonrpc_backend.errors import (
    RpcError,
)
from jsonrpc_backend.rpc.registry import Method, Registry, SessionRule
from jsonrpc_backend.rpc.schema_files import load
from jsonrpc_backend.rpc.schemas import common_definitions

OPENRPC_VERSION = "1.3.2"

# What a program needs nothing of: sentences for users, the server's own formats, remarks for those who edit schemas.
_OWN_KEYWORDS = {"messages", "format", "$comment"}

_RESERVED: tuple[dict[str, Any], ...] = (
    {
        "name": "__api_key",
        "description": "The app's API key. It comes with every call.",
        "required": True,
        "schema": {"type": "string"},
    },
    {
        "name": "__device",
        "description": "An id of this installation of the app: any string that it makes once and keeps.",
        "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    {
        "name": "__session",
        "description": "The session id, from the response header X-Set-Monaca-Cloud-Session of what signed in.",
        "schema": {"type": "string", "pattern": "^[a-zA-Z0-9]{1,255}$"},
    },
)
_EXAMPLE_VALUES = {"__api_key": "your-api-key", "__device": "device-1", "__session": "5e" * 32}


@dataclass(frozen=True, eq=False)
class Api:
    """What a document is about: the methods of a registry, and how they are called.

    `common_errors` may come from any method, beside those that its schema lists. `for_apps`: the keys `__api_key`,
    `__device` and `__session` ride in params.
    """

    title: str
    description: str
    methods: Registry
    common_errors: tuple[type[RpcError], ...]
    for_apps: bool


def document(api: Api, backend_id: str, settings: BackendConfig) -> dict[str, Any]:
    """The OpenRPC document of one backend, with its settings in it: minimum lengths, mail properties and templates.

    Without `servers`: who got it knows where from.
    """
    described = [_method(api, method, settings) for method in api.methods.values()]
    definitions = common_definitions(settings)["$defs"]
    referred = set(_references(described))
    used = _with_what_they_use(referred, definitions)
    return {
        "openrpc": OPENRPC_VERSION,
        "info": {
            "title": f"{api.title}: {backend_id}",
            "description": api.description,
            "version": __version__,
            "license": {"name": "MIT"},
        },
        "methods": described,
        "components": {
            "schemas": {name: _portable(definitions[name]) for name in definitions if name in used},
            "errors": {_name(cls): _error(cls) for cls in _classes().values() if _name(cls) in referred},
        },
        "x-error-meanings": {str(code): " ".join((cls.__doc__ or "").split()) for code, cls in _classes().items()},
    }


@functools.cache
def _classes() -> Mapping[int, type[RpcError]]:
    """The class of each code, those of the clients too: a page that calls meets them."""
    return {cls.code: cls for cls in RpcError.__subclasses__()}


# --- methods ---------------------------------------------------------------------------------------------


def _method(api: Api, method: Method, settings: BackendConfig) -> dict[str, Any]:
    schema = load(f"{method.schema}.json")
    codes = {error["code"] for error in schema["errors"]} | {cls.code for cls in api.common_errors}
    return {
        "name": method.name,
        "summary": schema["summary"],
        "description": schema["description"],
        "tags": [{"name": tag} for tag in schema.get("tags", [method.name.partition(".")[0]])],
        "paramStructure": "by-name",
        # Required ones first, as the specification wants it.
        "params": sorted(
            [*_reserved(api, method), *_params(schema, settings)], key=lambda param: not param["required"]
        ),
        "result": {"name": "result", "schema": _portable(schema["result"])},
        "errors": [{"$ref": f"#/components/errors/{_name(_classes()[code])}"} for code in sorted(codes)],
        "x-error-causes": {str(error["code"]): error["when"] for error in schema["errors"]},
        "examples": [_example(example, _reserved_in_examples(api, method)) for example in schema.get("examples", ())],
    }


def _reserved(api: Api, method: Method) -> list[dict[str, Any]]:
    """The reserved params of a method. One that needs a signed-in user cannot do without a session."""
    if not api.for_apps or method.for_anybody:
        return []
    return [*_RESERVED[:2], {**_RESERVED[2], "required": method.session is SessionRule.REQUIRED}]


def _params(schema: Mapping[str, Any], settings: BackendConfig) -> Iterator[dict[str, Any]]:
    definitions = common_definitions(settings)["$defs"]
    for name, stated in schema["params"]["properties"].items():
        definition = definitions[_definition(stated["$ref"])] if "$ref" in stated else {}
        yield {
            "name": name,
            "description": stated.get("description", definition.get("description", "")),
            "required": name in schema["params"].get("required", ()),
            "schema": _portable(stated),
        }


def _reserved_in_examples(api: Api, method: Method) -> dict[str, str]:
    """With a session where one makes sense."""
    with_session = method.session in {SessionRule.REQUIRED, SessionRule.OPTIONAL, SessionRule.IF_GIVEN}
    names = [param["name"] for param in _reserved(api, method) if with_session or param["required"]]
    return {name: _EXAMPLE_VALUES[name] for name in names}


def _example(example: Mapping[str, Any], reserved: Mapping[str, str]) -> dict[str, Any]:
    params = {**reserved, **example["params"]}
    return {
        "name": example["name"],
        "params": [{"name": name, "value": value} for name, value in params.items()],
        "result": {"name": "result", "value": example["result"]},
    }


def _error(cls: type[RpcError]) -> dict[str, Any]:
    return {"code": cls.code, "message": cls.message}


def _name(cls: type[RpcError]) -> str:
    return cls.__name__


# --- schemas ---------------------------------------------------------------------------------------------


def _portable(schema: Any) -> Any:
    """A schema as other programs understand it (OpenRPC 1.3 has JSON Schema draft 7), pointing into the document."""
    if isinstance(schema, list):
        return [_portable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {word: _portable_value(word, value) for word, value in schema.items() if word not in _OWN_KEYWORDS}
    if "$ref" not in kept:
        return kept
    reference = {"$ref": f"#/components/schemas/{_definition(kept.pop('$ref'))}"}
    # What stands beside a reference would not count there.
    return {"allOf": [reference], **kept} if kept else reference


def _portable_value(keyword: str, value: Any) -> Any:
    if keyword in {"properties", "patternProperties"}:  # names there are no keywords
        return {name: _portable(inner) for name, inner in value.items()}
    return _portable(value)


def _definition(reference: str) -> str:
    """`common.json#/$defs/user` names the definition `user`."""
    return reference.rpartition("/")[2]


def _references(value: Any) -> Iterator[str]:
    """The names of the definitions that a part of a document refers to."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield _definition(value["$ref"])
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)


def _with_what_they_use(names: set[str], definitions: Mapping[str, Any]) -> set[str]:
    found = names & definitions.keys()
    inner = {name for known in found for name in _references(definitions[known])} & definitions.keys()
    return found if inner <= found else _with_what_they_use(found | inner, definitions)
