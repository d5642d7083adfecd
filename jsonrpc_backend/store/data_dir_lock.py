"""One server for each data folder: two would keep sessions alive, send mails and count guesses beside each other.

The operating system holds the lock, so it ends with the process, however that ends. The commands that work beside a
running server (`user`, `mail`, `backup`) do not take it; but its file tells those that write whether that server works
on another schema than theirs.
"""

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jsonrpc_backend.store.engine import DatabaseUnusable
from jsonrpc_backend.store.sqlite.database_file import SCHEMA

LOCK_FILE = "server.lock"


@dataclass(frozen=True)
class Holder:
    """Who holds the lock, or was the last to hold it, as far as the file tells; older versions wrote no schema."""

    process: str | None
    schema: int | None

    @classmethod
    def read(cls, file: Path) -> "Holder":
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
            raise DatabaseUnusable(data_dir, f"another server is running on this folder{Holder.read(file)}. {stop}")
        with contextlib.suppress(OSError):  # for messages only; a full disk must not keep the server from starting
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()} {SCHEMA}".encode())
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def taken(file: Path) -> Iterator[bool]:
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
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise DatabaseUnusable(file, f"cannot be locked: {error.strerror}") from error
    return True
