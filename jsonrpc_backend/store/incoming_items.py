"""Items on their way in: collected in temporary tables, then moved into the table in one transaction.

The server's writes wait for that transaction alone: about a second for 100,000 new items, ten times that for as many
that are changed.
"""

import json
from dataclasses import dataclass
from typing import NamedTuple

from jsonrpc_backend.store import collections, item_rights, items
from jsonrpc_backend.store.audit import MAX_IDS
from jsonrpc_backend.store.collections import Collection
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.item_rights import PUBLIC, Permission, Rights
from jsonrpc_backend.store.users import PropertiesTooLarge


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """The record of a file that says how an item is, as messages call it."""

    file: str
    record: int
    line: int


@dataclass(frozen=True, slots=True)
class IncomingItem:
    """An item to be. `number`: of all that come. Times: ms since 1970 UTC.

    `permission`: None where nothing is said of it and the collection's default counts; else it says what everybody may.
    """

    number: int
    place: RecordPlace
    collection: str
    id: str
    owner: str | None
    device: str | None
    permission: Permission | None
    created_at: int
    updated_at: int
    properties_json: str


class Prospect(NamedTuple):
    """What will be seen of the items that come: how many have no owner, one who is no user, no permission of their own.

    `only_operators`: those that nobody else can find.
    """

    without_owner: int
    owner_unknown: int
    without_permission: int
    only_operators: int


class OutgrownItem(Exception):
    """Together with the new ones the properties of the item of this record are too large. Nothing was done."""

    def __init__(self, place: RecordPlace) -> None:
        super().__init__(place.line)
        self.place = place


def open_collection(db: Db) -> None:
    """Makes empty tables that are gone with the connection."""
    db.execute(
        """
        CREATE TEMPORARY TABLE arriving_items (
            number        INTEGER PRIMARY KEY,
            file          TEXT    NOT NULL,
            record        INTEGER NOT NULL,
            line          INTEGER NOT NULL,
            collection    TEXT    NOT NULL,
            id            TEXT    NOT NULL,
            owner         TEXT,
            device        TEXT,
            public_read   INTEGER,
            public_write  INTEGER,
            created_at    INTEGER NOT NULL,
            updated_at    INTEGER NOT NULL,
            properties    TEXT    NOT NULL,
            UNIQUE (collection, id)
        ) STRICT
        """
    )
    db.execute(
        """
        CREATE TEMPORARY TABLE arriving_grants (
            number INTEGER NOT NULL,
            user   TEXT    NOT NULL,
            reads  INTEGER NOT NULL,
            writes INTEGER NOT NULL,
            PRIMARY KEY (number, user)
        ) STRICT, WITHOUT ROWID
        """
    )
    db.execute("SAVEPOINT collecting")  # touches these tables only; ended by finish


def finish(db: Db) -> None:
    """Nothing more is collected."""
    db.execute("RELEASE collecting")


def collect(db: Db, item: IncomingItem) -> RecordPlace | None:
    """Adds an item; the earlier record that has the same id in the same collection, where there is one."""
    permission = item.permission or {}
    collected = db.execute(
        "INSERT INTO arriving_items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            item.number,
            item.place.file,
            item.place.record,
            item.place.line,
            item.collection,
            item.id,
            item.owner,
            item.device,
            *(map(int, permission[PUBLIC]) if permission else (None, None)),
            item.created_at,
            item.updated_at,
            item.properties_json,
        ),
    )
    if not collected.rowcount:
        row = db.execute(
            "SELECT file, record, line FROM arriving_items WHERE collection = ? AND id = ?", (item.collection, item.id)
        ).fetchone()
        return RecordPlace(*row)
    grants = [(item.number, who, *map(int, rights)) for who, rights in permission.items() if who != PUBLIC]
    if grants:
        db.executemany("INSERT INTO arriving_grants VALUES (?, ?, ?, ?)", grants)
    return None


def count_each(db: Db) -> dict[str, int]:
    """How many items come into which collection, by name."""
    rows = db.execute("SELECT collection, count(*) FROM arriving_items GROUP BY collection ORDER BY collection")
    return dict(rows.fetchall())


