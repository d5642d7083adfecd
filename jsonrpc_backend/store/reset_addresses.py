"""Mail addresses of users that have to wait before they count for password resets, by the property that holds them.

Without a row the value of a property counts as it stands. With one it counts from `counts_from` on; until then another
address counts in its place, or none.
"""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row. `meanwhile`: what counts until `counts_from` (ms since 1970 UTC)."""

    meanwhile: str | None
    counts_from: int


def find(db: sqlite3.Connection, user_key: int, name: str) -> Waiting | None:
    row = db.execute(
        "SELECT meanwhile, counts_from FROM reset_addresses WHERE user_key = ? AND property = ?", (user_key, name)
    ).fetchone()
    return Waiting(*row) if row else None


def put(db: sqlite3.Connection, user_key: int, name: str, waiting: Waiting) -> None:
    db.execute(
        "INSERT INTO reset_addresses (user_key, property, meanwhile, counts_from) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (user_key, property) DO UPDATE SET"
        " meanwhile = excluded.meanwhile, counts_from = excluded.counts_from",
        (user_key, name, waiting.meanwhile, waiting.counts_from),
    )


def remove(db: sqlite3.Connection, user_key: int, name: str) -> None:
    """The value of the property counts as it stands."""
    db.execute("DELETE FROM reset_addresses WHERE user_key = ? AND property = ?", (user_key, name))


def purge(db: sqlite3.Connection, *, counts_before: int, most: int) -> int:
    """Removes up to `most` rows of addresses that have waited long enough; returns how many."""
    return db.execute(
        "DELETE FROM reset_addresses WHERE (user_key, property) IN"
        " (SELECT user_key, property FROM reset_addresses WHERE counts_from <= ? LIMIT ?)",
        (counts_before, most),
    ).rowcount
