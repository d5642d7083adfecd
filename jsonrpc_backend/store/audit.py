"""The audit log: which operator changed which users or items of collections, and how; never the values."""

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
    """A row: how many users or items, and the ids of the first of them. Times: ms since 1970 UTC.

    `collection`: the name of the one that was changed, or whose items were; else None.
    """

    created_at: int
    operator: Operator
    method: str
    user_ids: list[str]
    users: int
    collection: str | None
    item_ids: list[str]
    items: int


def record(db: Db, act: Act, user_ids: Iterable[str], *, users: int | None = None) -> None:
    """Belongs into the transaction of the change itself. `users`: how many, where no ids are given."""
    ids = list(user_ids)
    _insert(db, act, user_ids=json.dumps(ids[:MAX_IDS]), users=len(ids) if users is None else users)


def record_items(db: Db, act: Act, collection: str, item_ids: Iterable[str] = (), *, items: int | None = None) -> None:
    """The same of items of a collection, or of the collection itself. `items`: how many, where no ids are given."""
    ids = list(item_ids)
    number = len(ids) if items is None else items
    _insert(db, act, collection=collection, item_ids=json.dumps(ids[:MAX_IDS]), items=number)


def _insert(
    db: Db,
    act: Act,
    *,
    user_ids: str = "[]",
    users: int = 0,
    collection: str | None = None,
    item_ids: str = "[]",
    items: int = 0,
) -> None:
    who = act.operator
    db.execute(
        "INSERT INTO audit"
        " (created_at, via, actor, address, method, user_ids, users, collection, item_ids, items)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            act.at,
            who.via,
            who.actor,
            who.address,
            act.name,
            user_ids,
            users,
            collection,
            item_ids,
            items,
        ),
    )


def list_latest(db: Db, most: int, collection: str | None = None) -> Iterator[Entry]:
    """Newest first. `collection`: only what was done to this one and its items."""
    found = db.execute(
        "SELECT created_at, via, actor, address, method, user_ids, users, collection, item_ids, items"
        " FROM audit WHERE ? IS NULL OR collection = ? ORDER BY key DESC LIMIT ?",
        (collection, collection, most),
    )
    for created_at, via, actor, address, method, user_ids, users, named, item_ids, number in found:
        operator, items = Operator(via, actor, address), json.loads(item_ids)
        yield Entry(created_at, operator, method, json.loads(user_ids), users, named, items, number)


def purge(db: Db, *, created_before: int, most: int) -> int:
    """Removes up to `most` old entries; returns how many."""
    cursor = db.execute(
        "DELETE FROM audit WHERE key IN (SELECT key FROM audit WHERE created_at <= ? LIMIT ?)", (created_before, most)
    )
    return cursor.rowcount
