"""`Mailer.sendMail`: mails from one user to another."""

from collections.abc import Mapping
from typing import Any

from jsonrpc_backend.mail.user_mails import Wanted
from jsonrpc_backend.methods.user import OK
from jsonrpc_backend.rpc.call import Call
from jsonrpc_backend.rpc.registry import Registry, SessionRule

handlers = Registry()
method = handlers.method


@method(
    "Mailer.sendMail",
    session=SessionRule.REQUIRED,
    blames={
        "recipient": "userOid",
        "template": "templateName",
        "values": "substituteParams",
        "email_property": "options.emailPropertyName",
    },
)
async def send_mail(
    call: Call,
    user_oid: str,
    template_name: str,
    substitute_params: Mapping[str, Any] | None = None,
    options: Mapping[str, str | None] | None = None,
) -> str:
    email_property = (options or {}).get("emailPropertyName")
    wanted = Wanted(user_oid, template_name, substitute_params or {}, email_property)
    await call.backend.user_mails.send(call.user, wanted)
    return OK
