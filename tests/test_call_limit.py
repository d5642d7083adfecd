"""`calls_per_month`: how many calls an app may make in a calendar month."""

import asyncio
import contextlib
import logging
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import StartServer
from tests.operators import KEYS, Operator
from tests.patience import HANG_SECONDS
from tests.servers import FakeClock, InProcessServer, ServerProcess, make_config, running, served
from tests.wire import Answer, Wire

REASON = "The app has made as many calls in this month as it may."
NEW_YEAR = int(datetime(2028, 1, 1, tzinfo=UTC).timestamp()) * 1000


def code(answer: Answer) -> int:
    """0: there is a result."""
    found: int = answer.body.get("error", {}).get("code", 0)
    return found


async def ask(app: Wire) -> Answer:
    return await app.call("User.isAuthenticated")


async def started(start: StartServer, most: int, clock: FakeClock | None = None) -> InProcessServer:
    server: InProcessServer = await start({"backends": {"app": {"calls_per_month": most}}}, clock)
    return server


async def until_saved(server: InProcessServer, calls: int) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while server.rows("SELECT calls FROM call_counts") != [(calls,)]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_so_many_calls_and_no_more(
    start: StartServer, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    clock.now = NEW_YEAR - 90_500  # the limits on guessing are off, this one is not
    app = Wire(http, await started(start, 3, clock))
    assert [code(await ask(app)) for _ in range(5)] == [0, 0, 0, 9999, 9999]
    assert (await ask(app)).data == {"retryAfter": 91, "reason": REASON}
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings == ["backend app: calls_per_month is reached; others are refused"]


async def test_a_new_month_begins_anew(start: StartServer, http: aiohttp.ClientSession) -> None:
    clock = FakeClock()
    clock.now = NEW_YEAR - 1000
    server = await started(start, 1, clock)
    app = Wire(http, server)
    assert [code(await ask(app)) for _ in range(2)] == [0, 9999]
    clock.advance(seconds=1)
    assert [code(await ask(app)) for _ in range(2)] == [0, 9999]
    assert (await ask(app)).data["retryAfter"] == 31 * 24 * 3600
    clock.advance(minutes=31 * 24 * 60)
    assert code(await ask(app)) == 0, "29 days of February come next"
    assert (await ask(app)).data["retryAfter"] == 29 * 24 * 3600


async def test_what_counts(start: StartServer, http: aiohttp.ClientSession) -> None:
    """A call that has come as far as the limits: what is wrong with it later makes no difference."""
    server: InProcessServer = await start({"backends": {"app": {"calls_per_month": 1000, **KEYS}}})
    app, operator = Wire(http, server), Operator(http, server)
    assert code(await app.post(b"{")) == -32700
    assert code(await app.call("User.nothing")) == -32601
    assert code(await app.call("User.isAuthenticated", __api_key="wrong")) == 4
    assert code(await app.call("User.isAuthenticated", __device="")) == 12
    assert code(await app.call("User.isAuthenticated", __session="?")) == 10
    assert code(await app.call("User.getProperties")) == 11
    assert (await app.call("rpc.discover")).result
    assert (await operator.call("User.list", page=1, itemsInPage=1)).result
    await ask(app)
    await until_saved(server, 1)
    assert code(await app.call("User.login", username=1)) == -32602
    assert (await app.register()).session
    assert code(await app.call("User.getProperties", names="x")) == -32602
    call = {"jsonrpc": "2.0", "method": "User.isAuthenticated", "params": app.params({})}
    await app.send([*(call | {"id": number} for number in range(5)), call, 1])  # six of them, one is a notification
    server.clock.advance(minutes=1)
    await until_saved(server, 10)


async def test_each_element_of_a_batch_counts(start: StartServer, http: aiohttp.ClientSession) -> None:
    app = Wire(http, await started(start, 3))
    call = {"jsonrpc": "2.0", "method": "User.isAuthenticated", "params": app.params({})}
    answer = await app.send([call | {"id": number} for number in range(5)])
    codes = [element.get("error", {}).get("code", 0) for element in answer.body]
    assert codes == [0, 0, 0, 9999, 9999]


async def test_no_limit_by_default(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await started(start, 0)
    app = Wire(http, server)
    for _ in range(20):
        assert code(await ask(app)) == 0
    assert server.rows("SELECT * FROM call_counts") == []


async def test_written_once_a_minute(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await started(start, 100)
    app = Wire(http, server)
    await ask(app)
    await until_saved(server, 1)
    for _ in range(4):
        await ask(app)
    server.clock.advance(seconds=50)
    assert server.rows("SELECT calls FROM call_counts") == [(1,)]
    server.clock.advance(seconds=9)
    await until_saved(server, 5)


async def test_survives_a_restart(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    config = make_config(tmp_path, {"backends": {"app": {"calls_per_month": 5}}})
    for before in (0, 3):
        async with running(config) as server:
            app = Wire(http, server)
            assert [code(await ask(app)) for _ in range(3)] == [0 if before + n < 5 else 9999 for n in range(3)]


async def test_processes_share_the_count(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    """What another one has added to it counts as soon as this one has written its own."""
    async with running(make_config(tmp_path, {"backends": {"app": {"calls_per_month": 5}}})) as server:
        app = Wire(http, server)
        await ask(app)
        await until_saved(server, 1)
        server.execute("UPDATE call_counts SET calls = calls + 3")
        server.clock.advance(minutes=1)
        await ask(app)
        await until_saved(server, 5)
        assert code(await ask(app)) == 9999


async def test_what_cannot_be_written_is_not_forgotten(
    start: StartServer, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    server = await started(start, 3)
    app = Wire(http, server)
    server.execute("CREATE TRIGGER full BEFORE INSERT ON call_counts BEGIN SELECT raise(ABORT, 'no space'); END")
    await ask(app)
    async with asyncio.timeout(HANG_SECONDS):
        while "cannot write how many calls" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    server.execute("DROP TRIGGER full")
    await ask(app)
    server.clock.advance(minutes=1)
    await until_saved(server, 2)
    assert [code(await ask(app)) for _ in range(2)] == [0, 9999]


@pytest.mark.slow
async def test_survives_a_kill(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    data = tmp_path / "data"
    limit = {"JSONRPC_BACKEND_BACKENDS_APP_CALLS_PER_MONTH": "2"}
    with served(data, environment=limit) as process:
        assert code(await ask(Wire(http, process))) == 0
        await asyncio.to_thread(_wait_for_row, process)
        process.kill()
    with served(data, environment=limit) as process:
        assert [code(await ask(Wire(http, process))) for _ in range(2)] == [0, 9999]


def _wait_for_row(process: ServerProcess) -> None:
    with contextlib.closing(sqlite3.connect(process.data_dir / "app.sqlite3")) as db:
        while db.execute("SELECT calls FROM call_counts").fetchall() != [(1,)]:
            pass
