"""A database that may grow so large, and accounts that may have so much while they are new."""

import asyncio
import logging
from typing import Any

import aiohttp
import pytest

from tests.conftest import StartServer
from tests.mailbox import Mailbox
from tests.operators import KEYS, Operator
from tests.servers import InProcessServer
from tests.wire import Answer, Wire

QUOTA = 2 << 20
LARGE = "x" * 400_000

FULL = {"retryAfter": 3600, "reason": "The app has no disk space left for this; its operator can make some."}


# --- all accounts together -------------------------------------------------------------------------------


@pytest.fixture
async def full(start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox) -> Wire:
    """Of somebody whose backend is full: five users have much."""
    settings = {"max_database_bytes": QUOTA} | KEYS
    wire = Wire(http, await start({"backends": {"app": settings}, "smtp": mailbox.settings}))
    for number in range(5):
        await wire.register(f"user{number}@example.com", text=LARGE)
    return wire


def operator_beside(wire: Wire) -> Operator:
    assert isinstance(wire.server, InProcessServer)
    return Operator(wire.http, wire.server)


def is_full(answer: Answer) -> bool:
    return (answer.code, answer.data) == (9999, FULL)


async def test_what_adds_to_a_full_database_is_refused(full: Wire, caplog: pytest.LogCaptureFixture) -> None:
    guest, operator = full.elsewhere(), operator_beside(full)
    for _ in range(2):
        assert is_full(await guest.call("User.register", username="new", password="password"))
        assert is_full(await full.call("User.saveProperty", name="more", value="x" * 1000))
        assert is_full(await full.call("User.saveProperties", properties={"more": "x", "yet": "more"}))
        assert is_full(await operator.call("User.create", username="new", password="password"))
    user_id = (await operator.call("User.list", page=1, itemsInPage=1)).result["items"][0]["_id"]
    assert is_full(await operator.call("User.update", _id=user_id, user={"more": "x"}))
    assert (await full.call("User.getProperties")).result["properties"] == {"text": LARGE}
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings == ["backend app: max_database_bytes is reached; what would add to it is refused"]


async def test_who_has_an_account_in_a_full_database_gets_in_and_out(full: Wire, mailbox: Mailbox) -> None:
    me = {"username": "user4@example.com"}
    for _ in range(3):
        assert (await full.call("User.login", **me, password="password")).session
        assert (await full.call("User.autoLogin", loginToken=full.login_token)).session
        assert (await full.call("User.updatePassword", oldPassword="password", newPassword="password")).result == "OK"
        assert (await full.call("User.logout")).result == "OK"
        full.session = None
    assert (await full.call("User.sendPasswordResetToken", **me)).result == "OK"
    token = (await mailbox.next()).token
    assert (await full.call("User.resetPasswordAndLogin", **me, newPassword="changed", token=token)).session


@pytest.mark.parametrize("way", ["smaller properties", "unregister", "an operator deletes"])
async def test_there_is_room_again(full: Wire, way: str) -> None:
    operator = operator_beside(full)
    if way == "smaller properties":
        assert (await full.call("User.saveProperty", name="text", value="y" * 399_999)).result == "OK"
        assert is_full(await full.call("User.saveProperty", name="text", value=LARGE))
        assert (await full.call("User.saveProperty", name="text", value="")).result == "OK"
    elif way == "unregister":
        assert (await full.call("User.unregister", password="password")).result == "OK"
    else:
        items = (await operator.call("User.list", page=1, itemsInPage=5, propertyNames=[])).result["items"]
        assert (await operator.call("User.delete", idList=[items[0]["_id"]])).result == "OK"
    assert (await full.elsewhere().call("User.register", username="new", password="password")).session


async def test_each_backend_has_a_quota_of_its_own(full: Wire) -> None:
    """And none by default."""
    assert isinstance(full.server, InProcessServer)
    backends = full.server.config.backends
    assert backends["app"].max_database_bytes == QUOTA
    assert type(backends["app"])(api_key="x").max_database_bytes == 0


async def test_parallel_saves_pass_the_quota_by_little(start: StartServer, http: aiohttp.ClientSession) -> None:
    """What is written in the same transaction counts already."""
    server = await start({"backends": {"app": {"max_database_bytes": QUOTA}}})
    apps = [Wire(http, server, f"device{number}") for number in range(20)]
    for app in apps:
        await app.register(app.device)
    answers = await asyncio.gather(*(app.call("User.saveProperty", name="text", value=LARGE) for app in apps))
    saved = [answer for answer in answers if "result" in answer.body]
    assert len(saved) == 5
    assert all(is_full(answer) for answer in answers if answer not in saved)


# --- one account, while it is new ------------------------------------------------------------------------

NEW = "A user must not have more than 100,000 bytes of properties in the first 15 minutes."
TOO_MUCH, AS_MUCH = "x" * 99_990, "x" * 99_989  # {"text":""} takes 11


@pytest.fixture
async def limited(start: StartServer, http: aiohttp.ClientSession) -> Wire:
    return Wire(http, await start({"throttle": {"enabled": True}, "backends": {"app": KEYS}}))


async def test_somebody_who_registers_may_have_so_much(limited: Wire) -> None:
    for name in ("User.register", "User.validate"):
        params: dict[str, Any] = {"username": "anna"} | ({"password": "password"} if name == "User.register" else {})
        answer = await limited.call(name, **params, properties={"text": TOO_MUCH})
        assert (answer.code, answer.data) == (-32602, {"properties": NEW})
    await limited.register("anna", text=AS_MUCH)


async def test_a_new_account_may_save_so_much(limited: Wire) -> None:
    assert isinstance(limited.server, InProcessServer)
    clock = limited.server.clock
    await limited.register()
    clock.advance(minutes=5)
    assert (await limited.call("User.saveProperty", name="text", value=AS_MUCH)).result == "OK"
    refused = await limited.call("User.saveProperty", name="other", value=1)
    assert (refused.code, refused.data) == (9999, {"retryAfter": 600, "reason": NEW})
    assert (await limited.call("User.getProperties")).result == {"properties": {"text": AS_MUCH}}
    assert (await limited.call("User.saveProperty", name="text", value="")).result == "OK"
    assert (await limited.call("User.saveProperties", properties={"other": TOO_MUCH})).code == 9999
    clock.advance(seconds=599)
    assert (await limited.call("User.saveProperty", name="text", value=LARGE)).data["retryAfter"] == 1
    clock.advance(seconds=1)
    assert (await limited.call("User.saveProperty", name="text", value=LARGE)).result == "OK"


async def test_what_an_operator_has_given_a_new_account_it_may_keep(limited: Wire) -> None:
    operator = operator_beside(limited)
    await operator.create("anna", text=LARGE)
    await limited.call("User.login", username="anna", password="password")
    assert (await limited.call("User.saveProperty", name="text", value=LARGE.replace("x", "y"))).result == "OK"
    assert (await limited.call("User.saveProperty", name="other", value=1)).code == 9999
