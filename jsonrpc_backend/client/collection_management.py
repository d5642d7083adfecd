"""Collections, their items, and push notifications, for operators."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from jsonrpc_backend.errors import InvalidResponse

from . import wire
from .access import Caller
from .blocking import Blocking, blocking
from .item import Permission, Rights, read_permission
from .managed_item import CollectionConfig, ManagedItem, ManagedItemPage

WithOwner = Literal["private", "all", "none"]


class AsyncCollectionManagement:
    """Collections. Every method may raise any class of `jsonrpc_backend.errors`.

    InvalidParams: there is no such collection, or `data` says what is wrong with which parameter.
    """

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def list(self) -> Sequence[CollectionConfig]:
        """All collections, by name."""
        found = wire.member(await self._client.call("Collection.list"), "items")
        if not isinstance(found, list):
            raise InvalidResponse({"reason": "The result's `items` is not an array."})
        return [CollectionConfig.from_object(each) for each in found]

    async def create(
        self,
        name: str,
        *,
        is_insertable: bool = False,
        public: Rights = "",
        delete_with_owner: WithOwner = "private",
        indexes: Iterable[str] = (),
    ) -> None:
        """Make an empty collection.

        `is_insertable`: whether apps may insert items. `public`: what everybody may do with new items.
        `delete_with_owner`: which items go with a user who owns them. `indexes`: properties to find items fast by.
        """
        await self._set("create", name, is_insertable, public, delete_with_owner, indexes)

    async def set_config(
        self,
        name: str,
        *,
        is_insertable: bool | None = None,
        public: Rights | None = None,
        delete_with_owner: WithOwner | None = None,
        indexes: Iterable[str] | None = None,
    ) -> None:
        """Change settings; those that are None stay. New indexes are built beside the calls."""
        await self._set("setConfig", name, is_insertable, public, delete_with_owner, indexes)

    async def _set(  # noqa: PLR0917
        self,
        method: str,
        name: str,
        is_insertable: bool | None,
        public: str | None,
        delete_with_owner: str | None,
        indexes: Iterable[str] | None,
    ) -> None:
        params = {
            "_id": name,
            "isInsertable": is_insertable,
            "defaultPublicPermission": public,
            "deleteWithOwner": delete_with_owner,
            "indexes": None if indexes is None else _list_of(indexes, "indexes"),
        }
        await self._client.call(f"Collection.{method}", params)

    async def get_config(self, name: str) -> CollectionConfig:
        """A collection with its settings."""
        return CollectionConfig.from_object(
            wire.member(await self._client.call("Collection.getConfig", {"_id": name}), "config")
        )

    async def drop(self, name: str) -> None:
        """Delete a collection with all items: at once nobody finds them, and the name is free."""
        await self._client.call("Collection.drop", {"_id": name})

    async def get_property_names(self, name: str) -> Sequence[str]:
        """The names of the properties that the newest 100 items have, sorted."""
        names: Any = wire.member(await self._client.call("Collection.getPropertyNames", {"_id": name}), "names")
        if isinstance(names, list):
            return names
        raise InvalidResponse({"reason": "The result's `names` is not an array."})


class AsyncItemManagement:
    """Items of collections, whoever owns them. Every method may raise any class of `jsonrpc_backend.errors`.

    InvalidParams: there is no such collection or item, or `data` says what is wrong with which parameter.
    """

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def list(
        self,
        collection: str,
        *,
        page: int = 1,
        items_in_page: int = 100,
        sort: str | None = None,
        descending: bool = False,
        property_names: Iterable[str] | None = None,
        query: str | None = None,
        bind: Iterable[Any] = (),
    ) -> ManagedItemPage:
        """Find items: one page, counted from 1, of at most 10,000 of them.

        `sort` is a property, or `_id`, `_ownerUserOid`, `_createdAt` or `_updatedAt`; by default the time of insertion.
        `property_names` limits the properties that come with the items. `query` is in MonaQL, and `bind` has a value
        for each `?` in it. InvalidParams: also an error in the query, with its position, or more than 32 MiB of items.
        InvalidOperation: the search took too long.
        """
        names = None if property_names is None else _list_of(property_names, "property_names")
        params = {
            "collectionName": collection,
            "page": page,
            "itemsInPage": items_in_page,
            "sortProperty": sort,
            "sortOrder": "desc" if descending else "asc",
            "propertyNames": names,
            "itemQuery": query,
            "itemQueryBindParams": [*bind],
        }
        return ManagedItemPage.from_result(await self._client.call("CollectionItem.list", params))

    async def create(
        self,
        collection: str,
        properties: Mapping[str, Any] | None = None,
        *,
        owner_id: str | None = None,
        permission: Permission | None = None,
    ) -> ManagedItem:
        """Add an item, which belongs to a user or to nobody, whether apps may insert or not."""
        owner = {} if owner_id is None else {"_ownerUserOid": owner_id}
        rights = {} if permission is None else {"_permission": {**permission}}
        params = {"collectionName": collection, "item": {**(properties or {}), **owner, **rights}}
        return ManagedItem.from_object(wire.member(await self._client.call("CollectionItem.create", params), "item"))

    async def get(self, collection: str, item_id: str) -> ManagedItem:
        """An item by id, with all properties."""
        return ManagedItem.from_object(wire.member(await self._of("get", collection, item_id), "item"))

    async def update(self, collection: str, item_id: str, properties: Mapping[str, Any]) -> None:
        """Add or replace properties; others stay, and so do owner and permission."""
        await self._of("update", collection, item_id, item=dict(properties))

    async def delete(self, collection: str, item_ids: Iterable[str]) -> None:
        """Delete items; those that are not there count as deleted."""
        ids = _list_of(item_ids, "item_ids")
        await self._client.call("CollectionItem.delete", {"collectionName": collection, "idList": ids})

    async def get_permission(self, collection: str, item_id: str) -> dict[str, Rights]:
        """The rights that others than the owner have: of everybody under `public`, of users by their ids."""
        return read_permission(wire.member(await self._of("getPermission", collection, item_id), "permission"))

    async def set_permission(self, collection: str, item_id: str, permission: Permission) -> None:
        """Give an item this permission and no other."""
        await self._of("setPermission", collection, item_id, permission={**permission})

    async def _of(self, method: str, collection: str, item_id: str, **more: Any) -> Any:
        params = {"collectionName": collection, "_id": item_id, **more}
        return await self._client.call(f"CollectionItem.{method}", params)


class AsyncPushManagement:
    """Push notifications, which a jsonrpc-backend server does not send: both methods raise InvalidOperation."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def send(
        self,
        push_project_id: str,
        message: str,
        *,
        platform: Literal["android", "ios"],
        build_type: Literal["debug", "release", "adhoc"],
        title: str | None = None,
        badge: int | None = None,
        data: Any = None,
        user_ids: Iterable[str] | None = None,
        user_query: str | None = None,
        bind: Iterable[Any] = (),
        device_ids: Iterable[str] | None = None,
    ) -> Any:
        """The documented call: to all, or to those users, to the users who match a query, or to those devices."""
        params = {
            "pushProjectId": push_project_id,
            "platform": platform,
            "target": "app",
            "buildType": build_type,
            "title": title,
            "message": message,
            "badge": badge,
            "json": data,
            "userOidList": None if user_ids is None else _list_of(user_ids, "user_ids"),
            "userQuery": user_query,
            "userQueryBindParams": [*bind],
            "deviceIdList": None if device_ids is None else _list_of(device_ids, "device_ids"),
        }
        return await self._client.call("Push.send", params)

    async def status(self, push_project_id: str, queue_id: str) -> Any:
        """The documented call: what became of what `send` has queued."""
        return await self._client.call("Push.status", {"pushProjectId": push_project_id, "queueId": queue_id})


