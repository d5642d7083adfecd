"""The clients of the operators' API, for an operator's own server."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from yarl import URL

from jsonrpc_backend.errors import InvalidResponse, RpcError

from . import wire
from .access import AsyncSessionManagement, AsyncThrottleManagement, SessionManagement, ThrottleManagement
from .blocking import BlockingClient, blocking, documented
from .collection_management import (
    AsyncCollectionManagement,
    AsyncItemManagement,
    AsyncPushManagement,
    CollectionManagement,
    ItemManagement,
    PushManagement,
)
from .loop_thread import LoopThread
from .transport import Transport
from .user_management import AsyncUserManagement, UserManagement
from .wire import Request

KEY_HEADER = "X-Monaca-Backend-Management-API-Key"


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
    def user(self) -> AsyncUserManagement:
        """The documented `User.*` methods."""
        return AsyncUserManagement(self)

    @property
    def collection(self) -> AsyncCollectionManagement:
        """The documented `Collection.*` methods."""
        return AsyncCollectionManagement(self)

    @property
    def item(self) -> AsyncItemManagement:
        """The documented `CollectionItem.*` methods."""
        return AsyncItemManagement(self)

    @property
    def push(self) -> AsyncPushManagement:
        """The documented `Push.*` methods, which this server does not do."""
        return AsyncPushManagement(self)

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
    def collection(self) -> CollectionManagement:
        """The documented `Collection.*` methods."""
        return CollectionManagement(self._asynchronous.collection, self._thread)

    collection.__doc__ = documented(collection.__doc__, CollectionManagement)

    @property
    def item(self) -> ItemManagement:
        """The documented `CollectionItem.*` methods."""
        return ItemManagement(self._asynchronous.item, self._thread)

    item.__doc__ = documented(item.__doc__, ItemManagement)

    @property
    def push(self) -> PushManagement:
        """The documented `Push.*` methods, which this server does not do."""
        return PushManagement(self._asynchronous.push, self._thread)

    push.__doc__ = documented(push.__doc__, PushManagement)

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
