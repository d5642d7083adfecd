"""Which of a user's mail addresses count for a password reset: reset mails go to those alone.

Who has a session, perhaps a copied one, can save any address as a property; with a mail there he would have the
account. So an address that a session saves counts at once only if that session itself has signed in with the password a
short while ago. Any other has to wait; the one before goes on counting meanwhile, and its owner is told there. Who
resets the password by one address has shown that it is his: all other addresses of the user wait anew.

Values that were there at registration, and what operators write, count as they stand. So does what a property held when
the operator listed it in `email_properties`.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.accounts.mail_address import parse_address
from jsonrpc_backend.store import address_notices, reset_addresses
from jsonrpc_backend.store.address_notices import Notice
from jsonrpc_backend.store.reset_addresses import Waiting
from jsonrpc_backend.store.sessions import Session
from jsonrpc_backend.store.users import User

USERNAME = "_username"

# How long a session that has signed in with the password counts as its owner, in ms.
OWNER_FOR = 15 * 60_000


@dataclass(frozen=True, slots=True)
class Rules:
    """Which properties may hold an address (`_username` is one), and how long a new one waits (ms)."""

    properties: tuple[str, ...]
    waiting: int


def is_owner(session: Session, now: int) -> bool:
    """Whether what this session saves may count at once."""
    return session.password_at is not None and 0 <= now - session.password_at <= OWNER_FOR


def counting(db: sqlite3.Connection, user: User, name: str, now: int) -> str | None:
    """The address in a property that counts now, as it was typed; None where it holds none."""
    waiting = reset_addresses.find(db, user.key, name)
    if waiting is not None and waiting.counts_from > now:
        return waiting.meanwhile
    return _address(_value(user, name))


def note_changes(
    db: sqlite3.Connection, user: User, changes: Mapping[str, Any], rules: Rules, now: int, *, by_owner: bool
) -> bool:
    """For properties that a session is about to save. `user`: as it is before. Whether somebody is to be told."""
    notices: list[Notice] = []
    for name in rules.properties:
        # Saving what is there already confirms nothing: apps send whole profiles back.
        if name not in changes or changes[name] == user.properties.get(name):
            continue
        address, before = _address(changes[name]), counting(db, user, name, now)
        if by_owner or address == before:
            reset_addresses.remove(db, user.key, name)
            continue
        counts_from = now + rules.waiting
        reset_addresses.put(db, user.key, name, Waiting(before, counts_from))
        recipients = dict.fromkeys(filter(None, (before, counting(db, user, USERNAME, now))))
        notices += [Notice(user.key, recipient, name, address, counts_from) for recipient in recipients]
    for notice in notices:
        address_notices.insert(db, notice)
    return bool(notices)


def note_reset(db: sqlite3.Connection, user: User, used: str, rules: Rules, now: int) -> bool:
    """The password was reset by a token that was mailed to `used`. Whether somebody is to be told."""
    others = list(_others(db, user, used, rules, now))
    for name, address in others:
        address_notices.insert(db, Notice(user.key, used, name, address, now + rules.waiting))
    return bool(others)


def _others(db: sqlite3.Connection, user: User, used: str, rules: Rules, now: int) -> Iterator[tuple[str, str]]:
    """Makes all other addresses wait; what they are."""
    for name in rules.properties:
        address = _address(_value(user, name))
        if address is None or is_same(address, used):
            reset_addresses.remove(db, user.key, name)
            continue
        before = counting(db, user, name, now)
        meanwhile = before if before is not None and is_same(before, used) else None
        reset_addresses.put(db, user.key, name, Waiting(meanwhile, now + rules.waiting))
        yield name, address


def trust(db: sqlite3.Connection, user_key: int, names: Iterable[str]) -> None:
    """An operator has written these properties: they count as they stand."""
    for name in names:
        reset_addresses.remove(db, user_key, name)


def _value(user: User, name: str) -> Any:
    return user.username if name == USERNAME else user.properties.get(name)


def _address(value: Any) -> str | None:
    return value if parse_address(value) is not None else None


def is_same(one: str, other: str) -> bool:
    """Whether a mail to one goes to the other, too."""
    return recipient_key(one) == recipient_key(other)


def recipient_key(address: str) -> str:
    """What spellings of an address have in common by which a mail arrives at the same place, nearly everywhere."""
    parsed = parse_address(address)
    return address.casefold() if parsed is None else f"{parsed.username.casefold()}@{parsed.domain.casefold()}"
