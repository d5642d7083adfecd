"""Who may read and write an item, as rows: its owner, everybody (`public`), and users by their grants.

Rights add up. The owner of an item is the user who has inserted it, else the device; he has both rights. A grant that
opens an item to somebody who could not read it otherwise (it is not public, nor his own) is marked `opens`, so that an
index gives each user the items that only a grant shows him.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from jsonrpc_backend.store.engine import Db

PUBLIC = "public"
MAX_ENTRIES = 1_000  # of an item's permission, that of everybody counted


class PermissionTooLarge(Exception):
    """The item would have more than MAX_ENTRIES."""


class Rights(NamedTuple):
    """What somebody may do with an item."""

    reads: bool
    writes: bool


NONE, BOTH = Rights(reads=False, writes=False), Rights(reads=True, writes=True)

# On the wire: "r" before "w", "" for none.
RIGHTS = {"": NONE, "r": Rights(reads=True, writes=False), "w": Rights(reads=False, writes=True), "rw": BOTH}
_WRITTEN = {rights: text for text, rights in RIGHTS.items()}

# Whether a grant is what opens an item to the user, as SQL.
OPENS = (
    "CASE WHEN grants.reads = 1 AND items.public_read = 0"
    " AND (items.owner IS NULL OR items.owner <> grants.user) THEN 1 ELSE 0 END"
)

# The rights of everybody, and those of users by their ids.
Permission = Mapping[str, Rights]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the user who is signed in, if any, and the device."""

    user: str | None  # the public id
    device: str

    @property
    def owner_device(self) -> str | None:
        """The device that owns what this caller inserts."""
        return self.device if self.user is None else None


def parsed(permission: Mapping[str, str]) -> dict[str, Rights]:
    """A permission as it came over the wire, of which the schema has been checked."""
    return {who: RIGHTS[text] for who, text in permission.items()}


def rights_text(rights: Rights) -> str:
    """Rights as they go over the wire."""
    return _WRITTEN[rights]


def written(permission: Permission) -> dict[str, str]:
    """A permission as it goes over the wire; `public` is always there."""
    return {who: rights_text(rights) for who, rights in {PUBLIC: NONE, **permission}.items()}


def read_permission(db: Db, item: int) -> dict[str, Rights]:
    """The whole permission of an item that is there; users in the order of their ids."""
    public = db.execute("SELECT public_read, public_write FROM items WHERE key = ?", (item,)).fetchone()
    grants = db.execute("SELECT user, reads, writes FROM grants WHERE item = ? ORDER BY user", (item,))
    return {PUBLIC: Rights(*map(bool, public))} | {who: Rights(bool(r), bool(w)) for who, r, w in grants}


def overlay(db: Db, item: int, changes: Permission) -> None:
    """Changes the entries that are given and leaves the others; one without any right is removed.

    Raises PermissionTooLarge.
    """
    if PUBLIC in changes:
        _set_public(db, item, changes[PUBLIC])
    grants = [(who, rights) for who, rights in changes.items() if who != PUBLIC]
    if grants:
        _grant(db, item, grants)
        (number,) = db.execute("SELECT count(*) FROM grants WHERE item = ?", (item,)).fetchone()
        if number >= MAX_ENTRIES:
            raise PermissionTooLarge


def replace(db: Db, item: int, permission: Permission) -> None:
    """Gives an item this permission and no other."""
    db.execute("DELETE FROM grants WHERE item = ?", (item,))
    overlay(db, item, {PUBLIC: NONE, **permission})


def remove_slice(db: Db, user: str, most: int) -> int:
    """Removes up to `most` grants of a user who is gone; returns how many."""
    return db.execute(
        "DELETE FROM grants WHERE user = ? AND item IN (SELECT item FROM grants WHERE user = ? LIMIT ?)",
        (user, user, most),
    ).rowcount


def _set_public(db: Db, item: int, rights: Rights) -> None:
    db.execute("UPDATE items SET public_read = ?, public_write = ? WHERE key = ?", (*map(int, rights), item))
    mark_grants(db, item)


def _grant(db: Db, item: int, entries: Iterable[tuple[str, Rights]]) -> None:
    for user, rights in entries:
        if rights == NONE:
            db.execute("DELETE FROM grants WHERE item = ? AND user = ?", (item, user))
            continue
        db.execute(
            "INSERT INTO grants (item, user, reads, writes, collection, created_at, opens)"
            " SELECT key, ?, ?, ?, collection, created_at,"
            " CASE WHEN ? = 1 AND public_read = 0 AND (owner IS NULL OR owner <> ?) THEN 1 ELSE 0 END"
            " FROM items WHERE key = ?"
            " ON CONFLICT (item, user) DO UPDATE SET"
            " reads = excluded.reads, writes = excluded.writes, opens = excluded.opens",
            (user, int(rights.reads), int(rights.writes), int(rights.reads), user, item),
        )


def mark_grants(db: Db, item: int) -> None:
    """Says anew which grants of an item open it: it has become public or private, or has another owner."""
    db.execute(
        f"UPDATE grants SET opens = (SELECT {OPENS} FROM items WHERE items.key = grants.item) WHERE item = ?",  # noqa: S608
        (item,),
    )
