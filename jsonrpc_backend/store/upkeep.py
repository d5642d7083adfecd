"""What is left to be done with collections: a list of chores, each done in slices between which others write.

A user who is gone, a dropped collection and an index that nobody wants any more may have left millions of rows, and a
new index has as many to come. The list is in the database, so that a restart goes on with it.
"""

from dataclasses import dataclass

from jsonrpc_backend.store.engine import Db

USER, COLLECTION, INDEX, BUILD = "user", "collection", "index", "build"


@dataclass(frozen=True, slots=True)
class Chore:
    """A row. `name` is a user's id, or the property of an index; `collection` the key of a collection.

    `after`: the key of the item that has been done last.
    """

    key: int
    kind: str
    name: str
    collection: int
    after: int


def remove_items_of(db: Db, user_id: str) -> None:
    """A user is gone: his items and his rights to those of others follow."""
    _add(db, USER, user_id, 0)


def remove_collection(db: Db, collection: int) -> None:
    _add(db, COLLECTION, "", collection)


def remove_index(db: Db, collection: int, name: str) -> None:
    _cancel(db, BUILD, name, collection)
    _add(db, INDEX, name, collection)


def build_index(db: Db, collection: int, name: str) -> None:
    _cancel(db, INDEX, name, collection)  # the rows that are left are overwritten
    _add(db, BUILD, name, collection)


def go_on_with_index(db: Db, collection: int, name: str, after: int) -> None:
    """The index lacks the items behind this one."""
    _add(db, BUILD, name, collection, after)


def _add(db: Db, kind: str, name: str, collection: int, after: int = 0) -> None:
    db.execute(
        "INSERT INTO upkeep (kind, name, collection, after) VALUES (?, ?, ?, ?)", (kind, name, collection, after)
    )


def _cancel(db: Db, kind: str, name: str, collection: int) -> None:
    db.execute("DELETE FROM upkeep WHERE kind = ? AND name = ? AND collection = ?", (kind, name, collection))


def first(db: Db) -> Chore | None:
    """The one that has waited for longest."""
    row = db.execute("SELECT key, kind, name, collection, after FROM upkeep ORDER BY key LIMIT 1").fetchone()
    return Chore(*row) if row else None


def note(db: Db, chore: Chore, after: int) -> None:
    """It is done up to this item."""
    db.execute("UPDATE upkeep SET after = ? WHERE key = ?", (after, chore.key))


def end(db: Db, chore: Chore) -> None:
    """Nothing is left of it."""
    db.execute("DELETE FROM upkeep WHERE key = ?", (chore.key,))
