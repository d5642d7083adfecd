"""The audit log: which operator changed which users, and how; never the values."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jsonrpc_backend.store.engine import Db

MANAGEMENT_KEY = "management key"
COMMAND_LINE = "command line"

MAX_IDS = 10_000  # for each entry: an import can bring millions


@dataclass(frozen=True, slots=True)
class Operator:
    """Who acts. `actor` is the label of a management key, or a user of the operating system (then no address)."""

    via: str
    actor: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """What an operator does, by the name of a method or a command, and when (ms since 1970 UTC)."""

    operator: Operator
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A row: how many users, and the ids of the first of them. Times: ms since 1970 UTC."""

    created_at: int
    operator: Operator
    method: str
    user_ids: list[str]
    users: int


def record(db: Db, act: Act, user_ids: Iterable[str], *, users: int | None = None) -> None:
    """Belongs into the transaction of the change itself. `users`: how many, where no ids are given."""
    ids = list(user_ids)
    db.execute(
        "INSERT INTO audit (created_at, via, actor, method, user_ids, users, address) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            act.at,
            act.operator.via,
            act.operator.actor,
            act.name,
            json.dumps(ids[:MAX_IDS]),
            len(ids) if users is None else users,
            act.operator.address,
        ),
    )


def list_latest(db: Db, most: int) -> Iterator[Entry]:
    """Newest first."""
    for created_at, via, actor, method, user_ids, users, address in db.execute(
        "SELECT created_at, via, actor, method, user_ids, users, address FROM audit ORDER BY key DESC LIMIT ?", (most,)
    ):
        yield Entry(created_at, Operator(via, actor, address), method, json.loads(user_ids), users)


def purge(db: Db, *, created_before: int, most: int) -> int:
    """Removes up to `most` old entries; returns how many."""
    cursor = db.execute(
        "DELETE FROM audit WHERE key IN (SELECT key FROM audit WHERE created_at <= ? LIMIT ?)", (created_before, most)
    )
    return cursor.rowcount
