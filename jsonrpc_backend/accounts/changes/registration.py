"""How a user is made."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.accounts import look_alikes
from jsonrpc_backend.accounts.disk_room import DiskRoom
from jsonrpc_backend.accounts.refusals import (
    NOT_TAKEN,
    TOO_LARGE,
    USERNAME_LOOKS_TAKEN,
    USERNAME_TAKEN,
    Unacceptable,
    unacceptable,
)
from jsonrpc_backend.accounts.sign_in import SignIn
from jsonrpc_backend.accounts.stand_ins import draw_lot
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.config import BackendConfig
from jsonrpc_backend.store import audit, users
from jsonrpc_backend.store.audit import Act
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import PropertiesTooLarge, User


def new_user_id() -> str:
    return f"u{uuid.uuid4()}"


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to be."""

    id: str
    username: str
    password_hash: str
    properties_json: str
    lot: int

    @classmethod
    def of(cls, username: str, password_hash: str, properties_json: str) -> "NewUser":
        return cls(new_user_id(), username, password_hash, properties_json, draw_lot())


def encoded(properties: Mapping[str, Any]) -> str | None:
    """Properties as they are stored; None where they are too large."""
    try:
        return users.encode_properties(properties)
    except PropertiesTooLarge:
        return None


def check(
    db: Db, username: str, properties_json: str | None, settings: BackendConfig, room: DiskRoom | None = None
) -> str:
    """The encoded properties. Raises Unacceptable, with a sentence for the name and for them.

    `room`: its limit on properties of new users; operators may give them as many as others have.
    """
    complaints = {}
    if properties_json is None:
        complaints["properties"] = TOO_LARGE
    elif room is not None and (complaint := room.complaint_of_new(properties_json)):
        complaints["properties"] = complaint
    if users.is_username_taken(db, username_key(username)):
        complaints["username"] = USERNAME_TAKEN
    elif settings.refuse_confusable_usernames and look_alikes.is_taken(db, username):
        complaints["username"] = USERNAME_LOOKS_TAKEN
    if properties_json is None or complaints:
        raise Unacceptable(complaints)
    return properties_json


def register(db: Db, new: NewUser, settings: BackendConfig, room: DiskRoom, sign_in: SignIn) -> User:
    """Somebody registers, and is signed in. Raises Unacceptable, NotNow."""
    room.check(db)
    user = _insert(db, new, settings, sign_in.now)
    sign_in.record(db, user)
    return user


def create(db: Db, new: NewUser, settings: BackendConfig, act: Act, room: DiskRoom | None = None) -> User:
    """An operator makes a user. Raises Unacceptable, NotNow."""
    if room is not None:
        room.check(db)
    user = _insert(db, new, settings, act.at)
    audit.record(db, act, [user.id])
    return user


def insert(db: Db, new: NewUser, now: int) -> User:
    """The row alone: whom the name looks like is not looked at. Raises UsernameTaken."""
    return users.insert(
        db,
        id=new.id,
        username=new.username,
        username_key=username_key(new.username),
        password_hash=new.password_hash,
        properties_json=new.properties_json,
        lot=new.lot,
        now=now,
    )


def _insert(db: Db, new: NewUser, settings: BackendConfig, now: int) -> User:
    try:
        user = insert(db, new, now)
        look_alikes.claim(db, settings, user, new.username)
    except NOT_TAKEN as error:
        raise unacceptable(error) from error
    return user
