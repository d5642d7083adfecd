"""One open SQLite file: a writer whose transactions share commits, and readers beside it."""

import asyncio
import contextlib
import functools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import aiosqlite

from jsonrpc_backend.store.database_file import DatabaseUnusable, check_pages, connect, open_for_writing
from jsonrpc_backend.store.units import UnitQueue, commit_one, commit_together, run_each

P = ParamSpec("P")
T = TypeVar("T")

# A query or a whole transaction: a function of an open connection that runs on a database thread.
Unit = Callable[Concatenate[sqlite3.Connection, P], T]

# The same for reads that take long; it calls its second argument now and then, which raises when the time is over.
LongQuery = Callable[[sqlite3.Connection, Callable[[], None]], T]

LONG_READ_SECONDS = 20.0
STEPS_BETWEEN_CHECKS = 100_000  # of SQLite's machine: some milliseconds


class TookTooLong(Exception):
    """A long read was given up."""


def run_in_transaction(connection: sqlite3.Connection, unit: Callable[[sqlite3.Connection], T]) -> T:
    """Runs one unit as a transaction of its own, for programs that have no event loop."""
    outcome = commit_one(connection, unit)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


@contextlib.contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """What is read inside is the state of one moment, whatever is written meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


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


class Database:
    """The file of one backend, from the event loop's side."""

    def __init__(
        self, writer: _ThreadedConnection, reader: _ThreadedConnection, long_reader: _ThreadedConnection
    ) -> None:
        self._writes = UnitQueue(writer.run, commit_together)
        self._reads = UnitQueue(reader.run, run_each)
        self._writer, self._reader, self._long_reader = writer, reader, long_reader
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
        await self._reads.drain()
        await self._writes.drain()
        for connection in (self._reader, self._writer, self._long_reader):
            await connection.close()

    async def read(self, query: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `query(connection, …)` returns. For short queries: those of other calls wait meanwhile."""
        return await self._reads.run(lambda connection: query(connection, *args, **kwargs))

    async def read_long(self, query: LongQuery[T], *, seconds: float = LONG_READ_SECONDS) -> T:
        """What `query(connection, check)` returns, which may take a while: on a reader of its own, one at a time.

        All that it reads is of one moment. Raises TookTooLong after so many seconds, or when the database is closed:
        SQLite looks at the time itself, what the query does between two rows has to, by `check()`.
        """

        def run(connection: sqlite3.Connection) -> T:
            deadline = time.monotonic() + seconds

            def is_over() -> bool:
                return self._closed or time.monotonic() > deadline

            def check() -> None:
                if is_over():
                    raise TookTooLong

            connection.set_progress_handler(is_over, STEPS_BETWEEN_CHECKS)
            connection.execute("BEGIN")
            try:
                return query(connection, check)
            except sqlite3.OperationalError as error:
                raise TookTooLong if is_over() else error from error
            finally:
                connection.set_progress_handler(None, 0)
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

        return await self._long_reader.run(run)

    async def threads(self) -> list[int]:
        """The native ids of the threads that calls wait for."""
        return [await self._reader.thread_id(), await self._writer.thread_id()]

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
        query: LongQuery[T],  # noqa: ARG002
        *,
        seconds: float = LONG_READ_SECONDS,  # noqa: ARG002
    ) -> T:
        raise DatabaseUnusable(self._reason.path, self._reason.reason)

    async def write(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:  # noqa: ARG002
        raise DatabaseUnusable(self._reason.path, self._reason.reason)
