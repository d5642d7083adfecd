"""Stopping: running calls are answered, the exit code is 0."""

import asyncio
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.servers import ServerProcess
from tests.wire import Wire


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_running_calls_are_answered(tmp_path: Path, http: aiohttp.ClientSession, number: signal.Signals) -> None:
    server = ServerProcess(tmp_path / "data").start()
    apps = [Wire(http, server, device=f"device-{count}") for count in range(12)]
    calls = [asyncio.create_task(app.register(app.device)) for app in apps]
    done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) < len(calls)
    assert await asyncio.to_thread(server.stop, number) == 0
    registered = [call for call in calls if (await asyncio.wait([call])) and call.exception() is None]
    # A call whose connection was not accepted yet may be refused; none that was answered may be lost.
    assert len(registered) > len(done)
    assert "Stopping." in server.output
    assert "Traceback" not in server.output
    server.start()
    try:
        for call in registered:
            name = call.result().result["user"]["_username"]
            assert (await apps[0].call("User.login", username=name, password="password")).session
    finally:
        assert server.stop() == 0
