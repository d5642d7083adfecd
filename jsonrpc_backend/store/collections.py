"""Collections: their names and settings. Items are in items.py."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.store import upkeep
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.item_rights import Rights

MAX_INDEXES = 8


class CollectionNameTaken(Exception):
    """Another collection has this name."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides about a collection.

    `delete_with_owner`: what becomes of items when their owner is deleted: "private", "all" or "none" of them go too.
    """

    is_insertable: bool
    default_public: Rights
    delete_with_owner: str
    indexes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Collection:
    """A row. `built`: the indexes that hold every item by now. `created_at`: ms since 1970 UTC."""

    key: int
    name: str
    settings: Settings
    built: frozenset[str]
    created_at: int


_COLUMNS = "key, name, insertable, default_read, default_write, delete_with_owner, indexes, created_at"


@functools.lru_cache(maxsize=1000)
def _collection(row: tuple[Any, ...]) -> Collection:
    """Kept, because each call about an item asks for its collection, and nobody changes one often."""
    key, name, insertable, reads, writes, with_owner, indexes, created_at = row
    states: dict[str, bool] = json.loads(indexes)
    settings = Settings(bool(insertable), Rights(bool(reads), bool(writes)), with_owner, tuple(states))
    return Collection(key, name, settings, frozenset(name for name, built in states.items() if built), created_at)


def find(db: Db, name: str) -> Collection | None:
    row = db.execute(f"SELECT {_COLUMNS} FROM collections WHERE name = ?", (name,)).fetchone()  # noqa: S608
    return _collection(row) if row else None


def find_by_key(db: Db, key: int) -> Collection | None:
    row = db.execute(f"SELECT {_COLUMNS} FROM collections WHERE key = ?", (key,)).fetchone()  # noqa: S608
    return _collection(row) if row else None


def list_all(db: Db) -> list[Collection]:
    """By name."""
    return [_collection(row) for row in db.execute(f"SELECT {_COLUMNS} FROM collections ORDER BY name")]  # noqa: S608


def insert(db: Db, name: str, settings: Settings, now: int) -> None:
    """A new, empty collection. Raises CollectionNameTaken."""
    if find(db, name) is not None:
        raise CollectionNameTaken
    db.execute(
        "INSERT INTO collections"
        " (name, insertable, default_read, default_write, delete_with_owner, indexes, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (name, *_values(settings, dict.fromkeys(settings.indexes, True)), now),
    )


def change(db: Db, collection: Collection, settings: Settings) -> None:
    """Other settings. New indexes are built afterwards, and those that nobody wants any more emptied (upkeep.py)."""
    before, after = set(collection.settings.indexes), set(settings.indexes)
    states = {name: name in collection.built for name in settings.indexes}
    db.execute(
        "UPDATE collections SET insertable = ?, default_read = ?, default_write = ?, delete_with_owner = ?, indexes = ?"
        " WHERE key = ?",
        (*_values(settings, states), collection.key),
    )
    for name in before - after:
        upkeep.remove_index(db, collection.key, name)
    for name in after - before:
        upkeep.build_index(db, collection.key, name)


def note_built(db: Db, collection: Collection, index: str) -> None:
    """The index holds every item."""
    states = {name: name in collection.built or name == index for name in collection.settings.indexes}
    db.execute("UPDATE collections SET indexes = ? WHERE key = ?", (json.dumps(states), collection.key))


def fill_indexes(db: Db, collection: Collection, after: int) -> None:
    """Items behind this one have come without their values in the indexes, which are filled up in slices."""
    states = dict.fromkeys(collection.settings.indexes, False)
    db.execute("UPDATE collections SET indexes = ? WHERE key = ?", (json.dumps(states), collection.key))
    for name in collection.built:  # the others are being filled anyway
        upkeep.go_on_with_index(db, collection.key, name, after)


def drop(db: Db, collection: Collection) -> None:
    """Gone for everybody at once; its items follow in slices."""
    db.execute("DELETE FROM collections WHERE key = ?", (collection.key,))
    upkeep.remove_collection(db, collection.key)


def _values(settings: Settings, states: Mapping[str, bool]) -> tuple[Any, ...]:
    public = settings.default_public
    return (
        int(settings.is_insertable),
        int(public.reads),
        int(public.writes),
        settings.delete_with_owner,
        json.dumps(states),
    )
