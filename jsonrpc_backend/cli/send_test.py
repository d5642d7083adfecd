"""`mail send-test`: whether the SMTP server takes a mail."""

import asyncio
from email.headerregistry import Address

import click

from jsonrpc_backend.accounts.mail_address import parse_address
from jsonrpc_backend.cli.answer import tell
from jsonrpc_backend.cli.target import Target, json_option, on_backend
from jsonrpc_backend.clock import system_clock
from jsonrpc_backend.config.mail_templates import DEFAULT_TEMPLATE
from jsonrpc_backend.mail.message import compose, fill, new_message_id, sender_address
from jsonrpc_backend.mail.smtp import Mailer, NotSent

# What placeholders are filled with in a test.
_EXAMPLE = {
    "PASSWORD_RESET_TOKEN": "TEST-TEST-TEST",
    "PROPERTY_NAME": "email",
    "NEW_ADDRESS": "somebody@example.com",
    "COUNTS_FROM": "2030-01-01 00:00 UTC",
}


@click.command("send-test")
@click.argument("address")
@click.option("--template", default=DEFAULT_TEMPLATE, show_default=True, help="Template to send.")
@on_backend(create=True)
@json_option
def send_test(target: Target, address: str, template: str, as_json: bool) -> None:
    """Send a template with a made-up token to ADDRESS now, and say what the SMTP server answers."""
    recipient = parse_address(address)
    if recipient is None:
        raise click.UsageError(f"{address} is not a mail address.")
    if template not in target.backend.mail_templates:
        known = ", ".join(target.backend.mail_templates)
        raise click.UsageError(f"There is no template {template}; there is {known}.")
    if not target.config.smtp.host:
        raise click.ClickException("No SMTP server is configured (smtp.host), so mails are kept and none is sent.")
    try:
        asyncio.run(_send(target, recipient, template))
    except NotSent as failure:
        raise click.ClickException(f"Not sent: {failure}") from failure
    except OSError as error:
        raise click.ClickException(f"The certificates of smtp.ca_file cannot be read: {error.strerror}.") from error
    host = target.config.smtp.host
    tell(f"The SMTP server {host} has accepted a mail to {address}.", {"to": address, "host": host}, as_json=as_json)


async def _send(target: Target, recipient: Address, name: str) -> None:
    template = target.backend.mail_templates[name]
    content = fill(template, _EXAMPLE | {"USERNAME": recipient.addr_spec})
    message = compose(content, recipient=recipient, message_id=new_message_id(template), created_at=system_clock())
    mailer = await asyncio.to_thread(Mailer, target.config.smtp)
    await mailer.send(message, sender_address(content.sender).addr_spec, [recipient.addr_spec])
