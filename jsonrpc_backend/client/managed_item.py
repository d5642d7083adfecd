"""Collections and items as the operators' API describes them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jsonrpc_backend.errors import InvalidResponse

from .item import Item, Rights, read_page, read_permission
from .user import read_time


@dataclass(frozen=True, slots=True)
class CollectionConfig:
    """A collection and its settings; the time is in UTC.

    `public`: what everybody may do with new items. `delete_with_owner`: which items go with the user who owns them,
    "private" ones, to which nobody else has a right, "all" or "none". `indexes`: properties by which finding is fast.
    """

    name: str
    is_insertable: bool
    public: Rights
    delete_with_owner: str
    indexes: tuple[str, ...]
    created_at: datetime

    @staticmethod
    def from_object(config: Any) -> "CollectionConfig":
        """An entry of `Collection.list`. Raises InvalidResponse if it is none."""
        match config:
            case {
                "_id": str(name),
                "isInsertable": bool(insertable),
                "defaultPublicPermission": ("" | "r" | "w" | "rw") as public,
                "deleteWithOwner": str(with_owner),
                "indexes": [*indexes],
                "_createdAt": created_at,
            } if (created := read_time(created_at)) and all(isinstance(index, str) for index in indexes):
                return CollectionConfig(name, insertable, public, with_owner, tuple(indexes), created)
        raise InvalidResponse({"reason": "The result holds something else than collections."})


@dataclass(frozen=True, slots=True)
class ManagedItem(Item):
    """An item with what apps do not see: the device that owns it where no user does, and who else has which rights."""

    owner_device: str | None = field(repr=False)  # who knows it acts as the owner: not for logs
    permission: dict[str, Rights] = field(hash=False)

    @staticmethod
    def from_object(item: Any) -> "ManagedItem":
        """The `item` member of a result. Raises InvalidResponse if it is none."""
        seen, device = Item.from_object(item), item.get("_ownerDeviceOid")
        if not isinstance(device, str | None):
            raise InvalidResponse({"reason": "The result holds something else than items."})
        return ManagedItem(
            seen.id,
            seen.owner_id,
            seen.created_at,
            seen.updated_at,
            seen.properties,
            device,
            read_permission(item.get("_permission")),
        )


@dataclass(frozen=True, slots=True)
class ManagedItemPage:
    """One page of the items that match, and how many match on all pages."""

    items: list[ManagedItem]
    total: int

    @staticmethod
    def from_result(result: Any) -> "ManagedItemPage":
        """Raises InvalidResponse."""
        items, total = read_page(result)
        return ManagedItemPage([ManagedItem.from_object(item) for item in items], total)
