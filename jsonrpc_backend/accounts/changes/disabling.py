"""Users who may not sign in, until an operator lets them again."""

from jsonrpc_backend.accounts.changes.sign_out import sign_out_everywhere
from jsonrpc_backend.accounts.whom import Whom
from jsonrpc_backend.store import audit, password_resets, users
from jsonrpc_backend.store.audit import Act
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import User


def disable(db: Db, whom: Whom, act: Act) -> User:
    """Signs somebody out everywhere, for as long as the account is disabled: from now on, unless that is so already.

    Returns the user as of then. Raises NoSuchUser.
    """
    user = whom(db)
    if user.disabled_at is None:
        users.set_disabled(db, user.key, act.at)
    sign_out_everywhere(db, user)
    password_resets.end(db, user.key)
    audit.record(db, act, [user.id])
    return users.get(db, user.key)


def enable(db: Db, whom: Whom, act: Act) -> User:
    """Returns the user as of then. Raises NoSuchUser."""
    user = whom(db)
    users.set_disabled(db, user.key, None)
    audit.record(db, act, [user.id])
    return users.get(db, user.key)
