"""Login tokens, known by their digest, in families that begin with one sign-in.

Each use of a token makes a successor. A token can be used until one of its successors has been presented, because
until then its owner may not have received any (a lost response, a second tab). Presented after that, it is in two
hands: the family and its sessions end.
"""

import sqlite3
from dataclasses import dataclass

from jsonrpc_backend.store.users import COLUMNS, User

MOST_FAMILIES_PER_USER = 1000  # enough for an account that many people share; the oldest beyond end
MOST_TOKENS_PER_FAMILY = 10_000  # then the family ends: to forget old tokens would be to forget who stole one


@dataclass(frozen=True, slots=True)
class Presented:
    """A usable token: its family and its user."""

    family_key: int
    user: User


def start_family(db: sqlite3.Connection, digest: bytes, user_key: int, device: str, now: int) -> int:
    """Stores the first token of a sign-in; returns its family."""
    family_key: int = db.execute(
        "INSERT INTO login_families (user_key, device) VALUES (?, ?) RETURNING key", (user_key, device)
    ).fetchone()[0]
    db.execute(
        "DELETE FROM login_families WHERE key IN"
        " (SELECT key FROM login_families WHERE user_key = ? ORDER BY key DESC LIMIT -1 OFFSET ?)",
        (user_key, MOST_FAMILIES_PER_USER),
    )
    _insert(db, digest, family_key, None, now)
    return family_key


def exists(db: sqlite3.Connection, digest: bytes) -> bool:
    """Whether there is such a token, be it superseded or expired."""
    return db.execute("SELECT 1 FROM login_tokens WHERE digest = ?", (digest,)).fetchone() is not None


def present(
    db: sqlite3.Connection, digest: bytes, *, successor: bytes, created_after: int, now: int
) -> Presented | None:
    """Uses a token and stores its successor. None for an unknown, expired or superseded one."""
    row = db.execute(
        f"SELECT login_tokens.family_key, login_tokens.parent, login_tokens.superseded, {COLUMNS}"  # noqa: S608
        " FROM login_tokens JOIN login_families ON login_families.key = login_tokens.family_key"
        " JOIN users ON users.key = login_families.user_key"
        " WHERE login_tokens.digest = ? AND login_tokens.created_at > ?",
        (digest, created_after),
    ).fetchone()
    if row is None:
        return None
    family_key, parent, superseded = row[:3]
    if superseded or _is_full(db, family_key):
        end_family(db, family_key)
        return None
    db.execute("UPDATE login_tokens SET superseded = 1 WHERE digest = ?", (parent,))
    _insert(db, successor, family_key, digest, now)
    return Presented(family_key, User(*row[3:]))


def _is_full(db: sqlite3.Connection, family_key: int) -> bool:
    (count,) = db.execute("SELECT count(*) FROM login_tokens WHERE family_key = ?", (family_key,)).fetchone()
    return bool(count >= MOST_TOKENS_PER_FAMILY)


def _insert(db: sqlite3.Connection, digest: bytes, family_key: int, parent: bytes | None, now: int) -> None:
    db.execute(
        "INSERT INTO login_tokens (digest, family_key, parent, created_at) VALUES (?, ?, ?, ?)",
        (digest, family_key, parent, now),
    )


def end_family(db: sqlite3.Connection, family_key: int) -> None:
    """Ends the tokens that descend from one sign-in, and their sessions."""
    db.execute("DELETE FROM sessions WHERE family_key = ?", (family_key,))
    db.execute("DELETE FROM login_families WHERE key = ?", (family_key,))


def end_on_device(db: sqlite3.Connection, user_key: int, device: str, family_key: int | None) -> None:
    """Ends the tokens of a user's device, and those of one family wherever it began. Sessions go on."""
    db.execute(
        "DELETE FROM login_families WHERE user_key = ? AND (device = ? OR key IS ?)", (user_key, device, family_key)
    )


def end_all(db: sqlite3.Connection, user_key: int) -> None:
    db.execute("DELETE FROM login_families WHERE user_key = ?", (user_key,))


def purge(db: sqlite3.Connection, *, created_before: int, most: int) -> int:
    """Removes up to `most` tokens that have expired by the clock, and families left without one.

    Returns how many; the file would grow for ever otherwise.
    """
    expired = db.execute(
        "DELETE FROM login_tokens WHERE digest IN"
        " (SELECT digest FROM login_tokens WHERE created_at <= ? LIMIT ?) RETURNING family_key",
        (created_before, most),
    ).fetchall()
    db.executemany(
        "DELETE FROM login_families WHERE key = ?"
        " AND NOT EXISTS (SELECT 1 FROM login_tokens WHERE family_key = login_families.key)",
        expired,
    )
    return len(expired)
