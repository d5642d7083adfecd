"""`User.sendPasswordResetToken` and `User.resetPasswordAndLogin`: back in without the password."""

from collections.abc import Mapping

from jsonrpc_backend.accounts import changes, reset_addresses
from jsonrpc_backend.accounts.refusals import WrongGuess
from jsonrpc_backend.accounts.reset_tokens import as_typed
from jsonrpc_backend.accounts.throttle import Limited
from jsonrpc_backend.accounts.tokens import digest
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.config import DEFAULT_EMAIL_PROPERTY
from jsonrpc_backend.config.mail_templates import DEFAULT_TEMPLATE
from jsonrpc_backend.methods.user import OK
from jsonrpc_backend.rpc.call import Call, Encoded
from jsonrpc_backend.rpc.registry import Session, method
from jsonrpc_backend.store import password_resets, users
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import User

UNUSABLE_TOKEN = "Token is wrong, used or expired; ask for another one."  # noqa: S105


@method("User.sendPasswordResetToken", session=Session.FORBIDDEN, limited=Limited.RESET_REQUEST)
async def send_password_reset_token(call: Call, username: str, options: Mapping[str, str | None] | None = None) -> str:
    """Stores the request only: the rest happens after the answer, so that it tells nothing about the user."""
    options = options or {}
    key, origin = username_key(username), call.origin

    def insert(db: Db) -> None:
        password_resets.insert_request(
            db,
            key,
            options.get("emailPropertyName") or DEFAULT_EMAIL_PROPERTY,
            options.get("templateName") or DEFAULT_TEMPLATE,
            requester=origin.requester,
            share=origin.share(db, key),
        )

    await call.backend.database.write(insert)
    call.backend.resets.wake()
    return OK


@method(
    "User.resetPasswordAndLogin",
    limited=Limited.RESET_TOKEN,
    signs_in_with="reset_token",
    wrong={"token": UNUSABLE_TOKEN},
)
async def reset_password_and_login(call: Call, username: str, new_password: str, token: str) -> Encoded:
    # Before the token is looked at: the same work for everybody, and one transaction for all that follows.
    password_hash = await call.hash(new_password)
    sign_in = call.new_sign_in()

    def reset(db: Db) -> User | None:
        user = users.find_by_username(db, username_key(username))
        if user is not None and user.disabled_at is not None:
            user = None
        right = password_resets.try_token(
            db,
            user.key if user else None,
            digest(as_typed(token)),
            created_after=call.backend.oldest_reset_token,
            now=sign_in.now,
        )
        if user is None or right is None:
            return None
        rules = call.backend.address_rules
        if right.recipient is not None:
            if not reset_addresses.counts(db, user, right.recipient, rules, sign_in.now):
                return None
            reset_addresses.note_reset(db, user, right.recipient, rules, sign_in.now)
        changes.set_password(db, user, password_hash, sign_in.now)
        renewed = users.get(db, user.key)
        sign_in.record(db, renewed)
        return renewed

    user = await call.backend.database.write(reset)
    if user is None:
        raise WrongGuess
    call.backend.purge.sweep_soon()
    call.backend.resets.wake()
    return call.sign_in_result(sign_in, user)
