"""`User.sendPasswordResetToken` and `User.resetPasswordAndLogin`: back in without the password."""

from collections.abc import Mapping

from jsonrpc_backend.accounts.changes import password as passwords
from jsonrpc_backend.accounts.changes.password import Reset
from jsonrpc_backend.accounts.refusals import WrongGuess
from jsonrpc_backend.accounts.throttle import Limited
from jsonrpc_backend.config import DEFAULT_EMAIL_PROPERTY
from jsonrpc_backend.config.mail_templates import DEFAULT_TEMPLATE
from jsonrpc_backend.methods.user import OK
from jsonrpc_backend.rpc.answer import Encoded
from jsonrpc_backend.rpc.call import Call
from jsonrpc_backend.rpc.registry import Registry, SessionRule

handlers = Registry()
method = handlers.method

UNUSABLE_TOKEN = "Token is wrong, used or expired; ask for another one."  # noqa: S105


@method("User.sendPasswordResetToken", session=SessionRule.FORBIDDEN, limited=Limited.RESET_REQUEST)
async def send_password_reset_token(call: Call, username: str, options: Mapping[str, str | None] | None = None) -> str:
    """Stores the request only: the rest happens after the answer, so that it tells nothing about the user."""
    options = options or {}
    email_property = options.get("emailPropertyName") or DEFAULT_EMAIL_PROPERTY
    template = options.get("templateName") or DEFAULT_TEMPLATE
    await call.backend.database.write(passwords.request_reset, username, email_property, template, call.origin)
    call.backend.resets.wake()
    return OK


@method(
    "User.resetPasswordAndLogin",
    limited=Limited.RESET_TOKEN,
    signs_in_with="reset_token",
    wrong={"token": UNUSABLE_TOKEN},
)
async def reset_password_and_login(call: Call, username: str, new_password: str, token: str) -> Encoded:
    backend = call.backend
    # Before the token is looked at: the same work for everybody, and one transaction for all that follows.
    asked = Reset(username, token, await call.hash(new_password), backend.oldest_reset_token)
    sign_in = call.new_sign_in()
    user = await backend.database.write(passwords.reset, asked, backend.address_rules, sign_in)
    if user is None:
        raise WrongGuess
    backend.purge.sweep_soon()
    backend.resets.wake()
    return call.sign_in_result(sign_in, user)
