"""The registry and the schema files say the same, and what they say is what the server does."""

import asyncio
import contextlib
import inspect
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, cast

import aiohttp
import jsonschema
import pytest
from referencing import Registry, Resource

import jsonrpc_backend.methods  # noqa: F401 (fills the registry)
from jsonrpc_backend.rpc.registry import Session, management_methods, snake_case
from jsonrpc_backend.rpc.registry import methods as app_methods
from jsonrpc_backend.rpc.schemas import COMMON, load, schema_folder
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from tests.conftest import NewApp
from tests.mailbox import Mailbox, listening
from tests.operators import KEYS, Operator, add_users
from tests.servers import InProcessServer
from tests.wire import Answer, Wire

# The methods of both APIs, those of the operators' under names such as "management/User.list".
methods = {method.schema: method for method in [*app_methods.values(), *management_methods.values()]}

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


def schema(method: str) -> dict[str, Any]:
    return dict(load(f"{method}.json"))


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


ANNOTATIONS = {"$comment", "$ref", "default", "description", "examples", "messages", "title"}
EXPLAINED = {
    "enum",
    "additionalProperties",
    "items",
    "maximum",
    "maxLength",
    "minimum",
    "minLength",
    "properties",
    "propertyNames",
    "required",
    "type",
}
EXPLAINED_BY_MESSAGES = {"format", "pattern"}


def resolved(reference: str) -> Any:
    """What a reference to common.json means, wherever it stands."""
    return REGISTRY.resolver(base_uri=COMMON).lookup(reference.removeprefix("../")).contents


def rules(value: Any) -> Iterator[dict[str, Any]]:
    """A schema, the schemas in it and those that it refers to."""
    if "$ref" in value:
        yield from rules(resolved(value["$ref"]))
    yield value
    for child in [*value.get("properties", {}).values(), value.get("items"), value.get("propertyNames")]:
        if child is not None:
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
    assert (11 in codes(method)) == (methods[method].session is Session.REQUIRED)


@pytest.mark.parametrize("method", METHODS)
def test_error_9999_is_listed_where_the_throttle_counts(method: str) -> None:
    """And where operators, whom it does not count, have passwords hashed; and where something may find no room."""
    hashes = method in {"management/User.create", "management/User.setPassword"}
    grows = method in {"User.saveProperty", "User.saveProperties", "management/User.update"}
    assert (9999 in codes(method)) == (methods[method].limited is not None or hashes or grows)


@pytest.mark.parametrize("method", METHODS)
def test_invalid_params_are_listed(method: str) -> None:
    """Params are closed, so an unknown one is possible everywhere."""
    assert -32602 in codes(method)


# --- every error that a schema lists ---------------------------------------------------------------------

THE_USER = "the id of a user"

Scenario = Callable[[NewApp], Awaitable[Answer]]


def anonymous(method: str, **params: Any) -> Scenario:
    async def scenario(new_app: NewApp) -> Answer:
        return await (await new_app()).call(method, **params)

    return scenario


def signed_in(method: str, **params: Any) -> Scenario:
    async def scenario(new_app: NewApp) -> Answer:
        app = await new_app()
        await app.register("me@example.com", "password", age=21)
        return await app.call(method, **params)

    return scenario


async def auto_login(new_app: NewApp) -> Answer:
    app = await new_app()
    await app.register()
    return await app.call("User.autoLogin", loginToken=app.login_token)


async def auto_login_turned_off(new_app: NewApp) -> Answer:
    app = await new_app(auto_login={"enabled": False})
    return await app.call("User.autoLogin", loginToken="0" * 64)


TIGHT = {
    "enabled": True,
    "failed_logins_per_user": 1,
    "failed_logins_per_address": 1,
    "registrations_per_address": 1,
    "reset_requests_per_address": 1,
}


def too_often(method: str) -> Scenario:
    async def scenario(new_app: NewApp) -> Answer:
        app = await new_app(throttle=TIGHT)
        if methods[method].session is Session.REQUIRED:
            await app.register()
        assert (await app.call(method)).code == -32602
        return await app.call(method)

    return scenario


