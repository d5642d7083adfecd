"""Servers that do not answer as they should."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from jsonrpc_backend.client import AsyncClient, Notification
from jsonrpc_backend.errors import ConnectionFailed, InvalidResponse, InvalidStatus, TimedOut
from tests.scripted import KEY, ScriptedServer, outcome, raw

SECONDS = 0.1


@pytest.fixture
async def client(scripted: ScriptedServer) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(scripted.url, "app", KEY) as client:
        yield client


@contextlib.asynccontextmanager
async def socket_that_answers(answer: bytes) -> AsyncIterator[str]:
    """The address of a socket that sends `answer` to whatever comes, and hangs up."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


# Garbage


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>It works!</html>",
        b"\xff\xfe",
        b'\xef\xbb\xbf{"jsonrpc": "2.0", "id": 1, "result": 1}',
        b'{"jsonrpc": "2.0", "id": 1, "result": "\xe4"}',
        b'{"jsonrpc": "2.0", "id": 1, "result": NaN}',
        b'{"jsonrpc": "2.0", "id": 1, "result": ' + b"9" * 5000 + b"}",
        b"[" * 200_000,
        b"null",
        b'"OK"',
        b"[]",
        b'[{"jsonrpc": "2.0", "id": 1, "result": 1}]',
        b'{"id": 1, "result": 1}',
        b'{"jsonrpc": "2.0", "result": 1}',
        b'{"jsonrpc": "2.0", "id": 1}',
        b'{"jsonrpc": "2.0", "id": 1, "result": 1, "error": {"code": 1, "message": "x"}}',
        b'{"jsonrpc": "2.0", "id": 2, "result": 1}',
        b'{"jsonrpc": "2.0", "id": "1", "result": 1}',
        b'{"jsonrpc": "2.0", "id": 1.0, "result": 1}',
        b'{"jsonrpc": "2.0", "id": true, "result": 1}',
        b'{"jsonrpc": "2.0", "id": [1], "result": 1}',
        b'{"jsonrpc": "2.0", "id": null, "result": 1}',
        b'{"jsonrpc": "2.0", "id": 1, "error": null}',
        b'{"jsonrpc": "2.0", "id": 1, "error": {"code": "11", "message": "x"}}',
        b'{"jsonrpc": "2.0", "id": 1, "error": {"code": true, "message": "x"}}',
        b'{"jsonrpc": "2.0", "id": 1, "error": {"code": 11}}',
    ],
)
async def test_what_is_no_response_is_an_invalid_one(
    scripted: ScriptedServer, client: AsyncClient, body: bytes
) -> None:
    scripted.answer = raw(body)
    with pytest.raises(InvalidResponse) as caught:
        await client.call("A")
    assert caught.value.code == -12
    assert caught.value.__context__ is None  # the exception of a JSON parser would hold the body


@pytest.mark.parametrize(
    "ids", [[], [1], [1, 1], [1, 3], [1, 2, 3], [1, 2, 2], ["1", "2"], [1, None], [True, 2], [[1], 2]]
)
async def test_a_batch_wants_one_response_to_each_of_its_calls(
    scripted: ScriptedServer, client: AsyncClient, ids: list[Any]
) -> None:
    scripted.answer = raw(json.dumps([{"jsonrpc": "2.0", "id": id_, "result": 0} for id_ in ids]).encode())
    with pytest.raises(InvalidResponse):
        await client.batch([("A", None), ("B", None)])


async def test_a_batch_is_not_answered_by_one_result(scripted: ScriptedServer, client: AsyncClient) -> None:
    scripted.answer = raw(b'{"jsonrpc": "2.0", "id": 1, "result": 1}')
    with pytest.raises(InvalidResponse):
        await client.batch([("A", None)])


@pytest.mark.parametrize("body", [b"OK", b"[]", b'{"jsonrpc": "2.0", "id": null, "result": "OK"}'])
async def test_a_notification_is_not_answered(scripted: ScriptedServer, client: AsyncClient, body: bytes) -> None:
    scripted.answer = raw(body)
    with pytest.raises(InvalidResponse):
        await client.notify("A")
    with pytest.raises(InvalidResponse):
        await client.batch([Notification("A")])


async def test_a_compressed_answer_is_not_unpacked(scripted: ScriptedServer, client: AsyncClient) -> None:
    async def compressed(message: Any, _: web.Request) -> web.Response:
        response = web.json_response(outcome(message, result="x" * 10_000))
        response.enable_compression(web.ContentCoding.gzip)
        return response

    scripted.answer = compressed
    with pytest.raises(InvalidResponse):
        await client.call("A")


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Set-Monaca-Cloud-Session: 5e55\x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_an_invalid_response(answer: bytes) -> None:
    async with socket_that_answers(answer) as url, AsyncClient(url, "app", KEY) as client:
        with pytest.raises(InvalidResponse) as caught:
            await client.call("A")
    assert caught.value.__context__ is None
    assert "5e55" not in str(caught.value)


