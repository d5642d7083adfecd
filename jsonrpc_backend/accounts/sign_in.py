"""What one sign-in hands out."""

import math
from dataclasses import dataclass, replace

from jsonrpc_backend.accounts.origins import Origin
from jsonrpc_backend.accounts.refusals import NotNow, WrongGuess
from jsonrpc_backend.accounts.tokens import digest, new_token, stored, successor_of
from jsonrpc_backend.store import login_tokens, sessions, users
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.login_tokens import TokenRules, UsedTooOften
from jsonrpc_backend.store.users import User


@dataclass(frozen=True, slots=True)
class SignIn:
    """A new session id and, where auto-login is on, a new login token, for one origin. `now`: ms since 1970 UTC.

    Made before the transaction that records it; worth nothing until that is committed.
    """

    session_id: str
    login_token: str | None
    origin: Origin
    now: int

    @classmethod
    def new(cls, *, origin: Origin, now: int, with_login_token: bool) -> "SignIn":
        return cls(new_token(), new_token() if with_login_token else None, origin, now)

    @classmethod
    def by_token(cls, presented: str, *, origin: Origin, now: int) -> "SignIn":
        return cls(new_token(), successor_of(presented), origin, now)

    def record(self, db: Db, user: User, *, new_hash: str | None = None) -> None:
        """After the password or a reset token: opens the session, and a family for the login token.

        `new_hash` of the same password replaces an outdated one. Raises WrongGuess where the password, or whether the
        user may sign in, has changed since `user` was read.
        """
        if not users.may_sign_in(db, user):
            raise WrongGuess
        if new_hash is not None:
            users.replace_hash(db, user, new_hash)
        family_key = None
        if self.login_token is not None:
            family_key = login_tokens.start_family(db, stored(self.login_token), user, self.origin.device, self.now)
        self._open_session(db, user, family_key, self.origin, by_password=True)

    def record_successor(self, db: Db, presented: str, rules: TokenRules) -> User | None:
        """Opens the session for a login token and makes ours its successor. None where that one cannot be used.

        The family stays with the device on which it began: with a copied token nobody makes other devices known. Raises
        NotNow.
        """
        if self.login_token is None:
            return None
        successor = digest(self.login_token)
        try:
            accepted = login_tokens.present(db, stored(presented), successor=successor, rules=rules, now=self.now)
        except UsedTooOften as error:
            raise NotNow(math.ceil(error.wait / 1000)) from error
        if accepted is None:
            return None
        origin = replace(self.origin, device=accepted.device)
        self._open_session(db, accepted.user, accepted.family_key, origin, by_password=False)
        return accepted.user

    def _open_session(self, db: Db, user: User, family_key: int | None, origin: Origin, *, by_password: bool) -> None:
        sessions.insert(db, digest(self.session_id), user, family_key, self.now, by_password=by_password)
        origin.note(db, user, self.now)
