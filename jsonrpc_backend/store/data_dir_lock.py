"""One server for each data folder: two would keep sessions alive, send mails and count guesses beside each other.

The operating system holds the lock, so it ends with the process, however that ends. The commands that work beside a
running server (`user`, `mail`, `backup`) do not take it.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from jsonrpc_backend.store.database_file import DatabaseUnusable

LOCK_FILE = "server.lock"
_LOCKED_BYTE = 1 << 20  # on Windows a locked byte cannot be read, so it is not one of those that hold the process id


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
        try:
            _lock(descriptor)
        except (BlockingIOError, PermissionError) as error:
            raise DatabaseUnusable(data_dir, _who(descriptor)) from error
        except OSError as error:
            raise DatabaseUnusable(file, f"cannot be locked: {error.strerror}") from error
        with contextlib.suppress(OSError):  # for the message only; a full disk must not keep the server from starting
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def _who(descriptor: int) -> str:
    number = os.read(descriptor, 20)
    process = f" (process {number.decode()})" if number.isdigit() else ""
    return f"another server is running on this folder{process}. Stop it, or choose another folder with --data."


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
