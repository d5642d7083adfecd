"""The JSON Schemas of the methods: loaded once, compiled once per backend, explained in sentences.

They are the contract: the only check of params, and the source of what is written about the methods. fastjsonschema
says whether params are right (2 µs where jsonschema takes 66); what is wrong with those that are not, jsonschema says.
"""

import copy
import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import fastjsonschema
import jsonschema
from referencing import Registry, Resource

from jsonrpc_backend.accounts.usernames import has_only_visible_characters
from jsonrpc_backend.config import BackendConfig
from jsonrpc_backend.rpc.schema_files import COMMON, load

# A client can send thousands of wrong names; nobody reads more than a screenful of sentences.
MAX_SENTENCES = 20
MAX_NAME_SHOWN = 100

_formats = jsonschema.FormatChecker(formats=())
_formats.checks("username")(lambda value: not isinstance(value, str) or has_only_visible_characters(value))
_quick_formats = {"username": has_only_visible_characters}

_TYPES = {
    "string": "a string",
    "object": "an object",
    "array": "an array",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "null": "null",
}


def common_definitions(settings: BackendConfig) -> dict[str, Any]:
    """The shared definitions with a backend's settings in them."""
    return _filled_in(_Choices.of(settings))


class _Choices(NamedTuple):
    """What schemas have of a backend's settings."""

    min_username_length: int
    min_password_length: int
    email_properties: tuple[str, ...]
    reset_templates: tuple[str, ...]

    @classmethod
    def of(cls, settings: BackendConfig) -> "_Choices":
        return cls(
            settings.min_username_length,
            settings.min_password_length,
            tuple(settings.email_properties),
            tuple(settings.reset_templates),
        )


def _filled_in(settings: _Choices) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(load(COMMON)))
    definitions = document["$defs"]
    definitions["newUsername"]["minLength"] = settings.min_username_length
    definitions["newPassword"]["minLength"] = settings.min_password_length
    definitions["emailPropertyName"]["enum"] = [*settings.email_properties, None]
    definitions["templateName"]["enum"] = [*settings.reset_templates, None]
    return document


