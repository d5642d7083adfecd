"""The client for asyncio."""

import asyncio
import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jsonrpc_backend.errors import RpcError

from . import wire
from .collection import AsyncCollection
from .device import AsyncDevice
from .mailer import AsyncMailer
from .memory import Memory
from .state import State
from .transport import Transport
from .user_methods import AsyncUserMethods
from .wire import Notification, Request


class AsyncClient:
    """Calls the methods of one backend of a jsonrpc-backend server.

        async with AsyncClient("https://example.com", "app", api_key) as client:
            user = await client.user.login("me@example.com", "secret")

    A client is one device with at most one user signed in; it remembers the session and the login token of the
    answers. It belongs to the event loop of its first call. Calls may overlap.
    """

    def __init__(
        self,
        url: str,
        backend_id: str,
        api_key: str,
        *,
        device: str | None = None,
        state_file: str | os.PathLike[str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        """`url` is the server's address, without `/json-rpc`.

        `device` names this installation, 1 to 255 characters; a random id is made by default. `state_file` keeps
        the device id, the session and the login token for later runs, readable by its owner only; one client at a
        time can use it, and only for one endpoint. `timeout` is in seconds, for each call as a whole.
        """
        if device is not None and not 1 <= len(device) <= 255:
            raise ValueError("device must have 1 to 255 characters")
        if timeout <= 0:
            raise ValueError("timeout must be more than 0 seconds")
        endpoint = wire.endpoint(url, backend_id)
        self._endpoint = str(endpoint)
        self._api_key = api_key
        self._memory = Memory(self._endpoint, device, Path(state_file).absolute() if state_file else None)
        self._transport = Transport(endpoint, timeout)
        self._ids = itertools.count(1)

    def __repr__(self) -> str:
        device = f", device={self._memory.state.device!r}" if self._memory.is_loaded else ""
        return f"{type(self).__name__}({self._endpoint!r}{device})"

    @property
    def user(self) -> AsyncUserMethods:
        """The documented `User.*` methods."""
        return AsyncUserMethods(self)

    def collection(self, name: str) -> AsyncCollection:
        """The items of a collection: the documented `Collection.*` methods."""
        return AsyncCollection(self, name)

    @property
    def mailer(self) -> AsyncMailer:
        """The documented `Mailer.*` methods."""
        return AsyncMailer(self)

    @property
    def device(self) -> AsyncDevice:
        """The id of this installation, which has the documented `Device.*` methods.

        With a state file, RuntimeError until it has been read: see `open`.
        """
        return AsyncDevice(self._memory.state.device, self)

    @property
    def session(self) -> str | None:
        """The session id, if there is one; the server decides whether it is still valid. RuntimeError like `device`."""
        return self._memory.state.session

    @property
    def login_token(self) -> str | None:
        """The token for `user.auto_login()`, if there is one. RuntimeError like `device`."""
        return self._memory.state.login_token

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Read the state file now instead of at the first call.

        ValueError: it is damaged or belongs to another endpoint. OSError: it cannot be read or made.
        """
        if not self._memory.is_loaded:
            await asyncio.to_thread(self._memory.load)

    async def close(self) -> None:
        """Close the connections; a call after this is a RuntimeError."""
        await self._transport.close()
        await self._save()

    async def call(self, method: str, params: Mapping[str, Any] | None = None, /, **more: Any) -> Any:
        """Call any method and return its `result` as it came: `await client.call("User.getProperties", names=["age"])`.

        Parameters are given by name, by a mapping, or both. Raises the server's error by its code, TimedOut,
        InvalidResponse, InvalidStatus or ConnectionFailed; ValueError or TypeError, before anything is sent, for
        parameters that JSON cannot express or that have a reserved name; OSError when the call has taken effect
        but the state file cannot be written.
        """
        request = Request(method, wire.merged_params(params, more), next(self._ids))
        [outcome] = await self._exchange([request], batch=False)
        if isinstance(outcome, RpcError):
            raise outcome
        return outcome

    async def notify(self, method: str, params: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Call a method without asking how it went; the server tells nothing, not even of an error in the method."""
        await self._exchange([Request(method, wire.merged_params(params, more), None)], batch=False)

    async def batch(self, entries: Iterable[tuple[str, Mapping[str, Any] | None] | Notification]) -> list[Any]:
        """Make several calls in one request; the server runs them in order.

            age, error, _ = await client.batch([
                ("User.getProperty", {"name": "age"}),
                ("User.noSuchMethod", None),
                Notification("User.saveProperty", {"name": "seen", "value": True}),
            ])

        The list has one item for each entry, in the same order: its result, or its `RpcError`, which is returned
        and not raised; None for a `Notification`. Raised is what concerns the batch as a whole, as in `call`.
        All calls carry the session from before the batch: a sign-in in it counts for the calls after it.
        """
        requests = [self._entry(entry) for entry in entries]
        # An empty list of calls has an empty list of results; the server would call it an invalid request.
        return await self._exchange(requests, batch=True) if requests else []

    def _entry(self, entry: tuple[str, Mapping[str, Any] | None] | Notification) -> Request:
        if isinstance(entry, Notification):
            return Request(entry.method, wire.merged_params(entry.params, {}), None)
        method, params = entry
        return Request(method, wire.merged_params(params, {}), next(self._ids))

    async def _exchange(self, requests: Sequence[Request], *, batch: bool) -> list[Any]:
        """Send the requests and learn from the answer; the outcome of each, None for a notification."""
        await self.open()
        sent = self._memory.state
        objects = [request.to_object(self._reserved(sent)) for request in requests]
        ids = [request.id for request in requests if request.id is not None]
        answer = await self._transport.post(wire.encode(objects if batch else objects[0]), {200} if ids else {200, 204})
        outcomes: dict[int, Any] = {}
        try:
            outcomes = wire.read(answer.body, ids, batch=batch)
        finally:
            answered = [(r.method, outcomes[r.id]) for r in requests if r.id in outcomes]
            self._memory.learn(sent, sent.after(answer.session_header, answered))
            await self._save()
        return [None if request.id is None else outcomes[request.id] for request in requests]

    def _reserved(self, state: State) -> dict[str, str]:
        reserved = {"__api_key": self._api_key, "__device": state.device}
        return reserved if state.session is None else {**reserved, "__session": state.session}

    async def _save(self) -> None:
        if not self._memory.is_saved:
            await asyncio.to_thread(self._memory.save)
