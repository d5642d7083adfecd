"""Units of work for a database thread, and how it runs them: each alone, or many in one transaction."""

import sqlite3
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from jsonrpc_backend.fairness import Caller
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.sqlite.errors import translated
from jsonrpc_backend.store.sqlite.transaction import TransactingConnection

if TYPE_CHECKING:  # a command runs units without an event loop
    import asyncio

T = TypeVar("T")

# A query or a whole transaction, run on a database thread.
Run = Callable[[Db], T]

GROUP_SECONDS = 0.01  # what comes meanwhile waits for the whole group: past this the rest of it is put back


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


TakeUnits = Callable[[], list[Unit[Any]]]


def commit_one(connection: TransactingConnection, run: Run[T]) -> T | Exception:
    """Runs a unit in a transaction of its own; what it has returned or raised.

    Raises when the transaction as a whole failed: then nothing is done.
    """
    with connection.transaction():
        return run_in_savepoint(connection, run)


def commit_together(connection: TransactingConnection, take: TakeUnits) -> int:
    """Runs units one after the other in one transaction; one that raises takes only its own work back.

    They are taken when it has begun: what comes while another process writes is among them. Returns how many there
    was time for. Raises when the transaction as a whole failed: then nothing is done.
    """
    with connection.transaction(however_long=True):
        return _run_in_time(connection, take(), run_in_savepoint)


def run_each(connection: sqlite3.Connection, take: TakeUnits) -> int:
    """Runs queries one after the other; returns how many there was time for."""
    return _run_in_time(connection, take(), _run_alone)


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
