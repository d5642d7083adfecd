"""What users are to be told about their addresses, until it has become a mail."""

from dataclasses import dataclass

from jsonrpc_backend.store.engine import Db

_COLUMNS = "user_key, recipient, property, address, counts_from"


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


def insert(db: Db, notice: Notice) -> None:
    db.execute(
        f"INSERT INTO address_notices ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
        (notice.user_key, notice.recipient, notice.property, notice.address, notice.counts_from),
    )


def take(db: Db, now: int) -> tuple[int, Notice] | None:
    """The one that has waited for longest of those that are due, and its key. It is removed.

    So are older ones about the same that were put off: they tell nothing any more.
    """
    row = db.execute(
        f"SELECT key, {_COLUMNS} FROM address_notices WHERE due_at <= ? ORDER BY key LIMIT 1",  # noqa: S608
        (now,),
    ).fetchone()
    if row is None:
        return None
    key, notice = row[0], Notice(*row[1:])
    db.execute(
        "DELETE FROM address_notices WHERE user_key = ? AND recipient = ? AND property = ? AND key <= ?",
        (notice.user_key, notice.recipient, notice.property, key),
    )
    return key, notice


def next_due(db: Db) -> int | None:
    """When the next one is due, in ms since 1970 UTC; None when there is none."""
    due: int | None = db.execute("SELECT min(due_at) FROM address_notices").fetchone()[0]
    return due


def put_back(db: Db, key: int, notice: Notice, due_at: int) -> None:
    """Puts off what was taken, unless there is a newer one about the same."""
    db.execute(
        f"INSERT INTO address_notices (key, {_COLUMNS}, due_at) SELECT ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS"  # noqa: S608
        " (SELECT 1 FROM address_notices WHERE user_key = ? AND recipient = ? AND property = ?)",
        (
            *(key, notice.user_key, notice.recipient, notice.property, notice.address, notice.counts_from, due_at),
            *(notice.user_key, notice.recipient, notice.property),
        ),
    )
