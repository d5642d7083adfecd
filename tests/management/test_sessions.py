"""Passwords and sessions of users, for operators."""

import asyncio
from collections.abc import Sequence
from typing import Any, assert_type

import pytest

from jsonrpc_backend.client import AsyncManagementClient, ManagementClient, SignedIn
from jsonrpc_backend.errors import InvalidParams, InvalidResponse
from tests.conftest import StartServer
from tests.mailbox import Mailbox
from tests.operators import KEY, KEYS, Operator
from tests.scripted import ScriptedServer, result
from tests.servers import InProcessServer
from tests.wire import Wire

NAME = "me@example.com"
NO_SUCH_USER = {"_id": "There is no such user."}
NO_SUCH_SESSION = {"session": "The user has no such session."}


@pytest.fixture
def server(operator: Operator) -> InProcessServer:
    """The same for apps."""
    return operator.server


async def registered(app: Wire) -> str:
    user_id: str = (await app.register(NAME)).result["user"]["_id"]
    return user_id


async def sessions(operator: Operator, user_id: str) -> list[Any]:
    found: list[Any] = (await operator.call("Session.list", _id=user_id)).result["sessions"]
    return found


async def test_another_password_signs_out_everywhere(wire: Wire, other: Wire, operator: Operator) -> None:
    user_id = await registered(wire)
    await other.call("User.login", username=NAME, password="password")
    assert (await operator.call("User.setPassword", _id=user_id, password="another")).result == "OK"
    for app in (wire, other):
        assert (await app.call("User.isAuthenticated")).result is False
        assert (await app.call("User.autoLogin", loginToken=app.login_token)).code == -32602
    assert (await wire.elsewhere().call("User.login", username=NAME, password="password")).code == -32602
    assert (await wire.elsewhere().call("User.login", username=NAME, password="another")).session


async def test_another_password_ends_a_reset(http: Any, start: StartServer, mailbox: Mailbox) -> None:
    server = await start({"backends": {"app": KEYS}, "smtp": mailbox.settings})
    app = Wire(http, server)
    user_id = await registered(app)
    await app.elsewhere().call("User.sendPasswordResetToken", username=NAME)
    token = (await mailbox.next()).token
    await Operator(http, server).call("User.setPassword", _id=user_id, password="another")
    reset = {"username": NAME, "newPassword": "password", "token": token}
    assert (await app.elsewhere().call("User.resetPasswordAndLogin", **reset)).code == -32602


async def test_another_password_lets_nobody_in_who_is_disabled(wire: Wire, operator: Operator) -> None:
    user_id = await registered(wire)
    await operator.call("User.disable", _id=user_id)
    await operator.call("User.setPassword", _id=user_id, password="another")
    assert (await wire.elsewhere().call("User.login", username=NAME, password="another")).code == -32602


async def test_passwords_keep_the_rules_for_new_ones(wire: Wire, operator: Operator) -> None:
    user_id = await registered(wire)
    for password, complaint in (("abc", "at least 4 characters"), ("a b c d", "not contain spaces")):
        answer = await operator.call("User.setPassword", _id=user_id, password=password)
        assert complaint in answer.data["password"]
    assert (await operator.call("User.setPassword", _id="u0", password="password")).data == NO_SUCH_USER
    assert (await wire.call("User.isAuthenticated")).result is True


async def test_sessions_are_listed_latest_use_first(wire: Wire, other: Wire, operator: Operator) -> None:
    user_id, began = await registered(wire), operator.server.clock.now
    assert (await operator.call("Session.list", _id="u0")).data == NO_SUCH_USER
    operator.server.clock.advance(minutes=10)
    await other.call("User.login", username=NAME, password="password")
    found = await sessions(operator, user_id)
    assert [(each["device"], each["createdAt"], each["usedAt"]) for each in found] == [
        (other.device, began + 600_000, began + 600_000),
        (wire.device, began, began),
    ]
    assert len({each["id"] for each in found}) == 2
    assert not [each for each in found if each["id"] in f"{wire.session} {other.session}"]
    operator.server.clock.advance(minutes=24 * 60)
    assert await sessions(operator, user_id) == []


