"""Runs an application: it starts, listens where it is told to, answers what is under way when it ends."""

import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

from aiohttp import web

from jsonrpc_backend.server.connections import Audience, Connection, Connections
from jsonrpc_backend.server.front import Front
from jsonrpc_backend.server.listener import Connect, accepting, listening

CONNECTIONS = web.AppKey("CONNECTIONS", Connections)
FRONT = web.AppKey("FRONT", Front)

KEEPALIVE_SECONDS = 75.0
LINGERING_SECONDS = 5.0  # for a client that is still sending a body that was refused, so that it reads the answer

# aiohttp waits for this long twice in the worst case: for running calls, then for idle connections.
SHUTDOWN_SECONDS = 3.5

OPTIONS = {
    "auto_decompress": False,  # bodies with an encoding are refused; it would unpack them before
    "keepalive_timeout": KEEPALIVE_SECONDS,
    "lingering_time": LINGERING_SECONDS,
}


class Listen:
    """Listens until the end of the block; yields the port."""

    def __init__(self, connect: Callable[[Audience], Connect]) -> None:
        self._connect = connect

    def __call__(self, host: str, port: int, audience: Audience) -> contextlib.AbstractAsyncContextManager[int]:
        """Raises OSError when it cannot."""
        return listening(self._connect(audience), host, port)

    def at(self, sockets: Sequence[socket.socket], audience: Audience) -> contextlib.AbstractAsyncContextManager[int]:
        """At sockets that are there, and are closed at the end."""
        return accepting(self._connect(audience), sockets)


@contextlib.asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[Listen]:
    """Runs the application; yields what makes it listen. At the end running calls are answered.

    Raises DatabaseUnusable.
    """
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_SECONDS)
    try:
        await runner.setup()
        server, connections = runner.server, app[CONNECTIONS]
        assert server is not None  # noqa: S101 (since it has been set up)
        server.request_handler = app[FRONT].before(server.request_handler)

        def connect(audience: Audience) -> Connect:
            make = partial(Connection, connections, server, audience, **OPTIONS)
            return lambda peer: connections.admit(peer, make)

        yield Listen(connect)
    finally:
        await runner.cleanup()
