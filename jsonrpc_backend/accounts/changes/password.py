"""Another password: by the old one, by a reset token, by an operator."""

from dataclasses import dataclass

from jsonrpc_backend.accounts import reset_addresses
from jsonrpc_backend.accounts.changes.sign_out import remove_ended
from jsonrpc_backend.accounts.origins import Origin
from jsonrpc_backend.accounts.refusals import WrongGuess
from jsonrpc_backend.accounts.reset_addresses import AddressRules
from jsonrpc_backend.accounts.reset_tokens import as_typed
from jsonrpc_backend.accounts.sign_in import SignIn
from jsonrpc_backend.accounts.tokens import digest
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.accounts.whom import Whom
from jsonrpc_backend.store import audit, login_tokens, password_resets, sessions, users
from jsonrpc_backend.store.audit import Act
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.sessions import Session
from jsonrpc_backend.store.users import Account, User


def replace(db: Db, user: Account, password_hash: str, now: int, *, kept: Session | None = None) -> None:
    """Another password. Ends the user's sessions, login tokens and resets; a session can be `kept`, with its family.

    Raises WrongGuess when the user is gone or the password has changed since `user` was read.
    """
    if not users.replace_password(db, user, password_hash, now):
        raise WrongGuess
    if kept is not None:
        sessions.keep(db, kept.digest, password_version=user.password_version)
        if kept.family_key is not None:
            login_tokens.keep_family(db, kept.family_key, password_version=user.password_version)
    password_resets.end(db, user.key)
    remove_ended(db, user)


def replace_for(db: Db, whom: Whom, password_hash: str, act: Act) -> None:
    """Another password for somebody, who is signed out everywhere. Raises NoSuchUser."""
    user = whom(db)
    replace(db, user, password_hash, act.at)
    audit.record(db, act, [user.id])


# --- resets ------------------------------------------------------------------------------------------------


def request_reset(db: Db, username: str, email_property: str, template: str, origin: Origin) -> None:
    """Stores the request only: what is known of its user is looked at later, so that this tells nothing of it."""
    key = username_key(username)
    password_resets.insert_request(
        db, key, email_property, template, requester=origin.requester, share=origin.share(db, key)
    )


@dataclass(frozen=True, slots=True)
class Reset:
    """What somebody presents who has forgotten the password. `oldest_token`: those made up to then have expired."""

    username: str
    token: str
    password_hash: str
    oldest_token: int


def reset(db: Db, asked: Reset, rules: AddressRules, sign_in: SignIn) -> User | None:
    """Sets the password by a token and signs in; the user as of then.

    None where the token is not right: that is returned, for a wrong try has to be counted.
    """
    user = users.find_by_username(db, username_key(asked.username))
    if user is not None and user.disabled_at is not None:
        user = None
    right = password_resets.try_token(
        db,
        user.key if user else None,
        digest(as_typed(asked.token)),
        created_after=asked.oldest_token,
        now=sign_in.now,
    )
    if user is None or right is None:
        return None
    if right.recipient is not None:
        if not reset_addresses.counts(db, user, right.recipient, rules, sign_in.now):
            return None
        reset_addresses.note_reset(db, user, right.recipient, rules, sign_in.now)
    replace(db, user, asked.password_hash, sign_in.now)
    renewed = users.get(db, user.key)
    sign_in.record(db, renewed)
    return renewed
