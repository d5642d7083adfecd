"""The file of one backend: its settings, its schema, and what is refused at the door."""

import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from jsonrpc_backend.store.engine import DatabaseUnusable
from jsonrpc_backend.store.sqlite.backup import CopyDamaged, copy_database
from jsonrpc_backend.store.sqlite.connection import SqliteConnection, connect
from jsonrpc_backend.store.sqlite.migrations import MIGRATIONS

log = logging.getLogger(__name__)

SCHEMA = len(MIGRATIONS)  # of the files that this version works on
APPLICATION_ID = 0x4A525042  # "JRPB", so that a file of another program is not taken for ours
CHECKED_AT_START_BYTES = 256 << 20  # reading all pages takes about a second per GB; larger files `backup` checks


def open_for_writing(path: Path, tell: Callable[[str], None] = log.warning) -> SqliteConnection:
    """Creates the file where there is none, readable by its owner only, and brings its schema up to date.

    `tell` gets a sentence about the latter. Raises DatabaseUnusable.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise DatabaseUnusable(path, f"cannot be opened: {error}") from error
    connection = open_as_it_is(path)
    with _closed_on_failure(connection, path):
        with connection.lock.held():
            connection.execute("PRAGMA journal_mode = WAL")
        migrated = _migrate(connection, path)
    if migrated:
        tell(f"{path}: {migrated}")
    return connection


def open_in_memory() -> SqliteConnection:
    """A database without users, of today's schema."""
    connection = connect(Path(":memory:"))
    _take_steps(connection, 0)
    return connection


def open_as_it_is(path: Path, how: str = "") -> SqliteConnection:
    """Opens a file that is there (`how`: see connect) and leaves its schema alone. Raises DatabaseUnusable."""
    try:
        connection = connect(path, how)
    except sqlite3.Error as error:
        raise DatabaseUnusable(path, f"cannot be opened: {error}") from error
    with _closed_on_failure(connection, path):
        _check_origin(connection, path)
    return connection


@contextlib.contextmanager
def _closed_on_failure(connection: SqliteConnection, path: Path) -> Iterator[None]:
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


def _check_origin(connection: SqliteConnection, path: Path) -> None:
    """Refuses, unchanged, a file that another program or a newer version has written. Raises DatabaseUnusable."""
    is_empty = connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None
    if not is_empty and _pragma(connection, "application_id") != APPLICATION_ID:
        raise DatabaseUnusable(path, "is a database of another program")
    version = schema_of(connection)
    if version > len(MIGRATIONS):
        reason = f"was written by a newer version (schema {version}; this version knows {len(MIGRATIONS)})"
        raise DatabaseUnusable(path, reason)


def schema_of(connection: SqliteConnection) -> int:
    """How many of the migrations the file has taken; 0 for an empty one."""
    return _pragma(connection, "user_version")


def _migrate(connection: SqliteConnection, path: Path) -> str | None:
    """Takes the missing steps in one transaction, so that two processes cannot take one twice.

    Steps only go forward; a copy of the file as it was stays beside it for who has to go back. Returns what is to be
    said of it.
    """
    if schema_of(connection) == len(MIGRATIONS):
        return None
    migrated = None
    with connection.transaction():
        version = schema_of(connection)
        if 0 < version < len(MIGRATIONS):
            copy = _copy_before_migration(path)
            migrated = f"migrated from schema {version} to {len(MIGRATIONS)}; a copy is in {copy}"
        _take_steps(connection, version)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    return migrated


def _take_steps(connection: SqliteConnection, taken: int) -> None:
    for step in MIGRATIONS[taken:]:
        for statement in step:
            connection.execute(statement)


def _copy_before_migration(path: Path) -> Path:
    """Through a connection of its own: the caller's holds the lock that keeps all writers off meanwhile."""
    copy = path.with_name(f"{path.name}.before-schema-{len(MIGRATIONS)}")
    with contextlib.closing(connect(path)) as reader:
        copy_database(reader, copy)
    return copy


def _pragma(connection: SqliteConnection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
