"""Properties of devices. A row begins with the first save; a device's id is stored as a digest only."""

import json
from collections.abc import Mapping
from typing import Any

from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import encode_properties


def find_properties(db: Db, device: bytes) -> dict[str, Any]:
    """None of a device that was never seen."""
    row = db.execute("SELECT properties FROM devices WHERE device = ?", (device,)).fetchone()
    properties: dict[str, Any] = json.loads(row[0]) if row else {}
    return properties


def is_known(db: Db, device: bytes) -> bool:
    return db.execute("SELECT 1 FROM devices WHERE device = ?", (device,)).fetchone() is not None


def bytes_of(db: Db, device: bytes) -> int:
    """How much the properties take; 0 of a device that was never seen."""
    row = db.execute("SELECT length(CAST(properties AS BLOB)) FROM devices WHERE device = ?", (device,)).fetchone()
    return row[0] if row else 0


def merge_properties(db: Db, device: bytes, changes: Mapping[str, Any], now: int) -> None:
    """Adds and updates properties, removes none. Raises PropertiesTooLarge."""
    merged = encode_properties(find_properties(db, device) | dict(changes))
    db.execute(
        "INSERT INTO devices (device, created_at, updated_at, properties) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (device) DO UPDATE SET updated_at = excluded.updated_at, properties = excluded.properties",
        (device, now, now, merged),
    )
