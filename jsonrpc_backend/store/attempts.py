"""What counts against the limits of the throttle: who has done something, as a digest, and when."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jsonrpc_backend.store.engine import Db


@dataclass(frozen=True, slots=True)
class OfUser:
    """A scope with failures about a user."""

    id: str
    username: str
    scope: bytes


def insert(db: Db, scopes: Iterable[tuple[bytes, str | None]], now: int) -> None:
    """Notes one attempt in each scope; with each comes the key of the username that it is about, of anybody or none."""
    db.executemany(
        "INSERT INTO attempts (scope, at, user_key) VALUES (?, ?, (SELECT key FROM users WHERE username_key = ?))",
        [(scope, now, username_key) for scope, username_key in scopes],
    )


def nth_latest(db: Db, scope: bytes, n: int, *, after: int, until: int) -> int | None:
    """When the n-th attempt was made, counted from the newest (1); None where there are fewer since `after`.

    Those later than `until`, now, do not count: the clock was ahead when they were made.
    """
    row = db.execute(
        "SELECT at FROM attempts WHERE scope = ? AND at > ? AND at <= ? ORDER BY at DESC LIMIT 1 OFFSET ?",
        (scope, after, until, n - 1),
    ).fetchone()
    return row[0] if row else None


def list_of_users(db: Db, *, after: int, until: int, least: int) -> Iterator[OfUser]:
    """The scopes in which so many attempts or more about an existing user were made between these times."""
    rows = db.execute(
        "SELECT users.id, users.username, attempts.scope"
        " FROM attempts JOIN users ON users.key = attempts.user_key"
        " WHERE attempts.user_key IS NOT NULL AND attempts.at > ? AND attempts.at <= ?"
        " GROUP BY attempts.user_key, attempts.scope HAVING count(*) >= ?",
        (after, until, least),
    )
    return (OfUser(*row) for row in rows)


def remove_of_user(db: Db, user_key: int) -> int:
    """Removes the attempts about a user; returns how many."""
    return db.execute("DELETE FROM attempts WHERE user_key = ?", (user_key,)).rowcount


def remove(db: Db, scopes: Iterable[bytes]) -> int:
    """Removes the attempts in these scopes; returns how many."""
    return max(db.executemany("DELETE FROM attempts WHERE scope = ?", [(scope,) for scope in scopes]).rowcount, 0)


def purge(db: Db, *, after: int, until: int, most: int) -> int:
    """Removes up to `most` attempts that do not count (any more), as those later than now; returns how many."""
    return db.execute(
        "DELETE FROM attempts WHERE key IN (SELECT key FROM attempts WHERE at <= ? OR at > ? LIMIT ?)",
        (after, until, most),
    ).rowcount
