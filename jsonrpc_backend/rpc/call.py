"""One call of a method: who calls, for which backend, and what it opened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonrpc_backend.accounts.origins import Origin
from jsonrpc_backend.accounts.sign_in import SignIn
from jsonrpc_backend.accounts.tokens import digest
from jsonrpc_backend.errors import LoginRequired
from jsonrpc_backend.rpc.addresses import Address, Network, counted_as, networks_of
from jsonrpc_backend.rpc.backend import Backend
from jsonrpc_backend.rpc.budget import Share
from jsonrpc_backend.store.sessions import Session
from jsonrpc_backend.store.users import User

MAX_LISTED_BYTES = 32 * 1024 * 1024


@dataclass(slots=True)
class Exchange:
    """One HTTP request: what its calls have in common, and the session that one of them opened.

    `find_address` finds out where it comes from, if that can be told; `is_gone`, whether who sent it has hung up;
    `share` is what it takes of the memory.
    """

    backend_id: str
    backends: Mapping[str, Backend]
    find_address: Callable[[], Address | None]
    is_gone: Callable[[], bool]
    share: Share
    management_key: str = field(default="", repr=False)
    large: bool = False  # work in proportion to the body's size leaves the event loop
    may_hold_unportable: bool = False
    opened_session: str | None = None
    listed_bytes_left: int = MAX_LISTED_BYTES  # what lists in the answer may still take: all of it is held in memory

    def client(self) -> str:
        """Whom limits are counted for: an address, or the network that counts as one."""
        return counted_as(self.find_address())

    def networks(self) -> tuple[Network, ...]:
        """The same, and the networks around it for which limits are counted too."""
        return networks_of(self.find_address())


@dataclass(frozen=True, slots=True)
class Encoded:
    """A result that is JSON already, because it is too large to be encoded on the event loop.

    Its bytes have been added to the request's share of the memory.
    """

    json: bytes = field(repr=False)


@dataclass(slots=True)
class Call:
    """What a handler gets beside its parameters."""

    backend: Backend
    device: str
    exchange: Exchange
    session_id: str | None = None
    _session: Session | None = field(default=None, init=False)

    async def identify(self) -> bool:
        """Looks the session up; whether somebody is signed in."""
        if self.session_id is not None:
            self._session = await self.backend.find_session(digest(self.session_id))
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
    def user(self) -> User:
        """The user of a signed-in call, as of its beginning. Raises LoginRequired."""
        return self.session.user

    @property
    def now(self) -> int:
        """Milliseconds since 1970 UTC."""
        return self.backend.clock()

    async def hash(self, password: str) -> str:
        """A new hash, within the caller's share of the work. Raises TooManyHashes."""
        exchange = self.exchange
        return await self.backend.passwords.hash(password, caller=exchange.client(), is_gone=exchange.is_gone)

    async def verify(self, stored_hash: str | None, password: str) -> bool:
        """Whether the password is right; never for None, after the same work. Raises TooManyHashes."""
        exchange = self.exchange
        verify = self.backend.passwords.verify
        return await verify(stored_hash, password, caller=exchange.client(), is_gone=exchange.is_gone)

    @property
    def origin(self) -> Origin:
        return Origin(self.device, self.exchange.client())

    def new_sign_in(self) -> SignIn:
        return SignIn.new(origin=self.origin, now=self.now, with_login_token=self.backend.config.auto_login.enabled)

    def sign_in_result(self, sign_in: SignIn, user: dict[str, Any]) -> dict[str, Any]:
        """The result of a method that has signed in; the session id goes into the response's header."""
        self.exchange.opened_session = sign_in.session_id
        return {"user": user} | ({"loginToken": sign_in.login_token} if sign_in.login_token else {})
