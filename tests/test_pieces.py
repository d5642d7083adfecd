"""Bodies that come in many pieces: they cost what whole ones do, or they are refused."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.server import bodies
from tests.servers import InProcessServer
from tests.test_slow_clients import connected, head, is_cut, read_answer

HEAD = b"POST /json-rpc/app HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


def call_of(server: InProcessServer, size: int) -> bytes:
    """A call that takes so many bytes."""
    params = {"__api_key": server.api_key, "__device": "d"}
    call = {"jsonrpc": "2.0", "method": "User.isAuthenticated", "params": params, "id": 1}
    return json.dumps(call).encode().ljust(size)


def chunked(body: bytes, size: int) -> bytes:
    pieces = (body[begin : begin + size] for begin in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many pieces aiohttp has taken apart, and how often somebody has looked for more."""
    numbers = {"feed_data": 0, "readany": 0}

    def count(name: str) -> None:
        original = getattr(aiohttp.StreamReader, name)

        def counting(reader: aiohttp.StreamReader, *args: Any) -> Any:
            numbers[name] += 1
            return original(reader, *args)

        monkeypatch.setattr(aiohttp.StreamReader, name, counting)

    for name in numbers:
        count(name)
    return numbers


@pytest.mark.parametrize(("size", "chunk"), [(1000, 1), (1000, 1000), (20_000, 50), (200_000, 64), (1_000_000, 65_536)])
async def test_chunks_are_taken(server: InProcessServer, size: int, chunk: int) -> None:
    """Small bodies in pieces of any size, large ones in pieces as programs make them; twice on one connection."""
    async with connected(server) as (reader, writer):
        for _ in range(2):
            writer.write(HEAD + chunked(call_of(server, size), chunk))
            assert (await read_answer(reader))["result"] is False


@pytest.mark.parametrize("chunk", [1, 3, 16])
async def test_large_bodies_in_crumbs_are_refused_before_they_are_there(
    server: InProcessServer, counted: dict[str, int], chunk: int
) -> None:
    """At a whole one of 1 MB aiohttp hands out at least 64 pieces; of these crumbs, no more than a thousand or so."""
    async with connected(server) as (reader, writer):
        writer.write(HEAD + chunked(call_of(server, 1_000_000), chunk))
        assert (await read_answer(reader))["error"]["code"] == -32600
        assert await is_cut(reader), "nobody reads the rest, only to drop it"
    framing = bodies.FRAMING_BYTES + 2 * 16 * 1024  # with what is received at once
    assert counted["feed_data"] < framing / 5


async def test_a_body_that_comes_byte_by_byte_wakes_nobody_at_each(
    server: InProcessServer, counted: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "PAUSE_SECONDS", 1)
    body = call_of(server, 2000)
    async with connected(server) as (reader, writer):
        writer.write(head(len(body)))
        for number in range(len(body)):
            writer.write(body[number : number + 1])
            await asyncio.sleep(0)  # the server has its turn
        assert (await read_answer(reader))["result"] is False
    assert counted["readany"] < 50
