"""Mailings: a reset mail to each user who has no password yet, one after the other."""

from dataclasses import dataclass

from jsonrpc_backend.accounts import reset_addresses
from jsonrpc_backend.accounts.mail_address import parse_address
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.store import audit, mails, password_resets
from jsonrpc_backend.store.audit import Act
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.password_resets import Mailing
from jsonrpc_backend.store.users import User

OF_MAILINGS = b""  # their share of the mails


@dataclass(frozen=True)
class Reach:
    """Whom a mailing reaches, each with the address; and how many have none where it looks for one."""

    users: list[tuple[User, str]]
    without_address: int


def find_reach(db: Db, email_property: str, now: int) -> Reach:
    """Each user without a password who neither waits for a mail nor has a usable token."""
    found = password_resets.list_to_mail(db, now)
    addresses = [(user, reset_addresses.counting(db, user, email_property, now)) for user in found]
    reached = [(user, address) for user, address in addresses if address is not None and parse_address(address)]
    return Reach(reached, len(found) - len(reached))


def request(db: Db, mailing: Mailing, users: list[User], act: Act) -> None:
    """Has these mailed by the server, running or not."""
    password_resets.insert_mailing(db, mailing, [username_key(user.username) for user in users], act.at)
    if users:
        audit.record(db, act, [user.id for user in users])


def stop(db: Db, act: Act) -> int:
    """Removes requests, and mails that were written for them, with their tokens; returns how many mails that were."""
    waiting = password_resets.remove_mailings(db)
    unsent = mails.remove_unsent(db, OF_MAILINGS)
    password_resets.end_mailed(db, unsent)
    stopped = waiting + len(unsent)
    if stopped:
        audit.record(db, act, [], users=stopped)
    return stopped
