"""Operators see whom the limits on guessing hold up, and let them go on."""

import asyncio
import json
import time
from datetime import UTC, datetime

import aiohttp
import pytest

from jsonrpc_backend.client import AsyncManagementClient, HeldUp
from tests.conftest import StartServer
from tests.operators import KEY, KEYS, Operator
from tests.servers import FakeClock, InProcessServer
from tests.shell import QuickShell
from tests.wire import Answer, Wire

NAME = "me@example.com"
WINDOW = 15 * 60_000
LIMITS = {"enabled": True, "failed_logins_per_address": 8, "failed_logins_per_user_unknown_devices": 7}


@pytest.fixture
async def server(start: StartServer) -> InProcessServer:
    """The command line lives by the real clock; so does this server."""
    clock = FakeClock()
    clock.now = time.time_ns() // 1_000_000
    started: InProcessServer = await start({"backends": {"app": KEYS}, "throttle": LIMITS}, clock)
    return started


@pytest.fixture
def support(http: aiohttp.ClientSession, server: InProcessServer) -> Operator:
    return Operator(http, server)


async def sign_in(app: Wire, username: str = NAME, password: str = "password") -> Answer:
    return await app.elsewhere().call("User.login", username=username, password=password)


async def fail(app: Wire, username: str = NAME, times: int = 5) -> None:
    for _ in range(times):
        assert (await sign_in(app, username, "wrong")).code == -32602
    assert (await sign_in(app, username)).code == 9999


async def test_who_is_held_up_is_listed_and_let_go(wire: Wire, support: Operator, server: InProcessServer) -> None:
    user_id = (await wire.register()).result["user"]["_id"]
    assert (await support.call("Throttle.list")).result == {"users": []}
    await fail(wire)
    entry = {"_id": user_id, "_username": NAME, "until": server.clock.now + WINDOW}
    assert (await support.call("Throttle.list")).result == {"users": [entry]}
    assert (await support.call("Throttle.clear", name="ME@example.com")).result == {"removed": 10}
    assert (await support.call("Throttle.list")).result == {"users": []}
    assert (await sign_in(wire)).session
    assert (await support.call("Throttle.clear", name=user_id)).result == {"removed": 0}


async def test_the_limit_of_all_strangers_together_is_seen_too(
    wire: Wire, http: aiohttp.ClientSession, start: StartServer
) -> None:
    limits = {"enabled": True, "failed_logins_per_user_unknown_devices": 3}
    server = await start({"backends": {"app": KEYS}, "throttle": limits})
    app, support = Wire(http, server), Operator(http, server)
    await app.register()
    await fail(app, times=3)
    (entry,) = (await support.call("Throttle.list")).result["users"]
    assert (entry["_username"], entry["until"]) == (NAME, server.clock.now + WINDOW)
    await support.call("Throttle.clear", name=NAME)
    assert (await sign_in(app)).session


async def test_who_is_held_up_for_longest_comes_first_and_nobody_for_too_long(
    wire: Wire, support: Operator, server: InProcessServer
) -> None:
    limits = {"anna": 1, "bert": 3, "carl": 2}
    for name in limits:
        await wire.tab().register(name)
    for minutes, name in enumerate(limits):
        server.clock.advance(minutes=minutes)
        server.execute("DELETE FROM attempts WHERE user_key IS NULL")  # the address has its own limit
        await fail(wire, name)
    names = [user["_username"] for user in (await support.call("Throttle.list")).result["users"]]
    assert names == ["carl", "bert", "anna"]
    server.clock.advance(minutes=12)
    names = [user["_username"] for user in (await support.call("Throttle.list")).result["users"]]
    assert names == ["carl", "bert"]


