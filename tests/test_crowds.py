"""Connections by the hundred from a few addresses: everybody else gets in and is answered."""

import asyncio
import contextlib
import itertools
import math
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_address

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsonrpc_backend.fairness.addresses import networks_of
from jsonrpc_backend.server.places import Place, Places
from tests.conftest import StartServer
from tests.patience import HANG_SECONDS
from tests.servers import InProcessServer
from tests.test_slow_clients import Streams, address, begin_body, call_body, head, is_cut, read_answer
from tests.wire import Wire

pytestmark = pytest.mark.slow

ROOM = 500

# Whose connections come in a flood: from one address, from five of one network, from fifty of as many networks.
CROWDS = {
    1: ["127.0.0.2"],
    5: [f"127.0.0.{number}" for number in range(2, 7)],
    50: [f"127.{number}.0.1" for number in range(1, 51)],
}

# What they send before they wait.
BEGINNINGS = {"nothing": b"", "half a head": b"POST /json-rpc/app HT", "half a body": head(100) + b"{"}


def stranger(number: int) -> str:
    """Addresses in networks that nobody else is of."""
    return f"127.200.{number}.1"


@contextlib.asynccontextmanager
async def connected_from(server: InProcessServer, source: str) -> AsyncIterator[Streams]:
    async with asyncio.timeout(HANG_SECONDS):
        streams = await asyncio.open_connection(*address(server), local_addr=(source, 0))
        try:
            yield streams
        finally:
            streams[1].transport.abort()


async def call(streams: Streams, body: bytes) -> object:
    reader, writer = streams
    writer.write(head(len(body)) + body)
    return (await read_answer(reader))["result"]


async def hold(server: InProcessServer, sources: Iterator[str], beginning: bytes, opened: asyncio.Semaphore) -> None:
    """Opens a connection, sends something and waits; when it is cut, opens the next one."""
    for source in sources:
        with contextlib.suppress(OSError):
            async with connected_from(server, source) as (reader, writer):
                writer.write(beginning)
                opened.release()
                await is_cut(reader)


@contextlib.asynccontextmanager
async def flood(server: InProcessServer, crowd: list[str], beginning: bytes) -> AsyncIterator[None]:
    """More connections than the server has room for, and as many again in the place of those that are cut."""
    opened, at_once = asyncio.Semaphore(0), ROOM * 5 // 4
    sources = itertools.islice(itertools.cycle(crowd), 2 * at_once)
    holding = [asyncio.create_task(hold(server, sources, beginning, opened)) for _ in range(at_once)]
    try:
        for _ in holding:
            await opened.acquire()
        yield
    finally:
        for task in holding:
            task.cancel()
        await asyncio.wait(holding)


FLOODS = [
    pytest.param(workers, CROWDS[crowd], beginning, id=f"{workers}-{crowd}-{name}")
    for name, beginning in BEGINNINGS.items()
    for workers, crowd in [*((1, crowd) for crowd in CROWDS), (2, 5)]
]


@pytest.mark.parametrize(("workers", "crowd", "beginning"), FLOODS)
async def test_strangers_get_in_beside_a_flood(
    start: StartServer, http: aiohttp.ClientSession, crowd: list[str], beginning: bytes
) -> None:
    server = await start({"server": {"max_connections": ROOM}})
    body = call_body(Wire(http, server))
    async with contextlib.AsyncExitStack() as stack:
        guests = [await stack.enter_async_context(connected_from(server, stranger(number))) for number in range(20)]
        busy, idle = guests[:10], guests[10:]
        for streams in busy:
            await begin_body(streams, len(body))
        for streams in idle:
            assert await call(streams, body) is False
        await stack.enter_async_context(flood(server, crowd, beginning))
        for number in range(20, 60):
            streams = await stack.enter_async_context(connected_from(server, stranger(number)))
            assert await call(streams, body) is False
        for streams in idle:
            assert await call(streams, body) is False, "who was there before is not cut either"
        for reader, writer in busy:
            writer.write(body)
            assert (await read_answer(reader))["result"] is False


# --- who gives way ---------------------------------------------------------------------------------------


async def opened(stack: contextlib.AsyncExitStack, server: InProcessServer, source: str, many: int) -> list[Streams]:
    return [await stack.enter_async_context(connected_from(server, source)) for _ in range(many)]


async def test_one_address_may_have_half_of_the_room_while_there_is_room(
    start: StartServer, http: aiohttp.ClientSession
) -> None:
    """As a school has, or whoever tries the server out."""
    server = await start({"server": {"max_connections": 40, "max_connections_per_address": 5}})
    body = call_body(Wire(http, server))
    async with contextlib.AsyncExitStack() as stack:
        for streams in await opened(stack, server, "127.0.0.2", 20):
            assert await call(streams, body) is False


