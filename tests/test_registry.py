"""The registry and the schema files say the same, and what they say is what the server does."""

import dataclasses
import inspect
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from jsonrpc_backend.accounts.throttle import Limited
from jsonrpc_backend.rpc.registry import SessionRule, snake_case
from jsonrpc_backend.rpc.schema_files import COMMON, load, schema_folder
from tests.conftest import NewApp
from tests.examples import (
    GIVEN,
    NEVER_DONE,
    Example,
    World,
    all_params,
    failures,
    methods,
    schema,
    shape,
    successes,
    world_of,
)

METHODS = sorted(methods)
SCHEMA_FILES = sorted(path.relative_to(schema_folder()).as_posix() for path in schema_folder().rglob("*.json"))

REGISTRY: Registry[Any] = Registry().with_resources((name, Resource.from_contents(load(name))) for name in SCHEMA_FILES)

MESSAGES = {
    -32602: "Invalid params",
    11: "User login is required",
    13: "Invalid operation",
    14: "Permission denied",
    9999: "Call limit exceeded",
}


def codes(method: str) -> list[int]:
    return [error["code"] for error in schema(method)["errors"]]


def part(method: str, name: str) -> jsonschema.Draft202012Validator:
    """The `params` or `result` schema of a method, ready to validate."""
    document = schema(method)
    return jsonschema.Draft202012Validator({"$id": document["$id"], **document[name]}, registry=REGISTRY)


# --- files and handlers ----------------------------------------------------------------------------------


def test_every_method_has_a_schema_and_every_schema_a_method() -> None:
    assert [f"{method}.json" for method in METHODS] == [name for name in SCHEMA_FILES if name != COMMON]


