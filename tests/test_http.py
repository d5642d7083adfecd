"""The HTTP side: bodies, limits, CORS, methods, headers, broken connections, health."""

import asyncio
import contextlib
import io
import json
import logging
import re
import sqlite3
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import StartServer
from tests.patience import HANG_SECONDS
from tests.servers import InProcessServer, make_config, running, with_api_key
from tests.wire import FORM, SESSION_HEADER, Wire

INVALID_REQUEST = {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": None}
PARSE_ERROR = {"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": None}


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Whatever is sent, the server answers in time."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=HANG_SECONDS)) as session:
        yield session


def call_body(wire: Wire, method: str = "User.isAuthenticated", **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": wire.params(params), "id": 1}).encode()


# --- connections, byte by byte ---------------------------------------------------------------------------

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def connected(server: InProcessServer) -> AsyncIterator[Streams]:
    """A connection to the server that ends in time."""
    host, port = server.url.removeprefix("http://").split(":")
    async with asyncio.timeout(HANG_SECONDS):
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def head(*headers: str, path: str = "/json-rpc/app") -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


async def read_response(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by lower-case name, body."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:] if line)}
    return int(lines[0].split()[1]), headers, await reader.readexactly(int(headers.get("content-length", 0)))


async def read_answer(reader: asyncio.StreamReader) -> Any:
    status, headers, body = await read_response(reader)
    assert (status, headers["content-type"]) == (200, "application/json")
    return json.loads(body)


async def begin_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *headers: str) -> None:
    """Sends a head, and returns when the server has begun to wait for the body."""
    writer.write(head("Expect: 100-continue", *headers))
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"


async def answers_as_ever(server: InProcessServer) -> bool:
    async with aiohttp.ClientSession() as http:
        answer = await Wire(http, server).call("User.isAuthenticated")
        return answer.result is False


# --- body ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        FORM,
        "application/x-www-form-urlencoded",
        "application/json",
        "application/json; charset=utf-8",
        "application/json; charset=utf-16",
        "application/json-rpc",
        "text/plain",
        "text/plain; charset=shift_jis",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "",
        "nonsense",
    ],
)
async def test_the_body_is_json_whatever_the_content_type_says(wire: Wire, content_type: str) -> None:
    answer = await wire.post(
        call_body(wire, "User.validate", username="\u00e9t\u00e9"), **{"Content-Type": content_type}
    )
    assert answer.result == "OK"


async def test_the_body_is_json_when_no_content_type_is_given(wire: Wire, server: InProcessServer) -> None:
    body = call_body(wire)
    async with connected(server) as (reader, writer):
        writer.write(head(f"Content-Length: {len(body)}") + body)
        assert (await read_answer(reader))["result"] is False


async def test_a_request_without_a_body_is_a_parse_error(server: InProcessServer) -> None:
    async with connected(server) as (reader, writer):
        writer.write(head())
        assert await read_answer(reader) == PARSE_ERROR


async def test_a_body_in_chunks_is_read(wire: Wire) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for byte in call_body(wire):
            yield bytes([byte])

    assert (await wire.post(chunks())).result is False


async def test_requests_in_one_packet_are_answered_in_order(wire: Wire, server: InProcessServer) -> None:
    bodies = [call_body(wire), b"{", call_body(wire)]
    async with connected(server) as (reader, writer):
        writer.write(b"".join(head(f"Content-Length: {len(body)}") + body for body in bodies))
        answers = [await read_answer(reader) for _ in bodies]
    assert [answer.get("result", "error") for answer in answers] == [False, "error", False]


async def test_a_client_that_expects_100_continue_is_told_to_go_on(wire: Wire) -> None:
    async with wire.http.post(wire.server.endpoint, data=call_body(wire), expect100=True) as response:
        assert (await response.json())["result"] is False


async def test_http_1_0_is_answered(wire: Wire, server: InProcessServer) -> None:
    body = call_body(wire)
    async with connected(server) as (reader, writer):
        writer.write(head(f"Content-Length: {len(body)}").replace(b"HTTP/1.1", b"HTTP/1.0") + body)
        assert (await read_answer(reader))["result"] is False
        assert await reader.read() == b""