def prospect(db: Db, name: str, known_in: int | None, default_public: Rights) -> Prospect:
    """Of those that come into the collection of this name, and are not in the one with the key `known_in`."""
    row = db.execute(
        """
        SELECT count(*) FILTER (WHERE owner IS NULL AND device IS NULL),
            count(*) FILTER (WHERE owner IS NOT NULL AND NOT is_user),
            count(*) FILTER (WHERE public_read IS NULL),
            count(*) FILTER (WHERE device IS NULL AND NOT is_user AND NOT coalesce(public_read, ?) AND NOT EXISTS (
                SELECT 1 FROM arriving_grants JOIN users ON users.id = arriving_grants.user
                WHERE arriving_grants.number = arrived.number AND arriving_grants.reads))
        FROM (
            SELECT *, EXISTS (SELECT 1 FROM users WHERE users.id = arriving_items.owner) AS is_user
            FROM arriving_items WHERE collection = ? AND NOT EXISTS (
                SELECT 1 FROM items WHERE items.collection = ? AND items.id = arriving_items.id)
        ) AS arrived
        """,
        (int(default_public.reads), name, known_in),
    ).fetchone()
    return Prospect(*row)


def list_known(db: Db, collection: Collection) -> list[tuple[int, RecordPlace, str]]:
    """The records of items that are there already: number, place and id of each, in order."""
    rows = db.execute(
        "SELECT number, file, record, line, arriving_items.id FROM arriving_items JOIN items"
        " ON items.collection = ? AND items.id = arriving_items.id WHERE arriving_items.collection = ? ORDER BY number",
        (collection.key, collection.name),
    )
    return [(number, RecordPlace(file, record, line), id_) for number, file, record, line, id_ in rows]


def remove(db: Db, number: int) -> None:
    db.execute("DELETE FROM arriving_items WHERE number = ?", (number,))
    db.execute("DELETE FROM arriving_grants WHERE number = ?", (number,))


def update_known(db: Db, collection: Collection, number: int) -> None:
    """Merges the record of an item that is there into it.

    A permission that the record has replaces that of the item; an owner counts where the item has none.
    Raises OutgrownItem.
    """
    file, record, line, id_, owner, device, read, write, updated_at, properties = db.execute(
        "SELECT file, record, line, id, owner, device, public_read, public_write, updated_at, properties"
        " FROM arriving_items WHERE number = ?",
        (number,),
    ).fetchone()
    item = items.find(db, collection, id_)
    if item is None:  # gone since it was listed: the record makes it again
        return
    try:
        items.merge_properties(db, collection, item.key, json.loads(properties), updated_at)
    except PropertiesTooLarge as error:
        raise OutgrownItem(RecordPlace(file, record, line)) from error
    if item.owner is None and item.device is None:
        items.give_to(db, item.key, owner, device)
    if read is not None:
        permission = {PUBLIC: Rights(bool(read), bool(write)), **_grants_of(db, number)}
        if permission != item_rights.read_permission(db, item.key):
            item_rights.replace(db, item.key, permission)


def _grants_of(db: Db, number: int) -> dict[str, Rights]:
    rows = db.execute("SELECT user, reads, writes FROM arriving_grants WHERE number = ?", (number,))
    return {user: Rights(bool(reads), bool(writes)) for user, reads, writes in rows}


def remove_known(db: Db, collection: Collection) -> None:
    """Leaves the records of items that are there aside."""
    db.execute(
        "DELETE FROM arriving_items WHERE collection = ? AND id IN (SELECT id FROM items WHERE collection = ?)",
        (collection.name, collection.key),
    )


def insert_new(db: Db, collection: Collection, public: Rights) -> tuple[int, list[str]]:
    """Moves all that come into this collection, and are not there yet; how many, and the ids of the first of them.

    `public`: what everybody may do with those that come without a permission.

    Indexes on properties are filled up afterwards, in slices (upkeep.py); until then searches do without them.
    """
    last = db.execute("SELECT coalesce(max(key), 0) FROM items").fetchone()[0]
    number = db.execute(
        "INSERT INTO items"
        " (collection, id, owner, device, public_read, public_write, created_at, updated_at, properties)"
        " SELECT ?, id, owner, device, coalesce(public_read, ?), coalesce(public_write, ?), created_at, updated_at,"
        " properties FROM arriving_items WHERE collection = ? ORDER BY number",
        (collection.key, *map(int, public), collection.name),
    ).rowcount
    db.execute(
        "INSERT INTO grants (item, user, reads, writes, collection, created_at, opens)"  # noqa: S608
        " SELECT items.key, grants.user, grants.reads, grants.writes, items.collection, items.created_at,"
        f" {item_rights.OPENS}"
        " FROM arriving_items JOIN arriving_grants AS grants USING (number)"
        " JOIN items ON items.collection = ? AND items.id = arriving_items.id WHERE arriving_items.collection = ?",
        (collection.key, collection.name),
    )
    if number:
        collections.fill_indexes(db, collection, last)
    ids = db.execute(
        "SELECT id FROM arriving_items WHERE collection = ? ORDER BY number LIMIT ?", (collection.name, MAX_IDS)
    )
    return number, [row[0] for row in ids]
