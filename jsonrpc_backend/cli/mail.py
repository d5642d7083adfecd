"""`mail`: the outbox, for the operator."""

from typing import Any

import click

from jsonrpc_backend.cli.answer import print_json
from jsonrpc_backend.cli.group import Group, Later
from jsonrpc_backend.cli.table import print_table
from jsonrpc_backend.cli.target import Target, json_option, on_backend, printable
from jsonrpc_backend.mail.mailbag import Kept, read_content
from jsonrpc_backend.mail.seal import Seal, Unreadable, mail_key_path
from jsonrpc_backend.mail.state import MailState, in_words
from jsonrpc_backend.store import mails
from jsonrpc_backend.store.mails import Mail

SHOWN = 100
LINE_BREAKS = "\r\n\t"


@click.group(
    cls=Group,
    later={
        "send-test": Later(
            "jsonrpc_backend.cli.send_test:send_test",
            "Send a template with a made-up token to ADDRESS now, and say what the SMTP server answers.",
        )
    },
)
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
