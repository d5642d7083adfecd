"""How much a backend's file holds."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.sessions import Ended
from jsonrpc_backend.store.sqlite.connection import connect
from jsonrpc_backend.store.sqlite.errors import translating


@dataclass(frozen=True, slots=True)
class Sizes:
    """`file_bytes` and `log_bytes` (of the write-ahead log) are what they take on the disk."""

    users: int
    sessions: int
    file_bytes: int
    log_bytes: int


def measure(path: Path, ended: Ended) -> Sizes:
    """Counts on a connection of its own, for that may take long. Raises StoreFailed, OSError. Blocking."""
    with translating(), contextlib.closing(connect(path, read_only=True)) as db:
        return Sizes(
            _number(db, "SELECT count(*) FROM users"),
            _number(db, "SELECT count(*) FROM sessions WHERE used_at > ? AND created_at > ?", *ended),
            path.stat().st_size,
            _size(path.with_name(f"{path.name}-wal")),
        )


def bytes_in_use(db: Db) -> int:
    """Of a database, without the pages that wait to be used again; what a transaction has done so far counts."""
    pages = _number(db, "PRAGMA page_count") - _number(db, "PRAGMA freelist_count")
    return pages * _number(db, "PRAGMA page_size")


def _number(db: Db, query: str, *values: int) -> int:
    number: int = db.execute(query, values).fetchone()[0]
    return number


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
