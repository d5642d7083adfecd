"""`user send-reset`: a mail with a reset token to everybody who has no password yet."""

import functools
import sys
from collections.abc import Callable
from typing import Any

import click

from jsonrpc_backend.cli.answer import tell
from jsonrpc_backend.cli.audit import act_of
from jsonrpc_backend.cli.on_either import only_in_file
from jsonrpc_backend.cli.target import Target, json_option, on_backend, printable
from jsonrpc_backend.cli.wording import counted
from jsonrpc_backend.clock import MINUTE, system_clock
from jsonrpc_backend.config import DEFAULT_EMAIL_PROPERTY
from jsonrpc_backend.config.mail_templates import WELCOME_BACK
from jsonrpc_backend.mail import mailings
from jsonrpc_backend.mail.mailings import Reach
from jsonrpc_backend.store.password_resets import Mailing

SHOWN = 3

yes_option = click.option("--yes", is_flag=True, help="Do not ask before users are mailed.")


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


def find_reach(target: Target, mailing: Mailing) -> Reach:
    return target.read(mailings.find_reach, mailing.email_property, system_clock())


def send_mailing(target: Target, mailing: Mailing, *, yes: bool) -> Reach | None:
    """Asks the person, then the server, running or not, to mail them. None: the person does not want that."""
    reach = find_reach(target, mailing)
    if reach.users and not yes:
        question = f"Mail {counted(len(reach.users), 'user')} with the template {mailing.template}?"
        if not click.confirm(question, err=True):
            return None
    target.write(mailings.request, mailing, [user for user, _ in reach.users], act_of("user send-reset"))
    return reach


def reach_object(reach: Reach) -> dict[str, int]:
    return {"requested": len(reach.users), "withoutAddress": reach.without_address}


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
        stopped = target.write(mailings.stop, act_of("user send-reset --stop"))
        tell(f"Removed {counted(stopped, 'mail')} that had not been sent.", {"stopped": stopped}, as_json=as_json)
        return
    check_mailing(target, mailing)
    check_sending(target, yes=yes or dry_run)
    if dry_run:
        _tell_plan(find_reach(target, mailing), as_json=as_json)
        return
    target.migrate()
    reach = send_mailing(target, mailing, yes=yes)
    if reach is None:
        raise click.Abort
    tell(_sentence(reach, "will mail"), reach_object(reach), as_json=as_json)


def _tell_plan(reach: Reach, *, as_json: bool) -> None:
    samples = [{"_username": user.username, "address": address} for user, address in reach.users[:SHOWN]]
    lines = [_sentence(reach, "would mail")]
    lines += [printable(f"  {sample['_username']} at {sample['address']}") for sample in samples]
    more = len(reach.users) - len(samples)
    lines += [f"  and {more} more"] if more else []
    tell("\n".join(lines), {**reach_object(reach), "samples": samples}, as_json=as_json)


def _sentence(reach: Reach, does: str) -> str:
    """`does`: what the server does to the users, such as "will mail"."""
    reached = f"The server {does} {counted(len(reach.users), 'user')}."
    if not reach.without_address:
        return reached
    have = "has" if reach.without_address == 1 else "have"
    return f"{reached} {reach.without_address} {have} no mail address."
