"""Mail addresses of users that have to wait before they count for password resets, by the property that holds them.

Without a row the value of a property counts as it stands, but for users who are older than the property's place in the
operator's list. With one it counts from `counts_from` on; until then another address counts in its place, or none. Rows
stay when that time is over: they tell how long it has been over. A user has one for each listed property at most.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from jsonrpc_backend.store.engine import Db


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row. `meanwhile`: what counts until `counts_from` (ms since 1970 UTC)."""

    meanwhile: str | None
    counts_from: int


def find(db: Db, user_key: int, name: str) -> Waiting | None:
    row = db.execute(
        "SELECT meanwhile, counts_from FROM reset_addresses WHERE user_key = ? AND property = ?", (user_key, name)
    ).fetchone()
    return Waiting(*row) if row else None


def put(db: Db, user_key: int, name: str, waiting: Waiting) -> None:
    db.execute(
        "INSERT INTO reset_addresses (user_key, property, meanwhile, counts_from) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (user_key, property) DO UPDATE SET"
        " meanwhile = excluded.meanwhile, counts_from = excluded.counts_from",
        (user_key, name, waiting.meanwhile, waiting.counts_from),
    )


def trust(db: Db, user_key: int, names: Iterable[str]) -> None:
    """The values of these properties count as they stand. Names that are not listed are passed over."""
    db.executemany(
        "INSERT INTO reset_addresses (user_key, property, counts_from) SELECT ?, name, 0 FROM email_properties"
        " WHERE name = ? ON CONFLICT (user_key, property) DO UPDATE SET meanwhile = NULL, counts_from = 0",
        [(user_key, name) for name in names],
    )


# --- the operator's list -----------------------------------------------------------------------------------


def is_older_than_place(db: Db, user_key: int, name: str) -> bool:
    """Whether the user was there before the property was listed."""
    found = db.execute("SELECT 1 FROM email_properties WHERE name = ? AND last_user_before >= ?", (name, user_key))
    return found.fetchone() is not None


def is_list(db: Db, names: Collection[str]) -> bool:
    """Whether these are the properties that are listed."""
    return {row[0] for row in db.execute("SELECT name FROM email_properties")} == set(names)


def replace_list(db: Db, names: Collection[str]) -> None:
    """Lists these properties. The first list of a file is as old as its users."""
    listed = {row[0] for row in db.execute("SELECT name FROM email_properties")}
    last_user = db.execute("SELECT coalesce(max(key), 0) FROM users").fetchone()[0] if listed else 0
    # What is known of a property says nothing of what is saved there once it is not listed any more.
    gone = [(name,) for name in listed.difference(names)]
    db.executemany("DELETE FROM email_properties WHERE name = ?", gone)
    db.executemany("DELETE FROM reset_addresses WHERE property = ?", gone)
    new = [(name, last_user) for name in set(names) - listed]
    db.executemany("INSERT INTO email_properties (name, last_user_before) VALUES (?, ?)", new)
