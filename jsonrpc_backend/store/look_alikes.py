"""What usernames look like: a skeleton for each, by data of a version. Kept where a backend refuses look-alikes."""

from collections.abc import Iterable

from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import UsernameLooksTaken


def is_taken(db: Db, skeleton: str) -> bool:
    return db.execute("SELECT 1 FROM look_alikes WHERE skeleton = ?", (skeleton,)).fetchone() is not None


def claim(db: Db, user_key: int, skeleton: str, version: str) -> None:
    """Notes the skeleton of a user's name. Raises UsernameLooksTaken where another user has the same."""
    others = db.execute("SELECT 1 FROM look_alikes WHERE skeleton = ? AND user_key != ?", (skeleton, user_key))
    if others.fetchone() is not None:
        raise UsernameLooksTaken
    put(db, [(user_key, skeleton, version)])


def put(db: Db, rows: Iterable[tuple[int, str, str]]) -> None:
    """Notes key, skeleton, version of users whose names look as they look."""
    db.executemany("REPLACE INTO look_alikes (user_key, skeleton, version) VALUES (?, ?, ?)", rows)


def list_without(db: Db, version: str, *, after: int, most: int) -> list[tuple[int, str]]:
    """Key and name of users, in the order of their keys, whose skeleton is not noted by this version."""
    return db.execute(
        "SELECT key, username FROM users LEFT JOIN look_alikes ON user_key = key"
        " WHERE key > ? AND version IS NOT ? ORDER BY key LIMIT ?",
        (after, version, most),
    ).fetchall()
