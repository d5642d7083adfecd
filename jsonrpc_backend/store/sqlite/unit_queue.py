"""Units of work that wait for a database thread: run together while they wait at the same time, in turn where many."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from jsonrpc_backend.fairness import current_caller
from jsonrpc_backend.fairness.queue import Queue
from jsonrpc_backend.store.sqlite.transaction import TransactingConnection
from jsonrpc_backend.store.sqlite.units import Run, Unit

T = TypeVar("T")

MAX_UNITS_TOGETHER = 256
LONG_SECONDS = 0.001  # what takes longer counts as so many turns more


class UnitQueue:
    """The units that wait for a connection. Those that wait at the same time go to its thread together.

    A hop there and back costs several times what a query does: at 32 callers a call takes a fifth less time so.
    `run_on_thread` calls a function with the connection, on the thread of it.
    """

    def __init__(
        self,
        run_on_thread: Callable[[Callable[[TransactingConnection], int]], Awaitable[int]],
        run_together: Callable[[TransactingConnection, list[Unit[Any]]], int],
    ) -> None:
        self._run_on_thread = run_on_thread
        self._run_together = run_together
        self._arrived: list[Unit[Any]] = []
        self._in_turn: Queue[Unit[Any]] = Queue()  # those that are more than one group can take
        self._runner: asyncio.Task[None] | None = None

    async def run(self, run: Run[T]) -> T:
        """What the unit returns. It is run as a whole or not at all, even if the caller is cancelled meanwhile."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._arrived.append(Unit(run, current_caller.get(), future))
        if self._runner is None:
            self._runner = asyncio.create_task(self._run_waiting())
        return await future

    async def drain(self) -> None:
        """Lets the units that were accepted finish."""
        while self._runner is not None:
            await asyncio.wait([self._runner])

    async def _run_waiting(self) -> None:
        try:
            while self._arrived or self._in_turn:
                group = self._next_group()
                done = await self._run_group(group)
                for unit in group[:done]:
                    if unit.seconds > LONG_SECONDS:
                        self._in_turn.charge(unit.caller, unit.seconds / LONG_SECONDS)
                    unit.settle()
                for unit in reversed(group[done:]):
                    self._in_turn.put_back(unit.caller, unit)
        finally:
            self._runner = None

    def _next_group(self) -> list[Unit[Any]]:
        arrived, self._arrived = self._arrived, []
        if not self._in_turn and len(arrived) <= MAX_UNITS_TOGETHER:
            return arrived
        for unit in arrived:
            self._in_turn.put(unit.caller, unit)
        return [self._in_turn.take() for _ in range(min(MAX_UNITS_TOGETHER, len(self._in_turn)))]

    async def _run_group(self, units: list[Unit[Any]]) -> int:
        """How many of them have been run, be it in vain."""
        try:
            return await self._run_on_thread(lambda connection: self._run_together(connection, units))
        except Exception as error:
            for unit in units:
                unit.outcome = error
            return len(units)
