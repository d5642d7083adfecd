"""The file of one backend: its settings, its schema, and what is refused at the door."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from jsonrpc_backend.store.backup import CopyDamaged, copy_database
from jsonrpc_backend.store.migrations import MIGRATIONS

APPLICATION_ID = 0x4A525042  # "JRPB", so that a file of another program is not taken for ours
BUSY_TIMEOUT_MS = 5000  # how long to wait for another process (the command line) that is writing
KEPT_LOG_BYTES = 64 << 20  # the log grows beside a long backup; from here on the space is given back
CHECKED_AT_START_BYTES = 256 << 20  # reading all pages takes about a second per GB; larger files `backup` checks


class DatabaseUnusable(Exception):
    """The file cannot serve as a backend's database; the message names it and says why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode with the settings that every user of the file needs.

    FULL keeps an acknowledged write through a power cut; NORMAL would not in WAL mode. secure_delete overwrites what
    is deleted, so that a user who is gone is gone from the file too; it costs nothing that could be measured.
    """
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
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


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Creates the file where there is none, readable by its owner only, and brings its schema up to date.

    Raises DatabaseUnusable.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise DatabaseUnusable(path, f"cannot be opened: {error}") from error
    connection = open_as_it_is(path)
    with _closed_on_failure(connection, path):
        connection.execute("PRAGMA journal_mode = WAL")
        _migrate(connection, path)
    return connection


def open_as_it_is(path: Path) -> sqlite3.Connection:
    """Opens a file that is there and leaves its schema alone. Raises DatabaseUnusable."""
    try:
        connection = connect(path)
    except sqlite3.Error as error:
        raise DatabaseUnusable(path, f"cannot be opened: {error}") from error
    with _closed_on_failure(connection, path):
        _check_origin(connection, path)
    return connection


@contextlib.contextmanager
def _closed_on_failure(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Closes the connection when the block fails; raises DatabaseUnusable for what SQLite or the disk refuses."""
    try:
        yield
    except (sqlite3.Error, OSError, CopyDamaged) as error:
        connection.close()
        raise DatabaseUnusable(path, f"cannot be used: {error}") from error
    except BaseException:
        connection.close()
        raise


def check_pages(path: Path) -> None:
    """Refuses a file whose pages are damaged, unless it is too large to look at them all. Raises DatabaseUnusable."""
    try:
        if not path.is_file() or not 0 < path.stat().st_size <= CHECKED_AT_START_BYTES:
            return
        with contextlib.closing(open_as_it_is(path)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except (OSError, sqlite3.Error) as error:
        raise DatabaseUnusable(path, f"cannot be read: {error}") from error
    if verdict != "ok":
        raise DatabaseUnusable(path, f"is damaged ({' '.join(verdict.split())}). Restore a backup.")


def _check_origin(connection: sqlite3.Connection, path: Path) -> None:
    """Refuses, unchanged, a file that another program or a newer version has written. Raises DatabaseUnusable."""
    is_empty = connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None
    if not is_empty and _pragma(connection, "application_id") != APPLICATION_ID:
        raise DatabaseUnusable(path, "is a database of another program")
    version = _pragma(connection, "user_version")
    if version > len(MIGRATIONS):
        reason = f"was written by a newer version (schema {version}; this version knows {len(MIGRATIONS)})"
        raise DatabaseUnusable(path, reason)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Takes the missing steps in one transaction, so that two processes cannot take one twice.

    Steps only go forward; a copy of the file as it was stays beside it for who has to go back.
    """
    if _pragma(connection, "user_version") == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _pragma(connection, "user_version")
        if 0 < version < len(MIGRATIONS):
            _copy_before_migration(path)
        for step in MIGRATIONS[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _copy_before_migration(path: Path) -> None:
    """Through a connection of its own: the caller's holds the lock that keeps all writers off meanwhile."""
    with contextlib.closing(connect(path)) as reader:
        copy_database(reader, path.with_name(f"{path.name}.before-schema-{len(MIGRATIONS)}"))


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
