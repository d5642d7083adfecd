"""The clients of the operators' API, for an operator's own server."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from yarl import URL

from jsonrpc_backend.errors import InvalidResponse, RpcError

from . import wire
from .access import AsyncSessionManagement, AsyncThrottleManagement, SessionManagement, ThrottleManagement
from .blocking import Blocking, BlockingClient, blocking, documented
from .loop_thread import LoopThread
from .transport import Transport
from .user import User
from .wire import Request

KEY_HEADER = "X-Monaca-Backend-Management-API-Key"


@dataclass(frozen=True, slots=True)
class UserPage:
    """One page of the users who match, and how many match on all pages."""

    items: list[User]
    total: int


class AsyncManagementClient:
    """Calls the operators' API of one backend.

        async with AsyncManagementClient("https://example.com", "app", key) as client:
            page = await client.user.list(query="country == ? && age > 20", bind=["US"])

    It belongs to the event loop of its first call. Calls may overlap.
    """

    def __init__(self, url: str, backend_id: str, key: str, *, timeout: float = 30.0) -> None:
        """`url` is the server's address, without `/manage/json-rpc`; `key` a management key of the backend.

        `timeout` is in seconds, for each call as a whole.
        """
        endpoint = wire.endpoint(url, backend_id, path="/manage/json-rpc")
        self._endpoint = str(endpoint)
        self._transport = _transport(endpoint, key, timeout)
        self._ids = itertools.count(1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._endpoint!r})"

    @property
    def user(self) -> "AsyncUserManagement":
        """The documented `User.*` methods."""
        return AsyncUserManagement(self)

    @property
    def session(self) -> AsyncSessionManagement:
        """The `Session.*` methods."""
        return AsyncSessionManagement(self)

    @property
    def throttle(self) -> AsyncThrottleManagement:
        """The `Throttle.*` methods."""
        return AsyncThrottleManagement(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; a call after this is a RuntimeError."""
        await self._transport.close()

    async def call(self, method: str, params: Mapping[str, Any] | None = None, /, **more: Any) -> Any:
        """Call any method and return its `result` as it came.

        Parameters are given by name, by a mapping, or both. Raises the server's error by its code (InvalidApiKey: the
        key is wrong, or not for this address), TimedOut, InvalidResponse, InvalidStatus or ConnectionFailed; ValueError
        or TypeError, before anything is sent, for parameters that JSON cannot express.
        """
        request = Request(method, wire.merged_params(params, more), next(self._ids))
        [outcome] = await self._exchange([request], batch=False)
        if isinstance(outcome, RpcError):
            raise outcome
        return outcome

    async def batch(self, entries: Iterable[tuple[str, Mapping[str, Any] | None]]) -> list[Any]:
        """Make several calls in one request; the server runs them in order.

        The list has the result of each entry, in the same order, or its `RpcError`, which is returned and not raised.
        """
        requests = [Request(method, wire.merged_params(params, {}), next(self._ids)) for method, params in entries]
        return await self._exchange(requests, batch=True) if requests else []

    async def _exchange(self, requests: Sequence[Request], *, batch: bool) -> list[Any]:
        objects = [request.to_object({}) for request in requests]
        ids = [request.id for request in requests if request.id is not None]
        answer = await self._transport.post(wire.encode(objects if batch else objects[0]), {200})
        outcomes = wire.read(answer.body, ids, batch=batch)
        return [outcomes[request_id] for request_id in ids]


def _transport(address: URL, key: str, timeout: float) -> Transport:
    if timeout <= 0:
        raise ValueError("timeout must be more than 0 seconds")
    if not (key.isascii() and key.isprintable()):
        raise ValueError("key must consist of printable ASCII characters")  # it travels in a header
    return Transport(address, timeout, {KEY_HEADER: key})


async def find_only_backend(url: str, key: str, *, seconds: float) -> str:
    """The id of the backend of a server that has one, which it tells to who has a management key of that.

    Raises InvalidStatus (403: there are several, or it is not the key), TimedOut, InvalidResponse, ConnectionFailed.
    """
    transport = _transport(wire.address(url, "/manage/openrpc.json"), key, seconds)
    try:
        document = wire.parse((await transport.get({200})).body)
    finally:
        await transport.close()
    match document:
        case {"servers": [{"name": str(backend_id)}]}:
            return backend_id
    raise InvalidResponse({"reason": "The document names no backend."})


class AsyncUserManagement:
    """Every method may raise any class of `jsonrpc_backend.errors`; the docstrings name the ones to expect."""

    def __init__(self, client: AsyncManagementClient) -> None:
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


class ManagementClient(BlockingClient[AsyncManagementClient]):
    """Calls the operators' API of one backend, without asyncio.

        with ManagementClient("https://example.com", "app", key) as client:
            page = client.user.list(query="country == ? && age > 20", bind=["US"])

    Any thread may use it, also one with a running event loop, such as a notebook's.
    """

    def __init__(self, url: str, backend_id: str, key: str, *, timeout: float = 30.0) -> None:
        """`url` is the server's address, without `/manage/json-rpc`; `key` a management key of the backend.

        `timeout` is in seconds, for each call as a whole.
        """
        client = AsyncManagementClient(url, backend_id, key, timeout=timeout)
        super().__init__(client, LoopThread(client.close))

    @property
    def user(self) -> UserManagement:
        """The documented `User.*` methods; `help(client.user)` describes them."""
        return UserManagement(self._asynchronous.user, self._thread)

    user.__doc__ = documented(user.__doc__, UserManagement)

    @property
    def session(self) -> SessionManagement:
        """The `Session.*` methods."""
        return SessionManagement(self._asynchronous.session, self._thread)

    session.__doc__ = documented(session.__doc__, SessionManagement)

    @property
    def throttle(self) -> ThrottleManagement:
        """The `Throttle.*` methods."""
        return ThrottleManagement(self._asynchronous.throttle, self._thread)

    throttle.__doc__ = documented(throttle.__doc__, ThrottleManagement)

    call = blocking(AsyncManagementClient.call)
    batch = blocking(AsyncManagementClient.batch)
