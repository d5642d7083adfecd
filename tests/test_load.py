"""Hashing passwords leaves everything else alone."""

import asyncio
import logging
import statistics
import time
from pathlib import Path

import aiohttp
import pytest

from jsonrpc_backend.config import PasswordsConfig
from tests.conftest import StartServer
from tests.prometheus import watched
from tests.servers import ONE_AND_SEVERAL_WORKERS
from tests.wire import Wire

pytestmark = pytest.mark.slow

REAL = {"memory_kib": PasswordsConfig.memory_kib, "iterations": PasswordsConfig.iterations}


@ONE_AND_SEVERAL_WORKERS
async def test_reads_are_answered_while_64_callers_sign_in(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await start({"passwords": REAL})
    reader = Wire(http, server)
    await reader.register()
    apps = [Wire(http, server, device=f"device-{number}") for number in range(64)]
    sign_ins = [
        asyncio.create_task(app.call("User.login", username="me@example.com", password="password")) for app in apps
    ]
    reads_during_sign_ins = 0
    while not all(task.done() for task in sign_ins):
        assert (await reader.call("User.getProperties")).result == {"properties": {}}
        reads_during_sign_ins += 1
    assert all(task.result().session for task in sign_ins)
    # 64 hashes of 20 ms or more on the loop itself would let one read through for each hash at the most.
    assert reads_during_sign_ins > 64


async def test_cheap_calls_are_answered_while_64_callers_sign_in(
    start: StartServer, http: aiohttp.ClientSession
) -> None:
    """The event loop is free meanwhile. Prints how quick they are: python3 run.py test -s tests/test_load.py"""
    server = await start({"passwords": REAL})
    reader = Wire(http, server)
    await reader.register()
    sign_ins = [
        asyncio.create_task(reader.elsewhere().call("User.login", username="me@example.com", password="password"))
        for _ in range(64)
    ]
    lags, calls = [], []
    while not all(task.done() for task in sign_ins):
        begin = time.perf_counter()
        await asyncio.sleep(0.001)
        lags.append(time.perf_counter() - begin - 0.001)
        begin = time.perf_counter()
        assert (await reader.call("User.isAuthenticated")).result is True
        calls.append(time.perf_counter() - begin)
    assert all(task.result().session for task in sign_ins)
    figures = {name: statistics.quantiles(times, n=100)[98] for name, times in (("loop", lags), ("call", calls))}
    print({f"{name} p99": f"{seconds * 1000:.1f} ms" for name, seconds in figures.items()}, len(calls), "calls")
    assert len(calls) > 64  # as above


async def test_callers_who_hang_up_leave_no_work(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    """40 hashes of 0.1 s or more wait for one worker; those who asked for them go."""
    async with watched(tmp_path, http, {"passwords": {**REAL, "workers": 1, "iterations": 12}}) as server:
        app = Wire(http, server)
        await app.register()
        sign_in = {"username": "me@example.com", "password": "password"}
        calls = [asyncio.create_task(app.elsewhere().call("User.login", **sign_in)) for _ in range(40)]
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)  # by now all of them wait
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
        assert (await app.call("User.login", **sign_in)).session
        assert await server.value("argon2_duration_seconds_count") < 15, "it has worked for those who are gone"


@ONE_AND_SEVERAL_WORKERS
async def test_full_queue_answers_9999(
    start: StartServer, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    server = await start({"passwords": {**REAL, "iterations": 10, "workers": 1, "max_queue": 2}})
    app = Wire(http, server)
    answers = await asyncio.gather(*(app.call("User.login", username="nobody", password="password") for _ in range(20)))
    codes = [answer.code for answer in answers]
    assert set(codes) == {-32602, 9999}
    refused = next(answer for answer in answers if answer.code == 9999)
    assert refused.error["message"] == "Call limit exceeded"
    assert refused.data["retryAfter"] >= 1
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (await app.register()).result["user"]["_username"] == "me@example.com"
