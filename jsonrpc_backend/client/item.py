"""An item of a collection as the server describes one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from jsonrpc_backend.errors import InvalidResponse

from .user import read_time
from .wire import member

Rights = Literal["", "r", "w", "rw"]
RIGHTS = get_args(Rights)

# Rights by whose they are: "public" or a user's id.
Permission = Mapping[str, Rights]


@dataclass(frozen=True, slots=True)
class Item:
    """An item, as of the answer that it came in; times are in UTC.

    `owner_id`: the user who has inserted it; None: it belongs to a device, or to nobody.
    """

    id: str
    owner_id: str | None
    created_at: datetime
    updated_at: datetime
    properties: dict[str, Any] = field(hash=False)

    @staticmethod
    def from_object(item: Any) -> "Item":
        """The `item` member of a result. Raises InvalidResponse if it is none."""
        if isinstance(item, dict) and isinstance(item.get("_id"), str):
            owner, created = item.get("_ownerUserOid"), read_time(item.get("_createdAt"))
            updated = read_time(item.get("_updatedAt"))
            if created and updated and isinstance(owner, str | None):
                properties = {name: value for name, value in item.items() if not name.startswith("_")}
                return Item(item["_id"], owner, created, updated, properties)
        raise InvalidResponse({"reason": "The result holds something else than items."})


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One page of the items that match, and how many match on all pages."""

    items: list[Item]
    total: int

    @staticmethod
    def from_result(result: Any) -> "ItemPage":
        """Raises InvalidResponse."""
        items, total = read_page(result)
        return ItemPage([Item.from_object(item) for item in items], total)


def read_page(result: Any) -> tuple[list[Any], int]:
    """The items of a page, not looked at yet, and how many match. Raises InvalidResponse."""
    items, total = member(result, "items"), member(result, "totalItems")
    if not isinstance(items, list) or type(total) is not int:
        raise InvalidResponse({"reason": "The result holds no page of items."})
    return items, total


def read_permission(permission: Any) -> dict[str, Rights]:
    """Raises InvalidResponse."""
    if not isinstance(permission, dict) or not all(rights in RIGHTS for rights in permission.values()):
        raise InvalidResponse({"reason": "The result's permission is none."})
    return permission
