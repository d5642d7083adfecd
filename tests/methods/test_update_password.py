"""`User.updatePassword`."""

import json
from typing import Any

import aiohttp
import pytest

from tests.conftest import NewApp
from tests.servers import InProcessServer
from tests.wire import Answer, Wire

WRONG_OLD_PASSWORD = {"oldPassword": "Old password is incorrect."}


async def update(wire: Wire, old: Any = "password", new: Any = "passw0rd") -> Answer:
    return await wire.call("User.updatePassword", oldPassword=old, newPassword=new)


async def login(wire: Wire, password: str) -> Answer:
    return await wire.call("User.login", username="me@example.com", password=password)


async def is_signed_in(wire: Wire) -> bool:
    return bool((await wire.call("User.isAuthenticated")).result)


async def test_new_password_works_and_old_one_does_not(wire: Wire, other: Wire) -> None:
    await wire.register()
    answer = await update(wire)
    assert answer.result == "OK"
    assert answer.session is None
    assert (await login(other, "password")).data == {"password": "Username or password is incorrect."}
    assert (await login(other, "passw0rd")).session


async def test_this_session_goes_on(wire: Wire) -> None:
    await wire.register(age=21)
    await update(wire)
    assert (await wire.call("User.getProperty", name="age")).result == {"value": 21}
    assert (await update(wire, "passw0rd", "password")).result == "OK"
    assert await is_signed_in(wire)


async def test_every_other_session_ends(wire: Wire, other: Wire) -> None:
    await wire.register()
    earlier = wire.tab()
    await login(wire, "password")
    await login(other, "password")
    await update(wire)
    assert await is_signed_in(wire)
    for ended in (earlier, other):
        assert not await is_signed_in(ended)
        assert (await ended.call("User.getProperties")).code == 11


async def test_every_other_login_token_ends(wire: Wire, other: Wire) -> None:
    await wire.register()
    earlier = wire.tab()
    await login(wire, "password")
    await login(other, "password")
    await update(wire)
    for ended in (earlier, other):
        answer = await ended.tab().call("User.autoLogin", loginToken=ended.login_token)
        assert answer.code == -32602
        assert answer.data.keys() == {"loginToken"}
    await login(other, "passw0rd")
    assert (await other.call("User.autoLogin", loginToken=other.login_token)).session
    assert await is_signed_in(wire), "a dead token presented ends nothing else"


async def test_the_login_token_of_this_session_goes_on(wire: Wire) -> None:
    """An app of the documented service keeps it, and signs in with it at its next start."""
    await wire.register(age=21)
    await wire.call("User.autoLogin", loginToken=wire.login_token)
    for old, new in (("password", "passw0rd"), ("passw0rd", "password")):
        await update(wire, old, new)
        wire.session = None
        assert (await wire.call("User.autoLogin", loginToken=wire.login_token)).result["user"]["age"] == 21
        assert await is_signed_in(wire)


async def test_other_sessions_of_the_family_end(wire: Wire) -> None:
    """A copy of the token may have opened them."""
    await wire.register()
    copied = wire.tab()
    await copied.call("User.autoLogin", loginToken=copied.login_token)
    await update(wire)
    assert not await is_signed_in(copied)
    assert await is_signed_in(wire)


async def test_a_copy_of_the_token_is_found_out_afterwards(wire: Wire) -> None:
    await wire.register()
    thief = wire.tab()
    await update(wire)
    for app in (wire, thief, wire):
        assert (await app.call("User.autoLogin", loginToken=app.login_token)).session
    assert (await thief.call("User.autoLogin", loginToken=thief.login_token)).code == -32602
    assert not await is_signed_in(thief)


async def test_a_session_without_a_login_token_goes_on(new_app: NewApp) -> None:
    wire = await new_app(auto_login={"enabled": False})
    await wire.register()
    earlier = wire.tab()
    await login(wire, "password")
    assert (await update(wire)).result == "OK"
    assert await is_signed_in(wire)
    assert not await is_signed_in(earlier)


async def test_rows_of_what_has_ended_are_removed(wire: Wire, other: Wire, server: InProcessServer) -> None:
    await wire.register()
    await login(other, "password")
    await update(wire)
    for table in ("sessions", "login_families", "login_tokens"):
        assert len(server.rows(f"SELECT * FROM {table}")) == 1


async def test_other_users_are_left_alone(wire: Wire, other: Wire) -> None:
    await other.register("you@example.com")
    await wire.register()
    await update(wire)
    assert await is_signed_in(other)
    assert (await other.call("User.login", username="you@example.com", password="password")).session
    assert (await other.call("User.autoLogin", loginToken=other.login_token)).session


