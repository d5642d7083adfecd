"""The open connections: how many there may be, who gives way, and which are cut because they keep the server waiting.

Who has the most gives way first, whatever the others do: an address that opens connections by the thousand takes them
from itself. Many people may share an address (a school, a mobile network), so nobody is refused while there is room.

aiohttp by itself ends idle connections only. Here a connection also ends when the head of a request does not arrive in
time, and when an answer is not taken in time. (Bodies are the endpoint's: it answers what is too slow.)
"""

import asyncio
import enum
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, cast

from aiohttp import web

from jsonrpc_backend.config import ServerConfig
from jsonrpc_backend.places import Place, Places
from jsonrpc_backend.rpc.addresses import Network, Ranges, networks_of

# Looking at all connections now and then costs less than two timers for each request.
SWEEP_SECONDS = 0.5

# A slow line gets this much more time for a large answer. In bytes each second.
SLOWEST_ANSWER = 16 * 1024

# For clients that do not take their answers while the server stops.
SECONDS_TO_TAKE_ANSWERS = 2

# A browser opens so many to one server: whoever has no more is nobody to take from.
FEW = 6

# How often in SWEEP_SECONDS those who have the most may have one of theirs cut for another one: a flood that comes
# again and again is turned away at the door then, which costs a tenth of letting it in.
TURNS = 200

CUT_TOGETHER = 64  # before calls get their turn

REMEMBERED = 2048  # addresses

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Audience(enum.Enum):
    """Whom an address that the server listens at is for, where that of the operators is another one."""

    EVERYBODY = enum.auto()
    OPERATORS = enum.auto()


class Connection(web.RequestHandler):
    """aiohttp's connection, with deadlines (by the event loop's clock; None: nothing to wait for)."""

    __slots__ = ("_connections", "answer_deadline", "audience", "group", "head_deadline", "is_busy", "socket", "source")

    def __init__(self, connections: "Connections", server: web.Server, audience: Audience, **options: Any) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self.audience = audience
        self._connections = connections
        self.socket: asyncio.Transport | None = None  # aiohttp forgets its own when it begins to close it
        self.source: Source | None = None
        self.group: Group | None = None  # of its source; None: it has been cut
        self.is_busy = False
        self.head_deadline: float | None = None
        self.answer_deadline: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.socket = cast(asyncio.Transport, transport)
        self.socket.set_write_buffer_limits(high=0)  # an answer counts as taken when the system has all of it
        if self.group is None:  # by one that came before it was made
            self.socket.abort()
        else:
            super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if data and self.head_deadline is None and not self.is_busy:
            self.head_deadline = self._loop.time() + self._connections.config.header_timeout_seconds
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
        if self.socket is not None:
            self.socket.abort()


Group = dict[Connection, None]


@dataclass(slots=True, eq=False)
class Source:
    """The connections of one address by what they do; those that have done it for longest stand first.

    `place` is None for the trusted proxies: they bring everybody, so what they have says nothing of anybody.
    """

    place: Place | None
    half: Group = field(default_factory=dict)  # a part of a request's head has come
    quiet: Group = field(default_factory=dict)  # nothing is under way
    busy: Group = field(default_factory=dict)

    def expendable(self, *, but: Connection | None = None) -> Connection | None:
        """The one that is missed least, of those without a request under way."""
        return next((each for group in (self.half, self.quiet) for each in group if each is not but), None)


