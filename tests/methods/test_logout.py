"""`User.logout` and `User.isAuthenticated`."""

import asyncio

import aiohttp
import pytest

from tests.conftest import NewApp
from tests.servers import InProcessServer
from tests.wire import Wire


async def is_signed_in(wire: Wire) -> bool:
    result = (await wire.call("User.isAuthenticated")).result
    assert isinstance(result, bool)
    return result


async def can_auto_login(wire: Wire) -> bool:
    """With the token that the app keeps; on a tab of its own, so that the app's state stays as it is."""
    answer = await wire.tab().call("User.autoLogin", loginToken=wire.login_token)
    if "error" in answer.body:
        assert answer.code == -32602
        assert answer.data.keys() == {"loginToken"}
    return "result" in answer.body


async def test_ends_session_and_login_token(wire: Wire) -> None:
    await wire.register()
    assert (await wire.call("User.logout")).result == "OK"
    assert not await is_signed_in(wire)
    assert not await can_auto_login(wire)


async def test_opens_no_session(wire: Wire) -> None:
    await wire.register()
    assert (await wire.call("User.logout")).session is None


async def test_needs_a_session(wire: Wire) -> None:
    assert (await wire.call("User.logout")).code == 11
    await wire.register()
    await wire.call("User.logout")
    assert (await wire.call("User.logout")).code == 11


async def test_password_works_afterwards(wire: Wire) -> None:
    await wire.register(age=21)
    await wire.call("User.logout")
    answer = await wire.call("User.login", username="me@example.com", password="password")
    assert answer.result["user"]["age"] == 21
    assert await is_signed_in(wire)
    assert await can_auto_login(wire)


async def test_other_devices_are_left_alone(wire: Wire, other: Wire) -> None:
    await other.register()
    await wire.call("User.login", username="me@example.com", password="password")
    await wire.call("User.logout")
    assert await is_signed_in(other)
    assert await can_auto_login(other)


async def test_other_users_of_the_device_are_left_alone(wire: Wire) -> None:
    await wire.register("one@example.com")
    one = wire.tab()
    await wire.register("two@example.com")
    await wire.call("User.logout")
    assert await is_signed_in(one)
    assert await can_auto_login(one)


async def test_every_login_token_of_the_device_ends(wire: Wire) -> None:
    """The app keeps the latest one only; the others must not live on unseen."""
    await wire.register()
    earlier = wire.tab()
    await wire.call("User.login", username="me@example.com", password="password")
    used = wire.tab()
    await wire.call("User.autoLogin", loginToken=wire.login_token)
    await wire.call("User.logout")
    for tab in (earlier, used, wire):
        assert not await can_auto_login(tab)


async def test_login_token_ends_on_whatever_device_its_family_began(
    wire: Wire, http: aiohttp.ClientSession, server: InProcessServer
) -> None:
    """An app that is installed anew may keep the token and make up another device id."""
    await wire.register()
    moved = Wire(http, server, "device-9")
    await moved.call("User.autoLogin", loginToken=wire.login_token)
    await moved.call("User.logout")
    assert not await is_signed_in(moved)
    assert not await can_auto_login(moved)


async def test_every_session_of_the_family_ends(wire: Wire, other: Wire) -> None:
    """Also one that a thief has opened with the token, from wherever."""
    await wire.register()
    tab, elsewhere = wire.tab(), other.tab()
    for app in (tab, elsewhere):
        await app.call("User.autoLogin", loginToken=wire.login_token)
    await wire.call("User.logout")
    for app in (tab, elsewhere):
        assert not await is_signed_in(app)
        assert not await can_auto_login(app)


async def test_other_sign_in_on_the_device_keeps_its_session(wire: Wire) -> None:
    await wire.register()
    earlier = wire.tab()
    await wire.call("User.login", username="me@example.com", password="password")
    await wire.call("User.logout")
    assert await is_signed_in(earlier)
    assert not await can_auto_login(earlier)


async def test_logout_ends_the_family_whose_tokens_have_expired(wire: Wire, server: InProcessServer) -> None:
    await wire.register()
    tab = wire.tab()
    await tab.call("User.autoLogin", loginToken=tab.login_token)
    server.execute("DELETE FROM login_tokens")
    server.execute("DELETE FROM login_families")
    await wire.call("User.logout")
    assert not await is_signed_in(tab)


@pytest.mark.parametrize("before", [0, 3, 8, 13, 16])
async def test_sign_ins_beside_a_logout(before: int, wire: Wire, other: Wire, server: InProcessServer) -> None:
    """Nothing of the family lives afterwards, in whichever order the calls were done."""
    await wire.register()
    thieves = [other.tab() for _ in range(16)]
    calls = [each.call("User.autoLogin", loginToken=wire.login_token) for each in thieves]
    calls.insert(before, wire.call("User.logout"))
    answers = await asyncio.gather(*calls)
    assert answers[before].result == "OK"
    for each in thieves:
        assert not await is_signed_in(each)
        assert each.login_token is None or not await can_auto_login(each)
    for table in ("sessions", "login_families", "login_tokens"):
        assert server.rows(f"SELECT * FROM {table}") == []


async def test_session_without_a_login_token(new_app: NewApp) -> None:
    wire = await new_app(auto_login={"enabled": False})
    await wire.register()
    assert (await wire.call("User.logout")).result == "OK"
    assert not await is_signed_in(wire)


# --- isAuthenticated -------------------------------------------------------------------------------------


async def test_is_authenticated_without_a_session(wire: Wire) -> None:
    assert not await is_signed_in(wire)


@pytest.mark.parametrize("session", ["0" * 64, "x", "A1b2", "f" * 255], ids=len)
async def test_is_authenticated_with_an_unknown_session(session: str, wire: Wire) -> None:
    wire.session = session
    assert not await is_signed_in(wire)


async def test_session_id_is_taken_exactly(wire: Wire) -> None:
    await wire.register()
    assert wire.session
    for almost in (wire.session.upper(), wire.session[:-1], wire.session + "0"):
        tab = wire.tab()
        tab.session = almost
        assert await is_signed_in(tab) == (almost == wire.session)


async def test_is_authenticated_on_another_device(wire: Wire, other: Wire) -> None:
    """A device id is no secret and no proof."""
    await wire.register()
    assert not await is_signed_in(other)
