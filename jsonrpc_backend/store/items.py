"""Items: JSON objects in collections, each with an owner and rights (item_rights.py)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.store import item_index, item_rights
from jsonrpc_backend.store.collections import Collection
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.item_rights import BOTH, PUBLIC, Asker, Permission, Rights
from jsonrpc_backend.store.users import encode_properties

COLUMNS = "items.key, items.id, items.owner, items.device, items.created_at, items.updated_at, items.properties"


class ItemIdTaken(Exception):
    """The collection has an item with this id."""


@dataclass(frozen=True, slots=True)
class Item:
    """A row. `owner`: a user's public id; `device`: who owns it where no user does. Times: ms since 1970 UTC."""

    key: int
    id: str
    owner: str | None
    device: str | None
    created_at: int
    updated_at: int
    properties_json: str

    @property
    def properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = json.loads(self.properties_json)
        return properties


def insert(
    db: Db,
    collection: Collection,
    *,
    id: str,  # noqa: A002 (the documented name)
    owner: str | None,
    device: str | None,
    properties_json: str,
    permission: Permission,
    created_at: int,
    updated_at: int,
) -> Item:
    """A new item; what the permission does not say of everybody is the collection's default. Raises ItemIdTaken."""
    public = permission.get(PUBLIC, collection.settings.default_public)
    row = db.execute(
        "INSERT INTO items"
        " (collection, id, owner, device, public_read, public_write, created_at, updated_at, properties)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (collection, id) DO NOTHING RETURNING key",
        (collection.key, id, owner, device, *map(int, public), created_at, updated_at, properties_json),
    ).fetchone()
    if row is None:
        raise ItemIdTaken
    item_rights.overlay(db, row[0], {who: rights for who, rights in permission.items() if who != PUBLIC})
    if collection.settings.indexes:
        item_index.write(db, collection, row[0], json.loads(properties_json))
    return Item(row[0], id, owner, device, created_at, updated_at, properties_json)


def find(db: Db, collection: Collection, id: str) -> Item | None:  # noqa: A002
    row = db.execute(
        f"SELECT {COLUMNS} FROM items WHERE collection = ? AND id = ?",  # noqa: S608
        (collection.key, id),
    ).fetchone()
    return Item(*row) if row else None


def get_in_order(db: Db, keys: Iterable[int]) -> Iterable[Item]:
    """Items by their keys, one by one: a row may be large."""
    for key in keys:
        row = db.execute(f"SELECT {COLUMNS} FROM items WHERE key = ?", (key,)).fetchone()  # noqa: S608
        if row:
            yield Item(*row)


def find_rights(
    db: Db,
    collection: Collection,
    id: str,  # noqa: A002
    caller: Asker,
) -> tuple[int, Rights] | None:
    """The key of an item, and what the caller may do with it; None where there is none."""
    row = db.execute(
        "SELECT items.key, items.owner, items.device, items.public_read, items.public_write,"
        " coalesce(grants.reads, 0), coalesce(grants.writes, 0)"
        " FROM items LEFT JOIN grants ON grants.item = items.key AND grants.user = ?"
        " WHERE items.collection = ? AND items.id = ?",
        (caller.user, collection.key, id),
    ).fetchone()
    if row is None:
        return None
    key, owner, device, public_read, public_write, reads, writes = row
    is_own = owner == caller.user if owner is not None else device == caller.device
    return key, BOTH if is_own else Rights(bool(public_read or reads), bool(public_write or writes))


def merge_properties(db: Db, collection: Collection, key: int, changes: Mapping[str, Any], now: int) -> None:
    """Adds and updates properties, removes none. Each update makes the time of the last one grow.

    Raises PropertiesTooLarge.
    """
    (stored,) = db.execute("SELECT properties FROM items WHERE key = ?", (key,)).fetchone()
    merged = json.loads(stored) | dict(changes)
    db.execute(
        "UPDATE items SET properties = ?,"
        " updated_at = CASE WHEN updated_at < ? THEN ? ELSE updated_at + 1 END WHERE key = ?",
        (encode_properties(merged), now, now, key),
    )
    item_index.rewrite(db, collection, key, merged, changes)


