"""A connection to a SQLite file."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.sqlite.errors import translating
from jsonrpc_backend.store.sqlite.transaction import TransactingConnection, WriterLock
from jsonrpc_backend.store.sqlite.units import commit_one

T = TypeVar("T")

BUSY_TIMEOUT_MS = 5000  # how long to wait for a program that writes and does not know our lock, such as sqlite3
KEPT_LOG_BYTES = 64 << 20  # the log grows beside a long backup; from here on the space is given back
CACHED_STATEMENTS = 256


class SqliteConnection(TransactingConnection):
    """A `WritableDb` in autocommit mode."""

    def write(self, unit: Callable[[Db], T]) -> T:
        """Runs one unit as a transaction of its own."""
        with translating():
            outcome = commit_one(self, unit)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome


def connect(path: Path, how: str = "", *, read_only: bool = False) -> SqliteConnection:
    """A connection with the settings that every user of the file needs.

    `how`: parameters of SQLite's URIs, such as "mode=ro".

    FULL keeps an acknowledged write through a power cut; NORMAL would not in WAL mode. secure_delete overwrites what
    is deleted, so that a user who is gone is gone from the file too; it costs nothing that could be measured.
    """
    name = f"{path.absolute().as_uri()}?{how}" if how else path
    connection = sqlite3.connect(
        name, isolation_level=None, cached_statements=CACHED_STATEMENTS, uri=bool(how), factory=SqliteConnection
    )
    connection.lock = WriterLock(path)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(f"PRAGMA journal_size_limit = {KEPT_LOG_BYTES}")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection
