"""How often one client may try.

Two kinds of limits. Registrations and the like count before they are done, whatever comes of them. At a password or a
token only wrong guesses count: each is noted in the database before it is answered. Until then the guess is under way
and counts as well, in memory, so that guesses made at the same time cannot pass a limit together.

A limit is never reset by a success: who signs in as himself between guesses gains nothing.

Whatever is limited per address is limited per network too, with a larger budget: see `Attempt.networks`.
"""

import contextlib
import enum
import math
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from jsonrpc_backend.accounts.origins import Origin
from jsonrpc_backend.accounts.refusals import NotNow, WrongGuess
from jsonrpc_backend.accounts.reset_tokens import as_typed
from jsonrpc_backend.accounts.scopes import ADDRESS, scope, unknown_devices
from jsonrpc_backend.accounts.tokens import WELL_FORMED, digest, stored
from jsonrpc_backend.accounts.usernames import MAX_LENGTH, username_key
from jsonrpc_backend.clock import MINUTE, Clock
from jsonrpc_backend.config import ThrottleConfig
from jsonrpc_backend.fairness.tally import Tally
from jsonrpc_backend.store import attempts, login_tokens, password_resets
from jsonrpc_backend.store.engine import Database, Db
from jsonrpc_backend.store.users import Account

SECONDS_WHILE_UNDER_WAY = 1  # when to try again if only guesses that are not decided yet are in the way

_SURROGATE = re.compile("[\ud800-\udfff]")  # no name can hold one, nor can the database