def managed(method: str, **params: Any) -> Scenario:
    async def scenario(new_app: NewApp) -> Answer:
        app = await new_app(**KEYS)
        operator = Operator(app.http, cast("InProcessServer", app.server))
        user_id = await operator.create(age=21)
        return await operator.call(method, **{k: user_id if v == THE_USER else v for k, v in params.items()})

    return scenario


def while_new(method: str, **params: Any) -> Scenario:
    """Somebody has just registered, and wants to keep much."""

    async def scenario(new_app: NewApp) -> Answer:
        app = await new_app(throttle={"enabled": True})
        await app.register()
        return await app.call(method, **params)

    return scenario


async def full_database(new_app: NewApp) -> Answer:
    app = await new_app(max_database_bytes=400_000, **KEYS)
    operator = Operator(app.http, cast("InProcessServer", app.server))
    user_id = await operator.create(text="x" * 400_000)
    return await operator.call("User.update", _id=user_id, user={"age": 21})


def too_many_hashes(method: str, params: Callable[[int], dict[str, Any]]) -> Scenario:
    """Each takes long enough for the others to come meanwhile, and the queue is short. There is one user, `u0`."""

    async def scenario(new_app: NewApp) -> Answer:
        app = await new_app(passwords={"workers": 1, "max_queue": 1, "memory_kib": 131072}, **KEYS)
        operator = Operator(app.http, cast("InProcessServer", app.server))
        with contextlib.closing(open_for_writing(operator.server.database_path())) as db:
            db.write(lambda db: add_users(db, 1))
        answers = await asyncio.gather(*(operator.call(method, **params(number)) for number in range(8)))
        return next(answer for answer in answers if "error" in answer.body)

    return scenario


async def slow_search(new_app: NewApp) -> Answer:
    app = await new_app(management={"search_seconds": 1}, **KEYS)
    server = cast("InProcessServer", app.server)
    with contextlib.closing(open_for_writing(server.database_path())) as db:
        db.write(lambda db: add_users(db, 15_000, {f"b{number}": "x" * 20 for number in range(60)}))
    query = "&&".join(f"a{number}==null" for number in range(500))
    return await Operator(app.http, server).call("User.list", page=1, itemsInPage=1, userQuery=query)