def test_there_are_methods() -> None:
    """An empty registry would pass every test below."""
    assert {"User.register", "User.login", "User.autoLogin", "management/User.list"} <= set(METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_what_accounts_refuse_is_told_by_parameters_of_the_method(method: str) -> None:
    declared, params = methods[method], schema(method)["params"]["properties"]
    assert bool(declared.wrong) == (declared.limited in {Limited.PASSWORD, Limited.RESET_TOKEN, Limited.LOGIN_TOKEN})
    assert {name.partition(".")[0] for name in (*declared.wrong, *declared.blames.values())} <= params.keys()


@pytest.mark.parametrize("name", SCHEMA_FILES)
def test_schema_is_valid(name: str) -> None:
    document = load(name)
    assert document["$id"] == name
    assert document["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]
    parts = [document[key] for key in ("params", "result") if key in document]
    for checked in [document, *parts, *document.get("$defs", {}).values()]:
        jsonschema.Draft202012Validator.check_schema(checked)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


@pytest.mark.parametrize("name", SCHEMA_FILES)
def test_references_resolve(name: str) -> None:
    resolver = REGISTRY.resolver(base_uri=name)
    for reference in references(load(name)):
        assert resolver.lookup(reference).contents


ANNOTATIONS = {"$comment", "$ref", "default", "description", "examples", "messages", "title", "whole"}
EXPLAINED = {
    "enum",
    "additionalProperties",
    "items",
    "maximum",
    "maxItems",
    "maxLength",
    "minimum",
    "minLength",
    "properties",
    "propertyNames",
    "required",
    "type",
}
EXPLAINED_BY_MESSAGES = {"format", "maxProperties", "pattern"}


def resolved(reference: str) -> Any:
    """What a reference to common.json means, wherever it stands."""
    return REGISTRY.resolver(base_uri=COMMON).lookup(reference.removeprefix("../")).contents


def rules(value: Any) -> Iterator[dict[str, Any]]:
    """A schema, the schemas in it and those that it refers to."""
    if "$ref" in value:
        yield from rules(resolved(value["$ref"]))
    yield value
    inner = [value.get(keyword) for keyword in ("items", "propertyNames", "additionalProperties")]
    for child in [*value.get("properties", {}).values(), *inner]:
        if isinstance(child, dict):
            yield from rules(child)


@pytest.mark.parametrize("method", METHODS)
def test_rules_of_params_can_be_explained(method: str) -> None:
    """For each keyword there is a sentence; a name of the keyword alone tells a user nothing."""
    for rule in rules(schema(method)["params"]):
        explained = ANNOTATIONS | EXPLAINED | (EXPLAINED_BY_MESSAGES & rule.get("messages", {}).keys())
        assert rule.keys() <= explained
        assert isinstance(rule.get("type", ""), str) or "type" in rule["messages"]


@pytest.mark.parametrize("method", METHODS)
def test_schema_describes_the_method(method: str) -> None:
    document = schema(method)
    assert document["title"] == methods[method].name
    assert document["description"].endswith(".")
    assert all(error["when"].endswith(".") for error in document["errors"])
    assert len(set(codes(method))) == len(codes(method))


@pytest.mark.parametrize("method", METHODS)
def test_params_are_closed(method: str) -> None:
    params = schema(method)["params"]
    assert params["type"] == "object"
    assert params["additionalProperties"] is False
    assert set(params.get("required", ())) <= set(params["properties"])


@pytest.mark.parametrize("method", METHODS)
def test_parameters_of_the_handler_are_those_of_the_schema(method: str) -> None:
    params = schema(method)["params"]
    _, *parameters = inspect.signature(methods[method].handler).parameters.values()
    assert [parameter.name for parameter in parameters] == [snake_case(name) for name in params["properties"]]
    required = {snake_case(name) for name in params.get("required", ())}
    assert {p.name for p in parameters if p.default is inspect.Parameter.empty} == required
    assert all(p.default is None for p in parameters if p.name not in required), "null stands for absent"


@pytest.mark.parametrize("method", METHODS)
def test_error_11_is_listed_where_sign_in_is_needed(method: str) -> None:
    assert (11 in codes(method)) == (methods[method].session in {SessionRule.REQUIRED, SessionRule.IF_GIVEN})


@pytest.mark.parametrize("method", METHODS)
def test_error_9999_is_listed_where_the_throttle_counts(method: str) -> None:
    """Elsewhere only with an example of it: of passwords that operators have hashed, of what finds no room."""
    assert (9999 in codes(method)) >= (methods[method].limited is not None)


@pytest.mark.parametrize("method", METHODS)
def test_invalid_params_are_listed(method: str) -> None:
    """Params are closed, so an unknown one is possible everywhere."""
    assert -32602 in codes(method)


# --- every error that a schema lists ---------------------------------------------------------------------

FAILURES = [example for method in METHODS for example in failures(method)]


def test_every_error_has_an_example() -> None:
    """One in its schema file, where it does not follow from what the method's decorator says."""
    listed = {(method, code) for method in METHODS for code in codes(method)}
    assert {(example.method, example.code) for example in FAILURES} == listed


def dear(example: Example) -> list[pytest.MarkDecorator]:
    given = GIVEN[example.given]
    return [pytest.mark.slow] if given.users or given.items else []


@pytest.mark.parametrize("example", [pytest.param(each, marks=dear(each), id=str(each)) for each in FAILURES])
async def test_listed_error_can_be_provoked(example: Example, new_app: NewApp) -> None:
    answer = await (await world_of(example, new_app)).call(example.params)
    assert answer.code == example.code
    assert answer.error["message"] == MESSAGES[example.code]
    assert answer.session is None
    check_data(example.code, answer.data)


def check_data(code: int, data: Any) -> None:
    if code == -32602:
        assert data
        assert all(is_sentence(sentence) for sentence in data.values())
    elif code == 13:
        assert data.keys() == {"reason"}
        assert is_sentence(data["reason"])
    elif code == 9999:
        assert data.keys() - {"reason"} == {"retryAfter"}
        assert data["retryAfter"] >= 0
        assert is_sentence(data.get("reason", "Too often."))
    else:
        assert data is None


def is_sentence(text: Any) -> bool:
    return isinstance(text, str) and text[:1].isupper() and text.endswith(".") and "{" not in text


# --- results ---------------------------------------------------------------------------------------------


DONE = [each for method in METHODS if method not in NEVER_DONE for each in successes(method)]


@pytest.mark.parametrize("example", DONE, ids=str)
async def test_result_is_as_its_schema_says(example: Example, new_app: NewApp) -> None:
    result = (await (await world_of(example, new_app)).call(example.params)).result
    assert result is not None, "clients read members of every result"
    part(example.method, "result").validate(result)
    assert shape(result) == shape(example.result)


@pytest.mark.parametrize("example", [each for method in sorted(NEVER_DONE) for each in successes(method)], ids=str)
async def test_examples_of_what_is_never_done_are_right_but_for_that(example: Example, new_app: NewApp) -> None:
    part(example.method, "result").validate(example.result)
    assert (await (await world_of(example, new_app)).call(example.params)).code == 13


@pytest.mark.parametrize("method", METHODS)
def test_result_schema_refuses_null(method: str) -> None:
    assert not part(method, "result").is_valid(None)


# --- params, method by method ----------------------------------------------------------------------------


def params_of(method: str, *, required: bool) -> list[str]:
    params = schema(method)["params"]
    return [name for name in params["properties"] if (name in params.get("required", ())) == required]


def types_of(method: str, name: str) -> list[str]:
    """The JSON types that a parameter may have; none where any will do."""
    stated = schema(method)["params"]["properties"][name]
    if "$ref" in stated:
        stated = resolved(stated["$ref"])
    kinds = stated.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def wrong_types(method: str) -> Iterator[tuple[str, Any]]:
    """The names of its parameters, each with values of wrong types."""
    values = {"null": None, "string": "a918273", "integer": 918273, "array": ["a918273"]}
    for required in (True, False):
        for name in params_of(method, required=required):
            right = types_of(method, name)
            for kind, value in values.items():
                if right and kind not in right and (required or value is not None):
                    yield name, value


async def world(method: str, new_app: NewApp) -> World:
    """That of its first example, so that params are what is wrong. What is refused for that leaves it as it is."""
    return await world_of(dataclasses.replace(successes(method)[0], params=all_params(method)), new_app)


@pytest.mark.parametrize("method", METHODS)
def test_examples_are_valid_and_name_every_parameter(method: str) -> None:
    for params in (all_params(method), *(example.params for example in successes(method))):
        part(method, "params").validate(params)
    assert all_params(method).keys() == schema(method)["params"]["properties"].keys()


@pytest.mark.parametrize("method", METHODS)
async def test_unknown_parameter_is_named(method: str, new_app: NewApp) -> None:
    answer = await (await world(method, new_app)).call({**all_params(method), "userName": 1, "__proto__": 2})
    assert answer.code == -32602
    assert answer.data.keys() == {"userName", "__proto__"}


@pytest.mark.parametrize("method", [method for method in METHODS if params_of(method, required=True)])
async def test_missing_parameter_is_named(method: str, new_app: NewApp) -> None:
    there = await world(method, new_app)
    for name in params_of(method, required=True):
        answer = await there.call({key: value for key, value in all_params(method).items() if key != name})
        assert (answer.code, [*answer.data]) == (-32602, [name])
        assert answer.data[name].endswith(" is required.")


@pytest.mark.parametrize("method", [method for method in METHODS if any(wrong_types(method))])
async def test_parameter_of_the_wrong_type_is_named(method: str, new_app: NewApp) -> None:
    there = await world(method, new_app)
    for name, value in wrong_types(method):
        answer = await there.call({**all_params(method), name: value})
        assert (answer.code, [*answer.data]) == (-32602, [name]), value
        assert " must be " in answer.data[name]
        assert "918273" not in json.dumps(answer.body), "the value may be a password"


@pytest.mark.parametrize(
    ("method", "name"), [(method, name) for method in METHODS for name in params_of(method, required=False)]
)
async def test_null_stands_for_an_absent_optional_parameter(method: str, name: str, new_app: NewApp) -> None:
    # Of some parameters a call may have one only; such a method's first example has it.
    usual = successes(method)[0].params if method in NEVER_DONE else all_params(method)
    answer = await (await world(method, new_app)).call({**usual, name: None})
    assert "result" in answer.body or (method in NEVER_DONE and answer.code == 13)