def bytes_of(db: Db, key: int) -> int:
    """How much the properties take."""
    return int(db.execute("SELECT length(CAST(properties AS BLOB)) FROM items WHERE key = ?", (key,)).fetchone()[0])


def delete(db: Db, key: int) -> None:
    """Removes an item with its grants and its values in indexes: at most a thousand rows."""
    db.execute("DELETE FROM grants WHERE item = ?", (key,))
    item_index.remove(db, key)
    db.execute("DELETE FROM items WHERE key = ?", (key,))


def disown(db: Db, key: int) -> None:
    """The item belongs to nobody any more."""
    db.execute("UPDATE items SET owner = NULL, device = NULL WHERE key = ?", (key,))
    item_rights.mark_grants(db, key)


def give_to(db: Db, key: int, owner: str | None, device: str | None) -> None:
    """The item, which is nobody's, belongs to this user or device from now on."""
    db.execute("UPDATE items SET owner = ?, device = ? WHERE key = ?", (owner, device, key))
    item_rights.mark_grants(db, key)


def owned_slice(db: Db, owner: str, most: int, most_bytes: int) -> list[tuple[int, int]]:
    """The keys of up to `most` items of a user, and their collections; fewer where they are large."""
    rows = db.execute(
        "SELECT key, collection, length(CAST(properties AS BLOB)) FROM items INDEXED BY items_owner"
        " WHERE owner = ? LIMIT ?",
        (owner, most),
    )
    return _not_too_much(rows, most_bytes)


def slice_of(db: Db, collection_key: int, most: int, most_bytes: int) -> list[tuple[int, int]]:
    """The keys of up to `most` items of a collection, and its own; fewer where they are large."""
    rows = db.execute(
        "SELECT key, collection, length(CAST(properties AS BLOB)) FROM items WHERE collection = ? LIMIT ?",
        (collection_key, most),
    )
    return _not_too_much(rows, most_bytes)


def _not_too_much(rows: Iterable[tuple[int, int, int]], most_bytes: int) -> list[tuple[int, int]]:
    taken: list[tuple[int, int]] = []
    for key, collection, size in rows:
        most_bytes -= size
        if taken and most_bytes < 0:
            break
        taken.append((key, collection))
    return taken


def is_private(db: Db, key: int, owner: str) -> bool:
    """Whether nobody but its owner has any right to an item."""
    row = db.execute(
        "SELECT public_read + public_write +"
        " (SELECT count(*) FROM grants WHERE grants.item = items.key AND grants.user <> ?) FROM items WHERE key = ?",
        (owner, key),
    ).fetchone()
    return bool(row[0] == 0)


def list_all(db: Db, collection: Collection) -> Iterator[Item]:
    """In the order of their insertion."""
    rows = db.execute("SELECT key FROM items WHERE collection = ? ORDER BY key", (collection.key,))
    yield from get_in_order(db, (row[0] for row in rows))


def property_names(db: Db, collection: Collection) -> list[str]:
    """Every name that an item has a property of, sorted."""
    rows = db.execute("SELECT properties FROM items WHERE collection = ?", (collection.key,))
    return sorted({name for (properties,) in rows for name in json.loads(properties)})


def latest_property_names(db: Db, collection: Collection, most: int) -> list[str]:
    """The names of the properties of the newest items, sorted."""
    rows = db.execute(
        "SELECT properties FROM items INDEXED BY items_everything"
        " WHERE collection = ? ORDER BY created_at DESC LIMIT ?",
        (collection.key, most),
    )
    return sorted({name for (properties,) in rows for name in json.loads(properties)})


def count(db: Db, collection: Collection) -> int:
    return int(db.execute("SELECT count(*) FROM items WHERE collection = ?", (collection.key,)).fetchone()[0])