# --- limits ----------------------------------------------------------------------------------------------

MIB = 1024 * 1024


@pytest.mark.parametrize("limit", [1024, MIB])
async def test_a_body_of_exactly_the_limit_is_read(start: StartServer, http: Any, limit: int) -> None:
    wire = Wire(http, await start({"server": {"max_body_bytes": limit}} if limit != MIB else {}))
    assert (await wire.post(io.BytesIO(call_body(wire).ljust(limit)))).result is False


@pytest.mark.parametrize("limit", [1024, MIB])
async def test_a_body_of_one_byte_more_than_the_limit_is_refused(start: StartServer, http: Any, limit: int) -> None:
    wire = Wire(http, await start({"server": {"max_body_bytes": limit}} if limit != MIB else {}))
    assert (await wire.post(io.BytesIO(call_body(wire).ljust(limit + 1)))).body == INVALID_REQUEST


@pytest.mark.parametrize(("size", "is_read"), [(1024, True), (1025, False), (100_000, False)])
async def test_the_limit_holds_for_a_body_in_chunks(start: StartServer, http: Any, size: int, is_read: bool) -> None:
    wire = Wire(http, await start({"server": {"max_body_bytes": 1024}}))
    body = call_body(wire).ljust(size)

    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, size, 100):
            yield body[at : at + 100]

    answer = await wire.post(chunks())
    assert answer.body == ({"jsonrpc": "2.0", "result": False, "id": 1} if is_read else INVALID_REQUEST)


@pytest.mark.parametrize("length", [MIB + 1, 1_000_000_000, 2**63 - 1])
async def test_a_body_that_is_too_large_is_refused_before_it_is_sent(server: InProcessServer, length: int) -> None:
    async with connected(server) as (reader, writer):
        writer.write(head(f"Content-Length: {length}"))
        assert await read_answer(reader) == INVALID_REQUEST


async def test_a_body_in_chunks_is_refused_when_it_passes_the_limit(server: InProcessServer) -> None:
    async with connected(server) as (reader, writer):
        writer.write(head("Transfer-Encoding: chunked"))
        for _ in range(17):
            writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()
        assert await read_answer(reader) == INVALID_REQUEST  # though the last chunk is still to come


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("gzip", zlib.compress(b"{}", wbits=31), id="gzip"),
        pytest.param("deflate", zlib.compress(b"{}"), id="deflate"),
        pytest.param("br", b"\x0b\x00\x80{}\x03", id="br"),
        pytest.param("x-unknown", None, id="unknown"),
        pytest.param("", None, id="empty"),
        pytest.param("gzip", b"{}", id="gzip that is none"),
        pytest.param("deflate", b"\xff" * 100, id="deflate that is none"),
        pytest.param("gzip", zlib.compress(b" " * 50 * MIB, wbits=31), id="gzip of 50 MiB"),
    ],
)
async def test_a_body_with_a_content_encoding_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, encoding: str, body: bytes | None
) -> None:
    async with watched(tmp_path, caplog) as server:
        async with connected(server) as (reader, writer):
            body = LEGAL if body is None else body
            writer.write(head(f"Content-Encoding: {encoding}", f"Content-Length: {len(body)}") + body)
            assert await read_answer(reader) == INVALID_REQUEST
        assert await answers_as_ever(server)


async def test_a_body_whose_encoding_is_none_is_read(wire: Wire) -> None:
    assert (await wire.post(call_body(wire), **{"Content-Encoding": "identity"})).result is False


async def test_a_body_that_does_not_come_is_given_up(start: StartServer) -> None:
    server = await start({"server": {"body_timeout_seconds": 1}})
    async with connected(server) as (reader, writer):
        writer.write(head("Content-Length: 100") + b"{")
        assert await read_answer(reader) == INVALID_REQUEST


