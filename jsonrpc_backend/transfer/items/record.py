"""From a record to an item, by the rules for items that apps insert."""

import re
from collections.abc import Mapping
from typing import Any

from jsonrpc_backend.collections.item_changes import ITEM_TOO_LARGE
from jsonrpc_backend.collections.item_form import holds_nul, new_item_id
from jsonrpc_backend.rpc.parse import is_deeper, unportable
from jsonrpc_backend.store.incoming_items import IncomingItem, RecordPlace
from jsonrpc_backend.store.item_rights import Permission
from jsonrpc_backend.store.users import PropertiesTooLarge, encode_properties
from jsonrpc_backend.transfer.items import cloudboost
from jsonrpc_backend.transfer.items.naming import (
    CREATED,
    DEVICE,
    ID,
    ITEM_FIELDS,
    OWNER,
    PERMISSION,
    UPDATED,
    is_item_property,
    unusable_item_property,
)
from jsonrpc_backend.transfer.items.owners import Owners
from jsonrpc_backend.transfer.items.rights import PermissionReader, UnusablePermission
from jsonrpc_backend.transfer.record import MAX_PROPERTIES_DEPTH, BadRecord
from jsonrpc_backend.transfer.source import Record
from jsonrpc_backend.transfer.times import NO_TIME, milliseconds

_SYSTEM = frozenset(ITEM_FIELDS)
_ID = re.compile("[a-zA-Z0-9_-]{1,64}")
MAX_DEVICE_CHARACTERS = 255

NO_OWNER = "The owner must be the id of a user."
NO_DEVICE = f"The id of a device must be a text of 1 to {MAX_DEVICE_CHARACTERS} characters."


class ItemRules:
    """`now` is for items without a time, in ms since 1970 UTC. `new_ids` counts ids that could not be kept."""

    def __init__(self, owners: Owners, *, now: int) -> None:
        self.owners = owners
        self.permissions = PermissionReader(owners.by_id)
        self.new_ids = 0
        self.now = now
        self._good_names: set[str] = set()

    def item(self, record: Record, collection: str, number: int) -> IncomingItem:
        """The item that a record describes. Raises BadRecord."""
        fields = record.fields
        if cloudboost.is_document(fields):
            fields = cloudboost.columns(fields, _SYSTEM)
        properties = {name: value for name, value in fields.items() if name not in _SYSTEM}
        complaints = self._complaints(fields, properties)
        encoded = _encoded(properties, complaints)
        owner, device = _user(fields, complaints), _device(fields, complaints)
        created_at = _time(fields, CREATED, self.now, complaints)
        updated_at = _time(fields, UPDATED, created_at, complaints)
        permission = self._permission(fields, complaints)
        if complaints:
            raise BadRecord(complaints)
        owner = self.owners.of(owner, properties)
        return IncomingItem(
            number=number,
            place=RecordPlace(record.file, record.number, record.line),
            collection=collection,
            id=self._id(fields),
            owner=owner,
            device=device if owner is None else None,
            permission=permission,
            created_at=created_at,
            updated_at=updated_at,
            properties_json=encoded,
        )

    def _complaints(self, fields: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, str]:
        complaints = {}
        names = properties.keys() - self._good_names
        if names:
            complaints = {name: unusable_item_property(name) for name in names if not is_item_property(name)}
            self._good_names.update(names - complaints.keys())
        if unportable(fields):
            found = ((name, unportable([name, value])) for name, value in fields.items())
            complaints |= {_printed(name): f"The value {complaint}." for name, complaint in found if complaint}
        elif is_deeper(properties, MAX_PROPERTIES_DEPTH):
            complaints["properties"] = f"Properties must not be nested deeper than {MAX_PROPERTIES_DEPTH} levels."
        return complaints

    def _permission(self, fields: Mapping[str, Any], complaints: dict[str, str]) -> Permission | None:
        if fields.get(PERMISSION) is None:
            return None
        try:
            return self.permissions.read(fields[PERMISSION])
        except UnusablePermission as error:
            complaints[PERMISSION] = str(error)
            return None

    def _id(self, fields: Mapping[str, Any]) -> str:
        given = fields.get(ID)
        if isinstance(given, dict):
            given = given.get("$oid")  # as mongoexport writes one that MongoDB has made
        if isinstance(given, int) and not isinstance(given, bool):
            given = str(given)
        if isinstance(given, str) and _ID.fullmatch(given):
            return given
        self.new_ids += given is not None
        return new_item_id()


def _printed(name: str) -> str:
    return name.encode(errors="backslashreplace").decode()


def _encoded(properties: Mapping[str, Any], complaints: dict[str, str]) -> str:
    if complaints:
        return ""
    try:
        encoded = encode_properties(properties)
    except PropertiesTooLarge:
        complaints["properties"] = ITEM_TOO_LARGE
        return ""
    if holds_nul(encoded):
        complaints["properties"] = "Properties must not contain the character U+0000."
    return encoded


def _user(fields: Mapping[str, Any], complaints: dict[str, str]) -> str | None:
    owner = fields.get(OWNER)
    if owner is None or owner == "":
        return None
    if isinstance(owner, str) and _ID.fullmatch(owner):
        return owner
    complaints[OWNER] = NO_OWNER
    return None


def _device(fields: Mapping[str, Any], complaints: dict[str, str]) -> str | None:
    device = fields.get(DEVICE)
    if device is None or device == "":
        return None
    if isinstance(device, str) and len(device) <= MAX_DEVICE_CHARACTERS and "\0" not in device:
        return device
    complaints[DEVICE] = NO_DEVICE
    return None


def _time(fields: Mapping[str, Any], name: str, otherwise: int, complaints: dict[str, str]) -> int:
    if fields.get(name) is None:
        return otherwise
    try:
        return milliseconds(fields[name])
    except ValueError:
        complaints[name] = NO_TIME
        return otherwise