async def test_past_its_share_an_address_takes_from_itself(start: StartServer, http: aiohttp.ClientSession) -> None:
    """Half a head first, then what has been idle for longest; never what is under way."""
    server = await start({"server": {"max_connections": 20, "max_connections_per_address": 5}})
    body = call_body(Wire(http, server))
    async with contextlib.AsyncExitStack() as stack:
        others = await opened(stack, server, stranger(1), 4)
        busy, idle, more_idle, half = await opened(stack, server, "127.0.0.2", 4)
        await begin_body(busy, len(body))
        for streams in (*others, idle, more_idle, half):
            assert await call(streams, body) is False
        half[1].write(b"POST /json")
        assert await call(idle, body) is False  # `more_idle` has been idle for longer now
        new = await opened(stack, server, "127.0.0.2", 2)
        assert await call(new[-1], body) is False, "half of the room is taken"
        more = await opened(stack, server, "127.0.0.2", 2)
        assert await is_cut(half[0])
        assert await is_cut(more_idle[0])
        for streams in (*others, idle, *new, *more):
            assert await call(streams, body) is False
        busy[1].write(body)
        assert (await read_answer(busy[0]))["result"] is False


async def test_connections_of_a_trusted_proxy_are_nobodys(start: StartServer, http: aiohttp.ClientSession) -> None:
    """Everybody comes with it. Who comes without it and has much gives way first."""
    settings = {"max_connections": 20, "max_connections_per_address": 20, "trusted_proxies": ["127.0.0.1"]}
    server = await start({"server": settings})
    body = call_body(Wire(http, server))
    async with contextlib.AsyncExitStack() as stack:
        of_proxy = await opened(stack, server, "127.0.0.1", 12)
        for streams in of_proxy:
            assert await call(streams, body) is False
        flood = await opened(stack, server, "127.0.0.2", 8)
        of_proxy += await opened(stack, server, "127.0.0.1", 2)
        for streams in of_proxy:
            assert await call(streams, body) is False
        for reader, _ in flood[:2]:
            assert await is_cut(reader)
        for streams in flood[2:]:
            assert await call(streams, body) is False
        of_proxy += await opened(stack, server, "127.0.0.1", 1)
        assert await is_cut(of_proxy[0][0]), "nobody has much any more: the longest idle one"
        for streams in (*of_proxy[1:], *flood[2:]):
            assert await call(streams, body) is False


IPV4 = ("192.0.2.1", "192.0.2.2", "192.0.3.1", "198.51.100.1")
IPV6 = (
    "2001:db8:0:1::1",
    "2001:db8:0:1::2",  # of the same /64, and so of the same place
    "2001:db8:0:2::1",  # of the same /56
    "2001:db8:0:ff00::1",  # of the same /48
    "2001:db8:1::1",
)


@given(st.lists(st.tuples(st.sampled_from(IPV4 + IPV6), st.booleans()), max_size=200))
def test_the_heaviest_is_found_at_once(steps: list[tuple[str, bool]]) -> None:
    """As by looking at all of them."""
    places, there = Places(), list[Place]()
    for text, enters in steps:
        networks = networks_of(ip_address(text))
        if enters:
            there.append(places.enter(networks))
        elif leaving := [place for place in there if place.name == networks[0].name]:
            there.remove(leaving[0])
            places.leave(leaving[0])
        widest = {places.widest(place) for place in there}
        assert places.everywhere.inside.most == max(map(weight, widest), default=0)
        if there:
            heaviest = places.everywhere.heaviest()
            assert weight(places.widest(heaviest)) == max(map(weight, widest))
            assert heaviest.number == there.count(heaviest)


def weight(place: Place) -> int:
    """As it is defined."""
    times = {"/24": 16, "/56": 4, "/48": 16}.get(place.name[-3:], 1)
    return max([math.ceil(place.number / times), *(weight(inner) for inner in place.inside)])


def test_a_network_weighs_its_share_of_what_it_has() -> None:
    """Many addresses that have a few each, against one that has more than each of them."""
    places, lone = Places(), ip_address("198.51.100.1")
    for number in range(160):
        places.enter(networks_of(ip_address(f"192.0.2.{number}")))
    for _ in range(9):
        alone = places.enter(networks_of(lone))
    assert places.everywhere.heaviest().name.startswith("192.0.2."), "160 are ten shares"
    for _ in range(2):
        places.enter(networks_of(lone))
    assert places.everywhere.heaviest() is alone
