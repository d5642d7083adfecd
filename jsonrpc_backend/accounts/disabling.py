"""Users who may not sign in, until an operator lets them again."""

from jsonrpc_backend.accounts import changes
from jsonrpc_backend.store import password_resets, users
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import User


def disable(db: Db, user: User, now: int) -> None:
    """Signs the user out everywhere, for as long as the account is disabled; from now on, unless that is so already."""
    if user.disabled_at is None:
        users.set_disabled(db, user.key, now)
    changes.sign_out_everywhere(db, user)
    password_resets.end(db, user.key)


def enable(db: Db, user: User) -> None:
    users.set_disabled(db, user.key, None)
