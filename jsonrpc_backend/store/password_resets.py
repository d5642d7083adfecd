"""Password resets: what was asked for, and the one token that each user may have.

A request is stored before anything is known of its user, so that storing it takes the same time for everybody.
"""

import sqlite3
from dataclasses import dataclass

MAX_WRONG_TRIES = 5


@dataclass(frozen=True, slots=True)
class Request:
    """A row: a reset that was asked for and not looked into yet."""

    key: int
    username_key: str
    email_property: str
    template: str


def insert_request(db: sqlite3.Connection, username_key: str, email_property: str, template: str) -> None:
    db.execute(
        "INSERT INTO password_reset_requests (username_key, email_property, template) VALUES (?, ?, ?)",
        (username_key, email_property, template),
    )


def take_request(db: sqlite3.Connection) -> Request | None:
    """The oldest request, which is removed."""
    row = db.execute(
        "DELETE FROM password_reset_requests WHERE key = (SELECT min(key) FROM password_reset_requests)"
        " RETURNING key, username_key, email_property, template"
    ).fetchone()
    return Request(*row) if row else None


def replace_token(db: sqlite3.Connection, user_key: int, digest: bytes, now: int) -> None:
    """Gives the user a token; an older one ends."""
    db.execute(
        "INSERT INTO password_reset_tokens (user_key, digest, created_at, wrong_tries) VALUES (?, ?, ?, 0)"
        " ON CONFLICT (user_key) DO UPDATE SET digest = excluded.digest, created_at = excluded.created_at,"
        " wrong_tries = 0",
        (user_key, digest, now),
    )


def latest_token_time(db: sqlite3.Connection, user_key: int) -> int | None:
    """When the user's token was made, in ms since 1970 UTC."""
    row = db.execute("SELECT created_at FROM password_reset_tokens WHERE user_key = ?", (user_key,)).fetchone()
    return row[0] if row else None


def try_token(db: sqlite3.Connection, user_key: int | None, digest: bytes, *, created_after: int) -> bool:
    """Whether this is the user's token, which is spent by that. A wrong one counts against it.

    Never for None, no such user. A row is written in any case, so that the time does not tell who has a token.
    """
    right = db.execute(
        "DELETE FROM password_reset_tokens WHERE user_key = ? AND digest = ? AND created_at > ?",
        (user_key, digest, created_after),
    )
    if right.rowcount == 1:
        return True
    wrong = db.execute("UPDATE password_reset_tokens SET wrong_tries = wrong_tries + 1 WHERE user_key = ?", (user_key,))
    if wrong.rowcount == 0:
        db.execute("UPDATE reset_tries_without_token SET tries = tries + 1")
    db.execute("DELETE FROM password_reset_tokens WHERE user_key = ? AND wrong_tries > ?", (user_key, MAX_WRONG_TRIES))
    return False


def end(db: sqlite3.Connection, user_key: int) -> None:
    """Ends the user's token: the password has been changed otherwise."""
    db.execute("DELETE FROM password_reset_tokens WHERE user_key = ?", (user_key,))