PROVOKERS: dict[tuple[str, int], Scenario] = {
    ("management/User.create", -32602): managed("User.create", username="me@example.com", password="password"),
    ("management/User.create", 9999): too_many_hashes(
        "User.create", lambda number: {"username": f"new{number}", "password": "password"}
    ),
    ("management/User.delete", -32602): managed("User.delete"),
    ("management/User.get", -32602): managed("User.get", _id="u0"),
    ("management/User.getPropertyNames", -32602): managed("User.getPropertyNames", page=1),
    ("management/User.list", -32602): managed("User.list", page=1, itemsInPage=1, userQuery="age = 1"),
    ("management/User.list", 13): slow_search,
    ("management/User.setPassword", -32602): managed("User.setPassword", _id="u0", password="password"),
    ("management/User.setPassword", 9999): too_many_hashes(
        "User.setPassword", lambda _: {"_id": "u0", "password": "password"}
    ),
    ("management/Session.list", -32602): managed("Session.list", _id="u0"),
    ("management/Session.revoke", -32602): managed("Session.revoke", _id=THE_USER, session="0"),
    ("management/User.disable", -32602): managed("User.disable", _id="u0"),
    ("management/User.enable", -32602): managed("User.enable", _id="u0"),
    ("management/Throttle.list", -32602): managed("Throttle.list", page=1),
    ("management/Throttle.clear", -32602): managed("Throttle.clear", name="nobody"),
    ("management/rpc.discover", -32602): managed("rpc.discover", page=1),
    ("management/User.update", 9999): full_database,
    ("management/User.update", -32602): managed("User.update", _id=THE_USER, user={"_createdAt": 1}),
    ("rpc.discover", -32602): anonymous("rpc.discover", age=21),
    ("User.autoLogin", -32602): anonymous("User.autoLogin", loginToken="0" * 64),
    ("User.autoLogin", 13): auto_login_turned_off,
    ("User.getProperties", -32602): signed_in("User.getProperties", names="age"),
    ("User.getProperties", 11): anonymous("User.getProperties"),
    ("User.getProperty", -32602): signed_in("User.getProperty"),
    ("User.getProperty", 11): anonymous("User.getProperty", name="age"),
    ("User.isAuthenticated", -32602): anonymous("User.isAuthenticated", age=21),
    ("User.login", -32602): anonymous("User.login", username="me@example.com", password="password"),
    ("User.logout", -32602): signed_in("User.logout", age=21),
    ("User.logout", 11): anonymous("User.logout"),
    ("User.register", -32602): anonymous("User.register", username="me", password="password"),
    ("User.resetPasswordAndLogin", -32602): anonymous(
        "User.resetPasswordAndLogin", username="username", newPassword="newPassword", token="000000"
    ),
    ("User.sendPasswordResetToken", -32602): anonymous(
        "User.sendPasswordResetToken", username="username", options={"templateName": "no such template"}
    ),
    ("User.sendPasswordResetToken", 13): signed_in("User.sendPasswordResetToken", username="username"),
    ("User.saveProperties", -32602): signed_in("User.saveProperties", properties={"_age": 21}),
    ("User.saveProperties", 9999): while_new("User.saveProperties", properties={"text": "x" * 100_000}),
    ("User.saveProperties", 11): anonymous("User.saveProperties", properties={"age": 21}),
    ("User.saveProperty", -32602): signed_in("User.saveProperty", name="_age", value=21),
    ("User.saveProperty", 9999): while_new("User.saveProperty", name="text", value="x" * 100_000),
    ("User.saveProperty", 11): anonymous("User.saveProperty", name="age", value=21),
    ("User.unregister", -32602): signed_in("User.unregister", password="passw0rd"),
    ("User.unregister", 11): anonymous("User.unregister", password="password"),
    ("User.updatePassword", -32602): signed_in("User.updatePassword", oldPassword="passw0rd", newPassword="1234"),
    ("User.updatePassword", 11): anonymous("User.updatePassword", oldPassword="password", newPassword="1234"),
    ("User.validate", -32602): anonymous("User.validate", username="me"),
    **{(method, 9999): too_often(method) for method in METHODS if methods[method].limited},
}


@pytest.mark.parametrize(("method", "code"), [(method, code) for method in METHODS for code in codes(method)])
async def test_listed_error_can_be_provoked(method: str, code: int, new_app: NewApp) -> None:
    assert (method, code) in PROVOKERS, f"{method}.json lists {code}; add a call to PROVOKERS that provokes it"
    answer = await PROVOKERS[method, code](new_app)
    assert answer.code == code
    assert answer.error["message"] == MESSAGES[code]
    assert answer.session is None
    check_data(code, answer.data)


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


async def reset_password(new_app: NewApp) -> Answer:
    async with listening(Mailbox()) as mailbox:
        app = await new_app(smtp=mailbox.settings)
        await app.register()
        await app.elsewhere().call("User.sendPasswordResetToken", username="me@example.com")
        token = (await mailbox.next()).token
    return await app.elsewhere().call(
        "User.resetPasswordAndLogin", username="me@example.com", newPassword="newPassword", token=token
    )


