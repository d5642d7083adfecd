"""Users, for operators."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.errors import InvalidResponse

from . import wire
from .access import Caller
from .blocking import Blocking, blocking
from .user import User


@dataclass(frozen=True, slots=True)
class UserPage:
    """One page of the users who match, and how many match on all pages."""

    items: list[User]
    total: int


class AsyncUserManagement:
    """Every method may raise any class of `jsonrpc_backend.errors`; the docstrings name the ones to expect."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def list(
        self,
        *,
        page: int = 1,
        items_in_page: int = 100,
        sort: str | None = None,
        descending: bool = False,
        property_names: Iterable[str] | None = None,
        name_filter: str | None = None,
        query: str | None = None,
        bind: Iterable[Any] = (),
    ) -> UserPage:
        """Find users: one page, counted from 1, of at most 10,000 of them.

        `sort` is a property, or `_id`, `_username`, `_createdAt` or `_updatedAt`; by default the time of registration.
        `property_names` limits the properties that come with the users. `name_filter` is a part of the username or id.
        `query` is in MonaQL, and `bind` has a value for each `?` in it. InvalidParams: an error in the query, with its
        position, or more than 32 MiB of users. InvalidOperation: the search took too long.
        """
        params = {
            "page": page,
            "itemsInPage": items_in_page,
            "sortProperty": sort,
            "sortOrder": "desc" if descending else "asc",
            "propertyNames": None if property_names is None else [*property_names],
            "nameFilter": name_filter,
            "userQuery": query,
            "userQueryBindParams": [*bind],
        }
        result = await self._client.call("User.list", params)
        items, total = wire.member(result, "items"), wire.member(result, "totalItems")
        if not isinstance(items, list) or type(total) is not int:
            raise InvalidResponse({"reason": "The result is no page of users."})
        return UserPage([User.from_object(item) for item in items], total)

    async def create(self, username: str, password: str, properties: Mapping[str, Any] | None = None) -> User:
        """Make an account. InvalidParams: its `data` says what is wrong with which parameter."""
        params = {"username": username, "password": password, "properties": dict(properties or {})}
        return User.from_object(wire.member(await self._client.call("User.create", params), "user"))

    async def get(self, user_id: str) -> User:
        """A user by id, with all properties. InvalidParams: there is none."""
        return User.from_object(wire.member(await self._client.call("User.get", {"_id": user_id}), "user"))

    async def update(
        self, user_id: str, properties: Mapping[str, Any] | None = None, *, username: str | None = None
    ) -> None:
        """Add or replace properties (others stay) and perhaps the username, all of it or nothing. InvalidParams."""
        user = {**(properties or {}), **({} if username is None else {"_username": username})}
        await self._client.call("User.update", {"_id": user_id, "user": user})

    async def delete(self, user_ids: Iterable[str]) -> None:
        """Delete users with all data, all at once; those who are not there count as deleted."""
        if isinstance(user_ids, str):
            raise TypeError("user_ids must be a list of ids, not a string")
        await self._client.call("User.delete", {"idList": [*user_ids]})

    async def set_password(self, user_id: str, password: str) -> None:
        """Set another password; the user is signed out everywhere. InvalidParams: no such user, or no such password."""
        await self._client.call("User.setPassword", {"_id": user_id, "password": password})

    async def disable(self, user_id: str) -> None:
        """Sign a user out everywhere, who cannot sign in again until `enable`. InvalidParams: there is no such user."""
        await self._client.call("User.disable", {"_id": user_id})

    async def enable(self, user_id: str) -> None:
        """Let a user who is disabled sign in again. InvalidParams: there is no such user."""
        await self._client.call("User.enable", {"_id": user_id})

    async def get_property_names(self) -> Sequence[str]:
        """The names of the properties that the 100 users who registered last have, sorted."""
        names: Any = wire.member(await self._client.call("User.getPropertyNames"), "names")
        if isinstance(names, list):
            return names
        raise InvalidResponse({"reason": "The result's `names` is not an array."})


class UserManagement(Blocking[AsyncUserManagement]):
    """The operators' `User.*` methods, each of which waits for its result.

    Every method may raise any class of `jsonrpc_backend.errors`; the docstrings name the ones to expect.
    """

    list = blocking(AsyncUserManagement.list)
    create = blocking(AsyncUserManagement.create)
    get = blocking(AsyncUserManagement.get)
    update = blocking(AsyncUserManagement.update)
    delete = blocking(AsyncUserManagement.delete)
    set_password = blocking(AsyncUserManagement.set_password)
    disable = blocking(AsyncUserManagement.disable)
    enable = blocking(AsyncUserManagement.enable)
    get_property_names = blocking(AsyncUserManagement.get_property_names)
