"""Signing out: of one session, of one device, everywhere."""

from jsonrpc_backend.accounts.refusals import Unacceptable
from jsonrpc_backend.accounts.session_window import SessionWindow
from jsonrpc_backend.accounts.signed_in import id_of
from jsonrpc_backend.accounts.whom import Whom
from jsonrpc_backend.store import audit, leftovers, login_tokens, sessions, users
from jsonrpc_backend.store.audit import Act
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.sessions import Session
from jsonrpc_backend.store.users import Account

# What one transaction removes: other calls write in between. An account's rows beyond that are removed later.
ROWS_AT_ONCE = 500

NO_SUCH_SESSION = "The user has no such session."


def sign_out(db: Db, session: Session, device: str) -> None:
    """Ends a session, its family with the sessions of that, and the other login tokens of the device."""
    _end(db, session.digest, session.family_key)
    if login_tokens.end_on_device(db, session.user.key, device):
        remove_ended(db, session.user)


def revoke(db: Db, whom: Whom, session_id: str | None, window: SessionWindow, act: Act) -> int:
    """Ends a session of somebody's with the login tokens of the same sign-in, or everything (None).

    Returns how many sessions it were. Raises NoSuchUser, Unacceptable.
    """
    user = whom(db)
    chosen = sessions.list_of_user(db, user.key, window.ended(act.at))
    if session_id is None:
        sign_out_everywhere(db, user)
    else:
        chosen = [each for each in chosen if id_of(each) == session_id.lower()]
        if not chosen:
            raise Unacceptable({"session": NO_SUCH_SESSION})
        for session in chosen:
            _end(db, session.digest, session.family_key)
    audit.record(db, act, [user.id])
    return len(chosen)


def sign_out_everywhere(db: Db, user: Account) -> None:
    """Ends the user's sessions and login tokens, also those that are being made."""
    users.end_sign_ins(db, user.key)
    remove_ended(db, user)


def remove_ended(db: Db, user: Account) -> None:
    """Removes what the user's sign-ins have left that have ended, as far as one transaction may."""
    leftovers.clear(db, user.key, most=ROWS_AT_ONCE)


def _end(db: Db, digest: bytes, family_key: int | None) -> None:
    sessions.end(db, digest)
    if family_key is not None:
        login_tokens.end_family(db, family_key)
