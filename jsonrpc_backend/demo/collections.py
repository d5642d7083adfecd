"""The collections of the demo: notes, which their owners share or keep to themselves, and a guestbook for everybody."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonrpc_backend.collections import definitions
from jsonrpc_backend.collections.definitions import GivenSettings
from jsonrpc_backend.store import audit, collections, items
from jsonrpc_backend.store.audit import Act
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.item_rights import parsed
from jsonrpc_backend.store.users import encode_properties

COLLECTIONS = {
    "notes": GivenSettings(is_insertable=True, indexes=["key"]),
    "guestbook": GivenSettings(is_insertable=True, default_public_permission="r"),
}


def make(db: Db, act: Act) -> None:
    """Those whose names are free, each with the items of its file."""
    for name, settings in COLLECTIONS.items():
        if collections.find(db, name) is None:
            _make(db, name, settings, act)


def _make(db: Db, name: str, settings: GivenSettings, act: Act) -> None:
    collection = definitions.create(db, name, settings, act)
    lines = (Path(__file__).parent / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    made = [json.loads(line) for line in lines]
    for item in made:
        at = _milliseconds(item["_createdAt"])
        items.insert(
            db,
            collection,
            id=item["_id"],
            owner=item["_ownerUserOid"],
            device=None,
            properties_json=encode_properties(_properties(item)),
            permission=parsed(item["_permission"]),
            created_at=at,
            updated_at=at,
        )
    audit.record_items(db, act, name, [item["_id"] for item in made])


def _properties(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if not name.startswith("_")}


def _milliseconds(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)
