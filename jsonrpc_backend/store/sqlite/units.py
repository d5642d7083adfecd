"""Units of work for a database thread: run together while they wait at the same time, in turn where they are many."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from jsonrpc_backend.fairness import Caller, current_caller
from jsonrpc_backend.fairness.queue import Queue
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.sqlite.errors import translated
from jsonrpc_backend.store.sqlite.transaction import TransactingConnection

T = TypeVar("T")

# A query or a whole transaction, run on a database thread.
Run = Callable[[Db], T]

MAX_UNITS_TOGETHER = 256
GROUP_SECONDS = 0.01  # what comes meanwhile waits for the whole group: past this the rest of it is put back
LONG_SECONDS = 0.001  # what takes longer counts as so many turns more


class Unit(Generic[T]):
    """One of them, and what came of it."""

    __slots__ = ("caller", "future", "outcome", "run", "seconds")

    def __init__(self, run: Run[T], caller: Caller, future: "asyncio.Future[T]") -> None:
        self.run = run
        self.caller = caller
        self.future = future
        self.outcome: T | Exception | None = None
        self.seconds = 0.0

    def settle(self) -> None:
        """Tells the caller, unless it was cancelled."""
        if self.future.done():
            return
        if isinstance(self.outcome, Exception):
            self.future.set_exception(translated(self.outcome))
        else:
            self.future.set_result(self.outcome)  # type: ignore[arg-type]  # what a unit that returns T has returned


def commit_one(connection: TransactingConnection, run: Run[T]) -> T | Exception:
    """Runs a unit in a transaction of its own; what it has returned or raised.

    Raises when the transaction as a whole failed: then nothing is done.
    """
    with connection.transaction():
        return run_in_savepoint(connection, run)


def commit_together(connection: TransactingConnection, units: list[Unit[Any]]) -> int:
    """Runs units one after the other in one transaction; one that raises takes only its own work back.

    Returns how many there was time for. Raises when the transaction as a whole failed: then nothing is done.
    """
    with connection.transaction():
        return _run_in_time(connection, units, run_in_savepoint)


def run_each(connection: sqlite3.Connection, units: list[Unit[Any]]) -> int:
    """Runs queries one after the other; returns how many there was time for."""
    return _run_in_time(connection, units, _run_alone)


def _run_in_time(
    connection: sqlite3.Connection,
    units: list[Unit[Any]],
    run: Callable[[sqlite3.Connection, Run[Any]], Any],
) -> int:
    began = before = time.perf_counter()
    for number, unit in enumerate(units, 1):
        unit.outcome = run(connection, unit.run)
        now = time.perf_counter()
        unit.seconds, before = now - before, now
        if now - began > GROUP_SECONDS:
            return number
    return len(units)


def run_in_savepoint(connection: sqlite3.Connection, run: Run[T]) -> T | Exception:
    connection.execute("SAVEPOINT unit")
    try:
        outcome: T | Exception = run(connection)
    except Exception as error:
        # After a fault such as a full disk SQLite has ended the transaction itself: this raises, and fails all.
        connection.execute("ROLLBACK TO unit")
        outcome = error
    connection.execute("RELEASE unit")
    return outcome


def _run_alone(connection: sqlite3.Connection, run: Run[T]) -> T | Exception:
    try:
        return run(connection)
    except Exception as error:
        return error


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
