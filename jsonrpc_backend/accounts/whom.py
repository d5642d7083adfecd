"""Whom an operator means. Looked up within the transaction that does something to that user."""

from collections.abc import Callable

from jsonrpc_backend.accounts.refusals import Unacceptable
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.store import users
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import User

NO_SUCH_USER = "There is no such user."

# Raises NoSuchUser.
Whom = Callable[[Db], User]


class NoSuchUser(Unacceptable):
    """Nobody is meant, or it cannot be told who."""


def by_id(user_id: str) -> Whom:
    def find(db: Db) -> User:
        return _known(users.find_by_id(db, user_id), "_id", NO_SUCH_USER)

    return find


def by_id_or_name(name: str) -> Whom:
    """Where one user's id is the name of another, the id counts."""

    def find(db: Db) -> User:
        found = users.find_by_id(db, name) or users.find_by_username(db, username_key(name))
        return _known(found, "name", NO_SUCH_USER)

    return find


def by_name_or_id(name: str) -> Whom:
    """For people. Ids are public, so somebody may have taken one as a username: then it is neither's."""

    def find(db: Db) -> User:
        by_name, by_id = users.find_by_username(db, username_key(name)), users.find_by_id(db, name)
        if by_name and by_id:
            raise NoSuchUser({"name": f"{name} is the username of {by_name.id} and the id of {by_id.username}."})
        return _known(by_name or by_id, "name", f"There is no user {name}.")

    return find


def _known(found: User | None, parameter: str, otherwise: str) -> User:
    if found is None:
        raise NoSuchUser({parameter: otherwise})
    return found
