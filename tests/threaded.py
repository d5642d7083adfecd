"""A server in a thread, and calls that block: for tests that hypothesis steers."""

import asyncio
import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

from jsonrpc_backend.config import Config
from tests.patience import HANG_SECONDS
from tests.servers import FakeClock, InProcessServer, running
from tests.wire import FORM, Answer


@contextlib.contextmanager
def served_from_thread(config: Config, clock: FakeClock | None = None) -> Iterator[InProcessServer]:
    """Runs a server until the end of the block."""
    started: list[InProcessServer] = []
    ready = threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        async with running(config, clock) as server:
            started.append(server)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(HANG_SECONDS), "the server does not start"
        yield started[0]
    finally:
        loop, stop = loops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(HANG_SECONDS)
        assert not thread.is_alive(), "the server does not stop"


class Door:
    """The endpoint of a server, one request after the other. Past HANG_SECONDS the server hangs."""

    def __init__(self, server: InProcessServer, path: str = "/json-rpc/app", **headers: str) -> None:
        self.server = server
        self._path = path
        self._headers = {"Content-Type": FORM, **headers}
        self._connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=HANG_SECONDS)

    def post(self, body: bytes) -> tuple[int, Any, bytes]:
        """Status, headers, body."""
        for attempt in range(2):
            try:
                self._connection.request("POST", self._path, body, self._headers)
                response = self._connection.getresponse()
                return response.status, response.headers, response.read()
            except (http.client.RemoteDisconnected, ConnectionError):
                self._connection.close()  # an idle connection that has ended meanwhile
                if attempt:
                    raise
        raise AssertionError

    def call(self, method: str, *, device: str = "device-1", session: str | None = None, **params: Any) -> Answer:
        reserved = {"__api_key": self.server.api_key, "__device": device} | ({"__session": session} if session else {})
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": reserved | params}
        status, headers, body = self.post(json.dumps(call).encode())
        return Answer(json.loads(body), headers, status)

    def close(self) -> None:
        self._connection.close()
