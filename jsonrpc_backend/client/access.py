"""Who may sign in, for operators: sessions, and the limits on guessing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from jsonrpc_backend.errors import InvalidResponse

from . import wire
from .blocking import Blocking, blocking
from .user import read_time


class Caller(Protocol):
    """What makes the calls: an `AsyncManagementClient`."""

    async def call(self, method: str, params: Mapping[str, Any] | None = None, /, **more: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class HeldUp:
    """A user as whom nobody can sign in from somewhere until then, because of wrong passwords; the time is in UTC."""

    id: str
    username: str
    until: datetime

    @staticmethod
    def from_object(user: Any) -> "HeldUp":
        """An entry of `Throttle.list`. Raises InvalidResponse if it is none."""
        until = read_time(user.get("until")) if isinstance(user, dict) else None
        if until and isinstance(user.get("_id"), str) and isinstance(user.get("_username"), str):
            return HeldUp(user["_id"], user["_username"], until)
        raise InvalidResponse({"reason": "The result holds something else than users."})


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session of a user; times are in UTC. `id` is good for `revoke` only; `device` is None where it is not known."""

    id: str
    created_at: datetime
    used_at: datetime
    device: str | None

    @staticmethod
    def from_object(session: Any) -> "SignedIn":
        """An entry of `Session.list`. Raises InvalidResponse if it is none."""
        if isinstance(session, dict) and isinstance(session.get("id"), str):
            created, used = read_time(session.get("createdAt")), read_time(session.get("usedAt"))
            device = session.get("device")
            if created and used and isinstance(device, str | None):
                return SignedIn(session["id"], created, used, device)
        raise InvalidResponse({"reason": "The result holds something else than sessions."})


class AsyncThrottleManagement:
    """The limits on guessing. Every method may raise any class of `jsonrpc_backend.errors`."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def list(self) -> Sequence[HeldUp]:
        """The users as whom nobody can sign in from somewhere now, at most 1,000, the longest held up first."""
        users: Any = wire.member(await self._client.call("Throttle.list"), "users")
        if isinstance(users, list):
            return [HeldUp.from_object(user) for user in users]
        raise InvalidResponse({"reason": "The result's `users` is not an array."})

    async def clear(self, *, name: str | None = None, address: str | None = None) -> int:
        """Let go on either a user, by username or id, or everybody at an IP address; returns how much has counted.

        InvalidParams: there is no such user, or that is no address.
        """
        removed = wire.member(await self._client.call("Throttle.clear", {"name": name, "address": address}), "removed")
        if type(removed) is int:
            return removed
        raise InvalidResponse({"reason": "The result's `removed` is not an integer."})


class AsyncSessionManagement:
    """Where users are signed in. Every method may raise any class of `jsonrpc_backend.errors`."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def list(self, user_id: str) -> Sequence[SignedIn]:
        """A user's sessions, latest use first. InvalidParams: there is no such user."""
        sessions: Any = wire.member(await self._client.call("Session.list", {"_id": user_id}), "sessions")
        if isinstance(sessions, list):
            return [SignedIn.from_object(session) for session in sessions]
        raise InvalidResponse({"reason": "The result's `sessions` is not an array."})

    async def revoke(self, user_id: str, session_id: str | None = None) -> int:
        """End a session, with the login tokens of its sign-in; without its id all of the user's. Returns how many.

        InvalidParams: there is no such user, or the user has no such session.
        """
        params = {"_id": user_id, "session": session_id}
        ended = wire.member(await self._client.call("Session.revoke", params), "ended")
        if type(ended) is int:
            return ended
        raise InvalidResponse({"reason": "The result's `ended` is not an integer."})


class ThrottleManagement(Blocking[AsyncThrottleManagement]):
    """The limits on guessing. Every method may raise any class of `jsonrpc_backend.errors`."""

    list = blocking(AsyncThrottleManagement.list)
    clear = blocking(AsyncThrottleManagement.clear)


class SessionManagement(Blocking[AsyncSessionManagement]):
    """Where users are signed in. Every method may raise any class of `jsonrpc_backend.errors`."""

    list = blocking(AsyncSessionManagement.list)
    revoke = blocking(AsyncSessionManagement.revoke)
