"""From a record to a user, by the rules of `User.register`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.accounts import foreign_hashes
from jsonrpc_backend.accounts.changes.registration import new_user_id
from jsonrpc_backend.accounts.foreign_hashes import UnusableHash
from jsonrpc_backend.accounts.refusals import TOO_LARGE
from jsonrpc_backend.accounts.stand_ins import draw_lot
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.config import BackendConfig
from jsonrpc_backend.rpc.parse import MAX_DEPTH, is_deeper, unportable
from jsonrpc_backend.rpc.schemas import ParamsSchema
from jsonrpc_backend.store.incoming import Incoming
from jsonrpc_backend.store.users import NO_PASSWORD, PropertiesTooLarge, encode_properties
from jsonrpc_backend.transfer.naming import (
    CREATED,
    DISABLED,
    ID,
    PASSWORD,
    PASSWORD_HASH,
    SYSTEM_FIELDS,
    UPDATED,
    USERNAME,
    unusable,
)
from jsonrpc_backend.transfer.source import Record
from jsonrpc_backend.transfer.times import NO_TIME, milliseconds

# In a call the properties lie within the request and its params.
MAX_PROPERTIES_DEPTH = MAX_DEPTH - 2

_ID = re.compile(r"u[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class BadRecord(Exception):
    """What is wrong with a record: a sentence for each field."""

    def __init__(self, complaints: Mapping[str, str]) -> None:
        super().__init__(*complaints.values())
        self.complaints = complaints


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A user to be, and the password that is still to be hashed."""

    user: Incoming
    password: str | None


class ImportRules:
    """What a backend's settings ask of users. `now` is for users without a time, in ms since 1970 UTC."""

    def __init__(self, settings: BackendConfig, *, now: int, keep_ids: bool) -> None:
        self._registration = ParamsSchema.of("User.validate", settings)
        self._sign_in = ParamsSchema.of("User.login", settings)
        self.settings = settings
        self._now = now
        self._keep_ids = keep_ids
        self._good_names: set[str] = set()  # the same few in most records; half of the time went into them

    def newcomer(self, record: Record) -> Newcomer:
        """The user that a record describes. Raises BadRecord."""
        system = {name: value for name in SYSTEM_FIELDS if (value := record.fields.get(name)) is not None}
        properties = {name: value for name, value in record.fields.items() if name not in SYSTEM_FIELDS}
        complaints = self._complaints(system, properties)
        times: dict[str, int] = {}
        for name in (CREATED, UPDATED, DISABLED):
            try:
                times |= {name: milliseconds(system[name])} if name in system else {}
            except ValueError:
                complaints[name] = NO_TIME
        password_hash, password = self._password(system, complaints)
        encoded = _encode(properties, complaints)
        if complaints:
            raise BadRecord(complaints)
        created_at = times.get(CREATED, self._now)
        user = Incoming(
            number=record.number,
            line=record.line,
            id=self._id(system),
            username=system[USERNAME],
            username_key=username_key(system[USERNAME]),
            password_hash=password_hash,
            created_at=created_at,
            updated_at=times.get(UPDATED, created_at),
            properties_json=encoded,
            lot=draw_lot(),
            disabled_at=times.get(DISABLED),
        )
        return Newcomer(user, password)

    def _complaints(self, system: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, str]:
        # Of properties the schema looks at names only; values are what parsing has let through.
        names = {name: None for name in properties if name not in self._good_names}
        params = {"properties": names} | ({"username": system[USERNAME]} if USERNAME in system else {})
        found = self._registration.complaints(params)
        self._good_names.update(() if found else names)
        complaints = {name.removeprefix("properties."): sentence for name, sentence in found.items()}
        complaints |= {name: unusable(name) for name in names if f"properties.{name}" in found}
        for name, value in (*system.items(), *properties.items()):
            if complaint := unportable([name, value]):
                complaints[name.encode(errors="backslashreplace").decode()] = f"The value {complaint}."
        if is_deeper(properties, MAX_PROPERTIES_DEPTH):
            complaints["properties"] = f"Properties must not be nested deeper than {MAX_PROPERTIES_DEPTH} levels."
        return complaints

    def _id(self, system: Mapping[str, Any]) -> str:
        given = system.get(ID)
        fits = self._keep_ids and isinstance(given, str) and _ID.fullmatch(given)
        return str(given) if fits else new_user_id()

    def _password(self, system: Mapping[str, Any], complaints: dict[str, str]) -> tuple[str, str | None]:
        """The hash to store, and the password to hash. Adds to the complaints, which never repeat either."""
        password, password_hash = system.get(PASSWORD), system.get(PASSWORD_HASH)
        if password is not None and password_hash is not None:
            complaints["passwordHash"] = "There are both a password and a hash; leave one out with --drop."
        elif password is not None:
            complaints.update(self._password_complaints(password))
        elif isinstance(password_hash, str) and password_hash != NO_PASSWORD:
            try:
                return foreign_hashes.adopt(password_hash), None
            except UnusableHash as error:
                complaints["passwordHash"] = f"The hash {error}."
        elif password_hash is not None and password_hash != NO_PASSWORD:
            complaints["passwordHash"] = "The hash must be a string."
        return NO_PASSWORD, password

    def _password_complaints(self, password: Any) -> dict[str, str]:
        """Passwords that exist may break the rules for new ones; their users have no others."""
        if password == "":
            return {"password": "The password is empty; leave the field out for a user who has none."}
        if isinstance(password, str) and foreign_hashes.looks_like_hash(password):
            return {"password": "This looks like the hash of a password; say --map NAME=_passwordHash for its field."}
        return self._sign_in.complaints({"username": "", "password": password})


def _encode(properties: Mapping[str, Any], complaints: dict[str, str]) -> str:
    if complaints:
        return ""
    try:
        return encode_properties(properties)
    except PropertiesTooLarge:
        complaints["properties"] = TOO_LARGE
        return ""
