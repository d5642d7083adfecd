"""Login tokens: each use hands out another one, and one that is in two hands ends."""

import asyncio
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import NewApp
from tests.servers import FakeClock, InProcessServer, make_config, running
from tests.wire import Answer, Wire

MILLISECOND = 0.001  # in seconds
VALID = 43200  # minutes


async def present(wire: Wire, token: Any = None) -> Answer:
    """Signs in with a token (the one that the app keeps), as an app that is started does."""
    wire.session = None
    return await wire.call("User.autoLogin", loginToken=wire.login_token if token is None else token)


async def is_signed_in(wire: Wire) -> bool:
    return bool((await wire.call("User.isAuthenticated")).result)


async def is_dead(wire: Wire, token: str | None) -> bool:
    """Presents the token without the app's keeping what comes of it."""
    answer = await present(wire.tab(), token)
    if "error" in answer.body:
        assert answer.error["message"] == "Invalid params"
        assert answer.code == -32602
        assert answer.data.keys() == {"loginToken"}
        assert answer.session is None
    return "error" in answer.body


@pytest.fixture
async def user(wire: Wire) -> Wire:
    """An app whose user has signed up."""
    await wire.register(age=21)
    return wire


# --- one after the other ---------------------------------------------------------------------------------


async def test_gives_the_user_a_session_and_a_new_token(user: Wire) -> None:
    first, session = user.login_token, user.session
    answer = await present(user)
    assert answer.result.keys() == {"user", "loginToken"}
    assert answer.result["user"]["_username"] == "me@example.com"
    assert answer.result["user"]["age"] == 21
    assert re.fullmatch("[0-9a-f]{64}", answer.result["loginToken"])
    assert answer.result["loginToken"] != first
    assert answer.session not in {None, session}
    assert await is_signed_in(user)


async def test_each_use_gives_another_token(user: Wire) -> None:
    tokens = [user.login_token, *[(await present(user)).result["loginToken"] for _ in range(10)]]
    assert len(set(tokens)) == len(tokens)


async def test_every_sign_in_gives_a_token_of_its_own(user: Wire) -> None:
    registered = user.login_token
    answer = await user.call("User.login", username="me@example.com", password="password")
    assert answer.result["loginToken"] != registered
    assert not await is_dead(user, registered)
    assert not await is_dead(user, answer.result["loginToken"])


async def test_works_after_the_session_has_ended(server: InProcessServer, user: Wire) -> None:
    server.clock.advance(minutes=8 * 24 * 60)
    assert not await is_signed_in(user)
    assert (await present(user)).session
    assert await is_signed_in(user)


async def test_works_while_signed_in(user: Wire) -> None:
    session = user.session
    answer = await user.call("User.autoLogin", loginToken=user.login_token)
    assert answer.session not in {None, session}


async def test_old_token_can_be_used_until_its_successor_was(user: Wire) -> None:
    """The response, and with it the new token, may get lost any number of times."""
    token = user.login_token
    for _ in range(5):
        assert (await present(user.tab(), token)).session
    assert (await present(user, token)).session
    assert (await present(user)).session
    assert (await present(user)).session
    assert await is_signed_in(user)


GRACES = [pytest.param({}, 10, id="default"), pytest.param({"grace_minutes": 3}, 3, id="3 minutes")]


@pytest.mark.parametrize(("settings", "minutes"), GRACES)
async def test_old_token_can_be_used_until_its_grace_has_passed(
    settings: dict[str, int], minutes: int, new_app: NewApp
) -> None:
    wire = await new_app(auto_login=settings)
    await wire.register()
    token = wire.login_token
    assert isinstance(wire.server, InProcessServer)
    assert (await present(wire.tab())).session
    wire.server.clock.advance(minutes=minutes / 2)
    assert (await present(wire.tab(), token)).session, "which does not begin again by that"
    wire.server.clock.advance(minutes=minutes / 2, seconds=-MILLISECOND)
    assert (await present(wire, token)).session
    assert (await present(wire)).session


@pytest.mark.parametrize(("settings", "minutes"), GRACES)
async def test_old_token_after_its_grace_is_in_two_hands(
    settings: dict[str, int], minutes: int, new_app: NewApp
) -> None:
    """A thief may have used it while its owner was away: he must not keep what he has got for it."""
    wire = await new_app(auto_login=settings)
    await wire.register()
    thief = wire.tab()
    assert (await present(thief)).session
    assert isinstance(wire.server, InProcessServer)
    wire.server.clock.advance(minutes=minutes)
    assert (await present(wire)).code == -32602
    assert not await is_signed_in(thief)
    assert await is_dead(thief, thief.login_token)


