"""Accepts connections.

asyncio's own servers accept a hundred connections at once, which breaks any limit, and log a traceback for each that
the system has no file for.
"""

import asyncio
import contextlib
import errno
import logging
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable

log = logging.getLogger(__name__)

BACKLOG = 128  # connections that the system keeps until they are accepted
PAUSE_SECONDS = 0.2  # when the system has no room for another connection
LOG_INTERVAL_SECONDS = 60

_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_NO_SUCH_ADDRESS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


@contextlib.asynccontextmanager
async def listening(connect: Callable[[], asyncio.Protocol], host: str, port: int) -> AsyncIterator[int]:
    """Accepts connections at all addresses of a host until the end of the block; yields the port. Raises OSError."""
    sockets = await _bind(host, port)
    accepting = [asyncio.create_task(_accept(listener, connect)) for listener in sockets]
    try:
        yield sockets[0].getsockname()[1]
    finally:
        for task in accepting:
            task.cancel()
        await asyncio.wait(accepting)
        for listener in sockets:
            listener.close()


async def _bind(host: str, port: int) -> list[socket.socket]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
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
        if os.name == "posix" and sys.platform != "cygwin":
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


async def _accept(listener: socket.socket, connect: Callable[[], asyncio.Protocol]) -> None:
    loop, next_line = asyncio.get_running_loop(), 0.0
    while True:
        try:
            connection, _ = await loop.sock_accept(listener)
            await loop.connect_accepted_socket(connect, connection)
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                continue  # this connection has gone again
            if time.monotonic() >= next_line:
                next_line = time.monotonic() + LOG_INTERVAL_SECONDS
                log.error("new connections have to wait: %s", error.strerror)
            await asyncio.sleep(PAUSE_SECONDS)