async def test_a_body_that_comes_byte_by_byte_is_given_up(start: StartServer) -> None:
    server = await start({"server": {"body_timeout_seconds": 1}})
    async with connected(server) as (reader, writer):
        writer.write(head("Transfer-Encoding: chunked"))
        answer = asyncio.create_task(read_answer(reader))
        while not (await asyncio.wait([answer], timeout=0.1))[0]:
            writer.write(b"1\r\n \r\n")
        assert await answer == INVALID_REQUEST


async def test_a_body_that_does_not_come_holds_nobody_else_up(wire: Wire, server: InProcessServer) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(20):
            streams = await stack.enter_async_context(connected(server))
            await begin_body(*streams, "Content-Length: 100")
        assert (await wire.call("User.validate", username="somebody")).result == "OK"


# --- broken requests -------------------------------------------------------------------------------------

LEGAL = (
    b'{"jsonrpc": "2.0", "method": "User.isAuthenticated", '
    b'"params": {"__api_key": "test-api-key", "__device": "device-1"}, "id": 1}'
)


@contextlib.asynccontextmanager
async def watched(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[InProcessServer]:
    """A server that has logged no fault by the time it has stopped."""
    async with running(make_config(tmp_path / "data")) as server:
        yield server
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


BROKEN_CHUNKS = {
    "size that is no number": b"ZZ\r\n{}\r\n0\r\n\r\n",
    "negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "more bytes than the size": b"2\r\n{}{}\r\n0\r\n\r\n",
    "no line break behind the chunk": b"2\r\n{}0\r\n\r\n",
    "second size that is no number": b"2\r\n{}\r\nQ\r\n\r\n",
    "size past 64 bits": b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "another request": head("Content-Length: 0"),
}


async def test_chunks_that_break_while_the_body_is_awaited_are_answered_in_time(start: StartServer) -> None:
    server = await start({"server": {"body_timeout_seconds": 1}})

    async def send(chunks: bytes) -> int:
        async with connected(server) as (reader, writer):
            await begin_body(reader, writer, "Transfer-Encoding: chunked")
            writer.write(chunks)
            return (await read_response(reader))[0]

    statuses = await asyncio.gather(*map(send, BROKEN_CHUNKS.values()))
    assert dict(zip(BROKEN_CHUNKS, statuses, strict=True)) == dict.fromkeys(BROKEN_CHUNKS, 200)
    assert await answers_as_ever(server)


BROKEN_REQUESTS = {
    **{f"chunk: {name}": head("Transfer-Encoding: chunked") + chunks for name, chunks in BROKEN_CHUNKS.items()},
    "no HTTP": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    "length that is no number": head("Content-Length: abc") + LEGAL,
    "negative length": head("Content-Length: -1") + LEGAL,
    "length past 64 bits": head("Content-Length: " + "9" * 30),
    "two lengths": head("Content-Length: 2", "Content-Length: 3") + b"{}",
    "length and chunks": head("Content-Length: 7", "Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\n",
    "header of 100,000 bytes": head("X-Long: " + "x" * 100_000),
    "NUL in a header": head("X-Nul: a\0b"),
    "method of its own": b"HELLO /json-rpc/app HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "version 9": b"POST /json-rpc/app HTTP/9.9\r\nHost: localhost\r\n\r\n",
}


BROKEN = [pytest.param(sent, id=name) for name, sent in BROKEN_REQUESTS.items()]


@pytest.mark.parametrize("sent", BROKEN)
async def test_broken_http_is_answered_and_the_server_goes_on(server: InProcessServer, sent: bytes) -> None:
    async with connected(server) as (reader, writer):
        writer.write(sent)
        status, headers, _ = await read_response(reader)
    assert status < 500
    assert headers["server"] == "jsonrpc-backend"
    assert await answers_as_ever(server)


@pytest.mark.parametrize("sent", BROKEN)
async def test_broken_http_is_not_logged_as_a_fault_of_the_server(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    async with watched(tmp_path, caplog) as server, connected(server) as (reader, writer):
        writer.write(sent)
        await read_response(reader)


@pytest.mark.parametrize("ends", ["close", "abort"])
@pytest.mark.parametrize(
    ("header", "part"),
    [
        pytest.param("Content-Length: 100", b"", id="before the body"),
        pytest.param("Content-Length: 100", b"{", id="in the body"),
        pytest.param("Transfer-Encoding: chunked", b"", id="before the chunks"),
        pytest.param("Transfer-Encoding: chunked", b"5\r\n{", id="in a chunk"),
        pytest.param("Transfer-Encoding: chunked", b"2\r\n{}\r\n", id="between chunks"),
    ],
)
async def test_a_client_that_hangs_up_is_no_fault_of_the_server(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, header: str, part: bytes, ends: str
) -> None:
    async with watched(tmp_path, caplog) as server:
        async with connected(server) as (reader, writer):
            await begin_body(reader, writer, header)
            writer.write(part)
            await writer.drain()
            if ends == "abort":
                writer.transport.abort()
        assert await answers_as_ever(server)


async def test_a_client_that_does_not_wait_for_the_answer_has_its_call_done(
    wire: Wire, server: InProcessServer
) -> None:
    body = call_body(wire, "User.register", username="somebody", password="password")
    async with connected(server) as (_, writer):
        writer.write(head(f"Content-Length: {len(body)}") + body)
        await writer.drain()
    async with asyncio.timeout(HANG_SECONDS):
        while (await wire.call("User.validate", username="somebody")).body.get("result") == "OK":
            pass  # the registration is still under way


# --- CORS ------------------------------------------------------------------------------------------------

ORIGINS = [
    "null",
    "http://localhost",
    "http://localhost:8100",
    "https://localhost",
    "capacitor://localhost",
    "ionic://localhost",
    "app://localhost",
    "https://app.example.com",
]


async def every_kind_of_response(wire: Wire, origin: str | None) -> AsyncIterator[aiohttp.ClientResponse]:
    """A success, a sign-in, errors, 204, 405, preflight; of a server that takes bodies of 1024 bytes."""
    headers = {"Content-Type": FORM} | ({"Origin": origin} if origin is not None else {})
    register = call_body(wire, "User.register", username="somebody", password="password")
    notification = register.replace(b', "id": 1', b"")
    too_large = b" " * 2000
    for body in [call_body(wire), register, call_body(wire, "User.logout"), b"{", b"[]", b"[{}]", too_large]:
        async with wire.http.post(wire.server.endpoint, data=body, headers=headers) as response:
            assert response.status == 200
            yield response
    async with wire.http.post(wire.server.endpoint, data=notification, headers=headers) as response:
        assert response.status == 204
        yield response
    async with wire.http.post(
        wire.server.endpoint, data=b"{}", headers={**headers, "Content-Encoding": "gzip"}
    ) as response:
        assert response.status == 200
        yield response
    async with wire.http.get(wire.server.endpoint, headers=headers) as response:
        assert response.status == 405
        yield response
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    async with wire.http.options(wire.server.endpoint, headers={**headers, **asked}) as response:
        assert response.status == 204
        yield response


@pytest.mark.parametrize("origin", [*ORIGINS, None])
async def test_every_response_is_open_to_every_origin(
    start: StartServer, http: aiohttp.ClientSession, origin: str | None
) -> None:
    wire = Wire(http, await start({"server": {"max_body_bytes": 1024}}))
    async for response in every_kind_of_response(wire, origin):
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Access-Control-Expose-Headers"] == SESSION_HEADER
        assert "Access-Control-Allow-Credentials" not in response.headers
        assert "Set-Cookie" not in response.headers


ALLOWED = ["https://app.example.com", "capacitor://localhost", "null"]


@pytest.mark.parametrize("origin", ALLOWED)
async def test_every_response_names_the_origin_when_the_list_has_it(
    start: StartServer, http: aiohttp.ClientSession, origin: str
) -> None:
    wire = Wire(http, await start({"server": {"allowed_origins": ALLOWED, "max_body_bytes": 1024}}))
    async for response in every_kind_of_response(wire, origin):
        assert response.headers.getall("Access-Control-Allow-Origin") == [origin]
        assert "Origin" in ", ".join(response.headers.getall("Vary")).split(", ")
        assert "Access-Control-Allow-Credentials" not in response.headers
        assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://other.example.com",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.other.example",
        "https://app.example.co",
        "HTTPS://APP.EXAMPLE.COM",
        "https://app.example.com, capacitor://localhost",
        "*",
        "",
        None,
    ],
)
async def test_no_response_names_an_origin_that_the_list_lacks(
    start: StartServer, http: aiohttp.ClientSession, origin: str | None
) -> None:
    wire = Wire(http, await start({"server": {"allowed_origins": ALLOWED, "max_body_bytes": 1024}}))
    async for response in every_kind_of_response(wire, origin):
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Origin" in ", ".join(response.headers.getall("Vary")).split(", ")
        assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(
    "asked", ["content-type", "Content-Type, X-Requested-With", "x-monaca-anything,accept,authorization"]
)
async def test_a_preflight_allows_post_and_the_headers_that_are_asked_for(wire: Wire, asked: str) -> None:
    headers = {"Origin": "null", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked}
    async with wire.http.options(wire.server.endpoint, headers=headers) as response:
        assert (response.status, await response.read()) == (204, b"")
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
        assert response.headers["Access-Control-Allow-Headers"] == asked
        assert "Access-Control-Request-Headers" in response.headers["Vary"]
        assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_a_preflight_that_asks_for_no_headers_allows_the_content_type(wire: Wire) -> None:
    async with wire.http.options(wire.server.endpoint, headers={"Origin": "null"}) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Headers"].lower() == "content-type"


async def test_a_preflight_for_an_unknown_backend_tells_nothing(wire: Wire) -> None:
    url = wire.server.endpoint + "-unknown"
    async with wire.http.options(url, headers={"Origin": "null"}) as response:
        assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (204, "*")


# --- methods and paths -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
async def test_another_method_is_not_allowed(wire: Wire, method: str) -> None:
    async with wire.http.request(method, wire.server.endpoint) as response:
        assert response.status == 405
        assert set(response.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


async def test_a_request_object_in_the_query_string_is_not_executed(wire: Wire) -> None:
    params = {"jsonrpc": "2.0", "method": "User.isAuthenticated", "id": "1", "params": "{}"}
    async with wire.http.get(wire.server.endpoint, params=params) as response:
        assert response.status == 405


async def test_a_query_string_is_ignored(wire: Wire) -> None:
    async with wire.http.post(wire.server.endpoint + "?method=User.logout", data=call_body(wire)) as response:
        assert (await response.json())["result"] is False


@pytest.mark.parametrize(
    "path",
    ["/", "/json-rpc", "/json-rpc/", "/json-rpc/app/User.login", "/JSON-RPC/app", "/favicon.ico", "/app.sqlite3"],
)
async def test_an_unknown_path_is_not_found(wire: Wire, server: InProcessServer, path: str) -> None:
    async with wire.http.post(server.url + path, data=call_body(wire)) as response:
        assert response.status == 404
        assert response.headers["Access-Control-Allow-Origin"] == "*", "else a browser hides the reason from pages"
        assert "/json-rpc/<backend id>" in (await response.json())["error"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_server_that_runs_is_alive_and_ready(
    wire: Wire, server: InProcessServer, path: str, method: str
) -> None:
    async with wire.http.request(method, server.url + path) as response:
        assert response.status == 200


async def test_a_server_is_alive_but_not_ready_while_its_database_does_not_answer(
    wire: Wire, server: InProcessServer
) -> None:
    async def statuses() -> list[int]:
        async with wire.http.get(server.url + "/healthz") as alive, wire.http.get(server.url + "/readyz") as ready:
            return [alive.status, ready.status]

    with contextlib.closing(sqlite3.connect(server.database_path())) as database:
        database.execute("ALTER TABLE users RENAME TO hidden")
        broken = await statuses()
        database.execute("ALTER TABLE hidden RENAME TO users")
        mended = await statuses()
    assert (broken, mended) == ([200, 503], [200, 200])


async def test_a_server_with_two_backends_is_ready_only_when_both_databases_answer(
    start: StartServer, http: aiohttp.ClientSession
) -> None:
    server: InProcessServer = await start({"backends": {"other": {"api_key": "other-key"}}})
    with contextlib.closing(sqlite3.connect(server.database_path("other"))) as database:
        database.execute("ALTER TABLE users RENAME TO hidden")
    async with http.get(server.url + "/readyz") as response:
        assert response.status == 503
        assert "hidden" not in await response.text()


# --- headers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["User.register", "User.login", "User.autoLogin"])
async def test_signing_in_returns_a_session_id_in_lower_case_hex(wire: Wire, method: str) -> None:
    register = await wire.register("somebody")
    params = {
        "User.register": {"username": "somebody-else", "password": "password"},
        "User.login": {"username": "somebody", "password": "password"},
        "User.autoLogin": {"loginToken": register.result["loginToken"]},
    }[method]
    answer = await wire.call(method, **params)
    assert answer.session is not None
    assert re.fullmatch("[0-9a-f]{64}", answer.session)
    assert answer.session != register.session


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("User.register", {"username": "me@example.com", "password": "password"}),
        ("User.register", {"username": "x", "password": "password"}),
        ("User.login", {"username": "me@example.com", "password": "wrong"}),
        ("User.login", {"username": "nobody", "password": "password"}),
        ("User.autoLogin", {"loginToken": "0" * 64}),
        ("User.validate", {"username": "somebody"}),
        ("User.isAuthenticated", {}),
        ("User.getProperty", {"name": "a"}),
        ("User.getProperties", {}),
        ("User.saveProperty", {"name": "a", "value": 1}),
        ("User.saveProperties", {"properties": {"a": 1}}),
        ("User.updatePassword", {"oldPassword": "password", "newPassword": "passw0rd"}),
        ("User.updatePassword", {"oldPassword": "wrong", "newPassword": "passw0rd"}),
        ("User.logout", {}),
        ("User.unregister", {"password": "password"}),
        ("foobar", {}),
    ],
)
async def test_nothing_else_returns_a_session_id(wire: Wire, method: str, params: dict[str, Any]) -> None:
    await wire.register()
    assert wire.session is not None
    answer = await wire.call(method, **params)
    assert SESSION_HEADER not in answer.headers


async def test_a_batch_that_signs_in_returns_the_session_id(wire: Wire) -> None:
    register = json.loads(call_body(wire, "User.register", username="somebody", password="password"))
    check = json.loads(call_body(wire))
    answer = await wire.send([check, register, check])
    wire.session = answer.session
    assert (await wire.call("User.isAuthenticated")).result is True


async def test_a_batch_that_fails_to_sign_in_returns_no_session_id(wire: Wire) -> None:
    login = json.loads(call_body(wire, "User.login", username="somebody", password="password"))
    answer = await wire.send([login, login])
    assert SESSION_HEADER not in answer.headers


async def test_a_notification_that_signs_in_returns_the_session_id(wire: Wire) -> None:
    body = call_body(wire, "User.register", username="somebody", password="password").replace(b', "id": 1', b"")
    async with wire.http.post(wire.server.endpoint, data=body) as response:
        assert response.status == 204
        wire.session = response.headers[SESSION_HEADER]
    assert (await wire.call("User.isAuthenticated")).result is True


async def test_no_answer_may_be_stored_by_a_cache(wire: Wire) -> None:
    answer = await wire.call("User.register", username="somebody", password="password")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(head(f"Content-Length: {len(LEGAL)}") + LEGAL, id="200"),
        pytest.param(head("Content-Length: 2") + b"{}", id="200 with an error"),
        pytest.param(head("Content-Length: 35") + b'{"jsonrpc": "2.0", "method": "foo"}', id="204"),
        pytest.param(b"OPTIONS /json-rpc/app HTTP/1.1\r\nHost: localhost\r\n\r\n", id="preflight"),
        pytest.param(b"GET /json-rpc/app HTTP/1.1\r\nHost: localhost\r\n\r\n", id="405"),
        pytest.param(head(path="/nowhere"), id="404"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", id="healthz"),
        pytest.param(b"PUT /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", id="healthz, 405"),
        pytest.param(head("Expect: nonsense", "Content-Length: 2"), id="417"),
        pytest.param(b"hello\r\n\r\n", id="no HTTP"),
        pytest.param(head("Content-Length: abc"), id="length that is no number"),
    ],
)
async def test_no_response_tells_the_versions_of_the_software(server: InProcessServer, sent: bytes) -> None:
    async with connected(server) as (reader, writer):
        writer.write(sent)
        _, headers, _ = await read_response(reader)
    assert re.search(r"\d|python|aiohttp", headers.get("server", ""), re.IGNORECASE) is None


