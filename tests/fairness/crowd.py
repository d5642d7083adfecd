"""Attackers: many connections that each call again as soon as they are answered, from as many addresses as wanted."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from tests.patience import HANG_SECONDS
from tests.wire import Answer, Wire

_numbers = itertools.count(1)


class Resident(Wire):
    """An app at an address, which a trusted proxy tells."""

    address = "203.0.113.9"

    def at(self, address: str) -> "Resident":
        """The same app, with all that it keeps, somewhere else."""
        moved = self.tab()
        moved.address = address
        return moved

    def away(self) -> "Resident":
        """The same app in a network that nobody has called from yet."""
        number = next(_numbers)
        return self.at(f"10.{number // 256}.{number % 256}.1")

    async def post(self, body: Any, **headers: str) -> Answer:
        return await super().post(body, **{"X-Forwarded-For": self.address, **headers})

    def message(self, method: str, **params: Any) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": 1, "method": method, "params": self.params(params)}


class Crowd:
    """Attackers who send one body, and how many answers they have got so far."""

    def __init__(self, server: Any, message: Any) -> None:
        self.server = server
        self.served = 0
        self.refused = 0
        self._done = asyncio.Semaphore(0)
        self._body = json.dumps(message, separators=(",", ":")).encode()

    @contextlib.asynccontextmanager
    async def attacking(self, connections: int, addresses: list[str]) -> AsyncIterator["Crowd"]:
        """Begins when the server has all it can do, and knows of each address that it comes again and again."""
        sources = [addresses[number % len(addresses)] for number in range(connections)]
        tasks = [asyncio.create_task(self._call_for_ever(source)) for source in sources]
        try:
            async with asyncio.timeout(HANG_SECONDS):
                for _ in range(min(connections, len(addresses))):
                    await self._done.acquire()
                yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _call_for_ever(self, source: str) -> None:
        host, port = self.server.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST /json-rpc/{self.server.backend_id} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {source}\r\n"
        try:
            while True:
                writer.write(f"{head}Content-Length: {len(self._body)}\r\n\r\n".encode() + self._body)
                answer = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = answer.partition(b"content-length: ")[2].partition(b"\r\n")[0]
                if b'"code":9999' in await reader.readexactly(int(length)):
                    self.refused += 1
                else:
                    self.served += 1
                    self._done.release()
        finally:
            writer.close()

    async def served_before(self, call: Callable[[], Awaitable[Answer]], *, code: int = 0) -> int:
        """How many calls of the attackers are done before this one, which has an error with this code or none."""
        before = self.served
        answer = await call()
        assert answer.body.get("error", {"code": 0})["code"] == code, answer.body
        return self.served - before
