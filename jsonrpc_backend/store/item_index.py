"""Operators' indexes on properties: for each item of the collection one row of `item_values` a property.

A table of our own instead of the engine's indexes on expressions: it is filled and emptied in slices beside the calls,
and every engine orders it alike. A row holds the rank of the value's type, by which results are sorted first, and the
value, a number or the beginning of a string: who looks strings up compares the whole string, too.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from jsonrpc_backend.store.collections import Collection
from jsonrpc_backend.store.engine import Db

# Of a string, in characters: an engine may refuse long keys in an index.
KEPT_CHARACTERS = 200

RANK_ABSENT, RANK_FALSE, RANK_TRUE, RANK_NUMBER, RANK_STRING, RANK_CONTAINER = range(6)


class Value(NamedTuple):
    """What an index holds of a value."""

    rank: int
    number: int | float = 0
    string: str = ""


def value_of(value: Any) -> Value:
    """The row for a property's value; None for an absent one."""
    if value is None:
        return Value(RANK_ABSENT)
    if isinstance(value, bool):
        return Value(RANK_TRUE if value else RANK_FALSE)
    if isinstance(value, int | float):
        return Value(RANK_NUMBER, storable(value))
    if isinstance(value, str):
        return Value(RANK_STRING, string=value[:KEPT_CHARACTERS])
    return Value(RANK_CONTAINER)


def storable(number: float) -> int | float:
    """As engines hold it: an integer of more than 64 bits is a double."""
    return number if -(2**63) <= number < 2**63 else float(number)


def write(db: Db, collection: Collection, item: int, properties: Mapping[str, Any]) -> None:
    """For a new item: a row in each index."""
    for name in collection.settings.indexes:
        _put(db, collection.key, name, item, properties)


def rewrite(
    db: Db, collection: Collection, item: int, properties: Mapping[str, Any], changed: Mapping[str, Any]
) -> None:
    """For an item that has changed: a row in each index of a property that did."""
    for name in collection.settings.indexes:
        if name in changed:
            _put(db, collection.key, name, item, properties)


def remove(db: Db, item: int) -> None:
    db.execute("DELETE FROM item_values WHERE item = ?", (item,))


def build_slice(  # noqa: PLR0917
    db: Db, collection: Collection, index: str, after: int, most: int, most_bytes: int
) -> int | None:
    """Writes the rows of those of the next `most` items, of all collections, that are of this one; fewer when large.

    `after` is the key of the last item that has been looked at; returns the one of the last by now, None at the end.
    A slice of this collection's items would have to be sorted out of all of them, again for each slice.
    """
    last = None
    rows = db.execute(
        "SELECT key, CASE WHEN collection = ? THEN properties END FROM items WHERE key > ? ORDER BY key LIMIT ?",
        (collection.key, after, most),
    )
    for key, properties in rows:
        last = key
        if properties is not None:
            _put(db, collection.key, index, key, json.loads(properties))
            most_bytes -= len(properties)
        if most_bytes < 0:
            break
    return last


def remove_slice(db: Db, collection_key: int, index: str, most: int) -> int:
    """Removes up to `most` rows of an index that there is no more; returns how many."""
    return db.execute(
        "DELETE FROM item_values WHERE item IN"
        " (SELECT item FROM item_values WHERE collection = ? AND property = ? LIMIT ?)"
        " AND collection = ? AND property = ?",
        (collection_key, index, most, collection_key, index),
    ).rowcount


def _put(db: Db, collection_key: int, name: str, item: int, properties: Mapping[str, Any]) -> None:
    value = value_of(properties.get(name))
    db.execute(
        "INSERT INTO item_values (item, property, collection, rank, number, string) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (item, property) DO UPDATE SET"
        " rank = excluded.rank, number = excluded.number, string = excluded.string",
        (item, name, collection_key, *value),
    )