# Statuses


@pytest.mark.parametrize("status", [201, 204, 301, 307, 400, 404, 500, 502])
async def test_another_status_is_an_invalid_one(scripted: ScriptedServer, client: AsyncClient, status: int) -> None:
    scripted.answer = raw(b"" if status == 204 else b'{"jsonrpc": "2.0", "id": 1, "result": 1}', status, Location="/x")
    with pytest.raises(InvalidStatus) as caught:
        await client.call("A")
    assert (caught.value.code, caught.value.data) == (-13, {"status": status})
    assert len(scripted.received) == 1  # and redirects were not followed


async def test_a_notification_may_have_status_200_or_204_only(scripted: ScriptedServer, client: AsyncClient) -> None:
    for status in (200, 204):
        scripted.answer = raw(b"", status)
        await client.notify("A")
    scripted.answer = raw(b"", 502)
    with pytest.raises(InvalidStatus):
        await client.notify("A")


# Connections and time


async def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with AsyncClient(url, "app", KEY) as client:
            with pytest.raises(ConnectionFailed, match=r"127\.0\.0\.1") as caught:
                await client.call("A")
    assert caught.value.code == -13


async def test_no_host_can_have_this_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RES_OPTIONS", "timeout:1 attempts:1")  # where no name server answers
    async with AsyncClient("http://256.256.256.256", "app", KEY) as client:
        with pytest.raises(ConnectionFailed, match=r"256\.256"):
            await client.call("A")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Set-Monaca-",
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"jsonrpc": "2.0"',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"jso',
    ],
)
async def test_the_connection_is_lost_before_the_answer_is_complete(answer: bytes) -> None:
    async with socket_that_answers(answer) as url, AsyncClient(url, "app", KEY) as client:
        with pytest.raises(ConnectionFailed):
            await client.call("A")


async def nothing(_: Any, __: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def half_a_body(_: Any, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b'{"jsonrpc"')
    return await nothing(_, request)


async def no_end_of_a_body(_: Any, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 1024 * 1024)


@pytest.mark.parametrize("answer", [nothing, half_a_body])
@pytest.mark.parametrize("use", [lambda c: c.call("A"), lambda c: c.notify("A"), lambda c: c.batch([("A", None)])])
async def test_the_time_covers_the_whole_answer(
    scripted: ScriptedServer, answer: Any, use: Callable[[AsyncClient], Awaitable[Any]]
) -> None:
    scripted.answer = answer
    async with AsyncClient(scripted.url, "app", KEY, timeout=SECONDS) as client:
        with pytest.raises(TimedOut) as caught:
            await use(client)
    assert caught.value.code == -11


async def test_the_time_covers_a_server_that_accepts_and_does_not_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        async with AsyncClient(url, "app", KEY, timeout=SECONDS) as client:
            with pytest.raises(TimedOut):
                await client.call("User.saveProperty", name="large", value="x" * 10_000_000)


async def test_a_body_without_end_is_an_invalid_response(scripted: ScriptedServer, client: AsyncClient) -> None:
    scripted.answer = no_end_of_a_body
    with pytest.raises(InvalidResponse, match="longer than"):
        await client.call("A")


async def test_a_large_answer_arrives_whole(scripted: ScriptedServer, client: AsyncClient) -> None:
    value = "漢" * 3_000_000

    async def large(message: Any, _: web.Request) -> web.Response:
        return web.json_response(outcome(message, result=value))

    scripted.answer = large
    assert await client.call("A") == value


async def test_closing_ends_calls_in_flight(scripted: ScriptedServer, client: AsyncClient) -> None:
    arrived = asyncio.Event()

    async def arrive(message: Any, request: web.Request) -> web.Response:
        arrived.set()
        return await nothing(message, request)

    scripted.answer = arrive
    call = asyncio.create_task(client.call("A"))
    await arrived.wait()
    await client.close()
    with pytest.raises(ConnectionFailed):
        await call


async def test_the_client_works_again_when_the_server_does(scripted: ScriptedServer, client: AsyncClient) -> None:
    answer = scripted.answer
    for failure, kind in [(raw(b"{"), InvalidResponse), (raw(b"", 503), InvalidStatus)]:
        scripted.answer = failure
        with pytest.raises(kind):
            await client.call("A")
        scripted.answer = answer
        assert await client.call("A") == "OK"
