"""`user send-reset`: a mail with a reset token to everybody who has no password yet."""

import functools
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from jsonrpc_backend.accounts.mail_address import parse_address
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.cli.audit import record
from jsonrpc_backend.cli.on_users import only_in_file
from jsonrpc_backend.cli.target import Target, json_option, on_backend
from jsonrpc_backend.config import DEFAULT_EMAIL_PROPERTY, DEFAULT_TEMPLATE
from jsonrpc_backend.rpc.backend import system_clock
from jsonrpc_backend.store import password_resets
from jsonrpc_backend.store.password_resets import Mailing
from jsonrpc_backend.store.users import User

MINUTE = 60_000


@dataclass(frozen=True)
class Requested:
    """How many users a mailing will reach, and how many have no mail address where it looks for one."""

    users: int
    without_address: int

    def to_object(self) -> dict[str, int]:
        return {"requested": self.users, "withoutAddress": self.without_address}

    def __str__(self) -> str:
        reached = f"The server will mail {self.users} users."
        return reached + (f" {self.without_address} have no mail address." if self.without_address else "")


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
        click.option("--template", default=DEFAULT_TEMPLATE, show_default=True, help="Template of the mail."),
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
        (mailing.template, target.backend.mail_templates),
    ):
        if value not in known:
            raise click.UsageError(f"{value} is not in the configuration; there is {', '.join(known)}.")


def request_mailing(target: Target, mailing: Mailing) -> Requested:
    """Asks the server, running or not, to mail each user without a password who has no usable token yet."""
    now = system_clock()

    def address_of(user: User) -> Any:
        name = mailing.email_property
        return user.username if name == DEFAULT_EMAIL_PROPERTY else user.properties.get(name)

    found = target.read(lambda db: password_resets.list_to_mail(db, now))
    reached = [user for user in found if parse_address(address_of(user))]

    def insert(db: sqlite3.Connection) -> None:
        password_resets.insert_mailing(db, mailing, [username_key(user.username) for user in reached], now)
        if reached:
            record(db, "user send-reset", [user.id for user in reached])

    target.write(insert)
    return Requested(len(reached), len(found) - len(reached))


@click.command("send-reset")
@mailing_options
@only_in_file("mail all users")
@on_backend(writes=True)
@json_option
def send_reset(target: Target, mailing: Mailing, as_json: bool) -> None:
    """Have a mail with a reset token sent to each user who has no password.

    The running server sends the mails, one after the other. Who waits for one, or has one whose token can still be
    used, gets no other: the command can be repeated.
    """
    check_mailing(target, mailing)
    requested = request_mailing(target, mailing)
    click.echo(json.dumps(requested.to_object(), indent=2) if as_json else str(requested))
