"""What an account says of its user: properties and username."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.accounts import look_alikes, reset_addresses
from jsonrpc_backend.accounts.disk_room import DiskRoom
from jsonrpc_backend.accounts.refusals import NOT_TAKEN, AccountGone, unacceptable
from jsonrpc_backend.accounts.reset_addresses import AddressRules
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.accounts.whom import Whom
from jsonrpc_backend.config import USERNAME, BackendConfig
from jsonrpc_backend.store import audit, password_resets, users
from jsonrpc_backend.store.audit import Act
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.reset_addresses import trust
from jsonrpc_backend.store.sessions import Session
from jsonrpc_backend.store.users import User


@dataclass(frozen=True, slots=True)
class Values:
    """Properties, and each of them as JSON."""

    given: Mapping[str, Any]
    encoded: Mapping[str, str]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Values":
        return cls(given, users.encode_values(given))


def save(db: Db, session: Session, values: Values, rules: AddressRules, *, room: DiskRoom, now: int) -> bool:
    """Adds and updates properties of who is signed in.

    Returns whether somebody is to be told of an address. Raises AccountGone, Unacceptable, NotNow.
    """
    user, told = session.user, False
    if not values.given.keys().isdisjoint(rules.properties) and (whole := users.find_by_id(db, user.id)) is not None:
        by_owner = reset_addresses.is_owner(session, now)
        told = reset_addresses.note_changes(db, whole, values.given, rules, now, by_owner=by_owner)
    try:
        with room.for_properties(db, user, seconds_new=room.seconds_new(user, now)):
            if not users.merge_encoded(db, user.key, values.encoded, now):
                raise AccountGone
    except NOT_TAKEN as error:
        raise unacceptable(error) from error
    return told


def update(
    db: Db,
    whom: Whom,
    username: str | None,
    properties: Mapping[str, Any],
    *,
    settings: BackendConfig,
    act: Act,
    room: DiskRoom | None = None,
) -> User:
    """Adds and updates properties, removes none; another username where one is given. The user as of then.

    Sessions and login tokens go on. Raises NoSuchUser, Unacceptable, NotNow.
    """
    user = whom(db)
    with room.for_properties(db, user) if room else contextlib.nullcontext():
        if properties:
            merge(db, user, properties, act.at)
        if username is not None and username != user.username:
            _rename(db, user, username, settings, act.at)
    audit.record(db, act, [user.id])
    return users.get(db, user.key)


def merge(db: Db, user: User, properties: Mapping[str, Any], now: int) -> None:
    """An operator's word: addresses count as they stand. Raises Unacceptable."""
    try:
        users.merge_properties(db, user.key, properties, now)
    except NOT_TAKEN as error:
        raise unacceptable(error) from error
    trust(db, user.key, properties)


def _rename(db: Db, user: User, username: str, settings: BackendConfig, now: int) -> None:
    """A password reset that is under way ends: its token may have been mailed to the old name."""
    try:
        users.rename(db, user.key, username=username, username_key=username_key(username), now=now)
        look_alikes.claim(db, settings, user, username)
    except NOT_TAKEN as error:
        raise unacceptable(error) from error
    trust(db, user.key, [USERNAME])
    password_resets.end(db, user.key)