class ParamsSchema:
    """The params of one method in one backend. The method is named by its schema file, without `.json`."""

    @classmethod
    def of(cls, method: str, settings: BackendConfig) -> "ParamsSchema":
        """The same object for all backends to which it means the same."""
        return _params_schema(method, _Choices.of(settings))

    def __init__(self, method: str, settings: _Choices) -> None:
        self._common = _filled_in(settings)
        registry: Registry[Any] = Registry().with_resource(COMMON, Resource.from_contents(self._common))
        document = load(f"{method}.json")
        self._schema = schema = {"$id": document["$id"], **document["params"]}  # references are relative to the file
        self._optional = frozenset(schema["properties"]) - frozenset(schema.get("required", ()))
        self._whole = frozenset(self._whole_names(schema))
        self._validator = jsonschema.Draft202012Validator(schema, registry=registry, format_checker=_formats)

    def _whole_names(self, schema: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
        """Dotted names of parameters and their members of which it is told that they are wrong, not which part."""
        for name, given in schema.get("properties", {}).items():
            definition = given.get("$ref", "").rpartition("/")[2]
            stated = self._common["$defs"].get(definition, {}) if definition else given
            if stated.get("whole", False):
                yield prefix + name
            else:
                yield from self._whole_names(stated, f"{prefix}{name}.")

    def _blamed(self, name: str) -> str:
        return next((whole for whole in self._whole if name.startswith(f"{whole}.")), name)

    def without_absent(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The params without the optional ones that are null: null stands for absent."""
        return {name: value for name, value in params.items() if value is not None or name not in self._optional}

    @functools.cached_property
    def _quick(self) -> Callable[[Any], Any]:
        """Raises JsonSchemaException where there is a complaint. Compiled when first needed: in 1 to 2 ms."""
        validate: Callable[[Any], Any] = fastjsonschema.compile(
            copy.deepcopy(self._schema),  # it rewrites references in place
            handlers={"": lambda _: self._common},
            formats=_quick_formats,
            use_default=False,
            detailed_exceptions=False,
        )
        return validate

    def is_valid(self, params: Mapping[str, Any]) -> bool:
        """Whether there are no complaints."""
        try:
            self._quick(params)
        except fastjsonschema.JsonSchemaException:
            return False
        return True

    def complaints(self, params: Mapping[str, Any]) -> dict[str, str]:
        """A sentence for each wrong parameter, by dotted name; empty when all is well."""
        return {} if self.is_valid(params) else self.explanations(params)

    def explanations(self, params: Mapping[str, Any]) -> dict[str, str]:
        """The same without the quick check before."""
        found: dict[str, str] = {}
        for error in self._validator.iter_errors(params):
            for name, sentence in self._explain(error):
                found.setdefault(self._blamed(name), sentence)
            if len(found) >= MAX_SENTENCES:
                break
        return found

    @staticmethod
    def _explain(error: Any) -> Iterator[tuple[str, str]]:
        path = [str(part) for part in error.absolute_path]
        if error.validator == "required":
            for name in error.validator_value:
                if name not in error.instance:
                    yield _dotted([*path, name]), f"{label(name)} is required."
        elif error.validator == "additionalProperties":
            known = ", ".join(error.schema["properties"]) or "none"
            for name in list(error.instance.keys() - error.schema["properties"].keys())[:MAX_SENTENCES]:
                yield _dotted([*path, name]), f"There is no such parameter; known here: {known}."
        elif _is_about_a_name(error):
            yield _dotted([*path, error.instance]), _sentence(error, "Property names")
        else:
            yield _dotted(path), _sentence(error, _subject(path))


_params_schema = functools.lru_cache(maxsize=1000)(ParamsSchema)


def _is_about_a_name(error: Any) -> bool:
    """Whether the rule is of names of members: one of `propertyNames`, and not of a parameter that is called so."""
    keywords = iter(error.absolute_schema_path)
    for keyword in keywords:
        if keyword == "propertyNames":
            return True
        if keyword == "properties":
            next(keywords, None)  # a name
    return False


def _subject(path: list[str]) -> str:
    """What a sentence is about: a parameter, or an element of one that is an array."""
    if not path:
        return "Params"
    return f"Element {path[-1]} of {path[-2]}" if path[-1].isdigit() and len(path) > 1 else label(path[-1])


def _dotted(path: list[str]) -> str:
    return ".".join(map(_printable, path))


def _printable(name: str) -> str:
    """A name that a client made up: of bearable length, and without lone surrogates, which JSON readers refuse."""
    shown = name if len(name) <= MAX_NAME_SHOWN else name[:MAX_NAME_SHOWN] + "…"
    return shown.encode(errors="backslashreplace").decode()


def label(name: str) -> str:
    """A parameter's name as a sentence begins with it: `oldPassword` gives `Old password`."""
    return re.sub(r"(?<=[a-z])[A-Z]", lambda capital: " " + capital[0].lower(), name).capitalize()


def _sentence(error: Any, subject: str) -> str:
    """What is wrong, without the value, which may be a password."""
    keyword, value = str(error.validator), error.validator_value
    stated = error.schema.get("messages", {}).get(keyword)
    if stated is not None:
        return str(stated).format(subject)
    if keyword in _RULES:
        return f"{subject} must {_RULES[keyword](value)}."
    return f"{subject} is not valid ({keyword})."


_RULES: Mapping[str, Callable[[Any], str]] = {
    "type": lambda value: f"be {_TYPES[value]}",
    "minLength": lambda value: f"be at least {value} {'character' if value == 1 else 'characters'} long",
    "maxLength": lambda value: f"not be longer than {value} characters",
    "minimum": lambda value: f"be {value:,} or more",
    "maximum": lambda value: f"be {value:,} or less",
    "maxItems": lambda value: f"not have more than {value:,} elements",
    "enum": lambda value: f"be one of: {', '.join(str(choice) for choice in value if choice is not None)}",
}
