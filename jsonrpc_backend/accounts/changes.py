"""What is done to an account, each a part of one transaction: whoever does it, and through whichever door."""

from jsonrpc_backend.store import leftovers, login_tokens, password_resets, sessions, users
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.sessions import Session
from jsonrpc_backend.store.users import Account

# What one transaction removes: other calls write in between. An account's rows beyond that are removed later.
ROWS_AT_ONCE = 500
CHARACTERS_LIKE_A_ROW = 1000  # of properties: what is deleted is overwritten


def set_password(db: Db, user: Account, password_hash: str, now: int, *, kept: Session | None = None) -> bool:
    """Another password. Ends the user's sessions, login tokens and resets; a session can be `kept`, with its family.

    False when the user is gone or the password has changed since `user` was read.
    """
    if not users.replace_password(db, user, password_hash, now):
        return False
    if kept is not None:
        sessions.keep(db, kept.digest, password_version=user.password_version)
        if kept.family_key is not None:
            login_tokens.keep_family(db, kept.family_key, password_version=user.password_version)
    password_resets.end(db, user.key)
    leftovers.clear(db, user.key, most=ROWS_AT_ONCE)
    return True


def sign_out(db: Db, session: Session, device: str) -> None:
    """Ends a session, its family with the sessions of that, and the other login tokens of the device."""
    sessions.end(db, session.digest)
    if session.family_key is not None:
        login_tokens.end_family(db, session.family_key)
    if login_tokens.end_on_device(db, session.user.key, device):
        leftovers.clear(db, session.user.key, most=ROWS_AT_ONCE)


def sign_out_everywhere(db: Db, user: Account) -> None:
    """Ends the user's sessions and login tokens, also those that are being made."""
    users.end_sign_ins(db, user.key)
    leftovers.clear(db, user.key, most=ROWS_AT_ONCE)


def delete(db: Db, user: Account) -> bool:
    """Removes a user with all there is. False when gone or the password has changed since `user` was read."""
    deleted = users.delete(db, user)
    if deleted:
        leftovers.clear(db, user.key, most=ROWS_AT_ONCE)
    return deleted


def delete_by_ids(db: Db, ids: list[str]) -> tuple[list[str], list[str]]:
    """Removes users with all there is, the first ones of a list: as many as one transaction may, at least one.

    Returns the ids of those who were there, and the ids that come after.
    """
    removed: list[str] = []
    room = ROWS_AT_ONCE
    for number, each in enumerate(ids):
        if room <= 0:
            return removed, ids[number:]
        room -= 1
        if deleted := users.delete_by_id(db, each):
            key, characters = deleted
            room -= characters // CHARACTERS_LIKE_A_ROW + leftovers.clear(db, key, most=max(room, 0))
            removed.append(each)
    return removed, []
