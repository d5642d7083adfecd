"""Calls go past the application's router, and their responses are ready bytes: nobody sees a difference.

Two servers show it: our own, asked at the path that goes straight to the endpoint and at one that the router takes
there, and one of aiohttp alone.
"""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import IO

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.patience import HANG_SECONDS
from tests.servers import API_KEY, InProcessServer, make_config
from tests.threaded import served_from_thread

pytestmark = pytest.mark.slow

ORIGIN = "https://app.example.com"

STRAIGHT, BY_ROUTER = "/json-rpc/app", "/json-rpc/app?"

LAST = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"  # shows whether the connection went on


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcessServer]:
    changes = {"server": {"max_body_bytes": 4096, "allowed_origins": [ORIGIN, "null"]}}
    with served_from_thread(make_config(tmp_path_factory.mktemp("front"), changes)) as started:
        yield started


def exchange(url: str, pieces: Sequence[bytes], method: str) -> bytes:
    """What a request is answered, and then another one, where the connection goes on; without what is new each time."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=HANG_SECONDS) as client, client.makefile("rb") as received:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            client.sendall(piece)
        answers = read_answer(received, method)
        with contextlib.suppress(ConnectionError):  # it has ended
            client.sendall(LAST)
            answers += received.read()
    return re.sub(rb"Date: [^\r]*|\b[0-9a-f]{32,}\b|[0-9]{13}", b"-", answers)


def read_answer(received: IO[bytes], method: str) -> bytes:
    head = b"".join(iter(received.readline, b"\r\n")) + b"\r\n"
    if re.match(rb"HTTP/1.. 1", head):  # go on, and the answer comes later
        return head + read_answer(received, method)
    found = re.search(rb"Content-Length: (\d+)", head)
    return head + (received.read(int(found[1])) if found and method != "HEAD" else b"")


# --- what is sent ----------------------------------------------------------------------------------------

DEVICE_AND_KEY = f'"__api_key":"{API_KEY}","__device":"device-1"'


def call_of(method: str, params: str = "", request_id: str = ',"id":"1"') -> bytes:
    return f'{{"jsonrpc":"2.0","method":"{method}","params":{{{DEVICE_AND_KEY}{params}}}{request_id}}}'.encode()


BODIES = [
    call_of("User.isAuthenticated"),
    call_of("User.isAuthenticated", request_id=""),
    call_of("User.isAuthenticated", request_id=',"id":1e-5'),
    call_of("User.isAuthenticated", request_id=',"id":"\\ud800"'),
    call_of("User.validate", ',"username":"\u00e9"'),
    call_of("User.getProperties"),
    call_of("No.such"),
    b"[" + b",".join([call_of("User.isAuthenticated")] * 3) + b"]",
    b"[" + call_of("User.isAuthenticated", request_id="") + b"]",
    b"[]",
    b"{",
    b"",
    b"\xff",
    b" " * 4097,
]

# What WebViews, browsers, programs and proxies send, and what makes a difference.
HEADERS = [
    "User-Agent: Mozilla/5.0 (Linux; Android 13; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Mobile",
    "Accept: */*",
    "Accept-Encoding: gzip, deflate, br",
    "Accept-Language: ja-JP,ja;q=0.9",
    f"Origin: {ORIGIN}",
    "Origin: null",
    "Origin: https://elsewhere.example.com",
    "Referer: https://app.example.com/index.html",
    "X-Requested-With: com.example.app",
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Mode: cors",
    "Cookie: a=b; c=\u00e9",
    "X-Forwarded-For: 203.0.113.9, 198.51.100.7",
    "X-Forwarded-Proto: https",
    "Forwarded: for=203.0.113.9;proto=https",
    "Via: 1.1 proxy",
    "X-Request-Id: 0",
    "Content-Type: application/x-www-form-urlencoded; charset=UTF-8",
    "Content-Type: multipart/form-data; boundary=",
    "Content-Encoding: gzip",
    "Content-Encoding: identity",
    "Expect: 100-continue",
    "Expect: much",
    "Connection: close",
    "Connection: keep-alive",
    "Keep-Alive: timeout=5",
    "Range: bytes=0-1",
    "If-None-Match: *",
    "Access-Control-Request-Method: POST",
    "Access-Control-Request-Headers: x-a",
    "TE: trailers",
    "X-Empty:",
]

UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket"

Request = tuple[str, str, list[str], bytes, bool, list[int]]


def pieces_of(request: Request, path: str) -> list[bytes]:
    """The request to a path, as it is sent."""
    method, version, headers, body, in_chunks, cuts = request
    in_chunks = in_chunks and version == "HTTP/1.1"
    framing = "Transfer-Encoding: chunked" if in_chunks else f"Content-Length: {len(body)}"
    head = "\r\n".join([f"{method} {path} {version}", "Host: a", framing, *headers, "", ""]).encode()
    if in_chunks:
        body = (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    whole = head + body
    ends = sorted({*(cut % len(whole) for cut in cuts), len(whole)} - {0})
    return [whole[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


requests = st.tuples(
    st.just("POST"),
    st.sampled_from(["HTTP/1.1"] * 4 + ["HTTP/1.0"]),
    st.lists(st.sampled_from(HEADERS), max_size=8, unique_by=lambda header: header.split(":")[0]),
    st.sampled_from(BODIES) | st.binary(max_size=100),
    st.booleans(),
    st.lists(st.integers(min_value=1, max_value=10_000), max_size=2),
)


# --- straight or by the router ---------------------------------------------------------------------------


def ask_both(server: InProcessServer, request: Request) -> bytes:
    """What both have answered."""
    straight, by_router = (exchange(server.url, pieces_of(request, path), request[0]) for path in (STRAIGHT, BY_ROUTER))
    assert straight == by_router
    return straight


@settings(max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests)
def test_a_call_is_answered_straight_as_it_is_by_the_router(server: InProcessServer, request: Request) -> None:
    straight = ask_both(server, request)
    assert re.match(rb"HTTP/1\.[01] (100 Continue|200 OK|204 No Content|417 Expectation Failed)\r\n", straight)


@pytest.mark.parametrize("header", [*HEADERS, UPGRADE])
def test_each_header_with_each_body(server: InProcessServer, header: str) -> None:
    for body in BODIES:
        ask_both(server, ("POST", "HTTP/1.1", [header], body, False, []))


@pytest.mark.parametrize("header", [*HEADERS, UPGRADE])
@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_each_header_with_another_method(server: InProcessServer, version: str, header: str) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "PUT"):
        ask_both(server, (method, version, [header], b"", False, []))


# --- ready bytes or aiohttp's own responses --------------------------------------------------------------

ANSWER = b'{"jsonrpc":"2.0","result":false,"id":"1"}\n'


async def answer_by_aiohttp(request: web.Request) -> web.Response:
    """What `User.isAuthenticated` is answered, as a response of aiohttp's."""
    is_notification = b'"id"' not in await request.read()
    headers = {
        "Cache-Control": "no-store",
        "Server": "jsonrpc-backend",
        "X-Content-Type-Options": "nosniff",
        "Access-Control-Expose-Headers": "X-Set-Monaca-Cloud-Session",
        "Vary": "Origin",
    }
    if request.headers.get("Origin") in {ORIGIN, "null"}:
        headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
    if is_notification:
        return web.Response(status=204, headers=headers)
    return web.Response(body=ANSWER, content_type="application/json", headers=headers)


