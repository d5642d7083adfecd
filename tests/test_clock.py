"""The clock of the machine jumps, and nobody is signed out or locked out by that."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from jsonrpc_backend.clock import since_boot
from jsonrpc_backend.clock.steady import SteadyClock
from jsonrpc_backend.server.app import make_app
from jsonrpc_backend.server.backends import BACKENDS
from tests.conftest import StartServer
from tests.mailbox import Mailbox
from tests.patience import HANG_SECONDS
from tests.servers import FakeClock, InProcessServer, make_config, running, serving_at
from tests.wire import Wire

DAY = 24 * 60  # minutes
PATIENCE = 5  # minutes

JUMPS = [DAY, -DAY, 400 * DAY, -400 * DAY]


def steady(clock: FakeClock) -> SteadyClock:
    return SteadyClock(clock, clock.elapsed)


# --- the clock itself --------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", JUMPS)
def test_a_jump_counts_only_when_it_has_lasted(minutes: int, caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    ours, began = steady(clock), clock.now
    clock.jump(minutes=minutes)
    assert ours() == began
    clock.advance(minutes=PATIENCE - 1)
    assert ours() == began + (PATIENCE - 1) * 60_000, "time goes on meanwhile"
    clock.advance(minutes=1)
    assert ours() == clock.now
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert f"jumped by {minutes * 60:+} s" in caplog.messages[0]


@pytest.mark.parametrize("minutes", JUMPS)
def test_a_jump_and_back_is_as_if_nothing_had_been(minutes: int) -> None:
    clock = FakeClock()
    ours = steady(clock)
    for _ in range(3):
        clock.jump(minutes=minutes)
        ours()
        clock.advance(minutes=PATIENCE - 1)
        ours()
        clock.jump(minutes=-minutes)
        assert ours() == clock.now
        clock.advance(minutes=PATIENCE)
        assert ours() == clock.now


def test_each_jump_has_to_last_for_itself() -> None:
    clock = FakeClock()
    ours, began = steady(clock), clock.now
    for number in range(1, 10):
        clock.jump(minutes=DAY)
        assert ours() == began + (number - 1) * (PATIENCE - 1) * 60_000
        clock.advance(minutes=PATIENCE - 1)


@pytest.mark.parametrize("minutes", [1, -1, 1.9])
def test_small_corrections_count_at_once(minutes: float, caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    ours = steady(clock)
    for _ in range(5):
        clock.jump(minutes=minutes)
        assert ours() == clock.now
    assert not caplog.records


def test_however_long_nobody_asks_it_is_right() -> None:
    """As after a night in which a laptop slept."""
    clock = FakeClock()
    ours = steady(clock)
    clock.advance(minutes=30 * DAY)
    assert ours() == clock.now


def test_time_since_boot_goes_on() -> None:
    first = since_boot()
    while since_boot() == first:
        pass
    assert since_boot() > first


# --- what people notice ------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", JUMPS)
async def test_nobody_is_signed_out(minutes: int, server: InProcessServer, wire: Wire, other: Wire) -> None:
    await wire.register()
    await other.call("User.login", username="me@example.com", password="password")
    server.clock.jump(minutes=minutes)
    assert (await wire.call("User.isAuthenticated")).result is True
    assert (await other.call("User.autoLogin", loginToken=other.login_token)).session
    server.clock.advance(minutes=PATIENCE - 1)
    server.clock.jump(minutes=-minutes)
    for device in (wire, other):
        assert (await device.call("User.isAuthenticated")).result is True
        assert (await device.call("User.autoLogin", loginToken=device.login_token)).session


async def believed(server: InProcessServer, wire: Wire, minutes: int) -> None:
    """The clock jumps, and that lasts. Both are seen by a call that asks what time it is."""
    app = wire.elsewhere()
    app.session = "0" * 64
    server.clock.jump(minutes=minutes)
    assert (await app.call("User.isAuthenticated")).result is False
    server.clock.advance(minutes=PATIENCE)
    assert (await app.call("User.isAuthenticated")).result is False


async def test_after_a_long_jump_and_back_sessions_go_on(server: InProcessServer, wire: Wire) -> None:
    await wire.register()
    await believed(server, wire, DAY)
    assert (await wire.call("User.isAuthenticated")).result is False, "it has been idle for a day by this clock"
    await believed(server, wire, -DAY)
    assert (await wire.call("User.isAuthenticated")).result is True


async def test_what_was_done_in_the_future_does_not_count(
    start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox
) -> None:
    """Failures lock nobody out, and mails keep nobody from getting another one."""
    limits = {"enabled": True, "failed_logins_per_user": 2, "reset_mails_per_user": 1, "registrations_per_address": 1}
    server = await start({"throttle": limits, "smtp": mailbox.settings})
    wire = Wire(http, server)
    await wire.register()
    await believed(server, wire, DAY)
    stranger = wire.elsewhere()
    for code in (-32602, -32602, 9999):
        assert (await stranger.call("User.login", username="me@example.com", password="wrong")).code == code
    assert (await stranger.call("User.validate", username="somebody")).result == "OK"
    assert (await stranger.call("User.sendPasswordResetToken", username="me@example.com")).result == "OK"
    await mailbox.next()
    await believed(server, wire, -DAY)
    server.clock.advance(minutes=15)
    assert (await stranger.call("User.validate", username="somebody")).result == "OK"
    assert (await stranger.call("User.sendPasswordResetToken", username="me@example.com")).result == "OK"
    assert (await mailbox.next()).token
    assert (await stranger.call("User.login", username="me@example.com", password="password")).session


async def test_a_mail_that_was_put_off_in_the_future_is_sent(
    tmp_path: Path, http: aiohttp.ClientSession, mailbox: Mailbox
) -> None:
    refused = asyncio.Event()

    def refuse(_: object) -> str | None:
        if refused.is_set():
            return None
        refused.set()
        return "451 try again"

    mailbox.rcpt = refuse
    config, clock = make_config(tmp_path, {"smtp": mailbox.settings}), FakeClock()
    async with running(config, clock) as server:
        await Wire(http, server).register()
        clock.jump(minutes=DAY)
    async with running(config, clock) as server:  # which knows of no other time
        await Wire(http, server).call("User.sendPasswordResetToken", username="me@example.com")
        async with asyncio.timeout(HANG_SECONDS):
            while server.rows("SELECT count(*) FROM mails WHERE attempts = 1") != [(1,)]:
                await Wire(http, server).call("User.isAuthenticated")
    clock.jump(minutes=-DAY)
    async with running(config, clock):
        assert (await mailbox.next()).token


PURGED: dict[str, Callable[[FakeClock], None]] = {
    "a jump": lambda clock: clock.jump(minutes=400 * DAY),
    "time": lambda clock: clock.advance(minutes=400 * DAY),
}


@pytest.mark.parametrize(("passes", "left"), [("a jump", 1), ("time", 0)])
async def test_a_jump_removes_nothing_until_it_has_lasted_for_a_day(
    passes: str, left: int, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    config, clock = make_config(tmp_path), FakeClock()
    app = make_app(config, clock=clock, elapsed=clock.elapsed)
    async with serving_at(app) as port:
        server = InProcessServer(f"http://127.0.0.1:{port}", config, clock)
        wire = Wire(http, server)
        await wire.register()
        backend = app[BACKENDS]["app"]
        PURGED[passes](clock)
        for minutes in (0, PATIENCE, DAY - 1):
            clock.advance(minutes=minutes)
            await backend.purge.run()
            assert server.rows("SELECT count(*) FROM login_tokens") == [(left,)]
        clock.advance(minutes=1)
        await backend.purge.run()
        assert server.rows("SELECT count(*) FROM login_tokens") == [(0,)]