class Limited(enum.Enum):
    """What of a method's calls is limited."""

    PASSWORD = enum.auto()  # wrong ones
    RESET_TOKEN = enum.auto()  # wrong ones; apart from PASSWORD, for it is the way out for who has forgotten that
    LOGIN_TOKEN = enum.auto()  # wrong ones
    REGISTRATION = enum.auto()  # all of them, and questions whether one would do
    RESET_REQUEST = enum.auto()  # all of them
    ANONYMOUS_INSERT = enum.auto()  # all of them; counted where something is inserted, not at the door
    MAIL = enum.auto()  # all that a user sends; counted likewise


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who calls, and whom he names: values as they came, of any type and length.

    `networks`: where the call comes from, the address itself first, then the networks that it lies in; each with how
    many times the limit of an address it has.
    """

    networks: Sequence[tuple[str, int]]
    device: str
    username: Any = None
    login_token: Any = field(default=None, repr=False)
    reset_token: Any = field(default=None, repr=False)

    @property
    def address(self) -> str:
        return self.networks[0][0]

    @property
    def origin(self) -> Origin:
        return Origin(self.device, self.address)


@dataclass(frozen=True, slots=True)
class _Limit:
    """At most so many within the window in one scope; `username_key` where that is about a user, who may not exist."""

    scope: bytes
    most: int
    username_key: str | None = None


@dataclass(frozen=True, slots=True)
class _Rules:
    """What holds for a guess: the limits that it must keep, and those of others for which it counts if it is wrong."""

    kept: list[_Limit]
    counted: list[_Limit] = field(default_factory=list)

    @property
    def all(self) -> list[_Limit]:
        return [*self.kept, *self.counted]

    def note(self, db: Db, now: int) -> None:
        """Counts one attempt."""
        attempts.insert(db, [(limit.scope, limit.username_key) for limit in self.all], now)


def _key(username: Any) -> str | None:
    """Of whom a call speaks; None where that can be nobody."""
    is_name = isinstance(username, str) and len(username) <= MAX_LENGTH and not _SURROGATE.search(username)
    return username_key(username) if is_name else None


def _around(name: str, attempt: Attempt, most: int) -> list[_Limit]:
    """A limit per address, and those of the networks around it."""
    return [_Limit(scope(name, network), most * times) for network, times in attempt.networks]


class Throttle:
    """The limits of one backend."""

    def __init__(self, backend_id: str, config: ThrottleConfig, database: Database, clock: Clock, tally: Tally) -> None:
        self.config = config
        self._backend_id = backend_id
        self._database = database
        self._clock = clock
        self._under_way = tally

    @contextlib.asynccontextmanager
    async def admitted(self, limited: Limited, attempt: Attempt) -> AsyncIterator[None]:
        """Lets a call through, and watches what comes of it. Raises NotNow."""
        if not self.config.enabled:
            yield
        elif limited in {Limited.REGISTRATION, Limited.RESET_REQUEST}:
            await self._count_call(limited, attempt)
            yield
        else:
            async with self._guess(await self._rules(limited, attempt)):
                yield

    async def purge(self, *, most: int) -> int:
        """Removes up to `most` attempts that count no more; returns how many."""
        return await self._database.write(attempts.purge, after=self._window_began(), until=self._clock(), most=most)

    def _window_began(self) -> int:
        return self._clock() - self.config.window_minutes * MINUTE

    # --- calls that count in any case --------------------------------------------------------------------

    async def _count_call(self, limited: Limited, attempt: Attempt) -> None:
        await self._database.write(self._count, limited, attempt)

    def count_insert(self, db: Db, attempt: Attempt) -> None:
        """Counts something that nobody in particular inserts, within the transaction that does. Raises NotNow."""
        if self.config.enabled:
            self._count_by(db, self._rules_for_call(db, Limited.ANONYMOUS_INSERT, attempt))

    def count_mail(self, db: Db, sender: Account) -> None:
        """Counts a mail that a user sends, within the transaction that writes it. Raises NotNow."""
        if self.config.enabled:
            limit = _Limit(scope(Limited.MAIL.name, sender.id), self.config.mails_per_sender)
            self._count_by(db, _Rules([limit]))

    def _count(self, db: Db, limited: Limited, attempt: Attempt) -> None:
        self._count_by(db, self._rules_for_call(db, limited, attempt))

    def _count_by(self, db: Db, rules: _Rules) -> None:
        seconds = self._longest_wait(db, rules.kept, ahead=[0] * len(rules.kept))
        if seconds:
            raise NotNow(seconds)
        rules.note(db, self._clock())

    def _rules_for_call(self, db: Db, limited: Limited, attempt: Attempt) -> _Rules:
        if limited is Limited.REGISTRATION:
            return _Rules(_around(limited.name, attempt, self.config.registrations_per_address))
        if limited is Limited.ANONYMOUS_INSERT:
            return _Rules(_around(limited.name, attempt, self.config.anonymous_inserts_per_address))
        most = self.config.reset_requests_per_address
        around = _around(limited.name, attempt, most)
        key = _key(attempt.username)
        if key is None or not attempt.origin.is_known_device(db, key):
            return _Rules(around)
        # Whoever else asks from the same address keeps no user from asking on a device of his own.
        return _Rules([_Limit(scope(limited.name, key, attempt.address, attempt.device), most)], around)

    # --- guesses -----------------------------------------------------------------------------------------

    async def _rules(self, limited: Limited, attempt: Attempt) -> _Rules:
        around = _around(ADDRESS, attempt, self.config.failed_logins_per_address)
        if limited is Limited.LOGIN_TOKEN:
            return _Rules([] if await self._is_login_token(attempt.login_token) else around)
        key = _key(attempt.username)
        if key is None:
            return _Rules(around)
        is_known = await self._database.read(attempt.origin.is_known_device, key)
        if limited is Limited.RESET_TOKEN:
            return await self._rules_for_reset_token(key, attempt, around, is_known=is_known)
        return self._rules_for_password(key, attempt, around, is_known=is_known)

    def _rules_for_password(self, key: str, attempt: Attempt, around: list[_Limit], *, is_known: bool) -> _Rules:
        """Strangers have one budget together at all addresses: a thousand addresses guess no faster than some.

        Whoever else guesses, from the same address too (perhaps thousands of people share it), cannot lock out a device
        that has signed in before as this user. What fails there counts for the address all the same; it has a limit of
        its own, for all users together.
        """
        config, address, name = self.config, attempt.address, Limited.PASSWORD.name
        if is_known:
            # With the address: who has got hold of the device's id must not use up what its owner has elsewhere.
            own = _Limit(scope(name, key, address, attempt.device), config.failed_logins_per_user, key)
            device = _Limit(scope("device", address, attempt.device), config.failed_logins_per_address, key)
            return _Rules([own, device], around)
        at_address = _Limit(scope(name, key, address), config.failed_logins_per_user, key)
        anywhere = _Limit(unknown_devices(key), config.failed_logins_per_user_unknown_devices, key)
        return _Rules([at_address, anywhere, *around])

    async def _rules_for_reset_token(
        self, key: str, attempt: Attempt, around: list[_Limit], *, is_known: bool
    ) -> _Rules:
        """The right token is no guess: nobody can find one of so many, and strangers must not keep its owner out.

        Only a device that has sent wrong ones itself has to wait, at this address.
        """
        most, address, name = self.config.failed_logins_per_user, attempt.address, Limited.RESET_TOKEN.name
        own = _Limit(scope(name, key, address, attempt.device), most, key)
        others = [_Limit(scope(name, key, address), most, key), *around]
        if is_known or await self._is_reset_token(key, attempt.reset_token):
            return _Rules([own], others)
        return _Rules([own, *others])

    async def _is_login_token(self, token: Any) -> bool:
        is_well_formed = isinstance(token, str) and WELL_FORMED.fullmatch(token) is not None
        return is_well_formed and await self._database.read(login_tokens.exists, stored(token))

    async def _is_reset_token(self, key: str, token: Any) -> bool:
        if not isinstance(token, str) or len(token) > MAX_LENGTH:
            return False
        return await self._database.read(password_resets.exists, key, digest(as_typed(token)))

    @contextlib.asynccontextmanager
    async def _guess(self, rules: _Rules) -> AsyncIterator[None]:
        """Raises NotNow where a limit is reached; notes the guess if it turns out wrong."""
        scopes = [f"guess {self._backend_id} {limit.scope.hex()}" for limit in rules.all]
        # As of now: what ends while the database is asked has been noted there, or was right.
        before = await self._under_way.begin(scopes)
        ahead = [number.everywhere for number in before[: len(rules.kept)]]
        try:
            if rules.kept and (seconds := await self._database.read(self._longest_wait, rules.kept, ahead)):
                raise NotNow(seconds)
            try:
                yield
            except WrongGuess:
                await self._database.write(rules.note, self._clock())
                raise
        finally:
            self._under_way.end(scopes)

    def _longest_wait(self, db: Db, limits: list[_Limit], ahead: list[int]) -> int:
        waits = [self._seconds_to_wait(db, limit, ahead=number) for limit, number in zip(limits, ahead, strict=True)]
        return max(waits, default=0)

    def _seconds_to_wait(self, db: Db, limit: _Limit, *, ahead: int) -> int:
        """0: go ahead. `ahead` guesses are under way, and may turn out wrong."""
        now, after = self._clock(), self._window_began()
        in_the_way = attempts.nth_latest(db, limit.scope, limit.most, after=after, until=now)
        if in_the_way is not None:
            return math.ceil((in_the_way - after) / 1000)
        left = limit.most - ahead
        if left <= 0 or attempts.nth_latest(db, limit.scope, left, after=after, until=now) is not None:
            return SECONDS_WHILE_UNDER_WAY
        return 0
