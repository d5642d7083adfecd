"""Items as they come over the wire and go back."""

import json
from collections.abc import Container, Mapping
from typing import Any

from jsonrpc_backend.accounts.user_object import joined
from jsonrpc_backend.collections.item_changes import ITEM_TOO_LARGE
from jsonrpc_backend.collections.item_form import holds_nul
from jsonrpc_backend.errors import InvalidParams
from jsonrpc_backend.store.items import Item
from jsonrpc_backend.store.users import PropertiesTooLarge, encode_properties, to_json

HAS_NUL = "{} must not contain the character U+0000."


def encoded_item(item: Mapping[str, Any]) -> str:
    """Properties as they are stored. Raises InvalidParams."""
    try:
        encoded = encode_properties(item)
    except PropertiesTooLarge as error:
        raise InvalidParams({"item": ITEM_TOO_LARGE}) from error
    if holds_nul(encoded):
        raise InvalidParams({"item": HAS_NUL.format("Item")})
    return encoded


def has_nul(value: Any) -> bool:
    """Whether U+0000 is anywhere in a value, or in the name of a member."""
    return holds_nul(to_json(value))


def item_json(item: Item, names: Container[str] | None = None) -> bytes:
    """An item as apps see it: not the device that owns it, for who knows that id is the owner.

    `names`: the properties that are wanted; None: all.
    """
    fields = to_json(
        {
            "_id": item.id,
            "_ownerUserOid": item.owner,
            "_createdAt": item.created_at,
            "_updatedAt": item.updated_at,
        }
    )
    if names is None:
        return joined(fields, item.properties_json).encode()
    properties = json.loads(item.properties_json)
    return joined(fields, to_json({name: value for name, value in properties.items() if name in names})).encode()
