"""How often one client may try: the rules behind error 9999.

Two kinds of limits. Registrations and the like count before they are done, whatever comes of them. At a password or a
token only wrong guesses count: each is noted in the database before it is answered. Until then the guess is under way
and counts as well, in memory, so that guesses made at the same time cannot pass a limit together.

A limit is never reset by a success: who signs in as himself between guesses gains nothing.
"""

import contextlib
import enum
import hashlib
import math
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.accounts.tokens import WELL_FORMED, digest
from jsonrpc_backend.accounts.usernames import MAX_LENGTH, username_key
from jsonrpc_backend.config import ThrottleConfig
from jsonrpc_backend.errors import CallLimitExceeded, InvalidParams
from jsonrpc_backend.store import attempts, known_devices, login_tokens
from jsonrpc_backend.store.database import Database

MINUTE = 60_000
SECONDS_WHILE_UNDER_WAY = 1  # when to try again if only guesses that are not decided yet are in the way

# Complaints about nothing else tell nothing of what somebody may be guessing at.
_NO_GUESS = {"newPassword"}


class Limited(enum.Enum):
    """What of a method's calls is limited."""

    PASSWORD = enum.auto()  # wrong ones
    RESET_TOKEN = enum.auto()  # wrong ones; apart from PASSWORD, for it is the way out for who has forgotten that
    LOGIN_TOKEN = enum.auto()  # wrong ones
    REGISTRATION = enum.auto()  # all of them, and questions whether one would do
    RESET_REQUEST = enum.auto()  # all of them


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who calls, and whom he names: values as they came, of any type and length."""

    address: str
    device: str
    username: Any = None
    login_token: Any = None


@dataclass(frozen=True, slots=True)
class _Limit:
    """At most so many within the window in one scope, a digest of who does what."""

    scope: bytes
    most: int


def _scope(*parts: str) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()[:16]


def device_digest(username_key: str, device: str) -> bytes:
    """What is stored of a device on which this user has signed in."""
    return hashlib.sha256(repr((username_key, device)).encode()).digest()


class Throttle:
    """The limits of one backend."""

    def __init__(self, config: ThrottleConfig, database: Database, clock: Callable[[], int]) -> None:
        self._config = config
        self._database = database
        self._clock = clock
        self._under_way: Counter[bytes] = Counter()

    @contextlib.asynccontextmanager
    async def admitted(self, limited: Limited, attempt: Attempt) -> AsyncIterator[None]:
        """Lets a call through, and watches what comes of it. Raises CallLimitExceeded."""
        if not self._config.enabled:
            yield
        elif limited in {Limited.REGISTRATION, Limited.RESET_REQUEST}:
            await self._count_call(limited, attempt.address)
            yield
        else:
            async with self._guess(await self._limits(limited, attempt)):
                yield

    async def purge(self, *, most: int) -> int:
        """Removes up to `most` attempts that count no more; returns how many."""
        return await self._database.write(attempts.purge, made_before=self._window_began(), most=most)

    def _window_began(self) -> int:
        return self._clock() - self._config.window_minutes * MINUTE

    # --- calls that count in any case --------------------------------------------------------------------

    async def _count_call(self, limited: Limited, address: str) -> None:
        registering = limited is Limited.REGISTRATION
        most = self._config.registrations_per_address if registering else self._config.reset_requests_per_address
        limit = _Limit(_scope(limited.name, address), most)

        def count(db: sqlite3.Connection) -> int:
            seconds = self._seconds_to_wait(db, limit, ahead=0)
            if not seconds:
                attempts.insert(db, [limit.scope], self._clock())
            return seconds

        seconds = await self._database.write(count)
        if seconds:
            raise CallLimitExceeded(seconds)

    # --- guesses -----------------------------------------------------------------------------------------

    async def _limits(self, limited: Limited, attempt: Attempt) -> list[_Limit]:
        """What holds for this guess.

        Whoever else guesses from an address, perhaps thousands of people share it, cannot lock out a device that has
        signed in before as this user, nor the owner of a login token: that one is no guess.
        """
        config, address = self._config, attempt.address
        at_address = _Limit(_scope("address", address), config.failed_logins_per_address)
        if limited is Limited.LOGIN_TOKEN:
            return [] if await self._is_login_token(attempt.login_token) else [at_address]
        if not isinstance(attempt.username, str) or len(attempt.username) > MAX_LENGTH:
            return [at_address]
        key = username_key(attempt.username)
        if await self._database.read(known_devices.is_known, device_digest(key, attempt.device)):
            # With the address: who has got hold of the device's id must not use up what its owner has elsewhere.
            return [_Limit(_scope(limited.name, key, address, attempt.device), config.failed_logins_per_user)]
        return [_Limit(_scope(limited.name, key, address), config.failed_logins_per_user), at_address]

    async def _is_login_token(self, token: Any) -> bool:
        is_well_formed = isinstance(token, str) and WELL_FORMED.fullmatch(token) is not None
        return is_well_formed and await self._database.read(login_tokens.exists, digest(token))

    @contextlib.asynccontextmanager
    async def _guess(self, limits: list[_Limit]) -> AsyncIterator[None]:
        """Raises CallLimitExceeded where a limit is reached; notes the guess if it turns out wrong."""
        scopes = [limit.scope for limit in limits]
        # As of now: what ends while the database is asked has been noted there, or was right.
        ahead = [self._under_way[scope] for scope in scopes]
        self._under_way.update(scopes)
        try:
            if limits and (seconds := await self._database.read(self._longest_wait, limits, ahead)):
                raise CallLimitExceeded(seconds)
            try:
                yield
            except InvalidParams as error:
                if error.data.keys() - _NO_GUESS:
                    await self._database.write(attempts.insert, scopes, self._clock())
                raise
        finally:
            self._under_way.subtract(scopes)
            for scope in scopes:
                if not self._under_way[scope]:
                    del self._under_way[scope]

    def _longest_wait(self, db: sqlite3.Connection, limits: list[_Limit], ahead: list[int]) -> int:
        waits = [self._seconds_to_wait(db, limit, ahead=number) for limit, number in zip(limits, ahead, strict=True)]
        return max(waits, default=0)

    def _seconds_to_wait(self, db: sqlite3.Connection, limit: _Limit, *, ahead: int) -> int:
        """0: go ahead. `ahead` guesses are under way, and may turn out wrong."""
        after = self._window_began()
        in_the_way = attempts.nth_latest(db, limit.scope, limit.most, after=after)
        if in_the_way is not None:
            return math.ceil((in_the_way - after) / 1000)
        left = limit.most - ahead
        if left <= 0 or attempts.nth_latest(db, limit.scope, left, after=after) is not None:
            return SECONDS_WHILE_UNDER_WAY
        return 0
