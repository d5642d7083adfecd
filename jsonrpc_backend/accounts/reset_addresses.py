"""Which of a user's mail addresses count for a password reset: reset mails go to those alone.

Who has a session, perhaps a copied one, can save any address as a property; with a mail there he would have the
account. So an address that a session saves counts at once only if that session itself has signed in with the password a
short while ago. Any other has to wait; the one before goes on counting meanwhile, and its owner is told there. Who
resets the password by one address has shown that it is his: all other addresses of the user wait anew.

Values that were there at registration, and what operators write, count as they stand. What a property held when the
operator added it to `email_properties` may be what a session saved while nobody was told: it waits from the first
request on.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.accounts.mail_address import parse_address
from jsonrpc_backend.clock import HOUR, MINUTE
from jsonrpc_backend.config import USERNAME, BackendConfig
from jsonrpc_backend.store import address_notices, reset_addresses
from jsonrpc_backend.store.address_notices import Notice
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.reset_addresses import Waiting
from jsonrpc_backend.store.sessions import Session
from jsonrpc_backend.store.users import NO_PASSWORD, User

# How long a session that has signed in with the password counts as its owner, in ms.
OWNER_FOR = 15 * MINUTE

# For what was saved before its property was listed: it waits from the first request on.
UNKNOWN = Waiting(meanwhile=None, counts_from=2**63 - 1)


@dataclass(frozen=True, slots=True)
class AddressRules:
    """Which properties may hold an address (`_username` always is one), and how long a new one waits (ms)."""

    properties: tuple[str, ...]
    waiting: int


def rules_of(config: BackendConfig) -> AddressRules:
    """The username is asked for where an app says nothing else, so it is one also where it is not listed."""
    names = dict.fromkeys((USERNAME, *config.email_properties))
    return AddressRules(tuple(names), config.password_reset.address_hours * HOUR)


def is_owner(session: Session, now: int) -> bool:
    """Whether what this session saves may count at once."""
    return session.password_at is not None and 0 <= now - session.password_at <= OWNER_FOR


def counting(db: Db, user: User, name: str, now: int) -> str | None:
    """The address in a property that counts now, as it was typed; None where it holds none."""
    waiting = _waiting(db, user, name)
    if waiting is not None and waiting.counts_from > now:
        return waiting.meanwhile
    return _address(_value(user, name))


def _waiting(db: Db, user: User, name: str) -> Waiting | None:
    found = reset_addresses.find(db, user.key, name)
    # Who has never had a password has never had a session either.
    if found is None and user.password_hash != NO_PASSWORD and reset_addresses.is_older_than_place(db, user.key, name):
        return UNKNOWN
    return found


def counts(db: Db, user: User, asked: str, rules: AddressRules, now: int) -> bool:
    """Whether this is one of the user's addresses that count."""
    addresses = (counting(db, user, name, now) for name in rules.properties)
    return any(is_same(address, asked) for address in addresses if address is not None)


def note_request(db: Db, user: User, name: str, rules: AddressRules, now: int) -> None:
    """A mail to the address in a property was asked for. Where nobody was told of that yet, those that count are."""
    address = _address(_value(user, name))
    if address is None or _waiting(db, user, name) is not UNKNOWN:
        return
    recipients = (counting(db, user, each, now) for each in rules.properties)
    _let_wait(db, user, name, Waiting(None, now + rules.waiting), address=address, recipients=recipients)


def note_changes(
    db: Db, user: User, changes: Mapping[str, Any], rules: AddressRules, now: int, *, by_owner: bool
) -> bool:
    """For properties that a session is about to save. `user`: as it is before. Whether somebody is to be told."""
    told = False
    for name in rules.properties:
        # Saving what is there already confirms nothing: apps send whole profiles back.
        if name not in changes or changes[name] == user.properties.get(name):
            continue
        address, before = _address(changes[name]), counting(db, user, name, now)
        if by_owner or address == before:
            reset_addresses.trust(db, user.key, [name])
            continue
        recipients = (before, counting(db, user, USERNAME, now))
        told |= _let_wait(db, user, name, Waiting(before, now + rules.waiting), address=address, recipients=recipients)
    return told


def _let_wait(
    db: Db,
    user: User,
    name: str,
    waiting: Waiting,
    *,
    address: str | None,
    recipients: Iterable[str | None],
) -> bool:
    """Whether somebody is to be told of the address."""
    reset_addresses.put(db, user.key, name, waiting)
    told = dict.fromkeys(filter(None, recipients))
    for recipient in told:
        address_notices.insert(db, Notice(user.key, recipient, name, address, waiting.counts_from))
    return bool(told)


def note_reset(db: Db, user: User, used: str, rules: AddressRules, now: int) -> None:
    """The password was reset by a token that was mailed to `used`, where its owner is told of all other addresses."""
    for name, address in list(_others(db, user, used, rules, now)):
        address_notices.insert(db, Notice(user.key, used, name, address, now + rules.waiting))


def _others(db: Db, user: User, used: str, rules: AddressRules, now: int) -> Iterator[tuple[str, str]]:
    """Makes all other addresses wait; what they are."""
    for name in rules.properties:
        address = _address(_value(user, name))
        if address is None or is_same(address, used):
            reset_addresses.trust(db, user.key, [name])
            continue
        if name == USERNAME and _has_waited(reset_addresses.find(db, user.key, name), rules, now):
            continue
        before = counting(db, user, name, now)
        meanwhile = before if before is not None and is_same(before, used) else None
        reset_addresses.put(db, user.key, name, Waiting(meanwhile, now + rules.waiting))
        yield name, address


def _has_waited(waiting: Waiting | None, rules: AddressRules, now: int) -> bool:
    """Whether the username has to wait already, or has done so and not counted for as long since.

    Its owner cannot change it. Else whoever has another address of the account, such as who has registered it in
    somebody else's name, could keep her out for ever by one reset after the other.
    """
    return waiting is not None and abs(now - waiting.counts_from) <= rules.waiting


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
