"""The OpenRPC document: valid, true for its backend, read by others' tools; its examples are calls that work."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest
from referencing import Registry, Resource

from jsonrpc_backend.errors import RpcError
from jsonrpc_backend.methods import APP_API, MANAGEMENT_API
from jsonrpc_backend.rpc.registry import Method, SessionRule
from tests.conftest import NewApp, StartServer
from tests.examples import NEVER_DONE, Example, shape, successes, world_of
from tests.examples import methods as methods_by_schema
from tests.operators import KEY, KEY_HEADER, KEYS, Operator
from tests.servers import InProcessServer, ServerProcess
from tests.setup import JAVASCRIPT
from tests.test_javascript import run_node
from tests.wire import Answer, Wire

PINNED = Path(__file__).parent / "openrpc"

APP, MANAGEMENT = "/openrpc.json", "/manage/openrpc.json"
of_each_api = pytest.mark.parametrize(
    ("path", "names"),
    [(APP, list(APP_API.methods)), (MANAGEMENT, list(MANAGEMENT_API.methods))],
    ids=["app", "management"],
)


def pinned(name: str) -> Any:
    return json.loads((PINNED / name).read_text(encoding="utf-8"))


def validator() -> jsonschema.Draft7Validator:
    """Of OpenRPC documents."""
    meta, of_schemas = pinned("openrpc-1.3.json"), pinned("json-schema.json")
    draft7 = "http://json-schema.org/draft-07/schema#"  # what their own dialect stands for
    resources = {
        url: Resource.from_contents({**of_schemas, "$schema": draft7, "$id": url})
        for url in ("https://meta.json-schema.tools", "https://meta.json-schema.tools/")
    }
    return jsonschema.Draft7Validator(
        {**meta, "$schema": draft7},
        registry=Registry().with_resources(resources.items()),
        format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER,
    )


@pytest.fixture
def server(operator: Operator) -> InProcessServer:
    """A server that takes the calls of operators too."""
    return operator.server


async def fetch(http: aiohttp.ClientSession, server: InProcessServer, path: str = APP) -> Any:
    async with http.get(f"{server.url}{path}", headers={KEY_HEADER: KEY}) as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        return await response.json()


async def discover(wire: Wire, **params: Any) -> Answer:
    """Without the reserved keys, as programs call it that know none."""
    return await wire.send({"jsonrpc": "2.0", "method": "rpc.discover", "params": params, "id": 1})


# --- the document -----------------------------------------------------------------------------------------


@of_each_api
async def test_it_is_valid(http: aiohttp.ClientSession, server: InProcessServer, path: str, names: list[str]) -> None:
    document = await fetch(http, server, path)
    validator().validate(document)
    assert [method["name"] for method in document["methods"]] == names
    for method in document["methods"]:
        assert {"summary", "description", "params", "result", "errors", "examples"} <= method.keys()
        assert method["paramStructure"] == "by-name"
        assert all(param["description"] for param in method["params"])
        required = [param["required"] for param in method["params"]]
        assert required == sorted(required, reverse=True), "optional ones come last"


def test_the_validator_finds_what_is_wrong() -> None:
    good: dict[str, Any] = {"openrpc": "1.3.2", "info": {"title": "t", "version": "1"}, "methods": []}
    method = {"name": "a", "params": [{"name": "b", "schema": {"type": "nonsense"}}]}
    assert validator().is_valid(good)
    assert not validator().is_valid({**good, "openrpc": "7"})
    assert not validator().is_valid({**good, "methods": [method]})


@pytest.mark.parametrize("path", [APP, MANAGEMENT])
async def test_references_resolve(http: aiohttp.ClientSession, server: InProcessServer, path: str) -> None:
    document = await fetch(http, server, path)
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)))
    for reference in references:
        part = document
        for name in reference.split("/"):
            part = part[name]
    assert {"components/schemas/newPassword", "components/errors/InvalidParams"} <= references
    unused = [f"components/{kind}/{name}" for kind, parts in document["components"].items() for name in parts]
    assert set(unused) <= references


async def test_it_has_the_settings_of_its_backend(http: aiohttp.ClientSession, start: StartServer) -> None:
    template = {"subject": "s", "from": "a@example.com", "body": "%PASSWORD_RESET_TOKEN%"}
    own = {"min_username_length": 7, "min_password_length": 9, "email_properties": ["mail"], "api_key": "k"}
    server = await start({"backends": {"app": KEYS, "shop": {**own, **KEYS, "mail_templates": {"japanese": template}}}})
    for path in (APP, MANAGEMENT):
        schemas = (await fetch(http, server, f"{path}?backend=shop"))["components"]["schemas"]
        assert (schemas["newUsername"]["minLength"], schemas["newPassword"]["minLength"]) == (7, 9)
        document = await fetch(http, server, f"{path}?backend=app")
        assert document["components"]["schemas"]["newUsername"]["minLength"] == 3
        validator().validate(document)
    schemas = (await fetch(http, server, f"{APP}?backend=shop"))["components"]["schemas"]
    assert schemas["emailPropertyName"]["enum"] == ["mail", None]
    assert set(schemas["templateName"]["enum"]) == {"japanese", "send_password_token", None}


async def test_it_says_where_to_call(http: aiohttp.ClientSession, operator: Operator) -> None:
    server = operator.server
    assert (await fetch(http, server))["servers"] == [{"name": "app", "url": server.endpoint}]
    assert (await fetch(http, server, MANAGEMENT))["servers"] == [{"name": "app", "url": operator.endpoint}]


async def test_a_session_is_required_where_a_user_must_be_signed_in(
    http: aiohttp.ClientSession, server: InProcessServer
) -> None:
    for method in (await fetch(http, server))["methods"]:
        params = {param["name"]: param["required"] for param in method["params"]}
        if method["name"] == "rpc.discover":
            assert params == {}
        else:
            assert params["__api_key"]
            assert params["__device"]
            assert params["__session"] == (APP_API.methods[method["name"]].session is SessionRule.REQUIRED)


async def test_params_of_operators_are_those_of_the_schemas(
    http: aiohttp.ClientSession, server: InProcessServer
) -> None:
    document = await fetch(http, server, MANAGEMENT)
    assert KEY_HEADER in document["info"]["description"]
    assert KEY not in json.dumps(document)
    params = {method["name"]: {each["name"]: each for each in method["params"]} for method in document["methods"]}
    assert {name: set(each) for name, each in params.items()} == {
        name: set(method.keywords) for name, method in MANAGEMENT_API.methods.items()
    }
    assert params["User.list"]["itemsInPage"]["schema"]["maximum"] == 10_000
    assert params["User.create"]["password"]["schema"] == {"$ref": "#/components/schemas/newPassword"}


@pytest.mark.parametrize(("path", "of_sessions"), [(APP, {10, 12}), (MANAGEMENT, set())])
async def test_every_error_is_explained(
    http: aiohttp.ClientSession, server: InProcessServer, path: str, of_sessions: set[int]
) -> None:
    document = await fetch(http, server, path)
    assert document["x-error-meanings"].keys() == {str(cls.code) for cls in RpcError.__subclasses__()}
    assert all(meaning.endswith((".", ")")) for meaning in document["x-error-meanings"].values())
    for method in document["methods"]:
        codes = {
            document["components"]["errors"][error["$ref"].rpartition("/")[2]]["code"] for error in method["errors"]
        }
        assert {int(code) for code in method["x-error-causes"]} <= codes
        assert {-32700, -32600, -32601, -32602, -32603, 4} <= codes
        assert codes & {10, 12} == of_sessions


async def test_which_backend(http: aiohttp.ClientSession, start: StartServer) -> None:
    server = await start({"backends": {"shop": {"api_key": "k"}}, "server": {"allowed_origins": ["https://a.example"]}})
    for query in ("", "?backend=", "?backend=gone"):
        async with http.get(f"{server.url}/openrpc.json{query}", headers={"Origin": "https://a.example"}) as response:
            assert response.status == 404
            assert response.headers["Access-Control-Allow-Origin"] == "https://a.example"
            assert "?backend=" in (await response.json())["error"]
    headers = {"X-Forwarded-Proto": "https", "Host": "accounts.example.com"}
    async with http.get(f"{server.url}/openrpc.json?backend=shop", headers=headers) as response:
        assert (await response.json())["servers"][0]["url"] == "https://accounts.example.com/json-rpc/shop"


@pytest.mark.slow
@of_each_api
async def test_a_generic_client_reads_it(server: InProcessServer, path: str, names: list[str]) -> None:
    register = "User.register" if path == APP else "User.create"
    printed = await run_node(JAVASCRIPT / "openrpc.cjs", f"{server.url}{path}", json.dumps({KEY_HEADER: KEY}), register)
    assert json.loads(printed) == names


# --- rpc.discover -----------------------------------------------------------------------------------------


async def test_rpc_discover_gives_the_same(http: aiohttp.ClientSession, wire: Wire, server: InProcessServer) -> None:
    document = await fetch(http, server)
    del document["servers"]
    assert (await discover(wire)).result == document
    assert (await wire.call("rpc.discover")).result == document, "the reserved keys may come along"


async def test_rpc_discover_of_no_backend(wire: Wire, server: InProcessServer) -> None:
    server.backend_id = "gone"
    assert (await discover(wire)).code == 4


async def test_off_unless_asked_for(http: aiohttp.ClientSession, served: ServerProcess) -> None:
    for path in ("/", "/docs", "/docs/", "/docs/page.mjs", "/docs/settings.json", "/openrpc.json"):
        async with http.get(f"{served.url}{path}") as response:
            assert response.status == 404, path
    assert "/docs" not in served.output
    assert (await discover(Wire(http, served))).code == -32601
    assert (await Wire(http, served).call("rpc.discover")).code == -32601


# --- examples ---------------------------------------------------------------------------------------------


def documented(document: Any, example: Example) -> tuple[dict[str, Any], Any]:
    """The params and the result that a document has for an example of a schema file."""
    method = next(each for each in document["methods"] if each["name"] == methods_by_schema[example.method].name)
    found = next(each for each in method["examples"] if each["name"] == example.name)
    return {param["name"]: param["value"] for param in found["params"]}, found["result"]["value"]


def examples_of(registry: Mapping[str, Method]) -> list[Example]:
    done = [method.schema for method in registry.values() if method.schema not in NEVER_DONE]
    return [example for method in done for example in successes(method)]


@pytest.mark.parametrize("example", examples_of(APP_API.methods), ids=str)
async def test_examples_are_calls_that_work(example: Example, new_app: NewApp) -> None:
    world = await world_of(example, new_app)
    app = world.caller
    assert isinstance(app, Wire)
    params, result = documented((await discover(app)).result, example)
    reserved = {"__api_key": app.server.api_key, "__device": app.device, "__session": app.session}
    own = {name: value for name, value in params.items() if name not in reserved}
    sent = {name: value for name, value in reserved.items() if name in params} | world.real_params(own)
    answer = await app.send({"jsonrpc": "2.0", "method": example.method, "params": sent, "id": 1})
    assert shape(answer.result) == shape(result)


@pytest.mark.parametrize("example", examples_of(MANAGEMENT_API.methods), ids=str)
async def test_examples_of_operators_are_calls_that_work(example: Example, new_app: NewApp) -> None:
    world = await world_of(example, new_app)
    params, result = documented((await world.caller.call("rpc.discover")).result, example)
    assert shape((await world.call(params)).result) == shape(result)