SUCCESSES: dict[str, Scenario] = {
    "management/User.create": managed("User.create", username="you@example.com", password="1234", properties={"a": 1}),
    "management/User.delete": managed("User.delete", idList=[THE_USER]),
    "management/User.get": managed("User.get", _id=THE_USER),
    "management/User.getPropertyNames": managed("User.getPropertyNames"),
    "management/User.list": managed("User.list", page=1, itemsInPage=10),
    "management/User.setPassword": managed("User.setPassword", _id=THE_USER, password="password2"),
    "management/Session.list": managed("Session.list", _id=THE_USER),
    "management/Session.revoke": managed("Session.revoke", _id=THE_USER),
    "management/User.disable": managed("User.disable", _id=THE_USER),
    "management/User.enable": managed("User.enable", _id=THE_USER),
    "management/Throttle.list": managed("Throttle.list"),
    "management/Throttle.clear": managed("Throttle.clear", name=THE_USER),
    "management/rpc.discover": managed("rpc.discover"),
    "management/User.update": managed("User.update", _id=THE_USER, user={"_username": "you@example.com", "age": 22}),
    "User.resetPasswordAndLogin": reset_password,
    "rpc.discover": anonymous("rpc.discover"),
    "User.sendPasswordResetToken": anonymous("User.sendPasswordResetToken", username="me@example.com"),
    "User.autoLogin": auto_login,
    "User.getProperties": signed_in("User.getProperties"),
    "User.getProperty": signed_in("User.getProperty", name="age"),
    "User.isAuthenticated": signed_in("User.isAuthenticated"),
    "User.login": signed_in("User.login", username="me@example.com", password="password"),
    "User.logout": signed_in("User.logout"),
    "User.register": anonymous("User.register", username="me@example.com", password="1234", properties={"age": 21}),
    "User.saveProperties": signed_in("User.saveProperties", properties={"age": None}),
    "User.saveProperty": signed_in("User.saveProperty", name="age", value=None),
    "User.unregister": signed_in("User.unregister", password="password"),
    "User.updatePassword": signed_in("User.updatePassword", oldPassword="password", newPassword="passw0rd"),
    "User.validate": anonymous("User.validate", username="me@example.com"),
}


@pytest.mark.parametrize("method", METHODS)
async def test_result_is_as_its_schema_says(method: str, new_app: NewApp) -> None:
    assert method in SUCCESSES, f"add a call to SUCCESSES in which {method} succeeds"
    result = (await SUCCESSES[method](new_app)).result
    assert result is not None, "clients read members of every result"
    part(method, "result").validate(result)


@pytest.mark.parametrize("method", METHODS)
def test_result_schema_refuses_null(method: str) -> None:
    assert not part(method, "result").is_valid(None)


# --- params, method by method ----------------------------------------------------------------------------

VALID_PARAMS: dict[str, dict[str, Any]] = {
    "management/User.create": {"username": "you@example.com", "password": "password", "properties": {"age": 21}},
    "management/User.delete": {"idList": ["u0"], "_idList": ["u1"]},
    "management/User.get": {"_id": THE_USER},
    "management/User.getPropertyNames": {},
    "management/User.list": {
        "page": 1,
        "itemsInPage": 10,
        "sortProperty": "age",
        "sortOrder": "desc",
        "propertyNames": ["age"],
        "nameFilter": "me",
        "userQuery": "age > 20",
        "userQueryBindParams": [],
    },
    "management/User.setPassword": {"_id": THE_USER, "password": "password2"},
    "management/Session.list": {"_id": THE_USER},
    "management/Session.revoke": {"_id": THE_USER, "session": "5f0c1a7be29d"},
    "management/User.disable": {"_id": THE_USER},
    "management/User.enable": {"_id": THE_USER},
    "management/Throttle.list": {},
    "management/Throttle.clear": {"name": THE_USER, "address": "192.0.2.1"},
    "management/rpc.discover": {},
    "management/User.update": {"_id": THE_USER, "user": {"_username": "you@example.com", "age": 22}},
    "rpc.discover": {},
    "User.resetPasswordAndLogin": {"username": "me@example.com", "newPassword": "newPassword", "token": "000000"},
    "User.sendPasswordResetToken": {
        "username": "me@example.com",
        "options": {"emailPropertyName": "email", "templateName": "send_password_token"},
    },
    "User.autoLogin": {"loginToken": "0" * 64},
    "User.getProperties": {"names": ["age"]},
    "User.getProperty": {"name": "age"},
    "User.isAuthenticated": {},
    "User.login": {"username": "me@example.com", "password": "password"},
    "User.logout": {},
    "User.register": {"username": "you@example.com", "password": "password", "properties": {"age": 21}},
    "User.saveProperties": {"properties": {"age": 22}},
    "User.saveProperty": {"name": "age", "value": 22},
    "User.unregister": {"password": "password"},
    "User.updatePassword": {"oldPassword": "password", "newPassword": "passw0rd"},
    "User.validate": {"username": "you@example.com", "properties": {"age": 21}},
}


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


