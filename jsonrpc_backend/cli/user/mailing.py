"""`user send-reset`: a mail with a reset token to everybody who has no password yet."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from jsonrpc_backend.accounts import reset_addresses
from jsonrpc_backend.accounts.mail_address import parse_address
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.cli.answer import tell
from jsonrpc_backend.cli.audit import record, record_all
from jsonrpc_backend.cli.target import Target, json_option, on_backend, printable
from jsonrpc_backend.cli.user.on_users import only_in_file
from jsonrpc_backend.cli.wording import counted
from jsonrpc_backend.clock import MINUTE, system_clock
from jsonrpc_backend.config import DEFAULT_EMAIL_PROPERTY
from jsonrpc_backend.config.mail_templates import WELCOME_BACK
from jsonrpc_backend.store import mails, password_resets
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.password_resets import Mailing
from jsonrpc_backend.store.users import User

SHOWN = 3
OF_MAILINGS = b""  # their share of the mails

yes_option = click.option("--yes", is_flag=True, help="Do not ask before users are mailed.")


@dataclass(frozen=True)
class Recipients:
    """Whom a mailing will reach, each with the address; and how many have none where it looks for one."""

    reached: list[tuple[User, str]]
    without_address: int

    def to_object(self) -> dict[str, int]:
        return {"requested": len(self.reached), "withoutAddress": self.without_address}

    def sentence(self, does: str) -> str:
        """`does`: what the server does to the users, such as "will mail"."""
        reached = f"The server {does} {counted(len(self.reached), 'user')}."
        if not self.without_address:
            return reached
        have = "has" if self.without_address == 1 else "have"
        return f"{reached} {self.without_address} {have} no mail address."

    def samples(self) -> list[dict[str, str]]:
        return [{"_username": user.username, "address": address} for user, address in self.reached[:SHOWN]]


def mailing_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options that say how a mailing is made; the command gets them as one `mailing`."""

    @functools.wraps(command)
    def run(
        *arguments: Any, email_property: str, template: str, per_minute: int, valid_hours: int, **others: Any
    ) -> None:
        mailing = Mailing(email_property, template, valid_hours * 60, MINUTE // per_minute)
        command(*arguments, mailing=mailing, **others)

    for option in (
        click.option(
            "--valid-hours",
            type=click.IntRange(1, 720),
            default=72,
            show_default=True,
            help="How long the token of a mailing can be used.",
        ),
        click.option(
            "--per-minute",
            type=click.IntRange(1, 6000),
            default=60,
            show_default=True,
            help="Mails of a mailing in one minute.",
        ),
        click.option("--template", default=WELCOME_BACK, show_default=True, help="Template of the mail."),
        click.option(
            "--email-property",
            default=DEFAULT_EMAIL_PROPERTY,
            show_default=True,
            help="Property that holds the user's mail address.",
        ),
    ):
        run = option(run)
    return run


def check_mailing(target: Target, mailing: Mailing) -> None:
    """Raises UsageError for what the configuration does not know."""
    for value, known in (
        (mailing.email_property, target.backend.email_properties),
        (mailing.template, target.backend.mailing_templates),
    ):
        if value not in known:
            raise click.UsageError(f"{value} is not in the configuration; there is {', '.join(known)}.")


def check_sending(target: Target, *, yes: bool) -> None:
    """Raises ClickException where a mailing could not be sent, or nobody could be asked whether to."""
    if not target.config.smtp.host:
        raise click.ClickException("No SMTP server is configured (smtp.host), so nobody would get a mail.")
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here whether to mail the users; say --yes, or --dry-run first.")


def find_recipients(target: Target, mailing: Mailing) -> Recipients:
    """Each user without a password who neither waits for a mail nor has a usable token."""
    now = system_clock()

    def find(db: Db) -> list[tuple[User, str | None]]:
        found = password_resets.list_to_mail(db, now)
        return [(user, reset_addresses.counting(db, user, mailing.email_property, now)) for user in found]

    found = target.read(find)
    reached = [(user, address) for user, address in found if address is not None and parse_address(address)]
    return Recipients(reached, len(found) - len(reached))


def send_mailing(target: Target, mailing: Mailing, *, yes: bool) -> Recipients | None:
    """Asks the person, then the server, running or not, to mail them. None: the person does not want that."""
    recipients = find_recipients(target, mailing)
    if recipients.reached and not yes:
        question = f"Mail {counted(len(recipients.reached), 'user')} with the template {mailing.template}?"
        if not click.confirm(question, err=True):
            return None
    users = [user for user, _ in recipients.reached]

    def insert(db: Db) -> None:
        password_resets.insert_mailing(db, mailing, [username_key(user.username) for user in users], system_clock())
        if users:
            record(db, "user send-reset", [user.id for user in users])

    target.write(insert)
    return recipients


@click.command("send-reset")
@mailing_options
@click.option("--dry-run", is_flag=True, help="Say how many users would be mailed, and who the first ones are.")
@click.option("--stop", is_flag=True, help="Remove what is still to be sent of mailings.")
@yes_option
@only_in_file("mail all users")
@on_backend()
@json_option
def send_reset(target: Target, mailing: Mailing, *, dry_run: bool, stop: bool, yes: bool, as_json: bool) -> None:
    """Have a mail with a reset token sent to each user who has no password.

    The running server sends the mails, one after the other. Who waits for one, or has one whose token can still be
    used, gets no other: the command can be repeated.
    """
    if stop:
        stopped = target.write(_stop)
        tell(f"Removed {counted(stopped, 'mail')} that had not been sent.", {"stopped": stopped}, as_json=as_json)
        return
    check_mailing(target, mailing)
    check_sending(target, yes=yes or dry_run)
    if dry_run:
        _tell_plan(find_recipients(target, mailing), as_json=as_json)
        return
    target.migrate()
    recipients = send_mailing(target, mailing, yes=yes)
    if recipients is None:
        raise click.Abort
    tell(recipients.sentence("will mail"), recipients.to_object(), as_json=as_json)


def _tell_plan(recipients: Recipients, *, as_json: bool) -> None:
    samples = recipients.samples()
    lines = [recipients.sentence("would mail")]
    lines += [printable(f"  {sample['_username']} at {sample['address']}") for sample in samples]
    more = len(recipients.reached) - len(samples)
    lines += [f"  and {more} more"] if more else []
    tell("\n".join(lines), {**recipients.to_object(), "samples": samples}, as_json=as_json)


def _stop(db: Db) -> int:
    """Removes requests, and mails that were written for them, with their tokens; returns how many mails that were."""
    waiting = password_resets.remove_mailings(db)
    unsent = mails.remove_unsent(db, OF_MAILINGS)
    password_resets.end_mailed(db, unsent)
    stopped = waiting + len(unsent)
    if stopped:
        record_all(db, "user send-reset --stop", stopped)
    return stopped
