"""What the asyncio client sends, and what it makes of the answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from jsonrpc_backend.client import AsyncClient, Notification, User
from jsonrpc_backend.errors import (
    CallLimitExceeded,
    InvalidOperation,
    InvalidParams,
    InvalidRequest,
    InvalidResponse,
    LoginRequired,
    MethodNotFound,
    RpcError,
)
from tests.scripted import KEY, USER, ScriptedServer, error, outcome, raw, result


@pytest.fixture
async def client(scripted: ScriptedServer) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(scripted.url, "app", KEY, device="phone-1") as client:
        yield client


# What is sent


async def test_a_call_is_json_posted_to_the_backends_endpoint(scripted: ScriptedServer, client: AsyncClient) -> None:
    await client.call("User.getProperties", names=["größe"])
    [request], [message] = scripted.requests, scripted.received
    assert (request.method, request.path_qs) == ("POST", "/json-rpc/app")
    assert request.headers["Content-Type"] == "application/json"
    assert message == {
        "jsonrpc": "2.0",
        "method": "User.getProperties",
        "params": {"names": ["größe"], "__api_key": KEY, "__device": "phone-1"},
        "id": 1,
    }


async def test_text_is_sent_as_utf_8_and_not_escaped(scripted: ScriptedServer, client: AsyncClient) -> None:
    await client.call("User.saveProperty", name="text", value="漢" * 1000)
    assert int(scripted.requests[0].headers["Content-Length"]) < 4000


@pytest.mark.parametrize(
    ("url_path", "backend_id", "path"),
    [
        ("", "app", "/json-rpc/app"),
        ("/", "app", "/json-rpc/app"),
        ("/api/", "a/b ü%", "/api/json-rpc/a%2Fb%20%C3%BC%25"),
    ],
)
async def test_the_endpoint_quotes_the_backend_id(
    scripted: ScriptedServer, url_path: str, backend_id: str, path: str
) -> None:
    async with AsyncClient(scripted.url + url_path, backend_id, KEY) as client:
        await client.call("User.isAuthenticated")
    assert scripted.requests[0].raw_path == path


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8080",
        "ftp://localhost",
        "http://",
        "http://me:secret@localhost",
        "http://localhost/?a=1",
        "http://a..b",
        "/x",
        "",
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="url must") as caught:
        AsyncClient(url, "app", KEY)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [{"backend_id": ""}, {"backend_id": ".."}, {"device": ""}, {"device": "x" * 256}, {"timeout": 0}]
)
def test_other_settings_are_checked_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        AsyncClient("http://localhost", **{"backend_id": "app", "api_key": KEY, **wrong})


@pytest.mark.parametrize(
    ("use", "method", "params"),
    [
        (lambda u: u.register("me", "secret"), "register", {"username": "me", "password": "secret"}),
        (
            lambda u: u.register("me", "secret", {"age": 21}),
            "register",
            {"username": "me", "password": "secret", "properties": {"age": 21}},
        ),
        (lambda u: u.validate("me"), "validate", {"username": "me"}),
        (lambda u: u.validate("me", {"age": 21}), "validate", {"username": "me", "properties": {"age": 21}}),
        (lambda u: u.unregister("secret"), "unregister", {"password": "secret"}),
        (lambda u: u.login("me", "secret"), "login", {"username": "me", "password": "secret"}),
        (lambda u: u.auto_login("abc"), "autoLogin", {"loginToken": "abc"}),
        (lambda u: u.is_authenticated(), "isAuthenticated", {}),
        (lambda u: u.logout(), "logout", {}),
        (lambda u: u.update_password("old", "new"), "updatePassword", {"oldPassword": "old", "newPassword": "new"}),
        (lambda u: u.send_password_reset_token("me"), "sendPasswordResetToken", {"username": "me"}),
        (
            lambda u: u.send_password_reset_token("me", email_property_name="email", template_name="mine"),
            "sendPasswordResetToken",
            {"username": "me", "options": {"emailPropertyName": "email", "templateName": "mine"}},
        ),
        (
            lambda u: u.reset_password_and_login("me", "new", "1234"),
            "resetPasswordAndLogin",
            {"username": "me", "newPassword": "new", "token": "1234"},
        ),
        (lambda u: u.get_property("age"), "getProperty", {"name": "age"}),
        (lambda u: u.get_properties(), "getProperties", {}),
        (lambda u: u.get_properties([]), "getProperties", {"names": []}),
        (lambda u: u.get_properties({"age"}), "getProperties", {"names": ["age"]}),
        (lambda u: u.save_property("age", None), "saveProperty", {"name": "age", "value": None}),
        (lambda u: u.save_properties({"age": 21}), "saveProperties", {"properties": {"age": 21}}),
    ],
)
async def test_the_documented_methods_send_the_documented_parameters(
    scripted: ScriptedServer, client: AsyncClient, use: Any, method: str, params: dict[str, Any]
) -> None:
    scripted.answer = error(9999)
    with pytest.raises(CallLimitExceeded):
        await use(client.user)
    [message] = scripted.received
    assert message["method"] == f"User.{method}"
    assert message["params"] == {**params, "__api_key": KEY, "__device": "phone-1"}


@pytest.mark.parametrize("name", ["__api_key", "__device", "__session"])
async def test_reserved_names_are_refused_before_anything_is_sent(
    scripted: ScriptedServer, client: AsyncClient, name: str
) -> None:
    attempts: list[Awaitable[Any]] = [
        client.call("A", {name: "x"}),
        client.call("A", **{name: "x"}),
        client.notify("A", {name: "x"}),
        client.batch([("A", {name: "x"})]),
        client.batch([Notification("A", {name: "x"})]),
    ]
    for attempt in attempts:
        with pytest.raises(ValueError, match=name):
            await attempt
    assert scripted.received == []


@pytest.mark.parametrize(
    ("params", "kind"),
    [
        ({"value": float("nan")}, ValueError),
        ({"value": "secret\ud800"}, ValueError),
        ({"value": {1, 2}}, TypeError),
        ({1: "x"}, TypeError),
    ],
)
async def test_what_json_cannot_express_is_refused_without_repeating_it(
    scripted: ScriptedServer, client: AsyncClient, params: Any, kind: type[Exception]
) -> None:
    with pytest.raises(kind) as caught:
        await client.call("User.saveProperty", params)
    assert "secret" not in repr((caught.value, caught.value.__context__))
    assert scripted.received == []


async def test_values_nested_too_deeply_are_refused(client: AsyncClient) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested"):
        await client.call("User.saveProperty", value=deep)


async def test_a_parameter_cannot_be_given_twice(client: AsyncClient) -> None:
    with pytest.raises(TypeError, match="given twice: name"):
        await client.call("User.getProperty", {"name": "a"}, name="b")


async def test_any_name_can_be_given_as_a_keyword(scripted: ScriptedServer, client: AsyncClient) -> None:
    await client.call("A", {"params": 1}, self=2, method=3)
    assert scripted.received[0]["params"].items() >= {"params": 1, "self": 2, "method": 3}.items()


async def test_a_string_is_not_a_list_of_names(client: AsyncClient) -> None:
    with pytest.raises(TypeError, match="not a string"):
        await client.user.get_properties("age")


# What comes back


async def test_call_returns_the_result_as_it_came(scripted: ScriptedServer, client: AsyncClient) -> None:
    scripted.answer = result({"properties": {"age": 21}})
    assert await client.call("User.getProperties") == {"properties": {"age": 21}}


async def test_a_user_has_pythons_names_and_times(scripted: ScriptedServer, client: AsyncClient) -> None:
    scripted.answer = result({"user": USER})
    user = await client.user.login("me@example.com", "secret")
    assert user == User(
        id=str(USER["_id"]),
        username="me@example.com",
        created_at=datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC),
        updated_at=datetime(2023, 11, 14, 22, 14, 20, tzinfo=UTC),
        properties={"age": 21, "tags": ["a"]},
    )
    assert user.created_at.utcoffset() is not None


async def test_properties_come_out_of_their_wrapping(scripted: ScriptedServer, client: AsyncClient) -> None:
    scripted.answer = result({"value": None})
    assert await client.user.get_property("age") is None
    scripted.answer = result({"properties": {"age": 21}})
    assert await client.user.get_properties() == {"age": 21}


@pytest.mark.parametrize(
    ("use", "value"),
    [
        (lambda u: u.login("me", "secret"), "OK"),
        (lambda u: u.login("me", "secret"), {"user": None}),
        (lambda u: u.login("me", "secret"), {"user": {**USER, "_id": 1}}),
        (lambda u: u.login("me", "secret"), {"user": {**USER, "_createdAt": "yesterday"}}),
        (lambda u: u.login("me", "secret"), {"user": {**USER, "_updatedAt": 10**40}}),
        (lambda u: u.get_property("age"), 21),
        (lambda u: u.get_properties(), {"properties": [1]}),
        (lambda u: u.is_authenticated(), "yes"),
    ],
)
async def test_a_result_of_another_shape_is_an_invalid_response(
    scripted: ScriptedServer, client: AsyncClient, use: Any, value: Any
) -> None:
    scripted.answer = result(value)
    with pytest.raises(InvalidResponse):
        await use(client.user)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-32602, InvalidParams),
        (11, LoginRequired),
        (13, InvalidOperation),
        (9999, CallLimitExceeded),
        (10001, RpcError),
    ],
)
async def test_an_error_is_raised_as_its_class(
    scripted: ScriptedServer, client: AsyncClient, code: int, kind: type[RpcError]
) -> None:
    scripted.answer = error(code, "What happened", data={"username": "Username is already taken."})
    with pytest.raises(RpcError) as caught:
        await client.user.register("me", "secret")
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.message) == (code, "What happened")
    assert caught.value.data == {"username": "Username is already taken."}


async def test_an_error_about_the_whole_body_comes_without_an_id(scripted: ScriptedServer, client: AsyncClient) -> None:
    scripted.answer = raw(b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "Too large"}}')
    for attempt in (client.call("A"), client.notify("A"), client.batch([("A", None)])):
        with pytest.raises(InvalidRequest):
            await attempt


async def test_auto_login_without_a_token_sends_nothing(scripted: ScriptedServer, client: AsyncClient) -> None:
    with pytest.raises(InvalidParams) as caught:
        await client.user.auto_login()
    assert caught.value.data is not None
    assert "loginToken" in caught.value.data
    assert scripted.received == []


# Notifications and batches


async def test_a_notification_has_no_id_and_no_result(scripted: ScriptedServer, client: AsyncClient) -> None:
    await client.notify("User.saveProperty", name="seen", value=True)
    assert "id" not in scripted.received[0]


async def test_results_of_a_batch_come_in_the_order_of_the_calls(scripted: ScriptedServer, client: AsyncClient) -> None:
    async def backwards(messages: Any, _: web.Request) -> web.Response:
        answers = [outcome(m, result=m["params"]["name"]) for m in messages if m["method"] == "User.getProperty"]
        answers += [outcome(m, error={"code": -32601, "message": "No"}) for m in messages if m["method"] == "No"]
        return web.json_response(answers[::-1])

    scripted.answer = backwards
    first, wrong, nothing, last = await client.batch(
        [
            ("User.getProperty", {"name": "first"}),
            ("No", None),
            Notification("User.saveProperty", {"name": "a", "value": 1}),
            ("User.getProperty", {"name": "last"}),
        ]
    )
    assert (first, nothing, last) == ("first", None, "last")
    assert isinstance(wrong, MethodNotFound)
    [messages] = scripted.received
    assert [message.get("id") for message in messages] == [1, 2, None, 3]
    assert all(message["params"]["__api_key"] == KEY for message in messages)


async def test_a_batch_of_notifications_gets_no_answer(scripted: ScriptedServer, client: AsyncClient) -> None:
    scripted.answer = raw(b"", 204)
    assert await client.batch([Notification("A"), Notification("B")]) == [None, None]


async def test_an_empty_batch_sends_nothing(scripted: ScriptedServer, client: AsyncClient) -> None:
    assert await client.batch([]) == []
    assert scripted.received == []


async def test_calls_may_overlap(scripted: ScriptedServer, client: AsyncClient) -> None:
    everybody_is_here = asyncio.Barrier(3)

    async def wait_for_the_others(message: Any, _: web.Request) -> web.Response:
        await everybody_is_here.wait()
        return web.json_response(outcome(message, result=message["params"]["name"]))

    scripted.answer = wait_for_the_others
    results = await asyncio.gather(*(client.call("A", name=name) for name in "abc"))
    assert results == ["a", "b", "c"]


async def test_the_repr_shows_no_secret(scripted: ScriptedServer, client: AsyncClient) -> None:
    scripted.answer = result({"user": USER, "loginToken": "t0ken"}, session="5e55")
    await client.user.login("me", "secret")
    assert repr(client) == f"AsyncClient('{scripted.url}/json-rpc/app', device='phone-1')"
    assert "secret" not in repr(Notification("User.unregister", {"password": "secret"}))


async def test_a_closed_client_makes_no_calls(client: AsyncClient) -> None:
    await client.call("A")
    await client.close()
    await client.close()
    with pytest.raises(RuntimeError, match="closed"):
        await client.call("A")
