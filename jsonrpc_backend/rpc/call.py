"""One call of a method: who calls, for which backend, and what it opened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from jsonrpc_backend.accounts.origins import Origin
from jsonrpc_backend.accounts.sign_in import SignIn
from jsonrpc_backend.accounts.tokens import digest
from jsonrpc_backend.accounts.user_object import user_json
from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.errors import LoginRequired
from jsonrpc_backend.fairness import Caller, current_caller
from jsonrpc_backend.fairness.addresses import Address, Network, counted_as, networks_of
from jsonrpc_backend.fairness.large_work import LARGE_BYTES, LargeWork
from jsonrpc_backend.fairness.memory import Share
from jsonrpc_backend.fairness.turns import Turn
from jsonrpc_backend.store.sessions import Session
from jsonrpc_backend.store.users import Account, User

T = TypeVar("T")

MAX_LISTED_BYTES = 32 * 1024 * 1024


@dataclass(slots=True)
class Exchange:
    """One HTTP request: what its calls have in common, and the session that one of them opened.

    `find_address` finds out where it comes from, if that can be told; `is_gone`, whether who sent it has hung up;
    `share` is what it takes of the memory; `caller` takes turns with others, and has one now.
    """

    backend_id: str
    backends: Mapping[str, Backend]
    find_address: Callable[[], Address | None]
    is_gone: Callable[[], bool]
    share: Share
    caller: Caller
    turn: Turn
    large_work: LargeWork
    management_key: str = field(default="", repr=False)
    body_bytes: int = 0
    may_hold_unportable: bool = False
    opened_session: str | None = None
    listed_bytes_left: int = MAX_LISTED_BYTES  # what lists in the answer may still take: all of it is held in memory

    def client(self) -> str:
        """Whom limits are counted for: an address, or the network that counts as one."""
        return counted_as(self.find_address())

    def networks(self) -> tuple[Network, ...]:
        """The same, and the networks around it for which limits are counted too."""
        return networks_of(self.find_address())

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """What `work(…)` returns or raises; work in proportion to the body's size leaves the event loop."""
        if self.body_bytes < LARGE_BYTES:
            return work(*args)
        return await self.large_work.run(self.turn, self.body_bytes, work, *args)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A result that is JSON already: properties are passed on as they are stored, be they large or small.

    `is_counted`: its bytes have been added to the request's share of the memory.
    """

    json: bytes = field(repr=False)
    is_counted: bool = False


@dataclass(slots=True)
class Call:
    """What a handler gets beside its parameters."""

    backend: Backend
    device: str
    exchange: Exchange
    session_id: str | None = None
    _session: Session | None = field(default=None, init=False)

    async def identify(self, *, with_properties: bool) -> bool:
        """Looks the session up; whether somebody is signed in."""
        if self.session_id is not None:
            found = await self.backend.find_session(digest(self.session_id), with_properties=with_properties)
            if found is not None:
                self._session = found
                current_caller.set((*self.exchange.caller, f"{self.backend.id} {found.user.key}"))
        return self.signed_in

    @property
    def signed_in(self) -> bool:
        return self._session is not None

    @property
    def session(self) -> Session:
        """The session of a signed-in call. Raises LoginRequired."""
        if self._session is None:
            raise LoginRequired
        return self._session

    @property
    def user(self) -> Account:
        """The user of a signed-in call, as of its beginning. Raises LoginRequired."""
        return self.session.user

    @property
    def now(self) -> int:
        """Milliseconds since 1970 UTC."""
        return self.backend.clock()

    async def hash(self, password: str) -> str:
        """A new hash, within the caller's share of the work. Raises TooManyHashes."""
        exchange = self.exchange
        with exchange.turn.paused():
            return await self.backend.passwords.hash(password, caller=exchange.caller, is_gone=exchange.is_gone)

    async def verify(self, stored_hash: str | None, password: str) -> bool:
        """Whether the password is right; never for None, after the same work. Raises TooManyHashes."""
        exchange = self.exchange
        verify = self.backend.passwords.verify
        with exchange.turn.paused():
            return await verify(stored_hash, password, caller=exchange.caller, is_gone=exchange.is_gone)

    @property
    def origin(self) -> Origin:
        return Origin(self.device, self.exchange.client())

    def new_sign_in(self) -> SignIn:
        return SignIn.new(origin=self.origin, now=self.now, with_login_token=self.backend.config.auto_login.enabled)

    def sign_in_by_token(self, presented: str) -> SignIn:
        return SignIn.by_token(presented, origin=self.origin, now=self.now)

    def sign_in_result(self, sign_in: SignIn, user: User) -> Encoded:
        """The result of a method that has signed in; the session id goes into the response's header."""
        self.exchange.opened_session = sign_in.session_id
        login_token = f',"loginToken":"{sign_in.login_token}"' if sign_in.login_token else ""
        return Encoded(f'{{"user":{user_json(user)}{login_token}}}'.encode())
