"""What one sign-in hands out."""

import sqlite3
from dataclasses import dataclass

from jsonrpc_backend.accounts.origins import Origin
from jsonrpc_backend.accounts.tokens import digest, new_token
from jsonrpc_backend.store import login_tokens, sessions, users
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

    def record(self, db: sqlite3.Connection, user: User) -> None:
        """Opens the session, and a family for the login token. Raises PasswordChanged."""
        users.check_password_version(db, user)
        family_key = None
        if self.login_token is not None:
            token, device = digest(self.login_token), self.origin.device
            family_key = login_tokens.start_family(db, token, user.key, device, self.now)
        self._open_session(db, user, family_key)

    def record_successor(self, db: sqlite3.Connection, presented: str, *, created_after: int) -> User | None:
        """Opens the session for a login token and makes ours its successor. None where that one cannot be used."""
        if self.login_token is None:
            return None
        accepted = login_tokens.present(
            db, digest(presented), successor=digest(self.login_token), created_after=created_after, now=self.now
        )
        if accepted is None:
            return None
        self._open_session(db, accepted.user, accepted.family_key)
        return accepted.user

    def _open_session(self, db: sqlite3.Connection, user: User, family_key: int | None) -> None:
        sessions.insert(db, digest(self.session_id), user.key, family_key, self.now)
        self.origin.note(db, user, self.now)