async def test_one_session_ends_with_its_login_token(wire: Wire, other: Wire, operator: Operator) -> None:
    user_id = await registered(wire)
    await other.call("User.login", username=NAME, password="password")
    somebody = await operator.create("somebody")
    chosen = next(each["id"] for each in await sessions(operator, user_id) if each["device"] == wire.device)
    assert (await operator.call("Session.revoke", _id=somebody, session=chosen)).data == NO_SUCH_SESSION
    assert (await operator.call("Session.revoke", _id="u0", session=chosen)).data == NO_SUCH_USER
    assert (await operator.call("Session.revoke", _id=user_id, session=chosen)).result == {"ended": 1}
    assert (await operator.call("Session.revoke", _id=user_id, session=chosen)).data == NO_SUCH_SESSION
    assert [(await app.call("User.isAuthenticated")).result for app in (wire, other)] == [False, True]
    assert (await wire.call("User.autoLogin", loginToken=wire.login_token)).code == -32602
    assert (await other.call("User.autoLogin", loginToken=other.login_token)).session


async def test_all_sessions_end_with_all_login_tokens(wire: Wire, other: Wire, operator: Operator) -> None:
    user_id = await registered(wire)
    await other.call("User.login", username=NAME, password="password")
    assert (await operator.call("Session.revoke", _id=user_id)).result == {"ended": 2}
    for app in (wire, other):
        assert (await app.call("User.isAuthenticated")).result is False
        assert (await app.call("User.autoLogin", loginToken=app.login_token)).code == -32602
    assert (await operator.call("Session.revoke", _id=user_id)).result == {"ended": 0}


async def test_changes_are_audited_and_failures_are_not(wire: Wire, operator: Operator) -> None:
    user_id = await registered(wire)
    await operator.call("User.setPassword", _id=user_id, password="geheimes-passwort")
    await operator.call("Session.revoke", _id=user_id)
    await operator.call("User.setPassword", _id="u0", password="geheimes-passwort")
    await operator.call("Session.revoke", _id=user_id, session="0")
    await operator.call("Session.list", _id=user_id)
    assert operator.server.rows("SELECT actor, method, user_ids FROM audit ORDER BY key") == [
        ("tests", "User.setPassword", f'["{user_id}"]'),
        ("tests", "Session.revoke", f'["{user_id}"]'),
    ]
    assert "geheim" not in str(operator.server.rows("SELECT * FROM audit"))


# --- the Python clients ----------------------------------------------------------------------------------


async def test_the_clients_do_the_same(wire: Wire, operator: Operator) -> None:
    user_id = await registered(wire)

    def use() -> list[str | None]:
        with ManagementClient(operator.server.management_url, "app", KEY) as client:
            found = client.session.list(user_id)
            assert client.session.revoke(user_id, found[0].id) == 1
            client.user.set_password(user_id, "another")
            assert client.session.revoke(user_id) == 0
            return [session.device for session in found]

    assert await asyncio.to_thread(use) == [wire.device]
    async with AsyncManagementClient(operator.server.management_url, "app", KEY) as client:
        assert_type(await client.session.list(user_id), Sequence[SignedIn])
        with pytest.raises(InvalidParams):
            await client.session.list("u0")
    assert (await wire.elsewhere().call("User.login", username=NAME, password="another")).session


SESSION = {"id": "0", "createdAt": 1, "usedAt": 1, "device": None}
WRONG: list[dict[str, Any]] = [{"id": 1}, {"usedAt": None}, {"createdAt": "1"}, {"device": 1}]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"sessions": {}, "ended": "1"},
        {"sessions": [1], "ended": True},
        *(
            {"sessions": [SESSION | wrong]}
            for wrong in ({"id": 1}, {"usedAt": None}, {"createdAt": "1"}, {"device": 1})
        ),
    ],
)
async def test_an_odd_answer_is_said(scripted: ScriptedServer, answer: Any) -> None:
    async with AsyncManagementClient(scripted.url, "app", KEY) as client:
        scripted.answer = result({"sessions": [SESSION], "ended": 1})
        assert (await client.session.list("u0"))[0].device is None
        scripted.answer = result(answer)
        with pytest.raises(InvalidResponse):
            await client.session.list("u0")
        with pytest.raises(InvalidResponse):
            await client.session.revoke("u0")