async def test_successor_can_be_used_long_after(server: InProcessServer, user: Wire) -> None:
    await present(user)
    server.clock.advance(minutes=VALID - 1)
    assert (await present(user)).session


@pytest.mark.parametrize("lost", [0, 1, 3], ids="{} responses lost".format)
async def test_token_in_two_hands_ends_its_family(lost: int, user: Wire) -> None:
    stolen = user.login_token
    signed_up = user.tab()
    for _ in range(lost):
        await present(user.tab(), stolen)
    await present(user)
    after_first = user.tab()
    await present(user)
    assert await is_dead(user, stolen)
    assert await is_dead(user, user.login_token), "the newest one too"
    assert await is_dead(user, after_first.login_token)
    for tab in (signed_up, after_first, user):
        assert not await is_signed_in(tab)


async def test_thief_who_was_first_is_thrown_out(user: Wire) -> None:
    thief = user.tab()
    assert (await present(thief)).session
    assert (await present(thief)).session
    assert (await present(user)).code == -32602
    assert not await is_signed_in(thief)
    assert (await present(thief)).code == -32602
    assert (await user.call("User.login", username="me@example.com", password="password")).session


async def test_grandparent_ends_the_family(user: Wire) -> None:
    first = user.login_token
    for _ in range(4):
        await present(user)
    assert await is_dead(user, first)
    assert not await is_signed_in(user)
    assert await is_dead(user, user.login_token)


async def test_sibling_that_was_never_presented_ends_with_the_family(user: Wire) -> None:
    sibling, token = user.tab(), user.login_token
    await present(sibling)
    await present(user)
    await present(user)
    assert await is_dead(user, token)
    assert not await is_signed_in(sibling)
    assert await is_dead(sibling, sibling.login_token)


# --- two tabs --------------------------------------------------------------------------------------------


class Browser:
    """What the tabs of one browser share: the token that was stored last, by whichever of them.

    So do old apps, each in the storage of its pages: each start presents what is stored, and stores what it gets.
    """

    def __init__(self, app: Wire) -> None:
        self.app = app
        self.stored = app.login_token

    def starting(self) -> "Tab":
        """A tab that has read the token and sends it."""
        return Tab(self, self.app.tab(), self.stored)

    async def start(self) -> "Tab":
        """A tab that starts while nothing else happens."""
        tab = self.starting()
        await tab.send()
        tab.receive()
        return tab


class Tab:
    def __init__(self, browser: Browser, wire: Wire, token: str | None) -> None:
        self.browser, self.wire, self._token = browser, wire, token
        self._received: str | None = None

    async def send(self) -> None:
        answer = await present(self.wire, self._token)
        assert answer.session, answer.body
        self._received = answer.result["loginToken"]

    def receive(self) -> None:
        """The answer has come: the next start presents what was in it."""
        self.browser.stored = self._received


@pytest.fixture
def browser(user: Wire) -> Browser:
    return Browser(user)


async def all_signed_in(browser: Browser, tabs: list[Tab]) -> bool:
    return all([await is_signed_in(wire) for wire in (browser.app, *(tab.wire for tab in tabs))])


@pytest.mark.parametrize("number", [2, 5])
@pytest.mark.parametrize("last", ["first", "last"])
async def test_tabs_that_start_at_the_same_time(number: int, last: str, browser: Browser) -> None:
    """Each gets a successor of its own; whichever is stored last, later starts use it."""
    everywhere = []
    for _ in range(4):
        tabs = [browser.starting() for _ in range(number)]
        await asyncio.gather(*(tab.send() for tab in tabs))
        for tab in tabs if last == "last" else tabs[::-1]:
            tab.receive()
        everywhere += tabs
        everywhere.append(await browser.start())
    assert await all_signed_in(browser, everywhere)


async def test_tabs_that_start_one_after_the_other(server: InProcessServer, browser: Browser) -> None:
    tabs = []
    for minutes in (0, 1, 5, 9, 10, 11, 60 * 23):
        server.clock.advance(minutes=minutes)
        tabs.append(await browser.start())
    assert await is_signed_in(tabs[-1].wire)
    assert await is_signed_in(tabs[-2].wire), "which has not idled out"


