"""Accepts connections.

asyncio's own servers log a traceback for each that the system has no file for, and they ask nobody: here a limit is
kept before a connection costs more than its acceptance.
"""

import asyncio
import contextlib
import errno
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Self

# The protocol for a connection from an address; None closes it.
Connect = Callable[[str], asyncio.BaseProtocol | None]

log = logging.getLogger(__name__)

# Connections that the system keeps until they are accepted. Whoever finds no room there tries again after a second.
BACKLOG = 4096

# In one turn, so that calls get theirs: how many are let in, and how many are looked at. To turn one away costs little.
LET_IN_TOGETHER = 16
LOOKED_AT_TOGETHER = 128

PAUSE_SECONDS = 0.2  # when the system has no room for another connection
LOG_INTERVAL_SECONDS = 60

_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_NO_SUCH_ADDRESS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


@contextlib.asynccontextmanager
async def listening(connect: Connect, host: str, port: int) -> AsyncIterator[int]:
    """Accepts connections at all addresses of a host until the end of the block; yields the port. Raises OSError."""
    async with accepting(connect, await asyncio.to_thread(bound, host, port)) as chosen:
        yield chosen


@contextlib.asynccontextmanager
async def accepting(connect: Connect, sockets: Sequence[socket.socket]) -> AsyncIterator[int]:
    """The same at sockets, which are closed at the end; other processes may accept at them, too."""
    tasks = [asyncio.create_task(_accept(listener, connect)) for listener in sockets]
    try:
        yield sockets[0].getsockname()[1]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for listener in sockets:
            listener.close()


def bound(host: str, port: int) -> list[socket.socket]:
    """Sockets at all addresses of a host, to accept at. Raises OSError. Blocking."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    failure: OSError | None = None
    for family, _, _, _, address in dict.fromkeys(found):
        # On a free port that the first address was given, so that there is one port to tell.
        chosen = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(_listen(family, (address[0], chosen, *address[2:])))
        except OSError as error:
            failure = error
            if error.errno not in _NO_SUCH_ADDRESS:  # as ::1 of "localhost" where there is no IPv6
                break
    if failure and (not sockets or failure.errno not in _NO_SUCH_ADDRESS):
        for listener in sockets:
            listener.close()
        raise failure
    return sockets


def _listen(family: int, address: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a restart has to wait
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setblocking(False)
        listener.bind(address)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


async def _accept(listener: socket.socket, connect: Connect) -> None:
    next_line = 0.0
    async with _Door(connect) as door:
        while True:
            try:
                await door.let_some_in(listener)
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    continue  # nobody else waits, or has gone again
                if time.monotonic() >= next_line:
                    next_line = time.monotonic() + LOG_INTERVAL_SECONDS
                    log.error("new connections have to wait: %s", error.strerror)
                await asyncio.sleep(PAUSE_SECONDS)


class _Door:
    """Lets connections in, or turns them away."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._joining: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._joining:
            await asyncio.wait(self._joining)

    async def let_some_in(self, listener: socket.socket) -> None:
        """Those who wait, as many as fit into a turn. Raises OSError, also when nobody else waits."""
        await _somebody_waits(listener)
        for _ in range(LOOKED_AT_TOGETHER):
            if len(self._joining) >= LET_IN_TOGETHER:
                break
            self._let_in(*listener.accept())
        await asyncio.sleep(0)

    def _let_in(self, connection: socket.socket, address: tuple[Any, ...]) -> None:
        protocol = self._connect(address[0])
        if protocol is None:
            connection.close()
            return
        task = asyncio.create_task(_join(protocol, connection))
        self._joining.add(task)
        task.add_done_callback(self._joining.discard)


async def _somebody_waits(listener: socket.socket) -> None:
    """Returns when a connection can be accepted, perhaps.

    When asyncio's `sock_accept` is cancelled it may have accepted one, which would be lost: another process goes on
    with this socket, and whoever calls must not notice it.
    """
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(listener, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(listener)


async def _join(protocol: asyncio.BaseProtocol, connection: socket.socket) -> None:
    try:
        await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, connection)
    except OSError as error:
        connection.close()
        protocol.connection_lost(error)
