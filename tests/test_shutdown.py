"""Stopping: running calls are answered, the exit code is 0, and nobody can hold it up for long."""

import asyncio
import contextlib
import json
import signal
import socket
import time
from pathlib import Path

import aiohttp
import pytest

from tests.crash import QUICK_SERVER
from tests.patience import HANG_SECONDS
from tests.servers import ServerProcess
from tests.wire import Wire

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_running_calls_are_answered(tmp_path: Path, http: aiohttp.ClientSession, number: signal.Signals) -> None:
    # Many calls, no long ones: the server waits for a few seconds only, in which a busy machine computes few hashes.
    server = ServerProcess(tmp_path / "data", environment=QUICK_SERVER).start()
    apps = [Wire(http, server, device=f"device-{count}") for count in range(100)]
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


# So long that the server itself must cut everybody off.
PATIENT = {f"JSONRPC_BACKEND_SERVER_{what}_TIMEOUT_SECONDS": "600" for what in ("HEADER", "BODY", "ANSWER")}
PATIENT["JSONRPC_BACKEND_THROTTLE_BYTES_OF_NEW_ACCOUNTS"] = "512000"  # for a large answer

HALF_A_BODY = b"POST /json-rpc/app HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"


def connect(server: ServerProcess) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=HANG_SECONDS)


async def test_nobody_can_hold_it_up(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    """Idle connections, half a head, half a body, an answer that nobody reads. Prints how long it took."""
    server = ServerProcess(tmp_path / "data", environment=PATIENT).start()
    wire = Wire(http, server)
    await wire.register(text="x" * 500_000)
    call = {"jsonrpc": "2.0", "method": "User.getProperties", "params": wire.params({}), "id": 1}
    large = json.dumps([call] * 40).encode()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(40)]
        for number, client in enumerate(clients):
            client.sendall((b"", b"POST /js", HALF_A_BODY)[number % 3])
        unread = stack.enter_context(connect(server))
        unread.sendall(
            f"POST /json-rpc/app HTTP/1.1\r\nHost: a\r\nContent-Length: {len(large)}\r\n\r\n".encode() + large
        )
        assert await asyncio.to_thread(unread.recv, 1) == b"H", "the answer is under way"
        begin = time.monotonic()
        assert await asyncio.to_thread(server.stop) == 0
        print(f"stopped after {time.monotonic() - begin:.1f} s")
        assert b'"code":9999' in clients[2].recv(65536), "half a body is answered"
        with pytest.raises(ConnectionRefusedError):
            connect(server)
    assert "Traceback" not in server.output
    left = sorted(path.name for path in server.data_dir.iterdir())
    locks = ["app.sqlite3-next", "app.sqlite3-writer", "server.lock"]
    assert left == ["app.api-key", "app.sqlite3", *locks], "the database is closed"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once(
    tmp_path: Path, http: aiohttp.ClientSession, number: signal.Signals
) -> None:
    """What was answered until then is kept."""
    slow = {"JSONRPC_BACKEND_PASSWORDS_ITERATIONS": "60", "JSONRPC_BACKEND_PASSWORDS_WORKERS": "1"}
    server = ServerProcess(tmp_path / "data", environment=slow).start()
    assert server.process is not None
    wire = Wire(http, server)
    await wire.register()
    calls = [asyncio.create_task(wire.elsewhere().register(f"user-{count}")) for count in range(60)]
    await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    server.process.send_signal(number)
    await asyncio.to_thread(server.read_until, "Stopping.")
    assert await asyncio.to_thread(server.stop, number) == -number, "it has not ended by itself"
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert any(isinstance(answer, aiohttp.ClientError) for answer in answers), "nobody was waited for"
    server.environment.clear()
    server.start()
    try:
        assert (await wire.call("User.login", username="me@example.com", password="password")).session
    finally:
        assert server.stop() == 0