async def test_tab_whose_answer_is_slow(server: InProcessServer, browser: Browser) -> None:
    """Its successor is stored over that of a tab which began later."""
    slow = browser.starting()
    await slow.send()
    quick = await browser.start()
    server.clock.advance(minutes=8)
    slow.receive()
    assert await all_signed_in(browser, [slow, quick, await browser.start(), await browser.start()])


async def test_answers_that_get_lost(server: InProcessServer, browser: Browser) -> None:
    """Retried, or the app is closed before it stores what it has got."""
    tabs = []
    for _ in range(3):
        for _ in range(4):
            tabs.append(browser.starting())
            await tabs[-1].send()
            server.clock.advance(minutes=2)
        tabs.append(await browser.start())
    assert await all_signed_in(browser, tabs)


async def test_page_that_is_left_before_its_answer_comes(browser: Browser) -> None:
    """An app of several pages signs in on each of them."""
    for _ in range(5):
        left = browser.starting()
        await asyncio.gather(left.send(), browser.start())
    assert await all_signed_in(browser, [left, await browser.start()])


async def test_parallel_presentations_all_succeed(browser: Browser) -> None:
    tabs = [browser.starting() for _ in range(20)]
    await asyncio.gather(*(tab.send() for tab in tabs))
    assert len({tab.wire.session for tab in tabs}) == 20
    assert len({tab.wire.login_token for tab in tabs}) == 20
    tabs[7].receive()
    await browser.start()
    assert await all_signed_in(browser, tabs)


# --- thieves ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["owner", "thief"])
@pytest.mark.parametrize("goes_on", ["owner", "thief"])
async def test_thief_within_the_grace_is_found_out_at_the_next_use(first: str, goes_on: str, user: Wire) -> None:
    """Both use the same token, each gets a successor; the second of them to be presented tells."""
    thief = user.tab()
    apps = {"owner": user, "thief": thief}
    assert (await present(apps.pop(first))).session
    assert (await present(next(iter(apps.values())))).session
    others = {"owner": thief, "thief": user}
    assert (await present({"owner": user, "thief": thief}[goes_on])).session
    assert (await present(others[goes_on])).code == -32602
    for app in (user, thief):
        assert not await is_signed_in(app)
        assert await is_dead(app, app.login_token)
    assert (await user.call("User.login", username="me@example.com", password="password")).session


async def test_thief_who_runs_ahead_is_found_out_by_the_first_token(server: InProcessServer, user: Wire) -> None:
    """However many tokens ago that was: the server keeps few of them."""
    thief = user.tab()
    for _ in range(200):
        assert (await present(thief)).session
    server.clock.advance(minutes=5)
    assert (await present(user)).code == -32602
    assert not await is_signed_in(thief)
    assert await is_dead(thief, thief.login_token)


async def test_thief_makes_no_device_known(server: InProcessServer, user: Wire) -> None:
    """Whatever he calls his device: the family stays with the one on which it began."""
    thief = user.elsewhere()
    before = server.rows("SELECT digest FROM known_devices")
    assert (await present(thief, user.login_token)).session
    assert server.rows("SELECT digest FROM known_devices") == before
    assert server.rows("SELECT DISTINCT device FROM login_families") == [("device-1",)]


@pytest.mark.parametrize("change", ["other half", "first digit of the second half"])
async def test_token_that_begins_like_one_of_the_family_ends_it(change: str, user: Wire) -> None:
    """Nobody but who had one of them can know how they begin."""
    token = user.login_token
    assert token
    digit = "0" if token[32] != "0" else "1"
    forged = token[:32] + ("0" * 32 if change == "other half" else digit + token[33:])
    assert await is_dead(user, forged)
    assert not await is_signed_in(user)
    assert await is_dead(user, token)


# --- how often -------------------------------------------------------------------------------------------


async def test_uses_of_a_family_are_limited(new_app: NewApp) -> None:
    wire = await new_app(throttle={"enabled": True, "auto_logins_per_family": 5, "window_minutes": 3})
    await wire.register()
    other = wire.elsewhere()
    await other.call("User.login", username="me@example.com", password="password")
    assert isinstance(wire.server, InProcessServer)
    clock = wire.server.clock
    for _ in range(5):
        assert (await present(wire)).session
        clock.advance(seconds=1)
    refused = await present(wire.tab())
    assert (refused.code, refused.data) == (9999, {"retryAfter": 175})
    assert (await present(other)).session, "another family"
    clock.advance(seconds=174)
    assert (await present(wire.tab())).code == 9999
    clock.advance(seconds=1)
    for _ in range(5):
        assert (await present(wire)).session
    assert (await present(wire)).data == {"retryAfter": 180}


