"""Rows of sign-ins that have ended, of users who are gone or have another password: removed in steps.

An account may have any number of them, and while they are removed nobody else can write. They are worth nothing from
the moment that the user is gone or the version of the password is another one, so that this can wait.
"""

from jsonrpc_backend.store import login_tokens, sessions
from jsonrpc_backend.store.engine import Db


def clear(db: Db, user_key: int, *, most: int) -> int:
    """Removes up to `most` of a user's rows that have ended; returns how many. What is left `sweep` has to remove."""
    removed = _remove(db, user_key, most)
    if removed >= most:
        db.execute("INSERT INTO leftovers (user_key) VALUES (?) ON CONFLICT DO NOTHING", (user_key,))
    return removed


def sweep(db: Db, *, most: int) -> int:
    """Removes up to `most` rows that `clear` has left, and its note of them; returns how many. 0: nothing is left."""
    row = db.execute("SELECT user_key FROM leftovers LIMIT 1").fetchone()
    if row is None:
        return 0
    removed = _remove(db, row[0], most)
    if removed < most:
        removed += db.execute("DELETE FROM leftovers WHERE user_key = ?", row).rowcount
    return removed


def _remove(db: Db, user_key: int, most: int) -> int:
    """Fewer than `most` when nothing is left."""
    row = db.execute("SELECT password_version FROM users WHERE key = ?", (user_key,)).fetchone()
    version = row[0] if row else None
    removed = sessions.remove_ended(db, user_key, password_version=version, most=most)
    left = most - removed
    return removed + login_tokens.remove_ended(db, user_key, password_version=version, most=left)
