"""Accounts that go, with all there is."""

from jsonrpc_backend.accounts.changes.sign_out import ROWS_AT_ONCE, remove_ended
from jsonrpc_backend.accounts.refusals import WrongGuess
from jsonrpc_backend.store import audit, leftovers, upkeep, users
from jsonrpc_backend.store.audit import Act
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import Account

CHARACTERS_LIKE_A_ROW = 1000  # of properties: what is deleted is overwritten


def unregister(db: Db, user: Account) -> None:
    """Raises WrongGuess when the user is gone or the password has changed since `user` was read."""
    if not users.delete(db, user):
        raise WrongGuess
    remove_ended(db, user)
    upkeep.remove_items_of(db, user.id)


def delete(db: Db, ids: list[str], act: Act) -> tuple[list[str], list[str]]:
    """Removes the first ones of a list of users: as many as one transaction may, at least one.

    Returns the ids of those who were there, and the ids that come after.
    """
    removed: list[str] = []
    room, taken = ROWS_AT_ONCE, 0
    while taken < len(ids) and room > 0:
        each = ids[taken]
        taken += 1
        room -= 1
        if deleted := users.delete_by_id(db, each):
            key, characters = deleted
            room -= characters // CHARACTERS_LIKE_A_ROW + leftovers.clear(db, key, most=max(room, 0))
            upkeep.remove_items_of(db, each)
            removed.append(each)
    if removed:
        audit.record(db, act, removed)
    return removed, ids[taken:]
