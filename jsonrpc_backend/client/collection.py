"""`client.collection(name)`: the documented `Collection.*` methods with Python's names and types."""

import functools
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from jsonrpc_backend.errors import InvalidParams, InvalidResponse

from .item import Item, ItemPage, Permission, Rights, read_permission
from .user_methods import Calling
from .wire import given, member

MOST_ON_A_PAGE = 1024  # of those that are read one after the other: a power of two, to be halved


class AsyncCollection:
    """Items of one collection: those that who is signed in may read or write, else those of this device.

    Every method may raise any class of `jsonrpc_backend.errors`. InvalidParams: there is no such collection, or `data`
    says what is wrong with which parameter; LoginRequired: the session has ended; PermissionDenied: an item may be read
    and not written, or the app may not insert.

    `criteria` are in the query language, as in `"mood > ? && tag IN [?, ?]"`, with a value in `bind` for each `?`; a
    time in `bind` may be a `datetime`. `order_by` is a property, `_id` or a time, perhaps with ` DESC` behind it, or a
    list of these. `property_names`: which properties are wanted; all of them by default.
    """

    def __init__(self, client: Calling, name: str) -> None:
        self._client = client
        self._name = name

    async def find(
        self,
        criteria: str | None = None,
        bind: Sequence[Any] = (),
        *,
        order_by: str | Sequence[str] | None = None,
        property_names: Sequence[str] | None = None,
        limit: int | None = None,
        page: int | None = None,
    ) -> ItemPage:
        """A page of what may be read; without `limit` all of it, up to 10,000 items or 32 MiB."""
        options = given(propertyNames=_names(property_names), limit=limit, page=page)
        return await self._find(_question(criteria, bind, order_by), options)

    async def find_mine(
        self,
        criteria: str | None = None,
        bind: Sequence[Any] = (),
        *,
        order_by: str | Sequence[str] | None = None,
        property_names: Sequence[str] | None = None,
        limit: int | None = None,
        page: int | None = None,
    ) -> ItemPage:
        """The same of what the signed-in user has inserted; with nobody signed in, of what this device has."""
        options = given(propertyNames=_names(property_names), limit=limit, page=page, mine=True)
        return await self._find(_question(criteria, bind, order_by), options)

    async def find_one(
        self,
        criteria: str | None = None,
        bind: Sequence[Any] = (),
        *,
        order_by: str | Sequence[str] | None = None,
        property_names: Sequence[str] | None = None,
    ) -> Item | None:
        """The first of what may be read, if there is any."""
        options = given(propertyNames=_names(property_names), limit=1)
        return _first(await self._find(_question(criteria, bind, order_by), options))

    async def find_one_mine(
        self,
        criteria: str | None = None,
        bind: Sequence[Any] = (),
        *,
        order_by: str | Sequence[str] | None = None,
        property_names: Sequence[str] | None = None,
    ) -> Item | None:
        """The first of one's own, if there is any."""
        options = given(propertyNames=_names(property_names), limit=1, mine=True)
        return _first(await self._find(_question(criteria, bind, order_by), options))

    async def find_all(
        self,
        criteria: str | None = None,
        bind: Sequence[Any] = (),
        *,
        order_by: str | Sequence[str] | None = None,
        property_names: Sequence[str] | None = None,
        mine: bool = False,
    ) -> AsyncIterator[Item]:
        """Everything that matches, one after the other, however much it is: the client asks for page after page.

        What others delete or move in the order meanwhile may leave one out, or bring one twice.
        """
        pages = Pages(self, criteria, bind, order_by=order_by, property_names=property_names, mine=mine)
        while items := await pages.next():
            for item in items:
                yield item

    async def insert(self, item: Mapping[str, Any], permission: Permission | None = None) -> Item:
        """Add an item; it belongs to the signed-in user, else to this device.

        What `permission` does not say of everybody ("public") is the collection's default.
        """
        permitted = given(permission=None if permission is None else dict(permission))
        return Item.from_object(member(await self._call("insert", item=dict(item), **permitted), "item"))

    async def update(self, item_id: str, changes: Mapping[str, Any]) -> None:
        """Add or replace properties of an item; others stay. InvalidParams: there is no such item."""
        await self._call("update", itemOid=item_id, data=dict(changes))

    async def delete(self, item_id: str) -> None:
        """InvalidParams: there is no such item."""
        await self._call("delete", itemOid=item_id)

    async def get_permission(self, item_id: str) -> dict[str, Rights]:
        """Who has which rights to an item, for who may write it. InvalidParams: there is no such item."""
        return read_permission(member(await self._call("getPermission", itemOid=item_id), "permission"))

    async def update_permission(
        self,
        permission: Permission,
        *,
        criteria: str | None = None,
        bind: Sequence[Any] = (),
        force_overwrite: bool = False,
    ) -> int:
        """Change the rights to all items that match and may be written; returns how many.

        Other entries stay, unless `force_overwrite`; "" takes the rights away that an entry gives.
        """
        params = {**_question(criteria, bind), "permission": dict(permission)}
        options = {"forceOverwrite": True} if force_overwrite else None
        number = member(await self._call("updatePermission", **params, **given(options=options)), "numUpdates")
        if type(number) is not int:
            raise InvalidResponse({"reason": "The result's `numUpdates` is not an integer."})
        return number

    async def _find(self, question: Mapping[str, Any], options: Mapping[str, Any]) -> ItemPage:
        return ItemPage.from_result(await self._call("find", **question, **given(options=options or None)))

    async def _call(self, method: str, **params: Any) -> Any:
        return await self._client.call(f"Collection.{method}", {"collectionName": self._name, **params})


class Pages:
    """What `find_all` reads, page after page. One that is too large for an answer is asked for in smaller ones."""

    def __init__(
        self,
        collection: AsyncCollection,
        criteria: str | None,
        bind: Sequence[Any],
        *,
        order_by: str | Sequence[str] | None,
        property_names: Sequence[str] | None,
        mine: bool,
    ) -> None:
        find = collection.find_mine if mine else collection.find
        self._find = functools.partial(find, criteria, bind, order_by=order_by, property_names=property_names)
        self._limit = MOST_ON_A_PAGE
        self._read = 0
        self._total: int | None = None

    async def next(self) -> list[Item]:
        """The items of the next page; none after the last."""
        if self._total is not None and self._read >= self._total:
            return []
        page = await self._next_that_is_small_enough()
        self._read, self._total = self._read + self._limit, page.total
        return page.items

    async def _next_that_is_small_enough(self) -> ItemPage:
        while True:
            try:
                return await self._find(limit=self._limit, page=self._read // self._limit + 1)
            except InvalidParams as error:
                if "options.limit" not in error.data or self._limit == 1:
                    raise
                self._limit //= 2


def _question(criteria: str | None, bind: Sequence[Any], order_by: str | Sequence[str] | None = None) -> dict[str, Any]:
    if isinstance(bind, str):
        raise TypeError("bind must be a list of values, not a string")
    order = order_by if order_by is None or isinstance(order_by, str) else list(order_by)
    return given(criteria=criteria, bindParams=[_bound(value) for value in bind] or None, orderBy=order)


def _bound(value: Any) -> Any:
    """A time as JavaScript writes it, which counts beside the times of items."""
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError("a time in bind must have a time zone")
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _names(names: Sequence[str] | None) -> list[str] | None:
    if isinstance(names, str):
        raise TypeError("property_names must be a list of names, not a string")
    return None if names is None else list(names)


def _first(page: ItemPage) -> Item | None:
    return page.items[0] if page.items else None
