"""`mail`: the outbox, for the operator."""

import asyncio
from email.headerregistry import Address
from typing import Any

import click

from jsonrpc_backend.accounts.mail_address import parse_address
from jsonrpc_backend.cli.answer import print_json, tell
from jsonrpc_backend.cli.group import Group
from jsonrpc_backend.cli.table import print_table
from jsonrpc_backend.cli.target import Target, json_option, on_backend, printable
from jsonrpc_backend.clock import system_clock
from jsonrpc_backend.config.mail_templates import DEFAULT_TEMPLATE
from jsonrpc_backend.mail.mailbag import Kept, read_content
from jsonrpc_backend.mail.message import compose, fill, new_message_id, sender_address
from jsonrpc_backend.mail.seal import Seal, Unreadable, mail_key_path
from jsonrpc_backend.mail.smtp import Mailer, NotSent
from jsonrpc_backend.mail.state import MailState, in_words
from jsonrpc_backend.store import mails
from jsonrpc_backend.store.mails import Mail

SHOWN = 100
LINE_BREAKS = "\r\n\t"


@click.group(cls=Group)
def mail() -> None:
    """Look at the mails of an app, and try the SMTP server."""


def _kept(target: Target, found: Mail) -> Kept:
    seal = Seal(mail_key_path(target.data_dir, target.backend_id))
    try:
        return Kept(found, read_content(found, seal))
    except (Unreadable, OSError) as error:
        raise click.ClickException(f"Mail {found.key} cannot be decrypted: its key file is gone or damaged.") from error


def _object(kept: Kept, *, sends: bool) -> dict[str, Any]:
    found, content = kept.mail, kept.content
    return {
        "key": found.key,
        "to": found.recipient,
        "template": found.template,
        "state": MailState.of(found, sends=sends).value,
        "createdAt": found.created_at,
        "sentAt": found.sent_at,
        "nextAt": found.next_at if sends else None,
        "attempts": found.attempts,
        "lastError": found.last_error,
        "subject": content and content.subject,
        "body": content and content.body,
    }


@mail.command("list")
@on_backend()
@json_option
def list_mails(target: Target, as_json: bool) -> None:
    """List the latest mails, newest first: number, recipient, what has become of it."""
    found = target.read(lambda db: list(mails.list_latest(db, SHOWN)))
    sends = bool(target.config.smtp.host)
    listed = [Kept(entry, None) for entry in found]
    if as_json:
        objects = [_object(entry, sends=sends) for entry in listed]
        print_json([_without_text(entry) for entry in objects])
        return
    rows = (
        [f"{entry.mail.key:>6}", printable(entry.mail.recipient), printable(in_words(entry.mail, sends=sends))]
        for entry in listed
    )
    print_table(["number", "to", "state"], rows, empty="No mails.")


def _without_text(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in {"subject", "body"}}


@mail.command()
@click.argument("number", type=int)
@on_backend()
@json_option
def show(target: Target, number: int, as_json: bool) -> None:
    """Show the mail NUMBER of `mail list`. Its text is kept until it has been sent or given up."""
    found = target.read(lambda db: mails.find(db, number))
    if found is None:
        raise click.ClickException(f"There is no mail {number}.")
    kept, sends = _kept(target, found), bool(target.config.smtp.host)
    if as_json:
        print_json(_object(kept, sends=sends))
        return
    click.echo(f"To       {printable(found.recipient)}")
    click.echo(f"State    {printable(in_words(found, sends=sends))}")
    if kept.content is not None:
        click.echo(f"Subject  {printable(kept.content.subject)}\n\n{printable(kept.content.body, but=LINE_BREAKS)}")


# What placeholders are filled with in a test.
_EXAMPLE = {
    "PASSWORD_RESET_TOKEN": "TEST-TEST-TEST",
    "PROPERTY_NAME": "email",
    "NEW_ADDRESS": "somebody@example.com",
    "COUNTS_FROM": "2030-01-01 00:00 UTC",
}


@mail.command("send-test")
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
