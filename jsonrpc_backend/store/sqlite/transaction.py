"""Transactions that write, one at a time in all processes that have a file open.

SQLite's own lock is polled: who has just committed gets it again before who has been asleep meanwhile, so that one
waits for 60 ms where a queue takes 16. And before SQLite 3.51.3 two that write or checkpoint at once may damage the
log (its "WAL-reset" fault); SQLite checkpoints as a part of COMMIT.
"""

import contextlib
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

from jsonrpc_backend.store.engine import StoreFailed

# Of the files beside the database that are locked: by who writes, and by who is next.
ENDINGS = ("-writer", "-next")

# Then one who waits for his turn is told that it does not come. The end of a large import may take half of it.
SECONDS_FOR_A_TURN = 60.0


def turn_does_not_come() -> StoreFailed:
    return StoreFailed(
        f"another process has been writing to it for {SECONDS_FOR_A_TURN:.0f} seconds:"
        " a large import, or a worker or command that has been stopped (SIGSTOP, Ctrl+Z); continue or end that"
    )


class WriterLock:
    """Held by one process at a time; the others sleep, and get it in turn. It ends with its process, however that ends.

    There are two locks, for the system gives a single one to whoever asks first when it becomes free: that is who has
    just had it. Here he finds the place of the next one taken.
    """

    def __init__(self, database: Path) -> None:
        """The files are made when they are needed: who only reads leaves the folder as it is."""
        self._database = database
        self._descriptors: list[int] = []

    @contextlib.contextmanager
    def held(self, *, however_long: bool = False) -> Iterator[None]:
        """Waits for SECONDS_FOR_A_TURN at most. Raises StoreFailed then, and where the files cannot be had."""
        writer, following = self._descriptors or self._open()
        if however_long:
            _take(writer, following)
        elif not _is_free_and_taken(writer, following):
            self._take_in_time(writer, following)
        try:
            yield
        finally:
            fcntl.flock(writer, fcntl.LOCK_UN)

    def _take_in_time(self, writer: int, following: int) -> None:
        """The system knows no limit for it: so a thread waits, and stays behind with the files where it is given up."""
        turn: Future[None] = Future()

        def wait() -> None:
            _take(writer, following)
            if turn.set_running_or_notify_cancel():
                turn.set_result(None)
            else:
                os.close(writer)
                os.close(following)

        threading.Thread(target=wait, daemon=True).start()
        try:
            turn.result(SECONDS_FOR_A_TURN)
        except TimeoutError:
            if turn.cancel():
                self._descriptors = []
                raise turn_does_not_come() from None
            turn.result()

    def close(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _open(self) -> list[int]:
        # Of its own: a connection crosses no fork, nor may its locks.
        for ending in ENDINGS:
            try:
                self._descriptors.append(self._open_one(self._database.with_name(self._database.name + ending)))
            except OSError as error:
                self.close()
                raise StoreFailed(f"cannot be locked: {error}") from error
        return self._descriptors

    def _open_one(self, file: Path) -> int:
        descriptor = os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        owner = self._database.stat()
        if os.geteuid() == 0 and owner.st_uid != 0:  # a command that root runs must not keep the server out
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        return descriptor


def _take(writer: int, following: int) -> None:
    fcntl.flock(following, fcntl.LOCK_EX)
    try:
        fcntl.flock(writer, fcntl.LOCK_EX)
    finally:
        fcntl.flock(following, fcntl.LOCK_UN)


def _is_free_and_taken(writer: int, following: int) -> bool:
    """Takes it unless somebody has it, or waits for it."""
    try:
        fcntl.flock(following, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    try:
        fcntl.flock(writer, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        fcntl.flock(following, fcntl.LOCK_UN)
    return True


class TransactingConnection(sqlite3.Connection):
    """A connection in autocommit mode. `lock` is set by who opens it."""

    lock: WriterLock

    @contextlib.contextmanager
    def transaction(self, *, however_long: bool = False) -> Iterator[None]:
        """Commits at the end, unless the block raises. Raises StoreFailed, sqlite3.Error: then nothing is done.

        `however_long` it takes until other processes let it begin.
        """
        with self.lock.held(however_long=however_long):
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.execute("COMMIT")
            finally:
                if self.in_transaction:
                    self.execute("ROLLBACK")

    def close(self) -> None:
        super().close()
        self.lock.close()

    def close_in_turn(self) -> None:
        """The last one of its process, while no other process closes its own.

        Of several that close at once each takes another one for the last, and none takes the log into the file.
        """
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(StoreFailed):
                stack.enter_context(self.lock.held())
            super().close()
        self.lock.close()
