"""What counts against the limits of the throttle: who has done something, as a digest, and when."""

import sqlite3
from collections.abc import Iterable


def insert(db: sqlite3.Connection, scopes: Iterable[bytes], now: int) -> None:
    """Notes one attempt in each scope."""
    db.executemany("INSERT INTO attempts (scope, at) VALUES (?, ?)", [(scope, now) for scope in scopes])


def nth_latest(db: sqlite3.Connection, scope: bytes, n: int, *, after: int, until: int) -> int | None:
    """When the n-th attempt was made, counted from the newest (1); None where there are fewer since `after`.

    Those later than `until`, now, do not count: the clock was ahead when they were made.
    """
    row = db.execute(
        "SELECT at FROM attempts WHERE scope = ? AND at > ? AND at <= ? ORDER BY at DESC LIMIT 1 OFFSET ?",
        (scope, after, until, n - 1),
    ).fetchone()
    return row[0] if row else None


def purge(db: sqlite3.Connection, *, after: int, until: int, most: int) -> int:
    """Removes up to `most` attempts that do not count (any more), as those later than now; returns how many."""
    return db.execute(
        "DELETE FROM attempts WHERE key IN (SELECT key FROM attempts WHERE at <= ? OR at > ? LIMIT ?)",
        (after, until, most),
    ).rowcount
