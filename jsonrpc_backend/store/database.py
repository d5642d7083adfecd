"""One open SQLite file: a writer whose transactions share commits, and readers beside it."""

import asyncio
import contextlib
import functools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import aiosqlite

from jsonrpc_backend.store.database_file import DatabaseUnusable, check_pages, connect, open_for_writing

P = ParamSpec("P")
T = TypeVar("T")

# A query or a whole transaction: a function of an open connection that runs on a database thread.
Unit = Callable[Concatenate[sqlite3.Connection, P], T]

MAX_UNITS_TOGETHER = 256
LONG_READ_SECONDS = 20.0
STEPS_BETWEEN_CHECKS = 100_000  # of SQLite's machine: some milliseconds


class TookTooLong(Exception):
    """A long read was given up."""


def run_in_transaction(connection: sqlite3.Connection, unit: Callable[[sqlite3.Connection], T]) -> T:
    """Runs one unit as a transaction of its own, for programs that have no event loop."""
    (outcome,) = _commit_together(connection, [unit])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome  # type: ignore[no-any-return]  # the outcome of a unit that returns T


@contextlib.contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """What is read inside is the state of one moment, whatever is written meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def _commit_together(
    connection: sqlite3.Connection, units: list[Callable[[sqlite3.Connection], Any]]
) -> list[Any | Exception]:
    """Runs the units one after the other in one transaction; a unit that raises takes only its own work back.

    Returns what each returned or raised. Raises when the transaction as a whole failed: then nothing is done.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        outcomes = [_run_in_savepoint(connection, unit) for unit in units]
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return outcomes


def _run_in_savepoint(connection: sqlite3.Connection, unit: Callable[[sqlite3.Connection], T]) -> T | Exception:
    connection.execute("SAVEPOINT unit")
    try:
        outcome: T | Exception = unit(connection)
    except Exception as error:
        # After a fault such as a full disk SQLite has ended the transaction itself: this raises, and fails all.
        connection.execute("ROLLBACK TO unit")
        outcome = error
    connection.execute("RELEASE unit")
    return outcome


def _run_each(
    connection: sqlite3.Connection, units: list[Callable[[sqlite3.Connection], Any]]
) -> list[Any | Exception]:
    """Runs the queries one after the other; returns what each returned or raised."""
    outcomes: list[Any | Exception] = []
    for unit in units:
        try:
            outcomes.append(unit(connection))
        except Exception as error:
            outcomes.append(error)
    return outcomes


def _prepare(path: Path) -> None:
    check_pages(path)
    open_for_writing(path).close()


