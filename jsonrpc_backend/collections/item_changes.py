"""What operators do with items, whoever owns them: each change is one transaction, with its line in the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.accounts.disk_room import DiskRoom
from jsonrpc_backend.accounts.refusals import Unacceptable
from jsonrpc_backend.accounts.whom import NO_SUCH_USER
from jsonrpc_backend.collections import definitions
from jsonrpc_backend.store import audit, item_rights, items, users
from jsonrpc_backend.store.audit import Act
from jsonrpc_backend.store.collections import Collection
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.item_rights import MAX_ENTRIES, Permission, PermissionTooLarge
from jsonrpc_backend.store.items import Item
from jsonrpc_backend.store.users import MAX_PROPERTIES_BYTES, PropertiesTooLarge

NO_SUCH_ITEM = "Item not found."
ITEM_TOO_LARGE = f"The properties of an item must not take more than {MAX_PROPERTIES_BYTES:,} bytes."
TOO_MANY_ENTRIES = f"Permission must leave an item at most {MAX_ENTRIES:,} entries."

ITEMS_AT_ONCE = 500
BYTES_AT_ONCE = 8 * 1024 * 1024  # of properties: what is deleted is overwritten


class NoSuchItem(Unacceptable):
    """The collection has no item with this id."""

    def __init__(self) -> None:
        super().__init__({"itemId": NO_SUCH_ITEM})


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item that an operator makes: of no device, perhaps of a user."""

    id: str
    owner: str | None
    properties_json: str
    permission: Permission


def known_item(db: Db, collection: Collection, item_id: str) -> Item:
    """Raises NoSuchItem."""
    found = items.find(db, collection, item_id)
    if found is None:
        raise NoSuchItem
    return found


def create(db: Db, name: str, new: NewItem, act: Act, room: DiskRoom) -> Item:
    """Raises Unacceptable, NotNow."""
    collection = definitions.named(db, name)
    if new.owner is not None and users.find_by_id(db, new.owner) is None:
        raise Unacceptable({"owner": NO_SUCH_USER})
    room.check(db)
    try:
        made = items.insert(
            db,
            collection,
            id=new.id,
            owner=new.owner,
            device=None,
            properties_json=new.properties_json,
            permission=new.permission,
            created_at=act.at,
            updated_at=act.at,
        )
    except PermissionTooLarge as error:
        raise Unacceptable({"permission": TOO_MANY_ENTRIES}) from error
    audit.record_items(db, act, name, [new.id])
    return made


def update(db: Db, name: str, item_id: str, changes: Mapping[str, Any], *, act: Act, room: DiskRoom) -> None:
    """Adds and updates properties, removes none. Raises Unacceptable, NotNow."""
    collection = definitions.named(db, name)
    key = known_item(db, collection, item_id).key
    try:
        with room.unless_larger(db, lambda: items.bytes_of(db, key)):
            items.merge_properties(db, collection, key, changes, act.at)
    except PropertiesTooLarge as error:
        raise Unacceptable({"properties": ITEM_TOO_LARGE}) from error
    audit.record_items(db, act, name, [item_id])


def delete(db: Db, name: str, ids: list[str], act: Act) -> list[str]:
    """Removes the first ones of a list of items: as many as one transaction may, at least one.

    Returns the ids that come after. Raises NoSuchCollection.
    """
    collection = definitions.named(db, name)
    removed: list[str] = []
    taken, size = 0, 0
    while taken < len(ids) and taken < ITEMS_AT_ONCE and size < BYTES_AT_ONCE:
        item_id = ids[taken]
        taken += 1
        found = items.find(db, collection, item_id)
        if found is not None:
            size += len(found.properties_json)
            items.delete(db, found.key)
            removed.append(item_id)
    if removed:
        audit.record_items(db, act, name, removed)
    return ids[taken:]


def set_permission(db: Db, name: str, item_id: str, permission: Permission, act: Act) -> None:
    """Gives an item this permission and no other. Raises Unacceptable."""
    key = known_item(db, definitions.named(db, name), item_id).key
    try:
        item_rights.replace(db, key, permission)
    except PermissionTooLarge as error:
        raise Unacceptable({"permission": TOO_MANY_ENTRIES}) from error
    audit.record_items(db, act, name, [item_id])
