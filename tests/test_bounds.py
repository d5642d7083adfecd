"""Rows that anybody can make by signing in again and again are bounded in number."""

import contextlib
import sqlite3
from typing import Any

import pytest

from jsonrpc_backend.store import known_devices, known_places, login_tokens, sessions
from tests.servers import InProcessServer
from tests.wire import Answer, Wire

pytestmark = pytest.mark.slow

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)"


def execute(server: InProcessServer, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(server.database_path())) as connection, connection:
        connection.execute(statement)


def count(server: InProcessServer, table: str) -> Any:
    return server.rows(f"SELECT count(*) FROM {table}")[0][0]


async def login(wire: Wire) -> Answer:
    return await wire.call("User.login", username="me@example.com", password="password")


@pytest.fixture
async def user(server: InProcessServer, wire: Wire, other: Wire) -> Wire:
    """Has signed in on one device, and another user on another one; since then some time has passed."""
    await wire.register()
    await other.register("you@example.com")
    server.clock.advance(minutes=1)
    return wire


async def test_the_oldest_sessions_end(server: InProcessServer, user: Wire, other: Wire) -> None:
    execute(
        server,
        f"INSERT INTO sessions (digest, user_key, family_key, created_at, used_at) {NUMBERS}"
        " SELECT randomblob(32), user_key, family_key, created_at + i, used_at FROM sessions, n WHERE user_key = 1",
    )
    newest = user.tab()
    assert (await login(newest)).session
    assert server.rows("SELECT count(*), min(created_at) FROM sessions WHERE user_key = 1") == [
        (sessions.MOST_PER_USER, server.clock.now - 60_000 + 1500 - sessions.MOST_PER_USER + 2)
    ]
    assert (await newest.call("User.isAuthenticated")).result is True
    assert (await user.call("User.isAuthenticated")).result is False
    assert (await other.call("User.isAuthenticated")).result is True


async def test_the_oldest_login_tokens_end(server: InProcessServer, user: Wire, other: Wire) -> None:
    execute(
        server,
        f"INSERT INTO login_families (user_key, device, renewed_at) {NUMBERS} SELECT 1, 'device ' || i, 0 FROM n",
    )
    oldest = user.tab()
    assert (await login(user)).session
    families = server.rows("SELECT count(*) FROM login_families WHERE user_key = 1")
    assert families == [(login_tokens.MOST_FAMILIES_PER_USER,)]
    assert (await oldest.call("User.autoLogin", loginToken=oldest.login_token)).code == -32602
    for app in (user, other):
        assert (await app.call("User.autoLogin", loginToken=app.login_token)).session


async def test_a_family_has_tens_of_tokens(server: InProcessServer, user: Wire, other: Wire) -> None:
    """However long its line, and however often an app presents the same token."""
    for _ in range(5):
        first = user.login_token
        for _ in range(login_tokens.MOST_SUCCESSORS + 5):
            assert (await user.call("User.autoLogin", loginToken=first)).session
            server.clock.advance(seconds=1)
        assert (await user.call("User.autoLogin", loginToken=user.login_token)).session
    assert server.rows("SELECT count(*) FROM login_tokens WHERE family_key = 1") == [(2,)]
    assert (await other.call("User.autoLogin", loginToken=other.login_token)).session


async def test_a_family_has_as_many_sessions_as_a_browser_has_pages(
    server: InProcessServer, user: Wire, other: Wire
) -> None:
    registered, elsewhere = user.tab(), user.elsewhere()
    assert (await login(elsewhere)).session
    for _ in range(sessions.MOST_PER_FAMILY):
        server.clock.advance(seconds=1)
        assert (await user.call("User.autoLogin", loginToken=user.login_token)).session
    assert server.rows("SELECT count(*) FROM sessions WHERE family_key = 1") == [(sessions.MOST_PER_FAMILY,)]
    assert (await registered.call("User.isAuthenticated")).result is False, "the oldest one"
    for app in (user, elsewhere, other):
        assert (await app.call("User.isAuthenticated")).result is True


async def test_devices_that_were_not_used_for_long_are_strangers_again(server: InProcessServer, user: Wire) -> None:
    execute(
        server,
        f"INSERT INTO known_devices (digest, user_key, used_at) {NUMBERS}"
        " SELECT randomblob(32), user_key, used_at + i FROM known_devices, n WHERE user_key = 1",
    )
    assert (await login(user.elsewhere())).session
    kept = server.rows("SELECT count(*) FROM known_devices WHERE user_key = 1")
    assert kept == [(known_devices.MOST_PER_USER,)]
    assert count(server, "known_devices") == known_devices.MOST_PER_USER + 1, "the other user's device is kept"


async def test_signing_in_again_on_a_device_takes_no_row_more(server: InProcessServer, user: Wire) -> None:
    before = count(server, "known_devices")
    for _ in range(3):
        await login(user)
        await user.call("User.autoLogin", loginToken=user.login_token)
    assert count(server, "known_devices") == before


async def test_places_that_were_not_used_for_long_are_forgotten(server: InProcessServer, user: Wire) -> None:
    execute(
        server,
        f"INSERT INTO known_places (user_key, place, used_at) {NUMBERS}"
        " SELECT user_key, randomblob(8), used_at + i FROM known_places, n WHERE user_key = 1",
    )
    assert (await login(user.elsewhere())).session
    assert server.rows("SELECT count(*) FROM known_places WHERE user_key = 1") == [(known_places.MOST_PER_USER,)]
    assert count(server, "known_places") == known_places.MOST_PER_USER + 1, "the other user's place is kept"


async def test_what_is_known_of_devices_goes_with_the_user(server: InProcessServer, user: Wire) -> None:
    await user.call("User.unregister", password="password")
    assert server.rows("SELECT DISTINCT user_key FROM known_devices") == [(2,)]
    assert server.rows("SELECT DISTINCT user_key FROM known_places") == [(2,)]