class _ThreadedConnection(aiosqlite.Connection):
    """An aiosqlite connection that runs a whole function in one hop to its thread."""

    async def run(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        # Without arguments of its own, because aiosqlite writes those into its debug log.
        result: T = await self._execute(lambda: unit(self._conn))  # type: ignore[no-untyped-call]
        return result

    async def thread_id(self) -> int:
        """The native id of its thread."""
        return await self.run(lambda _: threading.get_native_id())


class _Queue:
    """The units that wait for a connection. Those that wait at the same time go to its thread together.

    A hop there and back costs several times what a query does: at 32 callers a call takes a fifth less time so.
    """

    def __init__(
        self,
        connection: _ThreadedConnection,
        run_together: Callable[[sqlite3.Connection, list[Callable[[sqlite3.Connection], Any]]], list[Any | Exception]],
    ) -> None:
        self._connection = connection
        self.thread_id = connection.thread_id
        self._run_together = run_together
        self._waiting: list[tuple[Callable[[sqlite3.Connection], Any], asyncio.Future[Any]]] = []
        self._runner: asyncio.Task[None] | None = None

    async def run(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        """What the unit returns. It is run as a whole or not at all, even if the caller is cancelled meanwhile."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((unit, future))
        if self._runner is None:
            self._runner = asyncio.create_task(self._run_waiting())
        return await future

    async def close(self) -> None:
        """Lets the units that were accepted finish, then closes the connection."""
        while self._runner is not None:
            await asyncio.wait([self._runner])
        await self._connection.close()

    async def _run_waiting(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:MAX_UNITS_TOGETHER], self._waiting[MAX_UNITS_TOGETHER:]
                units, futures = zip(*group, strict=True)
                _settle(futures, await self._run_group(list(units)))
        finally:
            self._runner = None

    async def _run_group(self, units: list[Callable[[sqlite3.Connection], Any]]) -> list[Any | Exception]:
        try:
            return await self._connection.run(lambda connection: self._run_together(connection, units))
        except Exception as error:
            return [error] * len(units)


def _settle(futures: tuple[asyncio.Future[Any], ...], outcomes: list[Any | Exception]) -> None:
    for future, outcome in zip(futures, outcomes, strict=True):
        if future.done():
            continue  # its caller was cancelled
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


class Database:
    """The file of one backend, from the event loop's side."""

    def __init__(
        self, writer: _ThreadedConnection, reader: _ThreadedConnection, long_reader: _ThreadedConnection
    ) -> None:
        self._writes = _Queue(writer, _commit_together)
        self._reads = _Queue(reader, _run_each)
        self._long_reader = long_reader
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> "Database":
        """Opens the file, making or migrating it where needed. Raises DatabaseUnusable."""
        # Before aiosqlite comes in: when its first step fails, its thread outlives the event loop.
        await asyncio.to_thread(_prepare, path)
        try:
            return await cls._connected(path)
        except sqlite3.Error as error:
            raise DatabaseUnusable(path, f"cannot be opened: {error}") from error

    @classmethod
    async def _connected(cls, path: Path) -> "Database":
        opened: list[_ThreadedConnection] = []
        try:
            for read_only in (False, True, True):
                connection = _ThreadedConnection(functools.partial(connect, path, read_only=read_only), 64)
                await connection
                opened.append(connection)
        except BaseException:
            for connection in opened:
                await connection.close()
            raise
        return cls(*opened)

    async def close(self) -> None:
        """Lets the units that were accepted finish, then closes the connections."""
        self._closed = True
        await self._reads.close()
        await self._writes.close()
        await self._long_reader.close()

    async def read(self, query: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `query(connection, …)` returns. For short queries: those of other calls wait meanwhile."""
        return await self._reads.run(lambda connection: query(connection, *args, **kwargs))

    async def read_long(self, query: Callable[[sqlite3.Connection], T], *, seconds: float = LONG_READ_SECONDS) -> T:
        """What `query(connection)` returns, which may take a while: on a reader of its own, one at a time.

        All that it reads is of one moment. Raises TookTooLong after so many seconds, or when the database is closed.
        """

        def run(connection: sqlite3.Connection) -> T:
            deadline = time.monotonic() + seconds

            def is_over() -> bool:
                return self._closed or time.monotonic() > deadline

            connection.set_progress_handler(is_over, STEPS_BETWEEN_CHECKS)
            connection.execute("BEGIN")
            try:
                return query(connection)
            except sqlite3.OperationalError as error:
                raise TookTooLong if is_over() else error from error
            finally:
                connection.set_progress_handler(None, 0)
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

        return await self._long_reader.run(run)

    async def threads(self) -> list[int]:
        """The native ids of the threads that calls wait for."""
        return [await self._reads.thread_id(), await self._writes.thread_id()]

    async def check(self) -> None:
        """Raises sqlite3.Error or DatabaseUnusable when the file does not answer."""
        await self.read(lambda db: db.execute("SELECT key FROM users LIMIT 1").fetchone())

    async def write(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `unit(connection, …)` as one transaction; returns when it is on the disk.

        Writes that wait at the same time share one commit, for a flush of the disk costs far more than a row.
        What the unit raises takes its work back and is raised here. A caller that is cancelled meanwhile does not
        stop the unit: it is done as a whole or not at all.
        """
        if self._closed:
            raise RuntimeError("the database is closed")
        return await self._writes.run(lambda connection: unit(connection, *args, **kwargs))


class UnusableDatabase(Database):
    """Stands where a file could not be opened: whoever asks it is told why, with DatabaseUnusable."""

    def __init__(self, reason: DatabaseUnusable) -> None:
        self._reason = reason

    async def close(self) -> None:
        """There is nothing to close."""

    async def threads(self) -> list[int]:
        return []

    async def read(self, query: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:  # noqa: ARG002
        raise DatabaseUnusable(self._reason.path, self._reason.reason)

    async def read_long(
        self,
        query: Callable[[sqlite3.Connection], T],  # noqa: ARG002
        *,
        seconds: float = LONG_READ_SECONDS,  # noqa: ARG002
    ) -> T:
        raise DatabaseUnusable(self._reason.path, self._reason.reason)

    async def write(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:  # noqa: ARG002
        raise DatabaseUnusable(self._reason.path, self._reason.reason)