# --- two backends in one process -------------------------------------------------------------------------


@pytest.fixture
async def two(start: StartServer, http: aiohttp.ClientSession) -> tuple[Wire, Wire]:
    """The same installation as seen by two apps of one server."""
    server: InProcessServer = await start({"backends": {"other": {"api_key": "other-key"}}})
    return Wire(http, server), Wire(http, with_api_key(server, "other", "other-key"))


async def test_the_same_username_is_free_in_each_backend(two: tuple[Wire, Wire]) -> None:
    app, other = two
    in_app, in_other = await app.register("somebody", "pass1"), await other.register("somebody", "pass2")
    assert in_app.result["user"]["_id"] != in_other.result["user"]["_id"]
    assert (await app.call("User.login", username="somebody", password="pass1")).result
    assert (await other.call("User.login", username="somebody", password="pass2")).result
    assert (await other.call("User.login", username="somebody", password="pass1")).code == -32602


async def test_a_session_of_one_backend_means_nothing_in_the_other(two: tuple[Wire, Wire]) -> None:
    app, other = two
    await app.register("somebody", age=21)
    other.session = app.session
    assert (await other.call("User.isAuthenticated")).result is False
    assert (await other.call("User.getProperties")).code == 11
    assert (await app.call("User.isAuthenticated")).result is True


