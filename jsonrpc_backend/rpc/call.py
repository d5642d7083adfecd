"""One call of a method: who calls, and for which backend."""

from dataclasses import dataclass, field

from jsonrpc_backend.accounts.origins import Origin
from jsonrpc_backend.accounts.sign_in import SignIn
from jsonrpc_backend.accounts.tokens import digest
from jsonrpc_backend.accounts.user_object import user_json
from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.errors import LoginRequired
from jsonrpc_backend.fairness import current_caller
from jsonrpc_backend.rpc.answer import Encoded
from jsonrpc_backend.rpc.post import Post
from jsonrpc_backend.store.sessions import Session
from jsonrpc_backend.store.users import Account, User


@dataclass(slots=True)
class Call:
    """What a handler gets beside its parameters."""

    backend: Backend
    device: str
    post: Post
    session_id: str | None = None
    _session: Session | None = field(default=None, init=False)

    async def identify(self, *, with_properties: bool) -> bool:
        """Looks the session up; whether somebody is signed in."""
        if self.session_id is not None:
            found = await self.backend.find_session(digest(self.session_id), with_properties=with_properties)
            if found is not None:
                self._session = found
                current_caller.set((*self.post.share.caller, f"{self.backend.id} {found.user.key}"))
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
        share, passwords = self.post.share, self.backend.passwords
        with share.turn.paused():
            return await passwords.hash(password, caller=share.caller, is_gone=self.post.is_gone)

    async def verify(self, stored_hash: str | None, password: str) -> bool:
        """Whether the password is right; never for None, after the same work. Raises TooManyHashes."""
        share, passwords = self.post.share, self.backend.passwords
        with share.turn.paused():
            return await passwords.verify(stored_hash, password, caller=share.caller, is_gone=self.post.is_gone)

    @property
    def origin(self) -> Origin:
        return Origin(self.device, self.post.client)

    def new_sign_in(self) -> SignIn:
        return SignIn.new(origin=self.origin, now=self.now, with_login_token=self.backend.config.auto_login.enabled)

    def sign_in_by_token(self, presented: str) -> SignIn:
        return SignIn.by_token(presented, origin=self.origin, now=self.now)

    def sign_in_result(self, sign_in: SignIn, user: User) -> Encoded:
        """The result of a method that has signed in; the session id goes into the response's header."""
        login_token = f',"loginToken":"{sign_in.login_token}"' if sign_in.login_token else ""
        return Encoded(f'{{"user":{user_json(user)}{login_token}}}'.encode(), sign_in.session_id)
