"""Units of work that wait for a database thread: run together while they wait at the same time, in turn where many."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from jsonrpc_backend.fairness import current_caller
from jsonrpc_backend.fairness.queue import Queue
from jsonrpc_backend.store.sqlite import transaction
from jsonrpc_backend.store.sqlite.transaction import TransactingConnection
from jsonrpc_backend.store.sqlite.units import Run, TakeUnits, Unit

T = TypeVar("T")

MAX_UNITS_TOGETHER = 256
LONG_SECONDS = 0.001  # what takes longer counts as so many turns more


class UnitQueue:
    """The units that wait for a connection. Those that wait at the same time go to its thread together.

    A hop there and back costs several times what a query does: at 32 callers a call takes a fifth less time so. The
    thread takes them when it can begin; those for whom that does not come in time, because another process has been
    stopped while it wrote, are given up.
    `run_on_thread` calls a function with the connection, on the thread of it.
    """

    def __init__(
        self,
        run_on_thread: Callable[[Callable[[TransactingConnection], int]], Awaitable[int]],
        run_together: Callable[[TransactingConnection, TakeUnits], int],
    ) -> None:
        self._run_on_thread = run_on_thread
        self._run_together = run_together
        self._arrived: deque[Unit[Any]] = deque()
        self._in_turn: Queue[Unit[Any]] = Queue()  # those that are more than one group can take
        self._runner: asyncio.Task[None] | None = None
        self._taking = threading.Lock()  # what waits
        self._thread_called: float | None = None  # when; None once it has taken what waits
        self._watch: asyncio.TimerHandle | None = None

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
                group, done = await self._run_group()
                for unit in group[:done]:
                    if unit.seconds > LONG_SECONDS:
                        self._in_turn.charge(unit.caller, unit.seconds / LONG_SECONDS)
                    unit.settle()
                for unit in reversed(group[done:]):
                    self._in_turn.put_back(unit.caller, unit)
        finally:
            self._runner = None

    async def _run_group(self) -> tuple[list[Unit[Any]], int]:
        """What the thread has taken, and how many of them have been run, be it in vain."""
        group: list[Unit[Any]] = []

        def take() -> list[Unit[Any]]:
            with self._taking:
                self._thread_called = None
                group.extend(self._next_group())
            return group

        self._thread_called = time.monotonic()
        if self._watch is None:
            self._look_again(transaction.SECONDS_FOR_A_TURN)
        try:
            return group, await self._run_on_thread(lambda connection: self._run_together(connection, take))
        except Exception as error:
            for unit in group or take():
                unit.outcome = error
            return group, len(group)

    def _next_group(self) -> list[Unit[Any]]:
        # One by one: the event loop adds others meanwhile.
        arrived = [self._arrived.popleft() for _ in range(len(self._arrived))]
        if not self._in_turn and len(arrived) <= MAX_UNITS_TOGETHER:
            return arrived
        for unit in arrived:
            self._in_turn.put(unit.caller, unit)
        return [self._in_turn.take() for _ in range(min(MAX_UNITS_TOGETHER, len(self._in_turn)))]

    # --- giving up ---------------------------------------------------------------------------------------

    def _look_again(self, seconds: float) -> None:
        self._watch = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        """One timer for many groups: a group has often begun long before its time is over."""
        self._watch = None
        if self._runner is None:
            return
        now, called = time.monotonic(), self._thread_called
        if called is not None and called + transaction.SECONDS_FOR_A_TURN <= now:
            self._give_up()
            called = now
        self._look_again((called or now) + transaction.SECONDS_FOR_A_TURN - now)

    def _give_up(self) -> None:
        with self._taking:
            if self._thread_called is None:  # just now
                return
            self._thread_called = time.monotonic()  # for those to come
            waiting = [*iter(self._next_group, [])]
        for group in waiting:
            for unit in group:
                unit.outcome = transaction.turn_does_not_come()
                unit.settle()
