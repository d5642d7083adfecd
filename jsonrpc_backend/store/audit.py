"""The audit log: which operator changed which users, and how; never the values."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MANAGEMENT_KEY = "management key"
COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class Operator:
    """Who acts. `actor` is the label of a management key, or a user of the operating system (then no address)."""

    via: str
    actor: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A row. Times: ms since 1970 UTC."""

    created_at: int
    operator: Operator
    method: str
    user_ids: list[str]


def record(db: sqlite3.Connection, operator: Operator, method: str, user_ids: Iterable[str], now: int) -> None:
    """Belongs into the transaction of the change itself."""
    db.execute(
        "INSERT INTO audit (created_at, via, actor, method, user_ids, address) VALUES (?, ?, ?, ?, ?, ?)",
        (now, operator.via, operator.actor, method, json.dumps(list(user_ids)), operator.address),
    )


def list_latest(db: sqlite3.Connection, most: int) -> Iterator[Entry]:
    """Newest first."""
    for created_at, via, actor, method, user_ids, address in db.execute(
        "SELECT created_at, via, actor, method, user_ids, address FROM audit ORDER BY key DESC LIMIT ?", (most,)
    ):
        yield Entry(created_at, Operator(via, actor, address), method, json.loads(user_ids))


def purge(db: sqlite3.Connection, *, created_before: int, most: int) -> int:
    """Removes up to `most` old entries; returns how many."""
    cursor = db.execute(
        "DELETE FROM audit WHERE key IN (SELECT key FROM audit WHERE created_at <= ? LIMIT ?)", (created_before, most)
    )
    return cursor.rowcount
