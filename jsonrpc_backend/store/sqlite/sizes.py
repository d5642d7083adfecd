"""How much a file holds."""

import contextlib
from pathlib import Path

from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.sizes import Sizes
from jsonrpc_backend.store.sqlite.connection import connect


def measure(path: Path, *, used_after: int, created_after: int) -> Sizes:
    """Counts on a connection of its own, for that may take long. Raises sqlite3.Error, OSError. Blocking."""
    with contextlib.closing(connect(path, read_only=True)) as db:
        return Sizes(
            _number(db, "SELECT count(*) FROM users"),
            _number(
                db, "SELECT count(*) FROM sessions WHERE used_at > ? AND created_at > ?", used_after, created_after
            ),
            _number(db, "SELECT count(*) FROM collections"),
            _number(db, "SELECT count(*) FROM items"),
            path.stat().st_size,
            _size(path.with_name(f"{path.name}-wal")),
        )


def bytes_in_use(db: Db) -> int:
    """Without the pages that wait to be used again."""
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