async def test_a_login_token_of_one_backend_means_nothing_in_the_other(two: tuple[Wire, Wire]) -> None:
    app, other = two
    await app.register("somebody")
    refused = await other.call("User.autoLogin", loginToken=app.login_token)
    assert (refused.code, set(refused.data)) == (-32602, {"loginToken"})
    assert (await app.call("User.autoLogin", loginToken=app.login_token)).result


async def test_the_key_of_one_backend_does_not_open_the_other(two: tuple[Wire, Wire]) -> None:
    app, other = two
    assert (await app.call("User.isAuthenticated", __api_key="other-key")).code == 4
    assert (await other.call("User.isAuthenticated", __api_key=app.server.api_key)).code == 4


async def test_the_backends_of_one_process_keep_separate_files(two: tuple[Wire, Wire]) -> None:
    app, other = two
    await app.register("somebody")
    server = app.server
    assert isinstance(server, InProcessServer)
    counts = []
    for backend_id in ("app", "other"):
        with contextlib.closing(sqlite3.connect(server.database_path(backend_id))) as database:
            counts.append(database.execute("SELECT count(*) FROM users").fetchone()[0])
    assert counts == [1, 0]
    assert (await other.call("User.validate", username="somebody")).result == "OK"


async def test_each_backend_has_its_own_settings(start: StartServer, http: aiohttp.ClientSession) -> None:
    server: InProcessServer = await start({"backends": {"other": {"api_key": "other-key", "min_username_length": 10}}})
    app, other = Wire(http, server), Wire(http, with_api_key(server, "other", "other-key"))
    assert (await app.call("User.validate", username="somebody")).result == "OK"
    assert set((await other.call("User.validate", username="somebody")).data) == {"username"}


async def test_an_expectation_that_is_not_met_is_told_to_pages_too(wire: Wire) -> None:
    async with wire.http.post(wire.server.endpoint, data=b"{}", headers={"Expect": "nonsense"}) as response:
        assert response.status == 417
        assert response.headers["Access-Control-Allow-Origin"] == "*"
