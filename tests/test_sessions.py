"""When a session begins and ends, by the clock, by a restart and by clean-up."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import NewApp
from tests.servers import FakeClock, InProcessServer, make_config, running
from tests.wire import Wire

MILLISECOND = 0.001  # in seconds

NEED_SIGN_IN: dict[str, dict[str, Any]] = {
    "User.getProperty": {"name": "age"},
    "User.getProperties": {},
    "User.saveProperty": {"name": "age", "value": 1},
    "User.saveProperties": {"properties": {}},
    "User.updatePassword": {"oldPassword": "password", "newPassword": "passw0rd"},
    "User.unregister": {"password": "password"},
    "User.logout": {},
}


async def is_signed_in(wire: Wire) -> bool:
    return bool((await wire.call("User.isAuthenticated")).result)


def clock_of(wire: Wire) -> FakeClock:
    assert isinstance(wire.server, InProcessServer)
    return wire.server.clock


async def use(wire: Wire) -> bool:
    """Uses the session and waits until the server has noted it: writes are done in their order."""
    answers = [await wire.call("User.saveProperty", name="used", value=number) for number in range(2)]
    return all("result" in answer.body for answer in answers)


# --- idle time -------------------------------------------------------------------------------------------

IDLE = [
    pytest.param({}, 24 * 60, id="default: a day"),
    pytest.param({"session_idle_minutes": 1}, 1, id="1 minute"),
    pytest.param({"session_idle_minutes": 30}, 30, id="30 minutes"),
    pytest.param({"session_idle_minutes": 100_000, "session_valid_minutes": 200_000}, 100_000, id="100,000 minutes"),
]


@pytest.mark.parametrize(("settings", "minutes"), IDLE)
async def test_idle_session_goes_on_until_its_time(settings: dict[str, int], minutes: int, new_app: NewApp) -> None:
    wire = await new_app(**settings)
    await wire.register()
    clock_of(wire).advance(minutes=minutes, seconds=-MILLISECOND)
    assert await is_signed_in(wire)


@pytest.mark.parametrize(("settings", "minutes"), IDLE)
async def test_idle_session_ends_at_its_time(settings: dict[str, int], minutes: int, new_app: NewApp) -> None:
    wire = await new_app(**settings)
    await wire.register()
    clock_of(wire).advance(minutes=minutes)
    assert not await is_signed_in(wire)


@pytest.mark.parametrize(("settings", "minutes"), IDLE)
async def test_use_prolongs_a_session(settings: dict[str, int], minutes: int, new_app: NewApp) -> None:
    wire = await new_app(**settings)
    await wire.register()
    clock_of(wire).advance(minutes=minutes, seconds=-MILLISECOND)
    assert await use(wire)
    clock_of(wire).advance(minutes=minutes, seconds=-MILLISECOND)
    assert await is_signed_in(wire)


@pytest.mark.parametrize(("settings", "minutes"), IDLE)
async def test_prolonged_session_ends_too(settings: dict[str, int], minutes: int, new_app: NewApp) -> None:
    wire = await new_app(**settings)
    await wire.register()
    clock_of(wire).advance(minutes=minutes, seconds=-MILLISECOND)
    assert await use(wire)
    clock_of(wire).advance(minutes=minutes)
    assert not await is_signed_in(wire)


@pytest.mark.parametrize("seconds", [5, 30, 55])
async def test_calls_within_the_shortest_idle_time_keep_the_session(seconds: int, new_app: NewApp) -> None:
    """Noting each use once a minute would be too seldom where a session idles out after one."""
    wire = await new_app(session_idle_minutes=1)
    await wire.register()
    for _ in range(20):
        clock_of(wire).advance(seconds=seconds)
        assert await use(wire)


async def test_asking_is_using(server: InProcessServer, wire: Wire, other: Wire) -> None:
    """isAuthenticated counts as a call; what the server notes of it is in the file before the next write."""
    await wire.register()
    await other.register("you@example.com")
    server.clock.advance(minutes=23 * 60)
    assert await is_signed_in(wire)
    assert await use(other)
    server.clock.advance(minutes=23 * 60)
    assert await is_signed_in(wire)


async def test_use_of_one_session_does_not_prolong_another(server: InProcessServer, wire: Wire, other: Wire) -> None:
    await wire.register()
    await other.call("User.login", username="me@example.com", password="password")
    server.clock.advance(minutes=23 * 60)
    assert await use(wire)
    server.clock.advance(minutes=60)
    assert await is_signed_in(wire)
    assert not await is_signed_in(other)


# --- absolute time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "idle", "valid"),
    [
        pytest.param({}, 24 * 60, 7 * 24 * 60, id="default: a week"),
        pytest.param({"session_idle_minutes": 30, "session_valid_minutes": 60}, 30, 60, id="an hour"),
    ],
)
async def test_session_ends_however_much_it_is_used(
    settings: dict[str, int], idle: int, valid: int, new_app: NewApp
) -> None:
    wire = await new_app(**settings)
    await wire.register()
    steps = 2 * valid // idle
    for _ in range(steps - 1):
        clock_of(wire).advance(minutes=idle / 2)
        assert await use(wire)
    clock_of(wire).advance(minutes=idle / 2, seconds=-MILLISECOND)
    assert await use(wire)
    clock_of(wire).advance(seconds=MILLISECOND)
    assert not await is_signed_in(wire)


async def test_valid_time_shorter_than_idle_time(new_app: NewApp) -> None:
    wire = await new_app(session_idle_minutes=60, session_valid_minutes=10)
    await wire.register()
    clock_of(wire).advance(minutes=10, seconds=-MILLISECOND)
    assert await is_signed_in(wire)
    clock_of(wire).advance(seconds=MILLISECOND)
    assert not await is_signed_in(wire)


# --- what an ended session is ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", NEED_SIGN_IN)
async def test_ended_session_is_simply_not_signed_in(method: str, server: InProcessServer, wire: Wire) -> None:
    await wire.register(age=21)
    server.clock.advance(minutes=24 * 60)
    answer = await wire.call(method, **NEED_SIGN_IN[method])
    assert answer.error == {"code": 11, "message": "User login is required"}
    assert answer.session is None


@pytest.mark.parametrize("session", ["0" * 64, "stale", "A" * 255])
async def test_signing_in_with_a_stale_session_in_the_call(session: str, wire: Wire, other: Wire) -> None:
    await other.register()
    calls: dict[str, dict[str, Any]] = {
        "User.login": {"username": "me@example.com", "password": "password"},
        "User.autoLogin": {"loginToken": other.login_token},
        "User.register": {"username": "you@example.com", "password": "password"},
    }
    for method, sent in calls.items():
        wire.session = session
        assert (await wire.call(method, **sent)).session not in {None, session}
        assert await is_signed_in(wire)


async def test_ended_session_does_not_come_back(server: InProcessServer, wire: Wire) -> None:
    await wire.register()
    ended = wire.tab()
    server.clock.advance(minutes=24 * 60)
    await wire.call("User.login", username="me@example.com", password="password")
    assert await is_signed_in(wire)
    assert not await is_signed_in(ended)


# --- ids -------------------------------------------------------------------------------------------------


async def test_every_sign_in_makes_a_new_id(wire: Wire) -> None:
    params = {"username": "me@example.com", "password": "password"}
    sessions = [(await wire.register()).session]
    sessions += [(await wire.call("User.login", **params)).session for _ in range(3)]
    sessions += [(await wire.call("User.autoLogin", loginToken=wire.login_token)).session for _ in range(3)]
    sessions += [(await wire.call("User.register", **{**params, "username": "you@example.com"})).session]
    assert None not in sessions
    assert len(set(sessions)) == len(sessions)


@pytest.mark.parametrize("planted", ["0" * 64, "f" * 64, "attacker"])
async def test_id_that_a_client_brings_is_never_adopted(planted: str, wire: Wire) -> None:
    for method, params in [
        ("User.register", {"username": "me@example.com", "password": "password"}),
        ("User.login", {"username": "me@example.com", "password": "password"}),
    ]:
        victim, attacker = wire.tab(), wire.tab()
        victim.session = attacker.session = planted
        assert (await victim.call(method, **params)).session != planted
        assert not await is_signed_in(attacker)


async def test_session_of_somebody_else_is_not_taken_over_by_signing_in(wire: Wire, other: Wire) -> None:
    await other.register("you@example.com", name="you")
    await wire.register(name="me")
    planted = other.tab()
    await planted.call("User.login", username="me@example.com", password="password")
    assert planted.session != other.session
    assert (await other.call("User.getProperty", name="name")).result == {"value": "you"}


async def test_header_comes_with_signing_in_only(wire: Wire) -> None:
    await wire.register()
    for method, params in NEED_SIGN_IN.items():
        wire.session = (await wire.call("User.login", username="me@example.com", password="password")).session
        answer = await wire.call(method, **params)
        assert "result" in answer.body
        assert answer.session is None
        if method == "User.updatePassword":
            await wire.call("User.updatePassword", oldPassword="passw0rd", newPassword="password")
        if method == "User.unregister":
            await wire.register()
    for method, params in [
        ("User.login", {"username": "me@example.com", "password": "passw0rd"}),
        ("User.register", {"username": "me@example.com", "password": "password"}),
        ("User.autoLogin", {"loginToken": "0" * 64}),
        ("User.validate", {"username": "you@example.com"}),
        ("User.isAuthenticated", {}),
    ]:
        assert (await wire.call(method, **params)).session is None


# --- restart ---------------------------------------------------------------------------------------------


async def test_sessions_survive_a_restart(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    config, clock = make_config(tmp_path), FakeClock()
    async with running(config, clock) as server:
        wire = Wire(http, server)
        await wire.register(age=21)
    clock.advance(minutes=24 * 60, seconds=-MILLISECOND)
    async with running(config, clock) as server:
        wire.server = server
        assert (await wire.call("User.getProperty", name="age")).result == {"value": 21}


async def test_sessions_end_while_the_server_is_down(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    config, clock = make_config(tmp_path), FakeClock()
    async with running(config, clock) as server:
        wire = Wire(http, server)
        await wire.register()
    clock.advance(minutes=24 * 60)
    async with running(config, clock) as server:
        wire.server = server
        assert not await is_signed_in(wire)


async def test_shorter_times_apply_to_sessions_that_exist(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    clock = FakeClock()
    async with running(make_config(tmp_path), clock) as server:
        wire = Wire(http, server)
        await wire.register()
    clock.advance(minutes=10)
    async with running(make_config(tmp_path, {"backends": {"app": {"session_idle_minutes": 10}}}), clock) as server:
        wire.server = server
        assert not await is_signed_in(wire)


# --- clean-up --------------------------------------------------------------------------------------------


async def wait_for_rows(wire: Wire, query: str, expected: list[Any]) -> None:
    """Until the file holds what it should; the server works on it meanwhile."""
    assert isinstance(wire.server, InProcessServer)
    for _ in range(2000):
        rows = wire.server.rows(query)
        if rows == expected:
            return
        await wire.call("User.isAuthenticated")
    assert rows == expected


COUNTS = (
    "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM login_tokens), (SELECT count(*) FROM login_families)"
)


@pytest.mark.parametrize(
    ("minutes", "sessions", "tokens"),
    [
        pytest.param(24 * 60 - 1, 3, 3, id="before the idle time"),
        pytest.param(24 * 60, 0, 3, id="after the idle time"),
        pytest.param(43200 - 1, 0, 3, id="before the end of login tokens"),
        pytest.param(43200, 0, 0, id="after the end of login tokens"),
    ],
)
async def test_ended_rows_are_removed(
    minutes: int, sessions: int, tokens: int, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    config, clock = make_config(tmp_path), FakeClock()
    async with running(config, clock) as server:
        wire = Wire(http, server)
        await wire.register()
        await wire.call("User.login", username="me@example.com", password="password")
        await wire.register("you@example.com")
    clock.advance(minutes=minutes)
    async with running(config, clock) as server:
        wire.server = server
        await wait_for_rows(wire, COUNTS, [(sessions, tokens, tokens)])
        # Nothing more is removed: a write afterwards finds the same.
        await Wire(http, server, "device-2").register("they@example.com")
        assert server.rows(COUNTS) == [(sessions + 1, tokens + 1, tokens + 1)]
        assert server.rows("SELECT count(*) FROM users") == [(3,)]


async def test_living_session_outlives_the_clean_up(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    config, clock = make_config(tmp_path), FakeClock()
    async with running(config, clock) as server:
        old, new = Wire(http, server), Wire(http, server, "device-2")
        await old.register("old@example.com")
        clock.advance(minutes=12 * 60)
        await new.register("new@example.com")
    clock.advance(minutes=12 * 60)
    async with running(config, clock) as server:
        old.server = new.server = server
        await wait_for_rows(old, "SELECT count(*) FROM sessions", [(1,)])
        assert await is_signed_in(new)
        assert not await is_signed_in(old)
        assert (await old.call("User.autoLogin", loginToken=old.login_token)).session


async def test_session_past_its_valid_time_is_removed_though_used(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    config = make_config(tmp_path, {"backends": {"app": {"session_idle_minutes": 30, "session_valid_minutes": 40}}})
    clock = FakeClock()
    async with running(config, clock) as server:
        wire = Wire(http, server)
        await wire.register()
        clock.advance(minutes=20)
        assert await use(wire)
    clock.advance(minutes=20)
    async with running(config, clock) as server:
        wire.server = server
        await wait_for_rows(wire, "SELECT count(*) FROM sessions", [(0,)])


async def test_clean_up_of_many(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    """More than are removed at once."""
    config, clock = make_config(tmp_path), FakeClock()
    async with running(config, clock) as server:
        wire = Wire(http, server)
        await wire.register()
        path = server.database_path()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1700)"
        connection.execute(
            f"INSERT INTO sessions (digest, user_key, family_key, created_at, used_at) {numbers}"
            " SELECT randomblob(32), user_key, family_key, created_at, used_at FROM sessions, n"
        )
        connection.execute(
            f"INSERT INTO login_tokens (digest, family_key, created_at) {numbers}"
            " SELECT randomblob(32), family_key, created_at FROM login_tokens, n"
        )
    clock.advance(minutes=43200)
    async with running(config, clock) as server:
        wire.server = server
        await wait_for_rows(wire, COUNTS, [(0, 0, 0)])