async def test_the_same_password_again_is_a_change_too(wire: Wire, other: Wire) -> None:
    """Whoever fears for an account may keep the password and still throw everybody out."""
    await wire.register()
    await login(other, "password")
    assert (await update(wire, "password", "password")).result == "OK"
    assert not await is_signed_in(other)
    assert (await login(other, "password")).session


@pytest.mark.parametrize("old", ["passw0rd", "Password", "password ", "", "p", "a" * 80])
async def test_wrong_old_password(old: str, wire: Wire, other: Wire) -> None:
    await wire.register()
    await login(other, "password")
    assert (await update(wire, old, "passw0rd")).data == WRONG_OLD_PASSWORD
    assert await is_signed_in(wire)
    assert await is_signed_in(other)
    assert (await login(other, "password")).session
    assert (await other.call("User.autoLogin", loginToken=other.login_token)).session


async def test_the_password_of_another_user_is_wrong(wire: Wire, other: Wire) -> None:
    await other.register("you@example.com", "other-password")
    await wire.register()
    assert (await update(wire, "other-password")).data == WRONG_OLD_PASSWORD


@pytest.mark.parametrize(
    ("new", "accepted"),
    [
        pytest.param("abc", False, id="3"),
        pytest.param("abcd", True, id="4"),
        pytest.param("👍" * 3, False, id="3 emoji"),
        pytest.param("👍" * 4, True, id="4 emoji"),
        pytest.param("a" * 80, True, id="80"),
        pytest.param("a" * 81, False, id="81"),
        pytest.param("👍" * 80, True, id="80 emoji"),
        pytest.param("👍" * 81, False, id="81 emoji"),
        pytest.param("pass word", False, id="space"),
        pytest.param("pass\n", False, id="line feed at the end"),
        pytest.param("pass\u3000", False, id="ideographic space"),
        pytest.param("pass\ud800", False, id="lone surrogate"),
    ],
)
async def test_rules_of_the_new_password(new: str, accepted: bool, wire: Wire, other: Wire) -> None:
    await wire.register()
    answer = await update(wire, new=new)
    if accepted:
        assert answer.result == "OK"
        assert (await login(other, new)).session
    else:
        assert answer.code == -32602
        assert answer.data.keys() == {"newPassword"}
        assert (await login(other, "password")).session


@pytest.mark.parametrize(("new", "accepted"), [("a" * 9, False), ("a" * 10, True)])
async def test_configured_minimum_length(new: str, accepted: bool, new_app: NewApp) -> None:
    wire = await new_app(min_password_length=10)
    await wire.register(password="a-password")
    answer = await update(wire, "a-password", new)
    assert answer.body.get("result") == ("OK" if accepted else None)
    if not accepted:
        assert answer.data == {"newPassword": "New password must be at least 10 characters long."}


@pytest.mark.parametrize(
    ("params", "names"),
    [
        pytest.param({"oldPassword": "a" * 1025, "newPassword": "abc"}, {"oldPassword", "newPassword"}, id="lengths"),
        pytest.param({"oldPassword": 1, "newPassword": None}, {"oldPassword", "newPassword"}, id="types"),
        pytest.param({}, {"oldPassword", "newPassword"}, id="nothing"),
        pytest.param(
            {"password": "passw0rd", "new_password": "x"},
            {"oldPassword", "newPassword", "password", "new_password"},
            id="other names",
        ),
    ],
)
async def test_everything_wrong_is_named_together(params: dict[str, Any], names: set[str], wire: Wire) -> None:
    await wire.register()
    answer = await wire.call("User.updatePassword", **params)
    assert answer.code == -32602
    assert answer.data.keys() == names


async def test_complaints_do_not_repeat_passwords(wire: Wire) -> None:
    await wire.register()
    for old, new in [("q7!", "z8?z8?"), ("q7!" * 30, "z8?" * 30), (["q7!"], ["z8?"]), ("password", "z8? z8?")]:
        answer = await update(wire, old, new)
        assert answer.code == -32602
        assert "q7!" not in json.dumps(answer.body)
        assert "z8?" not in json.dumps(answer.body)


async def test_needs_a_session(wire: Wire, http: aiohttp.ClientSession, server: InProcessServer) -> None:
    await wire.register()
    stranger = Wire(http, server, wire.device)
    assert (await update(stranger)).code == 11
    assert (await login(stranger, "password")).session
