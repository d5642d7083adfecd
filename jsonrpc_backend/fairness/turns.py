"""Places that are free or taken: so many may work at once."""

import asyncio
import collections
import contextlib
from collections.abc import Iterator
from typing import Self

from jsonrpc_backend.fairness import Caller
from jsonrpc_backend.fairness.queue import Queue
from jsonrpc_backend.fairness.waiting import call, until_called


class Turns:
    """Lets so many go `at_once`; the others wait in turn."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._under_way = 0
        self._queue: Queue[asyncio.Future[None]] = Queue()

    async def begin(self, caller: Caller, cost: float = 1) -> None:
        """Returns when it is the caller's turn, which lasts until `end`."""
        if self._under_way < self._at_once and not self._queue:
            self._under_way += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put(caller, turn, cost=cost)
        await until_called(turn, otherwise=self.end)

    def end(self) -> None:
        self._under_way -= 1
        while self._queue and self._under_way < self._at_once:
            self._under_way += call(self._queue.take())

    def resume(self) -> None:
        """The opposite of `end`, without waiting: for whom has waited elsewhere meanwhile."""
        self._under_way += 1


class Turn:
    """A caller's turn, until the end of the `async with` block."""

    __slots__ = ("_caller", "_cost", "_turns")

    def __init__(self, turns: Turns, caller: Caller, cost: float = 1) -> None:
        self._turns = turns
        self._caller = caller
        self._cost = cost

    async def __aenter__(self) -> Self:
        await self._turns.begin(self._caller, self._cost)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._turns.end()

    async def renew(self) -> None:
        """Lets others go first if it is their turn."""
        self._turns.end()
        try:
            await asyncio.sleep(0)
            await self._turns.begin(self._caller, self._cost)
        except BaseException:
            self._turns.resume()  # for the end of the block
            raise

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Lets others go while this one waits for something else."""
        self._turns.end()
        try:
            yield
        finally:
            self._turns.resume()


class Lanes:
    """Lets so many of each caller go `at_once`; more of the same wait for those, in the order they came."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._under_way: dict[Caller, int] = {}
        self._waiting: dict[Caller, collections.deque[asyncio.Future[None]]] = {}

    async def begin(self, caller: Caller, turn: Turn) -> None:
        """Returns when a lane is free, which is taken until `end`. The caller's `turn` elsewhere pauses meanwhile."""
        under_way = self._under_way.get(caller, 0)
        if under_way < self._at_once:
            self._under_way[caller] = under_way + 1
        else:
            called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(caller, collections.deque()).append(called)
            with turn.paused():
                await until_called(called, otherwise=lambda: self.end(caller))

    def end(self, caller: Caller) -> None:
        waiting = self._waiting.get(caller, ())
        while waiting:
            if call(waiting.popleft()):
                return  # with our place
        self._waiting.pop(caller, None)
        under_way = self._under_way.pop(caller) - 1
        if under_way:
            self._under_way[caller] = under_way
