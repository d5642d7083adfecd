"""The open connections, and which of them are cut because they keep the server waiting.

aiohttp by itself ends idle connections only. Here a connection also ends when the head of a request does not arrive in
time, and when an answer is not taken in time. (Bodies are the endpoint's: it answers what is too slow.)
"""

import asyncio
import contextlib
import enum
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, cast

from aiohttp import web

from jsonrpc_backend.config import ServerConfig
from jsonrpc_backend.server.crowd import Crowd, Spot
from jsonrpc_backend.server.http import HttpConnection

# Looking at all connections now and then costs less than two timers for each request.
SWEEP_SECONDS = 0.5

# A slow line gets this much more time for a large answer. In bytes each second.
SLOWEST_ANSWER = 16 * 1024

# For clients that do not take their answers while the server stops.
SECONDS_TO_TAKE_ANSWERS = 2

# Who has not called for so long by then is not about to, when the process is replaced by another one.
SECONDS_TO_LET_GO = 10.0

# asyncio's own 256 KiB, in chunks of one byte, would keep everybody waiting for 50 ms.
RECEIVED_AT_ONCE = 16 * 1024

CUT_TOGETHER = 64  # before calls get their turn

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Audience(enum.Enum):
    """Whom an address that the server listens at is for, where that of the operators is another one."""

    EVERYBODY = enum.auto()
    OPERATORS = enum.auto()


class Connection(HttpConnection):
    """aiohttp's connection, with deadlines (by the event loop's clock; None: nothing to wait for)."""

    __slots__ = (
        "_connections",
        "answer_deadline",
        "audience",
        "hangs_up",
        "head_deadline",
        "is_busy",
        "received",
        "socket",
        "spot",
    )

    def __init__(self, connections: "Connections", server: web.Server, audience: Audience, **options: Any) -> None:
        super().__init__(server, **options)
        self.audience = audience
        self._connections = connections
        self.socket: asyncio.Transport | None = None  # aiohttp forgets its own when it begins to close it
        self.spot: Spot | None = None  # None: it has been cut
        self.is_busy = False
        self.received = 0  # bytes since the request under way, or the last one, began
        self.hangs_up = False
        self.head_deadline: float | None = None
        self.answer_deadline: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.socket = cast(asyncio.Transport, transport)
        self.socket.set_write_buffer_limits(high=0)  # an answer counts as taken when the system has all of it
        # How much asyncio reads and parses at once, where its event loop is one that asks when it can read.
        self.socket.max_size = RECEIVED_AT_ONCE  # type: ignore[attr-defined]
        if self.spot is None:  # by one that came before it was made
            self.socket.abort()
        else:
            super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        if data and self.head_deadline is None and not self.is_busy:
            self.head_deadline = self._loop.time() + self._connections.config.header_timeout_seconds
            self.received = len(data)
            self._connections.note_head(self)
        super().data_received(data)

    def pause_writing(self) -> None:
        waiting = self.socket.get_write_buffer_size() if self.socket else 0
        self.answer_deadline = self._loop.time() + self._connections.seconds_to_take(waiting)
        super().pause_writing()

    def resume_writing(self) -> None:
        self.answer_deadline = None
        super().resume_writing()

    def is_late(self, now: float) -> bool:
        return any(deadline is not None and deadline <= now for deadline in (self.head_deadline, self.answer_deadline))

    def cut(self) -> None:
        """Ends the connection now; what was not sent yet is dropped."""
        self.spot = None
        if self.socket is not None:
            self.socket.abort()


class Connections:
    """All connections of one server, at most `most`."""

    def __init__(self, config: ServerConfig, most: int) -> None:
        self.config = config
        self._crowd = Crowd(config, most)
        self._stopping = self.lets_go = False
        self._one_less = asyncio.Event()

    def __len__(self) -> int:
        return len(self._crowd.all)

    def __iter__(self) -> Iterator[Connection]:
        return (cast(Connection, spot.connection) for spot in self._crowd.all)

    def admit(self, peer: str, make: Callable[[], Connection]) -> Connection | None:
        """A new connection from an address, where there is room. Another one may be cut to make some."""
        if self._crowd.turns_away(peer):
            return None
        connection = make()
        connection.spot = self._crowd.enter(connection, peer)
        return None if connection.spot is None else connection

    def forget(self, connection: Connection) -> None:
        self._one_less.set()
        if connection.spot is not None:
            self._crowd.leave(connection.spot)

    def note_head(self, connection: Connection) -> None:
        """A request's head has begun to come."""
        if connection.spot is not None:
            self._crowd.head_begins(connection.spot)

    def begin(self, connection: Connection) -> None:
        """A request is under way on a connection, until `end`."""
        connection.is_busy, connection.head_deadline = True, None
        if connection.spot is not None:
            self._crowd.request_begins(connection.spot)

    def end(self, connection: Connection) -> None:
        connection.is_busy = False
        if connection.spot is not None:
            self._crowd.request_ends(connection.spot)
        if connection.hangs_up:
            connection.force_close()

    async def watching(self, _: web.Application) -> AsyncIterator[None]:
        """Cuts late connections while the application runs."""
        sweeping = asyncio.create_task(self._sweep_regularly())
        yield
        sweeping.cancel()
        await asyncio.wait([sweeping])

    async def _sweep_regularly(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._crowd.renew_turns()
            now = asyncio.get_running_loop().time()
            late = [each for each in self if each.is_late(now)]
            for number, connection in enumerate(late, 1):
                if connection.is_late(now):
                    self._cut(connection)
                if number % CUT_TOGETHER == 0:
                    await asyncio.sleep(0)

    def cut_slowest_reader(self) -> None:
        """Cuts the connection whose answer has to be taken first, if any is waiting."""
        waiting = [each for each in self if each.answer_deadline is not None]
        if waiting:
            self._cut(min(waiting, key=lambda connection: connection.answer_deadline or 0))

    def seconds_to_take(self, size: int) -> float:
        """How long a client may take to receive so many bytes."""
        return SECONDS_TO_TAKE_ANSWERS if self._stopping else self.config.answer_timeout_seconds + size / SLOWEST_ANSWER

    async def let_go(self) -> None:
        """Another process takes over: each connection ends with its next answer, or when nobody has called for long."""
        self.lets_go = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_TO_LET_GO):
                while len(self):
                    self._one_less.clear()
                    await self._one_less.wait()

    async def hurry(self, _: web.Application) -> None:
        """The server stops: whoever does not take an answer gets little more time for it."""
        self._stopping = True
        soon = asyncio.get_running_loop().time() + SECONDS_TO_TAKE_ANSWERS
        for connection in self:
            if connection.answer_deadline is not None:
                connection.answer_deadline = min(connection.answer_deadline, soon)

    def _cut(self, connection: Connection) -> None:
        if connection.spot is not None:
            self._crowd.cut(connection.spot)
