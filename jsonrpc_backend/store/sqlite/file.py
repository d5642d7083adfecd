"""The file of one backend, as the rest of the program sees it."""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from jsonrpc_backend.store.data_dir_lock import LOCK_FILE, Holder, taken
from jsonrpc_backend.store.engine import DatabaseUnusable, Db, StoreFailed, WritableDb
from jsonrpc_backend.store.sizes import Sizes
from jsonrpc_backend.store.sqlite import sizes
from jsonrpc_backend.store.sqlite.backup import copy_database
from jsonrpc_backend.store.sqlite.connection import SqliteConnection
from jsonrpc_backend.store.sqlite.database_file import SCHEMA, open_for_writing, schema_of
from jsonrpc_backend.store.sqlite.dialect import SqliteDialect
from jsonrpc_backend.store.sqlite.errors import translating
from jsonrpc_backend.store.sqlite.reading import is_copy, reading, reading_nothing

if TYPE_CHECKING:
    from jsonrpc_backend.store.sqlite.database import SqliteDatabase

CACHE_KIB = 131_072  # of who moves in many users: their indexes stay in memory until they are written


class SqliteFile:
    """An `Engine`."""

    dialect = SqliteDialect()

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def exists(self) -> bool:
        return self._path.is_file()

    async def open(self) -> "SqliteDatabase":
        from jsonrpc_backend.store.sqlite.database import SqliteDatabase  # noqa: PLC0415 (asyncio: for a server)

        return await SqliteDatabase.open(self._path)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Db]:
        with translating(), reading(self._path) if self.exists() else reading_nothing() as connection:
            connection.execute("BEGIN")
            yield connection

    @contextlib.contextmanager
    def writing(self, tell: Callable[[str], None]) -> Iterator[WritableDb]:
        with translating(), contextlib.closing(self._open_beside_server(tell)) as connection:
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            yield connection

    def _open_beside_server(self, tell: Callable[[str], None]) -> SqliteConnection:
        file = self._path.parent / LOCK_FILE
        try:
            holder = Holder.read(file)
        except OSError:  # no server has ever run here
            return open_for_writing(self._path, tell)
        if holder.schema == SCHEMA:
            return open_for_writing(self._path, tell)
        with taken(file) as nobody_runs:  # until it is migrated: no server of the other version may start meanwhile
            if not nobody_runs and (holder.schema is not None or self._is_old()):
                version = f"schema {holder.schema}" if holder.schema is not None else "an older schema"
                what = f"a server that works on {version} is running{holder}; this version works on schema {SCHEMA}"
                raise DatabaseUnusable(self, f"{what}. Use the commands of the server's version, or stop it.")
            return open_for_writing(self._path, tell)

    def _is_old(self) -> bool:
        return self.exists() and 0 < self._schema() < SCHEMA

    def _schema(self) -> int:
        with translating(), reading(self._path, of_any_schema=True) as connection:
            return schema_of(connection)

    def measure(self, *, used_after: int, created_after: int) -> Sizes:
        try:
            return sizes.measure(self._path, used_after=used_after, created_after=created_after)
        except (sqlite3.Error, OSError) as error:
            raise StoreFailed(str(error)) from error

    def bytes_in_use(self, db: Db) -> int:
        return sizes.bytes_in_use(db)

    def is_copy(self) -> bool:
        return is_copy(self._path)

    def is_empty(self) -> bool:
        return self._schema() == 0

    def is_writable(self) -> bool:
        return os.access(self._path, os.W_OK)

    def copy_to(self, folder: Path) -> None:
        with translating(), reading(self._path, of_any_schema=True) as connection:
            copy_database(connection, folder / self._path.name)

    def files(self) -> list[Path]:
        return [self._path.with_name(self._path.name + ending) for ending in ("-wal", "-shm", "")]
