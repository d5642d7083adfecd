"""An item as operators see one: with the device that owns it, and its permission."""

from typing import Any

from jsonrpc_backend.store import item_rights
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.items import Item

FIELDS = ("_id", "_ownerUserOid", "_ownerDeviceOid", "_permission", "_createdAt", "_updatedAt")


def operator_fields(db: Db, item: Item) -> dict[str, Any]:
    """What an item has beside the properties."""
    permission = item_rights.written(item_rights.read_permission(db, item.key))
    values = (item.id, item.owner, item.device, permission, item.created_at, item.updated_at)
    return dict(zip(FIELDS, values, strict=True))


def item_object(db: Db, item: Item) -> dict[str, Any]:
    """For programs that read it themselves."""
    return operator_fields(db, item) | item.properties
