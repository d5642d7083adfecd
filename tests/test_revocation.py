"""What each method ends: a table of all methods, by all that lets somebody in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.methods import APP_API
from tests.conftest import StartServer
from tests.examples import ANNA as ME
from tests.examples import DEVICE, PASSWORD, TEMPLATES, USER_ID, Given, prepare_device_and_collection, successes
from tests.mailbox import Mailbox
from tests.wire import Answer, Wire


@dataclass
class Stage:
    """A user who is signed in on this device, twice, and on another one, and has got a reset token by mail."""

    this: Wire
    second: Wire
    other: Wire
    stranger: Wire
    mailbox: Mailbox
    reset_token: str
    real: dict[str, str]  # ids for those of the examples

    async def forget(self) -> Answer:
        answer = await self.stranger.call("User.sendPasswordResetToken", username=ME)
        self.reset_token = (await self.mailbox.next()).token
        return answer


@pytest.fixture
async def stage(start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox) -> Stage:
    server = await start({"smtp": mailbox.settings, "backends": {"app": {"mail_templates": TEMPLATES}}})
    this, other, stranger = (Wire(http, server, device) for device in (DEVICE, "other", "stranger"))
    answer = await this.register(ME, PASSWORD)
    real = {USER_ID: answer.result["user"]["_id"]}
    prepare_device_and_collection(server, Given(), real)
    second = this.tab()
    for app in (second, other):
        assert (await app.call("User.login", username=ME, password=PASSWORD)).session
    stage = Stage(this, second, other, stranger, mailbox, "", real)
    await stage.forget()
    return stage


# --- what lets somebody in, and whether it still does ------------------------------------------------------


async def is_signed_in(app: Wire) -> bool:
    return bool((await app.call("User.isAuthenticated")).result)


async def token_works(app: Wire) -> bool:
    return (await app.tab().call("User.autoLogin", loginToken=app.login_token)).session is not None


async def reset_token_works(stage: Stage) -> bool:
    params = {"username": ME, "newPassword": "newest", "token": stage.reset_token}
    return (await stage.stranger.call("User.resetPasswordAndLogin", **params)).session is not None


# In this order: the last one ends what the others are about.
WAYS_IN: dict[str, Callable[[Stage], Awaitable[bool]]] = {
    "this session": lambda stage: is_signed_in(stage.this),
    "this device's other session": lambda stage: is_signed_in(stage.second),
    "other device's session": lambda stage: is_signed_in(stage.other),
    "this login token": lambda stage: token_works(stage.this),
    "this device's other login token": lambda stage: token_works(stage.second),
    "other device's login token": lambda stage: token_works(stage.other),
    "reset token": reset_token_works,
}

NOTHING: set[str] = set()
EVERYTHING = set(WAYS_IN)
LOGIN_TOKENS = {way for way in WAYS_IN if way.endswith("login token")}
SESSIONS = {way for way in WAYS_IN if way.endswith("session")}


# --- the table -------------------------------------------------------------------------------------------

Deed = Callable[[Stage], Awaitable[Answer]]


def by_this(method: str, **params: Any) -> Deed:
    """Called in this session; a copy of the app makes the call, so that this one keeps what it has."""
    return lambda stage: stage.this.tab().call(method, **params)


async def auto_login(stage: Stage) -> Answer:
    return await stage.this.tab().call("User.autoLogin", loginToken=stage.this.login_token)


async def reset(stage: Stage) -> Answer:
    params = {"username": ME, "newPassword": "passw0rd", "token": stage.reset_token}
    return await stage.stranger.call("User.resetPasswordAndLogin", **params)


async def ask_for_another_token(stage: Stage) -> Answer:
    before = stage.reset_token
    answer = await stage.forget()
    stage.reset_token = before
    return answer


# The methods that end something, and those that are not called as in their example.
DONE: dict[str, tuple[Deed, set[str]]] = {
    "User.register": (by_this("User.register", username="you@example.com", password="password"), NOTHING),
    "User.validate": (by_this("User.validate", username="you@example.com"), NOTHING),
    "User.unregister": (by_this("User.unregister", password=PASSWORD), EVERYTHING),
    "User.autoLogin": (auto_login, NOTHING),
    "User.logout": (by_this("User.logout"), {"this session", "this login token", "this device's other login token"}),
    "User.updatePassword": (
        by_this("User.updatePassword", oldPassword=PASSWORD, newPassword="passw0rd"),
        EVERYTHING - {"this session", "this login token"},
    ),
    "User.sendPasswordResetToken": (ask_for_another_token, {"reset token"}),
    "User.resetPasswordAndLogin": (reset, EVERYTHING),
}


def as_in_its_example(method: str) -> Deed:
    params = successes(method)[0].params
    return lambda stage: by_this(
        method,
        **{name: stage.real.get(value, value) if isinstance(value, str) else value for name, value in params.items()},
    )(stage)


# A method that this file does not know ends nothing.
DONE |= {method: (as_in_its_example(method), NOTHING) for method in APP_API.methods if method not in DONE}

WRONG_TOKEN = {"username": ME, "newPassword": "passw0rd", "token": "AAAA-AAAA-AAAA"}


async def replay(stage: Stage) -> Answer:
    """Presents this login token after its successor was used."""
    thief = stage.this.tab()
    for _ in range(2):
        assert (await thief.call("User.autoLogin", loginToken=thief.login_token)).session
    return await auto_login(stage)


REFUSED: dict[str, tuple[Deed, set[str]]] = {
    "User.register, taken": (by_this("User.register", username=ME, password="password"), NOTHING),
    "User.unregister, wrong": (by_this("User.unregister", password="wrong"), NOTHING),
    "User.login, wrong": (by_this("User.login", username=ME, password="wrong"), NOTHING),
    "User.autoLogin, unknown": (by_this("User.autoLogin", loginToken="0" * 64), NOTHING),
    "User.autoLogin, replayed": (replay, {"this session", "this login token"}),
    "User.updatePassword, wrong": (
        by_this("User.updatePassword", oldPassword="wrong", newPassword="passw0rd"),
        NOTHING,
    ),
    "User.resetPasswordAndLogin, wrong": (by_this("User.resetPasswordAndLogin", **WRONG_TOKEN), NOTHING),
}


def test_the_table_has_every_method() -> None:
    assert DONE.keys() == APP_API.methods.keys()


@pytest.mark.parametrize("way", WAYS_IN)
async def test_everything_works_before(way: str, stage: Stage) -> None:
    assert await WAYS_IN[way](stage)


@pytest.mark.parametrize(
    ("deed", "ends", "succeeds"),
    [
        *[pytest.param(*row, True, id=name) for name, row in DONE.items()],
        *[pytest.param(*row, False, id=name) for name, row in REFUSED.items()],
    ],
)
async def test_what_a_method_ends(deed: Deed, ends: set[str], succeeds: bool, stage: Stage) -> None:
    answer = await deed(stage)
    assert ("result" in answer.body) == succeeds, answer.body
    ended = {way for way, works in WAYS_IN.items() if not await works(stage)}
    assert ended == ends


# --- nobody is signed out, and nobody signed in, by accident -----------------------------------------------


async def test_a_lost_response_signs_nobody_out(stage: Stage) -> None:
    for _ in range(3):
        await auto_login(stage)  # its answer, and with it the successor, is not kept
    assert {way for way, works in WAYS_IN.items() if not await works(stage)} == NOTHING


async def test_two_tabs_sign_nobody_out(stage: Stage) -> None:
    """They start with the same token, and the later answer wins in the storage that they share."""
    stored, everywhere = stage.this.login_token, [stage.this]
    for _ in range(4):
        tabs = [stage.this.tab(), stage.this.tab()]
        for tab in tabs:
            assert (await tab.call("User.autoLogin", loginToken=stored)).session
        stored = tabs[-1].login_token
        everywhere += tabs
    assert all([await is_signed_in(tab) for tab in everywhere])


SIGN_INS: dict[str, Deed] = {
    "User.register": DONE["User.register"][0],
    "User.login": DONE["User.login"][0],
    "User.autoLogin": auto_login,
    "User.resetPasswordAndLogin": lambda stage: stage.this.tab().call(
        "User.resetPasswordAndLogin", username=ME, newPassword="passw0rd", token=stage.reset_token
    ),
}


def test_every_way_of_signing_in_is_tried() -> None:
    assert SIGN_INS.keys() == APP_API.methods.sign_ins().keys()


@pytest.mark.parametrize("method", SIGN_INS)
@pytest.mark.parametrize("planted", ["the attacker's", "one that does not exist"])
async def test_a_session_cannot_be_fixed(method: str, planted: str, stage: Stage) -> None:
    """Whoever plants a session id in somebody's app gets nothing of what that one signs in to."""
    attacker = stage.stranger
    await attacker.register("attacker")
    attacker.session = attacker.session if planted == "the attacker's" else "0123456789abcdef" * 4
    stage.this.session = attacker.session
    answer = await SIGN_INS[method](stage)
    assert answer.session not in {None, attacker.session}
    seen = await attacker.call("User.saveProperty", name="mine", value=1)
    assert ("result" in seen.body) == (planted == "the attacker's")
    victim = stage.this.tab()
    victim.session = answer.session
    assert (await victim.call("User.getProperties")).result == {"properties": {}}