async def test_superseded_token_ends_the_family_at_the_limit_too(new_app: NewApp) -> None:
    wire = await new_app(throttle={"enabled": True, "auto_logins_per_family": 2})
    await wire.register()
    stolen = wire.login_token
    for _ in range(2):
        assert (await present(wire)).session
    assert (await present(wire.tab())).code == 9999
    assert await is_dead(wire, stolen)
    assert not await is_signed_in(wire)


async def test_uses_are_limited_whatever_the_clock_does(new_app: NewApp) -> None:
    wire = await new_app(throttle={"enabled": True, "auto_logins_per_family": 2})
    await wire.register()
    assert isinstance(wire.server, InProcessServer)
    for minutes in (0, 24 * 60, -24 * 60):
        wire.server.clock.advance(minutes=minutes)
        for _ in range(2):
            assert (await present(wire)).session
        assert (await present(wire.tab())).code == 9999


# --- other families --------------------------------------------------------------------------------------


async def test_other_devices_live_on(user: Wire, other: Wire) -> None:
    await other.call("User.login", username="me@example.com", password="password")
    stolen = user.login_token
    await present(user)
    await present(user)
    assert await is_dead(user, stolen)
    assert not await is_signed_in(user)
    assert await is_signed_in(other)
    assert (await present(other)).session


async def test_other_sign_in_on_the_device_lives_on(user: Wire) -> None:
    stolen = user.login_token
    second = user.tab()
    await second.call("User.login", username="me@example.com", password="password")
    await present(user)
    await present(user)
    assert await is_dead(user, stolen)
    assert await is_signed_in(second)
    assert (await present(second)).session


async def test_unknown_token_ends_nothing(user: Wire) -> None:
    assert await is_dead(user, "0" * 64)
    assert await is_signed_in(user)
    assert (await present(user)).session


async def test_ended_session_of_one_tab_leaves_the_token(user: Wire) -> None:
    """The token outlives each session that it opened."""
    await present(user)
    tab = user.tab()
    await tab.call("User.login", username="me@example.com", password="password")
    assert (await present(user)).session


# --- what is no token ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token",
    [
        "",
        "0",
        "0" * 63,
        "0" * 65,
        "0" * 255,
        "0" * 256,
        "x" * 64,
        "\0" * 64,
        "\ud800" * 64,
        "é" * 64,
        0,
        True,
        [],
        {},
        None,
    ],
    ids=ascii,
)
async def test_malformed_token(token: Any, user: Wire) -> None:
    answer = await user.call("User.autoLogin", loginToken=token)
    assert answer.code == -32602
    assert answer.data.keys() == {"loginToken"}
    assert answer.data["loginToken"].endswith(".")
    assert answer.session is None


async def test_token_is_taken_exactly(user: Wire) -> None:
    token = user.login_token
    assert token
    for almost in (token.upper(), token[:-1], token + "0", " " + token, token + "\n"):
        if almost != token:
            assert await is_dead(user, almost)
    assert (await present(user)).session


async def test_session_id_is_no_token_and_token_no_session_id(user: Wire) -> None:
    assert await is_dead(user, user.session)
    swapped = user.tab()
    swapped.session = user.login_token
    assert not await is_signed_in(swapped)


async def test_complaint_does_not_repeat_the_token(user: Wire) -> None:
    for token in ("q7!", "q7!" * 100, ["q7!"]):
        answer = await user.call("User.autoLogin", loginToken=token)
        assert "q7!" not in str(answer.body)


async def test_missing_token(user: Wire) -> None:
    answer = await user.call("User.autoLogin")
    assert answer.code == -32602
    assert answer.data == {"loginToken": "Login token is required."}


# --- time ------------------------------------------------------------------------------------------------

TIMES = [
    pytest.param({}, VALID, id="default: 30 days"),
    pytest.param({"valid_minutes": 1}, 1, id="a minute"),
    pytest.param({"valid_minutes": 60 * 24 * 365}, 60 * 24 * 365, id="a year"),
]


