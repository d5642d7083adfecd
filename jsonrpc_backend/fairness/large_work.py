"""Work that takes long because a body or an account is large: it leaves the event loop, and callers take turns."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import ParamSpec, TypeVar

from jsonrpc_backend.fairness import Caller, current_caller
from jsonrpc_backend.fairness.room import Room
from jsonrpc_backend.fairness.turns import Turn, Turns

P = ParamSpec("P")
T = TypeVar("T")

# From this size on, work in proportion to a body would be felt by other calls.
LARGE_BYTES = 32 * 1024

# More would only make each other, and the event loop, wait: Python runs one of them at a time.
AT_ONCE = 2

# What bodies may take of the memory as Python objects, together; others wait as bytes.
PARSED_BYTES = 128 * 1024 * 1024


class LargeWork:
    """What all requests share of it. Their turn as callers pauses while they wait for this."""

    def __init__(self) -> None:
        self._turns = Turns(AT_ONCE)
        self._room = Room(PARSED_BYTES)

    async def run(self, turn: Turn, size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work(…)` returns or raises, from another thread. `size` in bytes: it takes as long."""
        with turn.paused():
            async with Turn(self._turns, current_caller.get(), cost=size):
                return await asyncio.to_thread(work, *args, **kwargs)

    @contextlib.asynccontextmanager
    async def holding(self, turn: Turn, caller: Caller, size: int) -> AsyncIterator[None]:
        """With room for about so many bytes of Python objects, until the end of the block."""
        with turn.paused():
            await self._room.enter(caller, size)
        try:
            yield
        finally:
            self._room.leave(caller, size)
