"""Items found, sorted and counted for a caller or an operator.

Rows are large (up to 500 KB), so everything is decided on indexes as far as it goes, and rows are read for the page.

A search goes one of these ways in, each of which gives `(key, created_at)` of items, `of_index` the key alone:

- `by_id`, `of_owner`, `of_device`, `of_index`: the items that a condition names. Who may read them is checked for each,
  unless they are the caller's own.
- `readable`: all that the caller may read, by four ranges of indexes that have no item in common: public; the user's
  own that are not; the device's own that are not; opened to the user by a grant alone. Each is in the order of time.
- `everything`: the whole collection, for operators.

The names of indexes stand in the queries because, without statistics, an engine would rather walk the collection.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from jsonrpc_backend.monaql import Condition
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.item_index import KEPT_CHARACTERS
from jsonrpc_backend.store.item_rights import Asker

EVERYTHING = Condition()
KEYS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Way:
    """A query for `key` and `created_at`, in parts that have no item in common."""

    parts: tuple[Condition, ...] = field(repr=False)

    @property
    def union(self) -> Condition:
        return Condition(
            " UNION ALL ".join(part.sql for part in self.parts),
            tuple(value for part in self.parts for value in part.parameters),
        )

    def count(self, db: Db, most: int | None = None) -> int:
        """How many items it gives; with `most` it stops counting there."""
        union = self.union
        if most is None:  # each part by itself: in half the time
            counted = " + ".join(f"(SELECT count(*) FROM ({part.sql}))" for part in self.parts)  # noqa: S608
        else:
            counted = f"(SELECT count(*) FROM ({union.sql} LIMIT {most}))"  # noqa: S608
        (found,) = db.execute(f"SELECT {counted}", union.parameters).fetchone()
        return int(found)


# --- ways in ---------------------------------------------------------------------------------------------


def everything(collection: int) -> Way:
    return Way((_range("items_everything", "items.collection = ?", (collection,)),))


def readable(collection: int, caller: Asker) -> Way:
    """What the caller may read."""
    ways = [
        _range("items_public", "items.collection = ? AND items.public_read = 1", (collection,)),
        _of_device(collection, caller),
    ]
    if caller.user is not None:
        ways += [
            _range(
                "items_owner",
                "items.owner = ? AND items.collection = ? AND items.public_read = 0",
                (caller.user, collection),
            ),
            Condition(
                "SELECT grants.item AS key, grants.created_at AS created_at FROM grants INDEXED BY grants_opening"
                " WHERE grants.user = ? AND grants.collection = ? AND grants.opens = 1",
                (caller.user, collection),
            ),
        ]
    return Way(tuple(ways))


def _of_device(collection: int, caller: Asker) -> Condition:
    """Not public, owned by the device, and not opened to the user as well."""
    way = _range(
        "items_device",
        "items.device = ? AND items.collection = ? AND items.public_read = 0",
        (caller.device, collection),
    )
    if caller.user is None:
        return way
    return Condition(
        f"{way.sql} AND NOT EXISTS (SELECT 1 FROM grants"  # noqa: S608
        " WHERE grants.item = items.key AND grants.user = ? AND grants.opens = 1)",
        (*way.parameters, caller.user),
    )


def of_owner(collection: int, owners: Sequence[str]) -> Way:
    """Items that users own, whoever may read them."""
    return Way(tuple(part for owner in dict.fromkeys(owners) for part in _owned("owner", owner, collection)))


def of_device(collection: int, device: str) -> Way:
    """Items that a device owns."""
    return Way(tuple(_owned("device", device, collection)))


def _owned(column: str, owner: str, collection: int) -> Iterator[Condition]:
    """Those that are public and those that are not: each range of the index is in the order of time."""
    for public in (0, 1):
        yield _range(
            f"items_{column}",
            f"items.{column} = ? AND items.collection = ? AND items.public_read = {public}",
            (owner, collection),
        )


def by_id(collection: int, ids: Sequence[str]) -> Way:
    one_of = Condition.one_of(ids)
    return Way(
        (_range("items_id", f"items.collection = ? AND items.id {one_of.sql}", (collection, *one_of.parameters)),)
    )


def of_index(collection: int, name: str, ranges: Sequence[Condition]) -> Way:
    """Items whose value in an index is in one of the ranges, which are conditions on rank, number and string."""
    return Way(
        tuple(
            Condition(
                "SELECT item_values.item AS key FROM item_values INDEXED BY item_values_sorted"  # noqa: S608
                f" WHERE item_values.collection = ? AND item_values.property = ? AND {each.sql}",
                (collection, name, *each.parameters),
            )
            for each in ranges
        )
    )


def _range(index: str, condition: str, parameters: tuple[Any, ...]) -> Condition:
    return Condition(
        f"SELECT items.key AS key, items.created_at AS created_at"  # noqa: S608
        f" FROM items INDEXED BY {index} WHERE {condition}",
        parameters,
    )


# --- rights, item by item --------------------------------------------------------------------------------


def may(caller: Asker, verb: str) -> Condition:
    """Whether the caller may "read" or "write" an item."""
    own = "(items.owner = ? OR (items.owner IS NULL AND items.device = ?))"
    grant = f"(SELECT {verb}s FROM grants WHERE grants.item = items.key AND grants.user = ?)"  # noqa: S608
    return Condition(
        f"(items.public_{verb} = 1 OR coalesce({own}, 0) OR coalesce({grant}, 0) = 1)",
        (caller.user, caller.device, caller.user),
    )


# --- finding ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ItemOrder:
    """What stands behind ORDER BY, as expressions about `items`; ties are in the order of insertion."""

    terms: tuple[Condition, ...]
    descending: bool  # of ties: as the last term

    @property
    def compiled(self) -> Condition:
        direction = "DESC" if self.descending else "ASC"
        return Condition(
            ", ".join([*(term.sql for term in self.terms), f"items.key {direction}"]),
            tuple(value for term in self.terms for value in term.parameters),
        )


def newest(db: Db, way: Way, *, descending: bool, limit: int, offset: int) -> list[int]:
    """A page of all that the way gives, in the order of time; stops where the page is full."""
    direction, union = "DESC" if descending else "ASC", way.union
    # Not as a subquery: so the ranges, each sorted by its index, are merged and nothing is sorted.
    rows = db.execute(
        f"{union.sql} ORDER BY created_at {direction}, key {direction} LIMIT ? OFFSET ?",
        (*union.parameters, limit, offset),
    )
    return [key for key, _ in rows]


def _walked(union: Condition) -> str:
    """The way as a table of its own: a condition that can never be true must not keep SQLite from using its indexes."""
    return f"WITH way AS MATERIALIZED ({union.sql})"


def find_keys(db: Db, way: Way, condition: Condition, order: ItemOrder) -> list[int]:
    """The keys of all items on the way of which the condition is true, sorted. Keys only: rows can be gigabytes."""
    union, sorted_by = way.union, order.compiled
    rows = db.execute(
        f"{_walked(union)} SELECT items.key FROM way CROSS JOIN items ON items.key = way.key"  # noqa: S608
        f" WHERE {condition.sql} ORDER BY {sorted_by.sql}",
        union.parameters + condition.parameters + sorted_by.parameters,
    )
    return [key for (key,) in rows]


def any_of(db: Db, way: Way, condition: Condition) -> bool:
    """Whether there is an item on the way of which the condition is true."""
    union = way.union
    row = db.execute(
        f"{_walked(union)} SELECT 1 FROM way CROSS JOIN items ON items.key = way.key"  # noqa: S608
        f" WHERE {condition.sql} LIMIT 1",
        union.parameters + condition.parameters,
    ).fetchone()
    return row is not None


def among(db: Db, keys: Sequence[int], condition: Condition) -> list[int]:
    """Those of some items of which the condition is true."""
    found: list[int] = []
    for first in range(0, len(keys), KEYS_AT_ONCE):
        some = keys[first : first + KEYS_AT_ONCE]
        rows = db.execute(
            f"SELECT items.key FROM items WHERE items.key IN ({', '.join('?' * len(some))}) AND {condition.sql}",  # noqa: S608
            (*some, *condition.parameters),
        )
        found.extend(key for (key,) in rows)
    return found


def by_index(db: Db, collection: int, name: str, condition: Condition, *, descending: bool, last: int) -> list[int]:
    """The first `last` items in the order of an index of which the condition is true."""
    direction = "DESC" if descending else "ASC"
    # Of long strings the index has the beginning only: the whole string decides among those that begin alike.
    whole = (
        f"CASE WHEN length(item_values.string) < {KEPT_CHARACTERS} THEN '' ELSE json_extract(items.properties, ?) END"
    )
    rows = db.execute(
        "SELECT items.key FROM item_values INDEXED BY item_values_sorted"  # noqa: S608
        " CROSS JOIN items ON items.key = item_values.item"
        f" WHERE item_values.collection = ? AND item_values.property = ? AND {condition.sql}"
        f" ORDER BY item_values.rank {direction}, item_values.number {direction}, item_values.string {direction},"
        f" {whole} {direction}, item_values.item {direction} LIMIT ?",
        (collection, name, *condition.parameters, f"$.{name}", last),
    )
    return [key for (key,) in rows]
