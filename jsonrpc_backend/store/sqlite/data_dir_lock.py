"""One server for each data folder: two would keep sessions alive, send mails and count guesses beside each other.

The operating system holds the lock, so it ends with the process, however that ends. The commands that work beside a
running server (`user`, `mail`, `backup`) do not take it; but its file tells those that write whether that server works
on another schema than theirs.
"""

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jsonrpc_backend.store.engine import DatabaseUnusable
from jsonrpc_backend.store.sqlite.connection import SqliteConnection
from jsonrpc_backend.store.sqlite.database_file import SCHEMA, open_for_writing, schema_of
from jsonrpc_backend.store.sqlite.reading import reading

LOCK_FILE = "server.lock"
_LOCKED_BYTE = 1 << 20  # on Windows a locked byte cannot be read, so it is not one of those that tell the holder


@dataclass(frozen=True)
class _Holder:
    """Who holds the lock, or was the last to hold it, as far as the file tells; older versions wrote no schema."""

    process: str | None
    schema: int | None

    @classmethod
    def read(cls, file: Path) -> "_Holder":
        """Raises OSError."""
        found = re.fullmatch(r"(\d+)(?: (\d+))?", file.read_bytes()[:40].decode("ascii", "replace"))
        return cls(found[1] if found else None, int(found[2]) if found and found[2] else None)

    def __str__(self) -> str:
        return f" (process {self.process})" if self.process else ""


@contextlib.contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Keeps other servers off the folder, which is made where there is none. Raises DatabaseUnusable."""
    file = data_dir / LOCK_FILE
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise DatabaseUnusable(data_dir, f"cannot be used: {error.strerror}") from error
    try:
        if not _take(descriptor, file):
            stop = "Stop it, or choose another folder with --data."
            raise DatabaseUnusable(data_dir, f"another server is running on this folder{_Holder.read(file)}. {stop}")
        with contextlib.suppress(OSError):  # for messages only; a full disk must not keep the server from starting
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()} {SCHEMA}".encode())
        yield
    finally:
        os.close(descriptor)


def open_beside_server(path: Path, tell: Callable[[str], None]) -> SqliteConnection:
    """`open_for_writing` for commands: refuses where a server runs that works on another schema.

    Raises DatabaseUnusable.
    """
    file = path.parent / LOCK_FILE
    try:
        holder = _Holder.read(file)
    except OSError:  # no server has ever run here
        return open_for_writing(path, tell)
    if holder.schema == SCHEMA:
        return open_for_writing(path, tell)
    with _taken(file) as nobody_runs:  # until the file is migrated: no server of the other version may start meanwhile
        if not nobody_runs and (holder.schema is not None or _is_old(path)):
            version = f"schema {holder.schema}" if holder.schema is not None else "an older schema"
            what = f"a server that works on {version} is running{holder}; this version works on schema {SCHEMA}"
            raise DatabaseUnusable(path, f"{what}. Use the commands of the server's version, or stop it.")
        return open_for_writing(path, tell)


def _is_old(path: Path) -> bool:
    if not path.is_file():
        return False
    with reading(path, of_any_schema=True) as db:
        return 0 < schema_of(db) < SCHEMA


@contextlib.contextmanager
def _taken(file: Path) -> Iterator[bool]:
    """Takes the lock of a file that is there, unless a server has it: whether it could be taken."""
    try:
        descriptor = os.open(file, os.O_RDWR)
    except OSError as error:
        raise DatabaseUnusable(file, f"cannot be opened: {error.strerror}") from error
    try:
        yield _take(descriptor, file)
    finally:
        os.close(descriptor)


def _take(descriptor: int, file: Path) -> bool:
    """Whether nobody else has the lock. Raises DatabaseUnusable where files cannot be locked."""
    try:
        _lock(descriptor)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise DatabaseUnusable(file, f"cannot be locked: {error.strerror}") from error
    return True


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
