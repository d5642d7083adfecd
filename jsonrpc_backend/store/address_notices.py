"""What users are to be told about their addresses, until it has become a mail."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """`recipient` is told that `address`, the value of a property, counts from a time on (ms since 1970 UTC).

    `address` is None where the property does not hold a mail address any more.
    """

    user_key: int
    recipient: str
    property: str
    address: str | None
    counts_from: int


def insert(db: sqlite3.Connection, notice: Notice) -> None:
    db.execute(
        "INSERT INTO address_notices (user_key, recipient, property, address, counts_from) VALUES (?, ?, ?, ?, ?)",
        (notice.user_key, notice.recipient, notice.property, notice.address, notice.counts_from),
    )


def take(db: sqlite3.Connection) -> Notice | None:
    """The one that has waited for longest, which is removed."""
    row = db.execute(
        "DELETE FROM address_notices WHERE key = (SELECT min(key) FROM address_notices)"
        " RETURNING user_key, recipient, property, address, counts_from"
    ).fetchone()
    return Notice(*row) if row else None
