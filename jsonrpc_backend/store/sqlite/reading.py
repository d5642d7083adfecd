"""Looking into a database file without changing it or its folder.

What lies there decides how:

- no log (`-wal`): nobody has the file open. It is read as it is, for SQLite would make a log, and leave it.
- a log and its index (`-shm`): somebody has the file open, or was killed. It is read beside them; of the folder only
  the index changes, which is memory that processes share.
- a log without an index: somebody has copied them. A copy of both is read, in a temporary folder.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jsonrpc_backend.store.engine import DatabaseUnusable
from jsonrpc_backend.store.sqlite.connection import SqliteConnection
from jsonrpc_backend.store.sqlite.database_file import SCHEMA, open_as_it_is, open_in_memory, schema_of

_LOG_VERSION = slice(18, 20)  # of the header: 2 2 once SQLite has been told to keep a log, else 1 1


@contextlib.contextmanager
def reading(path: Path, *, of_any_schema: bool = False) -> Iterator[SqliteConnection]:
    """A connection that cannot write, to a file that is there. Raises DatabaseUnusable."""
    log, index = _beside(path, "-wal"), _beside(path, "-shm")
    with contextlib.ExitStack() as stack:
        if not log.exists() or (log.stat().st_size == 0 and not index.exists()):
            stack.enter_context(_left_alone(path))
            connection = open_as_it_is(path, "immutable=1")
        elif index.exists():
            connection = open_as_it_is(path, "mode=ro")
        else:
            connection = open_as_it_is(stack.enter_context(_copied(path, log)), "mode=ro")
        stack.enter_context(contextlib.closing(connection))
        if not of_any_schema:
            _check_schema(connection, path)
        yield connection


@contextlib.contextmanager
def reading_nothing() -> Iterator[SqliteConnection]:
    """The same for a file that is still to be made: a database without users, in memory."""
    with contextlib.closing(open_in_memory()) as connection:
        yield connection


def is_copy(path: Path) -> bool:
    """Whether the file is as `backup` and migrations write copies: no server has been started on it since."""
    with path.open("rb") as stream:
        return stream.read(20)[_LOG_VERSION] == b"\x01\x01"


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


@contextlib.contextmanager
def _left_alone(path: Path) -> Iterator[None]:
    """Raises DatabaseUnusable where somebody has written to the file meanwhile: what was read is then worth nothing."""
    before = _state(path)
    try:
        yield
    finally:
        if _state(path) != before:
            raise DatabaseUnusable(path, "was written to while it was read. Run the command again.")


def _state(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


@contextlib.contextmanager
def _copied(path: Path, log: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="jsonrpc-backend-") as folder:
        for file in (path, log):
            shutil.copyfile(file, Path(folder) / file.name)
        yield Path(folder) / path.name


def _check_schema(connection: SqliteConnection, path: Path) -> None:
    version = schema_of(connection)
    if version < SCHEMA:
        how = "Start the server once, which brings the file up to date and keeps a copy of it"
        raise DatabaseUnusable(
            path, f"has schema {version}, and this version reads schema {SCHEMA}. {how}; or do so with a copy of yours."
        )