class Connections:
    """All connections of one server, at most `most`."""

    def __init__(self, config: ServerConfig, most: int) -> None:
        self.config = config
        self._most = most
        self._most_of_an_address = config.max_connections_per_address or most // 4
        self._most_of_a_network = max(most // 2, self._most_of_an_address)
        self._turns_taken = 0
        self._stopping = False
        self._all: Group = {}
        self._quiet: Group = {}  # those without a request under way, the longest quiet first
        self._places = Places()
        self._sources: dict[str, Source] = {}  # by the name of the address
        self._proxies, self._of_proxies = Ranges(config.trusted_proxies), Source(None)
        self._networks_of = functools.lru_cache(REMEMBERED)(self._find_networks)

    def __len__(self) -> int:
        return len(self._all)

    def admit(self, peer: str, make: Callable[[], Connection]) -> Connection | None:
        """A new connection from an address, where there is room. Another one may be cut to make some."""
        networks = self._networks_of(peer)
        takes_turns = self._has_much(networks)
        if takes_turns and self._turns_taken >= TURNS:
            return None
        connection = make()
        self._enter(connection, networks)
        victim = self._who_gives_way(connection)
        if victim is not None:
            self._turns_taken += takes_turns
            self._cut(victim)
        return None if victim is connection else connection

    def _find_networks(self, peer: str) -> tuple[Network, ...]:
        """Of whom the connection is; nothing for a proxy that is trusted."""
        address = ip_address(peer.partition("%")[0])
        return () if address in self._proxies else networks_of(address)

    def _enter(self, connection: Connection, networks: tuple[Network, ...]) -> None:
        source = self._of_proxies
        if networks:
            place = self._places.enter(networks)
            source = self._sources.setdefault(place.name, Source(place))
        connection.source, connection.group = source, source.quiet
        self._all[connection] = self._quiet[connection] = source.quiet[connection] = None

    def forget(self, connection: Connection) -> None:
        source = connection.source
        if source is None or connection.group is None:
            return  # it was cut before it ended
        del connection.group[connection], self._all[connection]
        self._quiet.pop(connection, None)
        connection.group = None
        if source.place is not None:
            self._places.leave(source.place)
            if not source.place.number:
                del self._sources[source.place.name]

    def _has_much(self, networks: tuple[Network, ...]) -> bool:
        """Whether room is scarce and who comes is among those who take the most of it."""
        source = self._sources.get(networks[0].name) if networks else None
        if source is None or source.place is None or 2 * len(self) <= self._most:
            return False
        weight = self._places.widest(source.place).weight
        return weight > FEW and 2 * weight >= self._places.everywhere.inside.most

    # --- who gives way -----------------------------------------------------------------------------------

    def _who_gives_way(self, newcomer: Connection) -> Connection | None:
        """None while there is room."""
        place = newcomer.source.place if newcomer.source else None
        if len(self) > self._most:
            return self._of_the_heaviest(place) or next(iter(self._quiet))
        if place is not None and 2 * len(self) > self._most:
            return self._of_its_own(newcomer, place)
        return None

    def _of_the_heaviest(self, newcomer: Place | None) -> Connection | None:
        """None where nobody has many. One with a request under way only when no other is left, which a newcomer is."""
        if self._places.everywhere.inside.most <= FEW:
            return None
        source = self._sources[self._places.everywhere.heaviest(newcomer).name]
        return source.expendable() or next(iter(source.busy))

    def _of_its_own(self, newcomer: Connection, place: Place) -> Connection | None:
        """Half of the room is taken: whoever has much makes room for himself, as far as nothing is under way."""
        network = self._places.widest(place)
        if network.weight <= self._most_of_an_address and network.number <= self._most_of_a_network:
            return None
        return self._sources[network.heaviest(place).name].expendable(but=newcomer)

    # --- what they do ------------------------------------------------------------------------------------

    @web.middleware
    async def note_request(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Keeps account of which connections have a request under way."""
        connection = cast(Connection, request.protocol)
        self._begin(connection)
        try:
            return await handler(request)
        finally:
            self._end(connection)

    def note_head(self, connection: Connection) -> None:
        """A request's head has begun to come."""
        if connection.source is not None:
            _move(connection, connection.source.half)

    def _begin(self, connection: Connection) -> None:
        connection.is_busy, connection.head_deadline = True, None
        if connection.source is not None and _move(connection, connection.source.busy):
            del self._quiet[connection]

    def _end(self, connection: Connection) -> None:
        connection.is_busy = False
        if connection.source is not None and _move(connection, connection.source.quiet):
            self._quiet[connection] = None

    async def watching(self, _: web.Application) -> AsyncIterator[None]:
        """Cuts late connections while the application runs."""
        sweeping = asyncio.create_task(self._sweep_regularly())
        yield
        sweeping.cancel()
        await asyncio.wait([sweeping])

    async def _sweep_regularly(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._turns_taken = 0
            now = asyncio.get_running_loop().time()
            late = [each for each in self._all if each.is_late(now)]
            for number, connection in enumerate(late, 1):
                if connection.is_late(now):
                    self._cut(connection)
                if number % CUT_TOGETHER == 0:
                    await asyncio.sleep(0)

    def cut_slowest_reader(self) -> None:
        """Cuts the connection whose answer has to be taken first, if any is waiting."""
        waiting = [each for each in self._all if each.answer_deadline is not None]
        if waiting:
            self._cut(min(waiting, key=lambda connection: connection.answer_deadline or 0))

    def seconds_to_take(self, size: int) -> float:
        """How long a client may take to receive so many bytes."""
        return SECONDS_TO_TAKE_ANSWERS if self._stopping else self.config.answer_timeout_seconds + size / SLOWEST_ANSWER

    async def hurry(self, _: web.Application) -> None:
        """The server stops: whoever does not take an answer gets little more time for it."""
        self._stopping = True
        soon = asyncio.get_running_loop().time() + SECONDS_TO_TAKE_ANSWERS
        for connection in self._all:
            if connection.answer_deadline is not None:
                connection.answer_deadline = min(connection.answer_deadline, soon)

    def _cut(self, connection: Connection) -> None:
        self.forget(connection)
        connection.cut()


def _move(connection: Connection, group: Group) -> bool:
    """To the end of another group of its source; False when it has been cut."""
    if connection.group is None:
        return False
    del connection.group[connection]
    group[connection] = None
    connection.group = group
    return True
