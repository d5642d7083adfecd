"""Where a user is signed in, as operators see it, and signing out from there."""

from typing import Any

from jsonrpc_backend.accounts import changes
from jsonrpc_backend.accounts.session_window import SessionWindow
from jsonrpc_backend.config import BackendConfig
from jsonrpc_backend.store import login_tokens, sessions
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.sessions import SignedIn
from jsonrpc_backend.store.users import User

ID_LENGTH = 12  # hexadecimal digits of a session's digest: enough to tell one user's sessions apart


class NoSuchSession(Exception):
    """The user has none of this id, or it has ended."""


def list_live(db: Db, user: User, config: BackendConfig, now: int) -> list[SignedIn]:
    """The sessions that have not ended, latest use first."""
    return sessions.list_of_user(db, user.key, SessionWindow.of(config).ended(now))


def revoke(db: Db, user: User, session_id: str, config: BackendConfig, now: int) -> int:
    """Ends a session, with the login tokens of the same sign-in; returns how many it were. Raises NoSuchSession."""
    chosen = [each for each in list_live(db, user, config, now) if id_of(each) == session_id.lower()]
    if not chosen:
        raise NoSuchSession
    for session in chosen:
        sessions.end(db, session.digest)
        if session.family_key is not None:
            login_tokens.end_family(db, session.family_key)
    return len(chosen)


def revoke_all(db: Db, user: User, config: BackendConfig, now: int) -> int:
    """Ends all sessions and login tokens; returns how many sessions it were."""
    live = len(list_live(db, user, config, now))
    changes.sign_out_everywhere(db, user)
    return live


def id_of(session: SignedIn) -> str:
    return session.digest.hex()[:ID_LENGTH]


def session_object(session: SignedIn) -> dict[str, Any]:
    return {
        "id": id_of(session),
        "createdAt": session.created_at,
        "usedAt": session.used_at,
        "device": session.device,
    }
