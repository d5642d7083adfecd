"""Sessions, known by the digest of their id.

A session ends with the version of the password that was the user's when it was opened, and with the user.
"""

from dataclasses import dataclass
from typing import NamedTuple

from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import ACCOUNT_COLUMNS, LARGE_PROPERTIES_BYTES, Account

# The oldest beyond end. Enough for an account that many people share; and for the pages of one browser.
MOST_PER_USER = 1000
MOST_PER_FAMILY = 100


class Ended(NamedTuple):
    """Sessions that were last used, or opened, no later than this (ms since 1970 UTC) have ended."""

    used_at: int
    created_at: int


@dataclass(frozen=True, slots=True)
class Session:
    """A row, with its user. Times: ms since 1970 UTC.

    `password_at`: when it was opened with the password; None where it was opened otherwise. `properties_json` is None
    where it was not asked for, and where it is large.
    """

    digest: bytes
    family_key: int | None
    used_at: int
    password_at: int | None
    properties_json: str | None
    user: Account


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A row, with the device that signed in where it has got a login token. Times: ms since 1970 UTC."""

    digest: bytes
    family_key: int | None
    created_at: int
    used_at: int
    device: str | None


def list_of_user(db: Db, user_key: int, ended: Ended) -> list[SignedIn]:
    """A user's sessions that have not ended, latest use first."""
    rows = db.execute(
        "SELECT sessions.digest, sessions.family_key, sessions.created_at, sessions.used_at, login_families.device"
        " FROM sessions JOIN users ON users.key = sessions.user_key"
        " AND users.password_version = sessions.password_version"
        " LEFT JOIN login_families ON login_families.key = sessions.family_key"
        " WHERE sessions.user_key = ? AND sessions.used_at > ? AND sessions.created_at > ?"
        " ORDER BY sessions.used_at DESC, sessions.digest",
        (user_key, *ended),
    )
    return [SignedIn(*row) for row in rows]


def insert(db: Db, digest: bytes, user: Account, family_key: int | None, now: int, *, by_password: bool) -> None:
    db.execute(
        "INSERT INTO sessions (digest, user_key, family_key, password_version, created_at, used_at, by_password)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (digest, user.key, family_key, user.password_version, now, now, int(by_password)),
    )
    for whose, key, most in (("user", user.key, MOST_PER_USER), ("family", family_key, MOST_PER_FAMILY)):
        db.execute(
            f"DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE {whose}_key = ?"  # noqa: S608
            " ORDER BY created_at DESC LIMIT -1 OFFSET ?)",
            (key, most),
        )


_SMALL_PROPERTIES = f"CASE WHEN length(users.properties) < {LARGE_PROPERTIES_BYTES} THEN users.properties END"


def find(db: Db, digest: bytes, ended: Ended, *, with_properties: bool) -> Session | None:
    """A session that has not ended."""
    properties = _SMALL_PROPERTIES if with_properties else "NULL"
    row = db.execute(
        "SELECT sessions.digest, sessions.family_key, sessions.used_at,"  # noqa: S608
        " CASE WHEN sessions.by_password = 1 THEN sessions.created_at END,"
        f" {properties}, {ACCOUNT_COLUMNS}"
        " FROM sessions JOIN users ON users.key = sessions.user_key"
        " AND users.password_version = sessions.password_version"
        " WHERE sessions.digest = ? AND sessions.used_at > ? AND sessions.created_at > ?",
        (digest, *ended),
    ).fetchone()
    return Session(row[0], row[1], row[2], row[3], row[4], Account(*row[5:])) if row else None


def touch(db: Db, digest: bytes, now: int) -> None:
    """Notes that the session is in use."""
    db.execute("UPDATE sessions SET used_at = ? WHERE digest = ? AND used_at < ?", (now, digest, now))


def end(db: Db, digest: bytes) -> None:
    db.execute("DELETE FROM sessions WHERE digest = ?", (digest,))


def keep(db: Db, digest: bytes, *, password_version: int) -> None:
    """Lets a session go on that would end with this version of the password."""
    db.execute(
        "UPDATE sessions SET password_version = password_version + 1 WHERE digest = ? AND password_version = ?",
        (digest, password_version),
    )


def remove_ended(db: Db, user_key: int, *, password_version: int | None, most: int) -> int:
    """Removes up to `most` of a user's sessions but those of this version of the password; returns how many."""
    return db.execute(
        "DELETE FROM sessions WHERE digest IN"
        " (SELECT digest FROM sessions WHERE user_key = ? AND password_version IS NOT ? LIMIT ?)",
        (user_key, password_version, most),
    ).rowcount


def purge(db: Db, ended: Ended, *, most: int) -> int:
    """Removes up to `most` sessions that have ended by the clock; returns how many."""
    cursor = db.execute(
        "DELETE FROM sessions WHERE digest IN"
        " (SELECT digest FROM sessions WHERE used_at <= ? OR created_at <= ? LIMIT ?)",
        (*ended, most),
    )
    return cursor.rowcount
