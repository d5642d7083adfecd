"""One open SQLite file: a writer whose transactions share commits, and readers beside it."""

import asyncio
import functools
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import aiosqlite

from jsonrpc_backend.store.engine import LONG_READ_SECONDS, DatabaseUnusable, LongQuery, P, T, TookTooLong, Work
from jsonrpc_backend.store.sqlite.connection import SqliteConnection, connect
from jsonrpc_backend.store.sqlite.database_file import check_pages, open_for_writing
from jsonrpc_backend.store.sqlite.errors import translating
from jsonrpc_backend.store.sqlite.unit_queue import UnitQueue
from jsonrpc_backend.store.sqlite.units import commit_together, run_each

STEPS_BETWEEN_CHECKS = 100_000  # of SQLite's machine: some milliseconds


def _prepare(path: Path) -> None:
    check_pages(path)
    open_for_writing(path).close()


class _ThreadedConnection(aiosqlite.Connection):
    """An aiosqlite connection that runs a whole function in one hop to its thread."""

    async def run(self, unit: Callable[[SqliteConnection], T]) -> T:
        # Without arguments of its own, because aiosqlite writes those into its debug log.
        result: T = await self._execute(lambda: unit(cast(SqliteConnection, self._conn)))  # type: ignore[no-untyped-call]
        return result

    async def thread_id(self) -> int:
        """The native id of its thread."""
        return await self.run(lambda _: threading.get_native_id())


async def _connect(path: Path, *, read_only: bool) -> _ThreadedConnection:
    connection = _ThreadedConnection(functools.partial(connect, path, read_only=read_only), 64)
    await connection
    return connection


class SqliteDatabase:
    """A `Database`: the file of one backend, from the event loop's side."""

    def __init__(
        self,
        path: Path,
        writer: _ThreadedConnection,
        reader: _ThreadedConnection,
        long_reader: _ThreadedConnection,
    ) -> None:
        self._writes = UnitQueue(writer.run, commit_together)
        self._reads = UnitQueue(reader.run, run_each)
        self._writer, self._reader, self._long_reader = writer, reader, long_reader
        self._path = path
        self._searchers: list[_ThreadedConnection] = []
        self._free_searchers: list[_ThreadedConnection] = []
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> "SqliteDatabase":
        """Opens the file, making or migrating it where needed. Raises DatabaseUnusable."""
        # Before aiosqlite comes in: when its first step fails, its thread outlives the event loop.
        await asyncio.to_thread(_prepare, path)
        try:
            return await cls._connected(path)
        except sqlite3.Error as error:
            raise DatabaseUnusable(path, f"cannot be opened: {error}") from error

    @classmethod
    async def _connected(cls, path: Path) -> "SqliteDatabase":
        opened: list[_ThreadedConnection] = []
        try:
            for read_only in (False, True, True):
                opened.append(await _connect(path, read_only=read_only))  # noqa: PERF401 (those that are open are closed below)
        except BaseException:
            for connection in opened:
                await connection.close()
            raise
        return cls(path, *opened)

    async def close(self) -> None:
        self._closed = True
        await self._reads.drain()
        await self._writes.drain()
        for connection in (self._reader, self._long_reader, *self._searchers):
            await connection.close()
        await self._writer.run(SqliteConnection.close_in_turn)
        await self._writer.close()  # its thread

    async def read(self, query: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._reads.run(lambda connection: query(connection, *args, **kwargs))

    async def read_long(self, query: LongQuery[T], *, seconds: float = LONG_READ_SECONDS) -> T:
        """On a reader of its own."""
        return await self._run_long(self._long_reader, query, seconds)

    async def search(self, query: LongQuery[T], *, seconds: float) -> T:
        """On a connection that no other search is using; more are opened as they are needed, and kept."""
        if not self._free_searchers:
            connection = await _connect(self._path, read_only=True)
            self._searchers.append(connection)
            self._free_searchers.append(connection)
        connection = self._free_searchers.pop()
        try:
            return await self._run_long(connection, query, seconds)
        finally:
            self._free_searchers.append(connection)

    async def _run_long(self, connection: _ThreadedConnection, query: LongQuery[T], seconds: float) -> T:
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

        with translating():
            return await connection.run(run)

    async def threads(self) -> list[int]:
        return [await self._reader.thread_id(), await self._writer.thread_id()]

    async def check(self) -> None:
        await self.read(lambda db: db.execute("SELECT key FROM users LIMIT 1").fetchone())

    async def write(self, unit: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Writes that wait at the same time share one commit, for a flush of the disk costs far more than a row."""
        if self._closed:
            raise RuntimeError("the database is closed")
        return await self._writes.run(lambda connection: unit(connection, *args, **kwargs))
