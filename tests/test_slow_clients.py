"""Clients that keep the server waiting: it waits for a while, for so many, and with so much memory."""

import asyncio
import contextlib
import json
import logging
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import StartServer
from tests.patience import HANG_SECONDS
from tests.servers import ONE_AND_SEVERAL_WORKERS, InProcessServer, ServerProcess, make_config, running
from tests.servers import served as serve_process
from tests.wire import Wire

pytestmark = pytest.mark.slow

KIB, MIB = 1024, 1024 * 1024

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def address(server: Any) -> tuple[str, int]:
    host, port = server.url.removeprefix("http://").split(":")
    return host, int(port)


@contextlib.asynccontextmanager
async def connected(server: Any) -> AsyncIterator[Streams]:
    async with asyncio.timeout(HANG_SECONDS):
        streams = await asyncio.open_connection(*address(server))
        try:
            yield streams
        finally:
            streams[1].close()
            with contextlib.suppress(ConnectionError):
                await streams[1].wait_closed()


async def is_cut(reader: asyncio.StreamReader) -> bool:
    """Waits until the server has ended the connection; whether it did so without an answer."""
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


def head(length: int) -> bytes:
    return f"POST /json-rpc/app HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode()


async def begin_body(streams: Streams, length: int) -> None:
    """Sends a head, and returns when the server waits for the body."""
    reader, writer = streams
    writer.write(head(length)[:-2] + b"Expect: 100-continue\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"


async def read_answer(reader: asyncio.StreamReader) -> Any:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
    assert lines[0] == "http/1.1 200 ok"
    length = next(int(line.removeprefix("content-length: ")) for line in lines if line.startswith("content-length"))
    return json.loads(await reader.readexactly(length))


def call_body(wire: Wire, method: str = "User.isAuthenticated", **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": wire.params(params), "id": 1}).encode()


# --- heads -----------------------------------------------------------------------------------------------


@ONE_AND_SEVERAL_WORKERS
async def test_a_head_that_comes_byte_by_byte_is_given_up(start: StartServer) -> None:
    server = await start({"server": {"header_timeout_seconds": 1}})
    async with connected(server) as (reader, writer):
        cut = asyncio.create_task(is_cut(reader))
        for byte in b"POST /json-rpc/app HTTP/1.1\r\nX-Slow: " + b"x" * 1000:
            writer.write(bytes([byte]))
            if (await asyncio.wait([cut], timeout=0.1))[0]:
                break
        assert await cut


async def test_a_second_head_that_stops_is_given_up(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await start({"server": {"header_timeout_seconds": 1}})
    body = call_body(Wire(http, server))
    async with connected(server) as (reader, writer):
        writer.write(head(len(body)) + body)
        assert (await read_answer(reader))["result"] is False
        writer.write(b"POST /json")
        assert await is_cut(reader)


async def test_a_connection_that_is_only_idle_is_left_alone(start: StartServer, http: aiohttp.ClientSession) -> None:
    """Heads may take 1 s here; connections between two calls, or before the first, may stay longer."""
    server = await start({"server": {"header_timeout_seconds": 1}})
    body = call_body(Wire(http, server))
    async with connected(server) as idle, connected(server) as slow:
        idle[1].write(head(len(body)) + body)
        await read_answer(idle[0])
        slow[1].write(b"P")
        assert await is_cut(slow[0])  # by now `idle` has been idle for as long
        idle[1].write(head(len(body)) + body)
        assert (await read_answer(idle[0]))["result"] is False


# --- answers ---------------------------------------------------------------------------------------------


async def with_large_properties(wire: Wire) -> bytes:
    """A batch of calls whose answer takes 20 MiB: no socket holds that much."""
    await wire.register(text="x" * 500_000)
    call = {"jsonrpc": "2.0", "method": "User.getProperties", "params": wire.params({}), "id": 1}
    return json.dumps([call] * 40).encode()


async def test_an_answer_that_nobody_reads_is_given_up(
    start: StartServer, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jsonrpc_backend.server.connections.SLOWEST_ANSWER", 100 * MIB)
    server = await start({"server": {"answer_timeout_seconds": 1}})
    body = await with_large_properties(Wire(http, server))
    with socket.create_connection(address(server)) as client:
        client.settimeout(HANG_SECONDS)
        await asyncio.to_thread(client.sendall, head(len(body)) + body)
        await asyncio.to_thread(wait_until_peer_is_gone, client)


def wait_until_peer_is_gone(client: socket.socket) -> None:
    """Without reading: sends another request, slowly, until the system says that nobody is there any more."""
    deadline = time.monotonic() + HANG_SECONDS
    with contextlib.suppress(ConnectionError):
        client.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        while time.monotonic() < deadline:
            client.sendall(b"x")
            time.sleep(0.02)
        raise AssertionError("the server still keeps the connection")


async def test_an_answer_that_is_read_slowly_arrives_whole(start: StartServer, http: aiohttp.ClientSession) -> None:
    """A slow line takes far longer than the time-out, but it does take: 20 MiB may take 20 minutes."""
    server = await start({"server": {"answer_timeout_seconds": 1}})
    body = await with_large_properties(Wire(http, server))
    async with connected(server) as (reader, writer):
        writer.write(head(len(body)) + body)
        await reader.readexactly(1)
        async with connected(server) as other:
            other[1].write(b"P")  # and nothing else
            await asyncio.wait([asyncio.create_task(is_cut(other[0]))], timeout=2.5)
        rest = await reader.readuntil(b'"x')
        assert rest.startswith(b"TTP/1.1 200")
        assert len(await reader.readexactly(19 * MIB)) == 19 * MIB


# --- memory ----------------------------------------------------------------------------------------------


async def test_bodies_past_the_memory_for_them_get_9999(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await start({"server": {"max_bytes_in_flight": 2 * MIB, "max_body_bytes": MIB}})
    wire = Wire(http, server)
    async with contextlib.AsyncExitStack() as stack:
        held = []
        for _ in range(3):  # 1.5 MiB, three quarters of what there is
            streams = await stack.enter_async_context(connected(server))
            await begin_body(streams, 512 * KIB)
            streams[1].write(b" " * (512 * KIB - 1))
            await streams[1].drain()
            held.append(streams)
            await until_taken_in(streams[1])
        refused = await refusal(wire, b" " * (256 * KIB))
        assert (refused.code, refused.data) == (9999, {"retryAfter": 1})
        assert (await wire.call("User.validate", username="somebody")).result == "OK", "small calls have room left"
        for reader, writer in held:
            writer.write(b"{")
            assert (await read_answer(reader))["error"]["code"] == -32700
        assert (await wire.post(b" " * (256 * KIB))).code == -32700


async def until_taken_in(writer: asyncio.StreamWriter) -> None:
    """Until nothing that was sent waits in the system, on this side or the server's. Format: proc(5), /proc/net/tcp."""
    port = f"{writer.get_extra_info('sockname')[1]:04X}"
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            lines = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
            waiting = {line[4] for line in lines if port in {line[1].split(":")[1], line[2].split(":")[1]}}
            if waiting == {"00000000:00000000"}:
                return
            await asyncio.sleep(0.005)


async def refusal(wire: Wire, body: bytes) -> Any:
    """What a body is refused with, as soon as the server has taken in what others have sent."""
    async with asyncio.timeout(HANG_SECONDS):
        while (answer := await wire.post(body)).body.get("error", {}).get("code") != 9999:
            pass
    return answer


@ONE_AND_SEVERAL_WORKERS
async def test_unread_answers_past_the_memory_for_them_are_cut(start: StartServer, http: aiohttp.ClientSession) -> None:
    """Whoever reads slowest makes room, and the others are served."""
    server = await start({"server": {"max_bytes_in_flight": 8 * MIB, "max_body_bytes": MIB}})
    wire = Wire(http, server)
    body = await with_large_properties(wire)
    with contextlib.ExitStack() as stack:
        for _ in range(6):
            client = stack.enter_context(socket.create_connection(address(server)))
            await asyncio.to_thread(client.sendall, head(len(body)) + body)
        answer = await refusal(wire, call_body(wire))
        assert answer.data == {"retryAfter": 1}
        async with asyncio.timeout(HANG_SECONDS):
            while "error" in (await wire.post(call_body(wire))).body:
                pass


async def test_a_batch_stops_where_its_answers_take_too_much(start: StartServer, http: aiohttp.ClientSession) -> None:
    """The calls that are not done any more say so, each for itself."""
    server = await start({"server": {"max_bytes_in_flight": 4 * MIB, "max_body_bytes": MIB}})
    wire = Wire(http, server)
    answers = (await wire.post(await with_large_properties(wire))).body
    codes = [answer.get("error", {}).get("code") for answer in answers]
    assert codes == sorted(codes, key=lambda code: code == 9999)
    assert (codes.count(None), codes.count(9999)) == (9, 31)
    assert (await wire.call("User.isAuthenticated")).result is True


# --- connections -----------------------------------------------------------------------------------------


async def test_idle_connections_make_room_for_new_ones(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await start({"server": {"max_connections": 20}})
    async with contextlib.AsyncExitStack() as stack:
        idle = [await stack.enter_async_context(connected(server)) for _ in range(20)]
        assert (await Wire(http, server).call("User.validate", username="somebody")).result == "OK"
        assert await is_cut(idle[0][0])
        body = call_body(Wire(http, server))
        idle[-1][1].write(head(len(body)) + body)
        assert (await read_answer(idle[-1][0]))["result"] is False


async def test_connections_that_are_all_in_use_are_not_cut_for_a_new_one(start: StartServer) -> None:
    server = await start({"server": {"max_connections": 20, "max_connections_per_address": 20}})
    async with contextlib.AsyncExitStack() as stack:
        busy = [await stack.enter_async_context(connected(server)) for _ in range(20)]
        for streams in busy:
            await begin_body(streams, 2)
        async with connected(server) as (reader, _):
            assert await is_cut(reader)
        for reader, writer in busy:
            writer.write(b"{}")
            assert (await read_answer(reader))["error"]["code"] == -32600


@ONE_AND_SEVERAL_WORKERS
async def test_more_connections_than_files_do_no_harm(
    tmp_path: Path, http: aiohttp.ClientSession, workers: int
) -> None:
    """Idle ones, and ones that are in use, far more than the process may open."""
    with serve_process(tmp_path / "data", open_files=120, workers=workers) as server:
        wire = Wire(http, server)
        for begin in (b"", b"POST /json", head(100) + b"{"):
            clients = []
            for _ in range(250):
                client = socket.create_connection(address(server), timeout=HANG_SECONDS)
                clients.append(client)
                with contextlib.suppress(ConnectionError):
                    client.sendall(begin)
            if not begin.endswith(b"{"):
                await is_served(wire)
            for client in clients:
                client.close()
            await is_served(wire)
        assert server.stop() == 0
    log = server.output.partition("Press Ctrl+C")[2]
    assert "Traceback" not in log, log
    assert len([line for line in log.splitlines() if '"message":"call"' not in line]) < 6 * workers


async def is_served(wire: Wire) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                assert (await wire.call("User.validate", username="somebody")).result == "OK"
                return


async def test_slow_clients_are_not_logged_as_faults(
    tmp_path: Path, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    times = {"header_timeout_seconds": 1, "body_timeout_seconds": 1, "answer_timeout_seconds": 1}
    async with running(make_config(tmp_path, {"server": times})) as server:
        async with connected(server) as slow_head, connected(server) as slow_body:
            slow_head[1].write(b"POST")
            slow_body[1].write(head(100))
            assert await is_cut(slow_head[0])
            assert (await read_answer(slow_body[0]))["error"]["code"] == -32600
        assert isinstance(server, InProcessServer)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_thousand_idle_connections_cost_nothing_noticeable(served: ServerProcess) -> None:
    """Prints the figure: python3 run.py test -s tests/test_slow_clients.py -k thousand"""
    before = served.resident_kib()
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(1000):
            reader, writer = await asyncio.open_connection(*address(served))
            stack.callback(writer.close)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
        taken = served.resident_kib() - before
        async with aiohttp.ClientSession() as http, http.get(f"{served.url}/healthz") as response:
            assert response.status == 200
    print(f"1,000 idle connections: {taken} KiB")
    assert taken < 32 * KIB