def wrong_types() -> Iterator[Any]:
    """Each parameter of each method with values of wrong types."""
    values = {"null": None, "string": "a918273", "integer": 918273, "array": ["a918273"]}
    for method in METHODS:
        for required in (True, False):
            for name in params_of(method, required=required):
                right = types_of(method, name)
                for kind, value in values.items():
                    if right and kind not in right and (required or value is not None):
                        yield pytest.param(method, name, value, id=f"{method}-{name}-{kind}")


@pytest.fixture
def wire(http: aiohttp.ClientSession, operator: Operator) -> Wire:
    """An app whose server takes the calls of operators too."""
    return Wire(http, operator.server)


async def call(app: Wire, method: str, params: dict[str, Any]) -> Answer:
    """From an app that is signed in where that is asked for, so that params are what is wrong."""
    if method.startswith("management/"):
        operator = Operator(app.http, cast("InProcessServer", app.server))
        user_id = await operator.create()
        return await operator.call(
            methods[method].name, **{name: user_id if value == THE_USER else value for name, value in params.items()}
        )
    await app.register("me@example.com", "password")
    caller = app.elsewhere() if methods[method].session is Session.FORBIDDEN else app
    return await caller.call(method, **params)


@pytest.mark.parametrize("method", METHODS)
def test_valid_params_are_valid(method: str) -> None:
    assert method in VALID_PARAMS, f"add params to VALID_PARAMS that are valid for {method}"
    part(method, "params").validate(VALID_PARAMS[method])
    assert VALID_PARAMS[method].keys() == schema(method)["params"]["properties"].keys()


@pytest.mark.parametrize("method", METHODS)
async def test_unknown_parameter_is_named(method: str, wire: Wire) -> None:
    answer = await call(wire, method, {**VALID_PARAMS[method], "userName": 1, "__proto__": 2})
    assert answer.code == -32602
    assert answer.data.keys() == {"userName", "__proto__"}


@pytest.mark.parametrize(
    ("method", "name"), [(method, name) for method in METHODS for name in params_of(method, required=True)]
)
async def test_missing_parameter_is_named(method: str, name: str, wire: Wire) -> None:
    params = {key: value for key, value in VALID_PARAMS[method].items() if key != name}
    answer = await call(wire, method, params)
    assert answer.code == -32602
    assert answer.data.keys() == {name}
    assert answer.data[name].endswith(" is required.")


@pytest.mark.parametrize(("method", "name", "value"), list(wrong_types()))
async def test_parameter_of_the_wrong_type_is_named(method: str, name: str, value: Any, wire: Wire) -> None:
    answer = await call(wire, method, {**VALID_PARAMS[method], name: value})
    assert answer.code == -32602
    assert answer.data.keys() == {name}
    assert " must be " in answer.data[name]
    assert "918273" not in json.dumps(answer.body), "the value may be a password"


@pytest.mark.parametrize(
    ("method", "name"), [(method, name) for method in METHODS for name in params_of(method, required=False)]
)
async def test_null_stands_for_an_absent_optional_parameter(method: str, name: str, wire: Wire) -> None:
    answer = await call(wire, method, {**VALID_PARAMS[method], name: None})
    assert "result" in answer.body
