"""The OpenRPC document: valid, true for its backend, read by others' tools; its examples are calls that work."""

import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest
from referencing import Registry, Resource

import jsonrpc_backend.methods  # noqa: F401 (fills the registry)
from jsonrpc_backend.errors import RpcError
from jsonrpc_backend.rpc.registry import Session, methods
from tests.conftest import NewApp, StartServer
from tests.mailbox import Mailbox
from tests.servers import InProcessServer, ServerProcess
from tests.setup import JAVASCRIPT
from tests.test_javascript import run_node
from tests.wire import Answer, Wire

PINNED = Path(__file__).parent / "openrpc"


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


async def fetch(http: aiohttp.ClientSession, server: InProcessServer, query: str = "") -> Any:
    async with http.get(f"{server.url}/openrpc.json{query}") as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        return await response.json()


async def discover(wire: Wire, **params: Any) -> Answer:
    """Without the reserved keys, as programs call it that know none."""
    return await wire.send({"jsonrpc": "2.0", "method": "rpc.discover", "params": params, "id": 1})


# --- the document -----------------------------------------------------------------------------------------


async def test_it_is_valid(http: aiohttp.ClientSession, server: InProcessServer) -> None:
    document = await fetch(http, server)
    validator().validate(document)
    assert [method["name"] for method in document["methods"]] == list(methods)
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


async def test_references_resolve(http: aiohttp.ClientSession, server: InProcessServer) -> None:
    document = await fetch(http, server)
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)))
    for reference in references:
        part = document
        for name in reference.split("/"):
            part = part[name]
    assert {"components/schemas/newPassword", "components/errors/InvalidParams"} <= references


async def test_it_has_the_settings_of_its_backend(http: aiohttp.ClientSession, start: StartServer) -> None:
    template = {"subject": "s", "from": "a@example.com", "body": "%PASSWORD_RESET_TOKEN%"}
    own = {"min_username_length": 7, "min_password_length": 9, "email_properties": ["mail"], "api_key": "k"}
    server = await start({"backends": {"shop": {**own, "mail_templates": {"japanese": template}}}})
    schemas = (await fetch(http, server, "?backend=shop"))["components"]["schemas"]
    assert (schemas["newUsername"]["minLength"], schemas["newPassword"]["minLength"]) == (7, 9)
    assert schemas["emailPropertyName"]["enum"] == ["mail", None]
    assert set(schemas["templateName"]["enum"]) == {"japanese", "send_password_token", None}
    document = await fetch(http, server, "?backend=app")
    assert document["components"]["schemas"]["newUsername"]["minLength"] == 3
    assert document["servers"] == [{"name": "app", "url": server.endpoint}]
    validator().validate(document)


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
            assert params["__session"] == (methods[method["name"]].session is Session.REQUIRED)


async def test_every_error_is_explained(http: aiohttp.ClientSession, server: InProcessServer) -> None:
    document = await fetch(http, server)
    assert document["x-error-meanings"].keys() == {str(cls.code) for cls in RpcError.__subclasses__()}
    assert all(meaning.endswith((".", ")")) for meaning in document["x-error-meanings"].values())
    for method in document["methods"]:
        codes = {
            document["components"]["errors"][error["$ref"].rpartition("/")[2]]["code"] for error in method["errors"]
        }
        assert {int(code) for code in method["x-error-causes"]} <= codes
        assert {-32700, -32600, -32601, -32602, -32603, 4, 10, 12} <= codes


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


async def test_a_generic_client_reads_it(server: InProcessServer) -> None:
    printed = await run_node(JAVASCRIPT / "openrpc.cjs", f"{server.url}/openrpc.json")
    assert json.loads(printed) == list(methods)


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

VOLATILE = {"_id", "_createdAt", "_updatedAt", "_updateAt", "loginToken", "info", "methods", "components"}
PASSWORD, PROPERTIES = "blue-whale-31", {"nickname": "Anna", "age": 21}


def masked(value: Any) -> Any:
    """A result without what is another one each time."""
    if not isinstance(value, dict):
        return value
    return {
        name: type(member).__name__ if name in VOLATILE else masked(member)
        for name, member in value.items()
        if name != "x-error-meanings"
    }


async def prepared(method: str, wire: Wire, mailbox: Mailbox) -> dict[str, str]:
    """Makes the example's world: Anna has an account, and is signed in where that matters. Gives the fresh tokens."""
    if method in {"User.register", "User.validate"}:
        return {}
    await wire.register("anna@example.com", PASSWORD, **PROPERTIES)
    if method == "User.autoLogin":
        return {"loginToken": str(wire.login_token)}
    if method == "User.resetPasswordAndLogin":
        await wire.elsewhere().call("User.sendPasswordResetToken", username="anna@example.com")
        return {"token": (await mailbox.next()).token}
    return {}


@pytest.mark.parametrize("name", list(methods))
async def test_examples_are_calls_that_work(name: str, new_app: NewApp, mailbox: Mailbox) -> None:
    app = await new_app(smtp=mailbox.settings)
    method = next(method for method in (await discover(app)).result["methods"] if method["name"] == name)
    (example,) = method["examples"]
    params = {param["name"]: param["value"] for param in example["params"]}
    fresh = await prepared(name, app, mailbox)
    reserved = {"__api_key": app.server.api_key, "__device": app.device, "__session": app.session}
    own = {key: fresh.get(key, value) for key, value in params.items() if key not in reserved}
    sent = {key: value for key, value in reserved.items() if key in params} | own
    answer = await app.send({"jsonrpc": "2.0", "method": name, "params": sent, "id": 1})
    assert masked(answer.result) == masked(example["result"]["value"])