def _list_of(texts: Iterable[str], name: str) -> "list[str]":
    if isinstance(texts, str):
        raise TypeError(f"{name} must be a list, not a string")
    return [*texts]


class CollectionManagement(Blocking[AsyncCollectionManagement]):
    """The operators' `Collection.*` methods, each of which waits for its result.

    Every method may raise any class of `jsonrpc_backend.errors`; the docstrings name the ones to expect.
    """

    list = blocking(AsyncCollectionManagement.list)
    create = blocking(AsyncCollectionManagement.create)
    get_config = blocking(AsyncCollectionManagement.get_config)
    set_config = blocking(AsyncCollectionManagement.set_config)
    drop = blocking(AsyncCollectionManagement.drop)
    get_property_names = blocking(AsyncCollectionManagement.get_property_names)


class ItemManagement(Blocking[AsyncItemManagement]):
    """The operators' `CollectionItem.*` methods, each of which waits for its result.

    Every method may raise any class of `jsonrpc_backend.errors`; the docstrings name the ones to expect.
    """

    list = blocking(AsyncItemManagement.list)
    create = blocking(AsyncItemManagement.create)
    get = blocking(AsyncItemManagement.get)
    update = blocking(AsyncItemManagement.update)
    delete = blocking(AsyncItemManagement.delete)
    get_permission = blocking(AsyncItemManagement.get_permission)
    set_permission = blocking(AsyncItemManagement.set_permission)


class PushManagement(Blocking[AsyncPushManagement]):
    """The operators' `Push.*` methods, which a jsonrpc-backend server does not do: they raise InvalidOperation."""

    send = blocking(AsyncPushManagement.send)
    status = blocking(AsyncPushManagement.status)
