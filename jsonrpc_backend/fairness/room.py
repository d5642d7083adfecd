"""Room that is taken in pieces of any size."""

import asyncio

from jsonrpc_backend.fairness import Caller
from jsonrpc_backend.fairness.queue import Queue
from jsonrpc_backend.fairness.waiting import call, until_called


class Holdings:
    """Who holds how much of `most`, such as bytes."""

    def __init__(self, most: int) -> None:
        self.total = 0
        self._most = most
        self._held: dict[Caller, int] = {}

    def add(self, caller: Caller, size: int) -> None:
        self.total += size
        held = self._held.get(caller, 0) + size
        if held:
            self._held[caller] = held
        else:
            self._held.pop(caller, None)

    def is_fair(self, caller: Caller, size: int) -> bool:
        """Whether the caller, with so much more, would hold no more than what he leaves free.

        So one alone gets up to a half, one of ten an eleventh, and whoever comes finds room. That is for the widest
        network; each one in it, and each address, half as much.
        """
        left = self._most - self.total - size
        return all(self._held_within(caller[: level + 1]) + size <= left >> level for level in range(len(caller)))

    def _held_within(self, network: Caller) -> int:
        return sum(size for caller, size in self._held.items() if caller[: len(network)] == network)


class Room:
    """`most` of something that callers hold for a while, each his fair part. Who finds no room waits in turn.

    What is more than anybody's part has room when nobody else holds any.
    """

    def __init__(self, most: int) -> None:
        self._holdings = Holdings(most)
        self._queue: Queue[tuple[asyncio.Future[None], Caller, int]] = Queue()

    async def enter(self, caller: Caller, size: int) -> None:
        """Returns when there is room for the caller, who holds it until `leave`."""
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put(caller, (called, caller, size), cost=size)
        self._call_waiting()
        await until_called(called, otherwise=lambda: self.leave(caller, size))

    def leave(self, caller: Caller, size: int) -> None:
        self._holdings.add(caller, -size)
        self._call_waiting()

    def _call_waiting(self) -> None:
        while self._queue:
            called, caller, size = self._queue.next()
            if not called.done() and not self._fits(caller, size):
                return
            self._queue.take()
            if call(called):
                self._holdings.add(caller, size)

    def _fits(self, caller: Caller, size: int) -> bool:
        return not self._holdings.total or self._holdings.is_fair(caller, size)
