"""One SQLite file: a writer whose transactions share commits, readers beside it, migrations."""

import asyncio
import contextlib
import functools
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import aiosqlite

from jsonrpc_backend.store.migrations import MIGRATIONS

P = ParamSpec("P")
T = TypeVar("T")

# A query or a whole transaction: a function of an open connection that runs on a database thread.
Unit = Callable[Concatenate[sqlite3.Connection, P], T]

APPLICATION_ID = 0x4A525042  # "JRPB", so that a file of another program is not taken for ours
READERS = 2
MAX_UNITS_PER_COMMIT = 256
BUSY_TIMEOUT_MS = 5000  # how long to wait for another process (the command line) that is writing


class DatabaseUnusable(Exception):
    """The file cannot serve as a backend's database; the message names it and says why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode with the settings that every user of the file needs.

    FULL keeps an acknowledged write through a power cut; NORMAL would not in WAL mode.
    """
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA synchronous = FULL")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Creates the file where there is none, readable by its owner only, and brings its schema up to date.

    Raises DatabaseUnusable.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = connect(path)
    except (OSError, sqlite3.Error) as error:
        raise DatabaseUnusable(path, f"cannot be opened: {error}") from error
    try:
        _check_file(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        _migrate(connection)
    except sqlite3.Error as error:
        connection.close()
        raise DatabaseUnusable(path, f"cannot be used: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(path: Path) -> None:
    open_for_writing(path).close()


def _check_file(connection: sqlite3.Connection, path: Path) -> None:
    """Refuses, unchanged, a file that another program or a newer version has written. Raises DatabaseUnusable."""
    is_empty = connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None
    if not is_empty and _pragma(connection, "application_id") != APPLICATION_ID:
        raise DatabaseUnusable(path, "is a database of another program")
    version = _pragma(connection, "user_version")
    if version > len(MIGRATIONS):
        reason = f"was written by a newer version (schema {version}; this version knows {len(MIGRATIONS)})"
        raise DatabaseUnusable(path, reason)


def _migrate(connection: sqlite3.Connection) -> None:
    """Takes the missing steps in one transaction, so that two processes cannot take one twice."""
    if _pragma(connection, "user_version") == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in MIGRATIONS[_pragma(connection, "user_version") :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


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


class _ThreadedConnection(aiosqlite.Connection):
    """An aiosqlite connection that runs a whole function in one hop to its thread."""

    under_way = 0

    async def run(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        self.under_way += 1
        try:
            # Without arguments of its own, because aiosqlite writes those into its debug log.
            result: T = await self._execute(lambda: unit(self._conn))  # type: ignore[no-untyped-call]
            return result
        finally:
            self.under_way -= 1


class Database:
    """The file of one backend, from the event loop's side."""

    def __init__(self, writer: _ThreadedConnection, readers: list[_ThreadedConnection]) -> None:
        self._writer = writer
        self._readers = readers
        self._waiting: list[tuple[Callable[[sqlite3.Connection], Any], asyncio.Future[Any]]] = []
        self._committer: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> "Database":
        """Opens the file, making or migrating it where needed. Raises DatabaseUnusable."""
        # Before aiosqlite comes in: when its first step fails, its thread outlives the event loop.
        await asyncio.to_thread(_prepare, path)
        opened: list[_ThreadedConnection] = []
        try:
            for read_only in [False] + [True] * READERS:
                connection = _ThreadedConnection(functools.partial(connect, path, read_only=read_only), 64)
                await connection
                opened.append(connection)
        except BaseException:
            for connection in opened:
                await connection.close()
            raise
        return cls(opened[0], opened[1:])

    async def close(self) -> None:
        """Lets the writes that were accepted finish, then closes every connection."""
        self._closed = True
        while self._committer is not None:
            await asyncio.wait([self._committer])
        for connection in [*self._readers, self._writer]:
            await connection.close()

    async def read(self, query: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `query(connection, …)` returns, on the reader that has least to do."""
        reader = min(self._readers, key=lambda connection: connection.under_way)
        return await reader.run(lambda connection: query(connection, *args, **kwargs))

    async def check(self) -> None:
        """Raises sqlite3.Error when the file does not answer."""
        await self.read(lambda db: db.execute("SELECT key FROM users LIMIT 1").fetchone())

    async def write(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `unit(connection, …)` as one transaction; returns when it is on the disk.

        Writes that wait at the same time share one commit, for a flush of the disk costs far more than a row.
        What the unit raises takes its work back and is raised here. A caller that is cancelled meanwhile does not
        stop the unit: it is done as a whole or not at all.
        """
        if self._closed:
            raise RuntimeError("the database is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((lambda connection: unit(connection, *args, **kwargs), future))
        if self._committer is None:
            self._committer = asyncio.create_task(self._commit_waiting())
        return await future

    async def _commit_waiting(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:MAX_UNITS_PER_COMMIT], self._waiting[MAX_UNITS_PER_COMMIT:]
                units, futures = zip(*group, strict=True)
                _settle(futures, await self._commit(list(units)))
        finally:
            self._committer = None

    async def _commit(self, units: list[Callable[[sqlite3.Connection], Any]]) -> list[Any | Exception]:
        try:
            return await self._writer.run(lambda connection: _commit_together(connection, units))
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