@pytest.mark.parametrize(("settings", "minutes"), TIMES)
async def test_token_can_be_used_until_its_time(settings: dict[str, int], minutes: int, new_app: NewApp) -> None:
    wire = await new_app(auto_login=settings)
    await wire.register()
    assert isinstance(wire.server, InProcessServer)
    wire.server.clock.advance(minutes=minutes, seconds=-MILLISECOND)
    assert (await present(wire)).session


@pytest.mark.parametrize(("settings", "minutes"), TIMES)
async def test_token_expires_at_its_time(settings: dict[str, int], minutes: int, new_app: NewApp) -> None:
    wire = await new_app(auto_login=settings)
    await wire.register()
    assert isinstance(wire.server, InProcessServer)
    wire.server.clock.advance(minutes=minutes)
    assert await is_dead(wire, wire.login_token)


async def test_use_prolongs(server: InProcessServer, user: Wire) -> None:
    for _ in range(5):
        server.clock.advance(minutes=VALID, seconds=-MILLISECOND)
        assert (await present(user)).session
    server.clock.advance(minutes=VALID)
    assert await is_dead(user, user.login_token)


async def test_successor_does_not_prolong_the_old_token(server: InProcessServer, user: Wire) -> None:
    token = user.login_token
    server.clock.advance(minutes=VALID / 2)
    await present(user)
    server.clock.advance(minutes=VALID / 2)
    assert await is_dead(user, token)
    assert (await present(user)).session, "an expired token presented ends nothing"


async def test_expired_token_ends_no_session(new_app: NewApp) -> None:
    wire = await new_app(auto_login={"valid_minutes": 10})
    await wire.register()
    assert isinstance(wire.server, InProcessServer)
    wire.server.clock.advance(minutes=10)
    assert await is_dead(wire, wire.login_token)
    assert await is_signed_in(wire)


# --- switched off ----------------------------------------------------------------------------------------

OFF = {"enabled": False}


@pytest.mark.parametrize(
    "params",
    [{"loginToken": "0" * 64}, {}, {"loginToken": 1}, {"loginToken": None, "x": 1}],
    ids=["well-formed", "missing", "wrong type", "unknown parameter"],
)
async def test_auto_login_is_off(params: dict[str, Any], new_app: NewApp) -> None:
    wire = await new_app(auto_login=OFF)
    answer = await wire.call("User.autoLogin", **params)
    assert answer.error["message"] == "Invalid operation"
    assert answer.code == 13
    assert answer.data == {"reason": "Auto-login is turned off for this backend."}


async def test_no_tokens_while_auto_login_is_off(new_app: NewApp) -> None:
    wire = await new_app(auto_login=OFF)
    assert "loginToken" not in (await wire.register()).result
    answer = await wire.call("User.login", username="me@example.com", password="password")
    assert answer.result.keys() == {"user"}
    assert answer.session
    assert await is_signed_in(wire)
    assert isinstance(wire.server, InProcessServer)
    assert wire.server.rows("SELECT * FROM login_tokens") == []


async def test_tokens_survive_a_restart(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    config, clock = make_config(tmp_path), FakeClock()
    async with running(config, clock) as server:
        wire = Wire(http, server)
        await wire.register()
        stolen = wire.login_token
        await present(wire)
        await present(wire)
    async with running(config, clock) as server:
        wire.server = server
        assert (await present(wire)).session
    async with running(config, clock) as server:
        wire.server = server
        assert await is_dead(wire, stolen)
        assert not await is_signed_in(wire), "what was superseded is remembered"


async def test_tokens_from_before_auto_login_was_off(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    clock = FakeClock()
    async with running(make_config(tmp_path), clock) as server:
        wire = Wire(http, server)
        await wire.register()
    async with running(make_config(tmp_path, {"backends": {"app": {"auto_login": OFF}}}), clock) as server:
        wire.server = server
        assert await is_signed_in(wire)
        assert (await present(wire)).code == 13


async def test_shorter_time_applies_to_tokens_that_exist(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    clock = FakeClock()
    async with running(make_config(tmp_path), clock) as server:
        wire = Wire(http, server)
        await wire.register()
    clock.advance(minutes=10)
    shorter = {"backends": {"app": {"auto_login": {"valid_minutes": 10}}}}
    async with running(make_config(tmp_path, shorter), clock) as server:
        wire.server = server
        assert await is_dead(wire, wire.login_token)
