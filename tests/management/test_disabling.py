"""Users whom an operator keeps out."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.client import AsyncManagementClient
from tests.conftest import StartServer
from tests.mailbox import Mailbox
from tests.operators import KEY, KEYS, Operator
from tests.servers import InProcessServer
from tests.shell import QuickShell
from tests.wire import Answer, Wire

WRONG = {"password": "Username or password is incorrect."}
NAME = "me@example.com"


@pytest.fixture
async def server(start: StartServer, mailbox: Mailbox) -> InProcessServer:
    started: InProcessServer = await start({"backends": {"app": KEYS}, "smtp": mailbox.settings})
    return started


@pytest.fixture
def support(http: aiohttp.ClientSession, server: InProcessServer) -> Operator:
    return Operator(http, server)


async def sign_in(app: Wire, password: str = "password") -> Answer:
    return await app.elsewhere().call("User.login", username=NAME, password=password)


async def registered(app: Wire) -> str:
    user_id: str = (await app.register()).result["user"]["_id"]
    return user_id


async def test_a_disabled_user_is_out_and_stays_out(wire: Wire, other: Wire, support: Operator) -> None:
    user_id = await registered(wire)
    await other.call("User.login", username=NAME, password="password")
    assert (await support.call("User.disable", _id=user_id)).result == "OK"
    for app in (wire, other):
        assert (await app.call("User.isAuthenticated")).result is False
        assert (await app.call("User.getProperties")).code == 11
        assert (await app.call("User.autoLogin", loginToken=app.login_token)).code == -32602
    right, wrong = await sign_in(wire), await sign_in(wire, "wrong")
    assert right.body == wrong.body
    assert right.data == WRONG
    assert (await wire.elsewhere().call("User.register", username=NAME, password="password")).data == {
        "username": "Username is already taken."
    }


async def test_an_enabled_user_can_sign_in_again(wire: Wire, support: Operator) -> None:
    user_id = await registered(wire)
    await support.call("User.disable", _id=user_id)
    assert (await support.call("User.enable", _id=user_id)).result == "OK"
    assert (await wire.call("User.isAuthenticated")).result is False, "what has ended does not come back"
    assert (await sign_in(wire)).session


async def test_no_reset_lets_a_disabled_user_in(wire: Wire, support: Operator, mailbox: Mailbox) -> None:
    user_id = await registered(wire)
    await wire.elsewhere().register("you@example.com")
    await wire.elsewhere().call("User.sendPasswordResetToken", username=NAME)
    token = (await mailbox.next()).token
    await support.call("User.disable", _id=user_id)
    reset = {"username": NAME, "newPassword": "newPassword", "token": token}
    assert (await wire.elsewhere().call("User.resetPasswordAndLogin", **reset)).code == -32602
    for name in (NAME, "you@example.com"):
        assert (await wire.elsewhere().call("User.sendPasswordResetToken", username=name)).result == "OK"
    assert (await mailbox.next()).envelope.rcpt_tos == ["you@example.com"]
    await support.call("User.enable", _id=user_id)
    assert (await sign_in(wire)).session


async def test_signing_in_beside_it_leaves_no_session(wire: Wire, support: Operator, server: InProcessServer) -> None:
    user_id = await registered(wire)
    sign_ins = [
        wire.elsewhere(str(number)).call("User.login", username=NAME, password="password") for number in range(8)
    ]
    await asyncio.gather(*sign_ins, support.call("User.disable", _id=user_id))
    assert server.rows("SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM login_tokens)") == [(0, 0)]


async def test_operators_see_who_is_disabled_and_since_when(
    wire: Wire, support: Operator, server: InProcessServer
) -> None:
    user_id = await registered(wire)
    await wire.elsewhere().register("you@example.com")
    await support.call("User.disable", _id=user_id)
    since = server.clock.now
    server.clock.advance(minutes=1)
    await support.call("User.disable", _id=user_id)
    assert (await support.call("User.get", _id=user_id)).result["user"]["_disabledAt"] == since
    items = (await support.call("User.list", page=1, itemsInPage=10)).result["items"]
    assert [item.get("_disabledAt") for item in items] == [since, None]
    await support.call("User.enable", _id=user_id)
    assert "_disabledAt" not in (await support.call("User.get", _id=user_id)).result["user"]


async def test_both_are_in_the_audit_log(wire: Wire, support: Operator, server: InProcessServer) -> None:
    user_id = await registered(wire)
    for method in ("User.disable", "User.enable"):
        await support.call(method, _id=user_id)
        assert (await support.call(method, _id="u0")).data == {"_id": "There is no such user."}
    assert server.rows("SELECT actor, method, user_ids FROM audit ORDER BY key") == [
        ("tests", "User.disable", f'["{user_id}"]'),
        ("tests", "User.enable", f'["{user_id}"]'),
    ]


async def test_the_python_client(wire: Wire, server: InProcessServer) -> None:
    user_id = await registered(wire)
    async with AsyncManagementClient(server.management_url, "app", KEY) as client:
        await client.user.disable(user_id)
        disabled_at = (await client.user.get(user_id)).disabled_at
        assert disabled_at is not None
        assert disabled_at.timestamp() * 1000 == server.clock.now
        assert (await sign_in(wire)).code == -32602
        await client.user.enable(user_id)
        assert (await client.user.get(user_id)).disabled_at is None
    assert (await sign_in(wire)).session


# --- the command line ------------------------------------------------------------------------------------


@pytest.mark.parametrize("far", [False, True], ids=["on the file", "at the server"])
async def test_commands(far: bool, wire: Wire, server: InProcessServer, quick: QuickShell) -> None:
    user_id = await registered(wire)
    where = ["--url", server.management_url] if far else ["--data", str(server.database_path().parent)]

    async def user(*arguments: str) -> str:
        key = {"JSONRPC_BACKEND_MANAGEMENT_KEY": KEY} if far else {}
        return await asyncio.to_thread(quick.ok, "user", *arguments, *where, **key)

    assert await user("disable", NAME) == f"Disabled {NAME} ({user_id}).\n"
    assert (await sign_in(wire)).data == WRONG
    assert f"{NAME} (disabled)" in await user("list")
    assert "\ndisabled " in await user("show", NAME)
    shown = json.loads(await user("disable", NAME, "--json"))
    assert (shown["_id"], "_disabledAt" in shown) == (user_id, True)
    assert await user("enable", user_id) == f"Enabled {NAME} ({user_id}).\n"
    assert (await sign_in(wire)).session
    assert "disabled" not in await user("list") + await user("show", NAME)


@pytest.mark.parametrize("file", ["users.jsonl", "users.csv"])
def test_export_and_import_carry_it(file: str, quick: QuickShell) -> None:
    def shown(name: str, data: str) -> Any:
        return json.loads(quick.ok("user", "show", name, "--json", "--data", data))

    for name in ("anna@example.com", "bert@example.com"):
        quick.ok("user", "add", name, "--password-stdin", "--data", "old", stdin="password")
    quick.ok("user", "disable", "bert@example.com", "--data", "old")
    quick.ok("user", "export", file, "--data", "old")
    quick.ok("user", "import", file, "--data", "new")
    assert "_disabledAt" not in shown("anna@example.com", "new")
    assert shown("bert@example.com", "new")["_disabledAt"] == shown("bert@example.com", "old")["_disabledAt"]
    mailed = quick.ok("user", "send-reset", "--data", "new", "--yes", JSONRPC_BACKEND_SMTP_HOST="localhost")
    assert mailed.startswith("The server will mail 1 user")
