"""`client.mailer`: the documented `Mailer.*` methods with Python's names and types."""

from collections.abc import Mapping
from typing import Any

from .user_methods import Calling
from .wire import given


class AsyncMailer:
    """Mails to users. Every method may raise any class of `jsonrpc_backend.errors`."""

    def __init__(self, client: Calling) -> None:
        self._client = client

    async def send_mail(
        self,
        user_id: str,
        template_name: str,
        substitute_params: Mapping[str, Any] | None = None,
        *,
        email_property_name: str | None = None,
    ) -> None:
        """Have a mail sent to a user, by one of the operator's templates; returns once it is queued.

        Each `%NAME%` in the template stands for what `substitute_params` have under that name, else for the recipient's
        property. `email_property_name` is the property with the mail address, by default the username. LoginRequired;
        InvalidParams: there is no such user, address or template; CallLimitExceeded.
        """
        options = given(emailPropertyName=email_property_name)
        values = None if substitute_params is None else dict(substitute_params)
        params = {"userOid": user_id, "templateName": template_name}
        await self._client.call("Mailer.sendMail", params | given(substituteParams=values, options=options or None))