async def test_an_address_is_let_go(wire: Wire, support: Operator) -> None:
    await wire.register()
    for number in range(8):
        assert (await sign_in(wire, f"nobody{number}")).code == -32602
    assert (await sign_in(wire)).code == 9999
    assert (await support.call("Throttle.clear", address="192.0.2.1")).result == {"removed": 0}
    assert (await sign_in(wire)).code == 9999
    assert (await support.call("Throttle.clear", address="127.0.0.1")).result["removed"] > 0
    assert (await sign_in(wire)).session


async def test_names_that_nobody_has_are_not_kept(wire: Wire, support: Operator) -> None:
    await fail(wire, "my-password-4711")
    assert (await support.call("Throttle.list")).result == {"users": []}
    assert (await support.call("Throttle.clear", name="my-password-4711")).data == {"name": "There is no such user."}


@pytest.mark.parametrize(
    ("params", "data"),
    [
        ({}, {"name": "Give either a name or an address."}),
        ({"name": NAME, "address": "127.0.0.1"}, {"name": "Give either a name or an address."}),
        ({"address": "nonsense"}, {"address": "Address must be an IP address, such as 192.0.2.1 or 2001:db8::1."}),
        ({"address": "192.0.2.0/24"}, {"address": "Address must be an IP address, such as 192.0.2.1 or 2001:db8::1."}),
    ],
)
async def test_what_cannot_be_cleared(
    params: dict[str, str], data: dict[str, str], support: Operator, server: InProcessServer
) -> None:
    assert (await support.call("Throttle.clear", **params)).data == data
    assert server.rows("SELECT * FROM audit") == []


async def test_clearing_is_in_the_audit_log(wire: Wire, support: Operator, server: InProcessServer) -> None:
    user_id = (await wire.register()).result["user"]["_id"]
    await support.call("Throttle.clear", name=NAME)
    await support.call("Throttle.clear", address="192.0.2.1")
    assert server.rows("SELECT actor, method, user_ids FROM audit ORDER BY key") == [
        ("tests", "Throttle.clear", f'["{user_id}"]'),
        ("tests", "Throttle.clear", "[]"),
    ]


async def test_the_python_client(wire: Wire, server: InProcessServer) -> None:
    user_id = (await wire.register()).result["user"]["_id"]
    await fail(wire)
    async with AsyncManagementClient(server.management_url, "app", KEY) as client:
        until = datetime.fromtimestamp((server.clock.now + WINDOW) / 1000, UTC)
        assert await client.throttle.list() == [HeldUp(user_id, NAME, until)]
        assert await client.throttle.clear(name=NAME) == 10
        assert await client.throttle.clear(address="127.0.0.1") > 0
        assert await client.throttle.list() == []


@pytest.mark.parametrize("far", [False, True], ids=["on the file", "at the server"])
async def test_commands(far: bool, wire: Wire, server: InProcessServer, quick: QuickShell) -> None:
    user_id = (await wire.register()).result["user"]["_id"]
    where = ["--url", server.management_url] if far else ["--data", str(server.database_path().parent)]

    async def throttle(*arguments: str) -> str:
        key = {"JSONRPC_BACKEND_MANAGEMENT_KEY": KEY} if far else {}
        return await asyncio.to_thread(quick.ok, "throttle", *arguments, *where, **key)

    assert json.loads(await throttle("list", "--json")) == []
    await fail(wire)
    assert f"{user_id}  {NAME}\n" in await throttle("list")
    assert json.loads(await throttle("list", "--json"))[0]["_id"] == user_id
    assert await throttle("clear", NAME) == f"Nothing holds up {NAME} any more.\n"
    assert (await sign_in(wire)).session
    assert await throttle("clear", NAME) == "There was nothing to clear.\n"
    assert json.loads(await throttle("clear", "127.0.0.1", "--json"))["removed"] > 0


def test_commands_say_what_is_wrong(quick: QuickShell) -> None:
    quick.ok("user", "add", "anna", "--password-stdin", stdin="password")
    assert "There is no user nobody." in quick.fails(1, "throttle", "clear", "nobody")
