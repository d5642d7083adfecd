"""Where a user is signed in, as operators see it."""

from typing import Any

from jsonrpc_backend.accounts.session_window import SessionWindow
from jsonrpc_backend.accounts.whom import Whom
from jsonrpc_backend.store import sessions
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.sessions import SignedIn

ID_LENGTH = 12  # hexadecimal digits of a session's digest: enough to tell one user's sessions apart


def list_live(db: Db, whom: Whom, window: SessionWindow, now: int) -> list[SignedIn]:
    """Somebody's sessions that have not ended, latest use first. Raises NoSuchUser."""
    return sessions.list_of_user(db, whom(db).key, window.ended(now))


def id_of(session: SignedIn) -> str:
    return session.digest.hex()[:ID_LENGTH]


def session_object(session: SignedIn) -> dict[str, Any]:
    return {
        "id": id_of(session),
        "createdAt": session.created_at,
        "usedAt": session.used_at,
        "device": session.device,
    }