@pytest.fixture
async def aiohttp_alone() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post(STRAIGHT, answer_by_aiohttp)
    app.router.add_get("/healthz", answer_by_aiohttp)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
@pytest.mark.parametrize(
    "headers",
    [
        (connection, origin)
        for connection in ("X: ", "Connection: close", "Connection: keep-alive", UPGRADE)
        for origin in ("Y: ", "Origin: null", f"Origin: {ORIGIN}", "Origin: https://elsewhere.example.com")
    ],
)
@pytest.mark.parametrize("body", BODIES[:2])
async def test_ready_bytes_say_what_a_response_of_aiohttp_says(
    server: InProcessServer, aiohttp_alone: str, version: str, headers: tuple[str, str], body: bytes
) -> None:
    request = pieces_of(("POST", version, [*headers], body, False, []), STRAIGHT)
    ours, of_aiohttp = [await asyncio.to_thread(exchange, url, request, "POST") for url in (server.url, aiohttp_alone)]
    assert parts_of(ours) == parts_of(of_aiohttp)


def parts_of(received: bytes) -> tuple[list[bytes], bytes, bool]:
    """The first response's lines, for their order says nothing, and body; and whether the connection went on."""
    head, _, rest = received.partition(b"\r\n\r\n")
    body, _, next_one = rest.partition(b"HTTP/1.1 ")
    return sorted(head.split(b"\r\n")), body, bool(next_one)
