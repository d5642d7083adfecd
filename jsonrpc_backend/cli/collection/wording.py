"""How a collection is shown."""

from collections.abc import Mapping
from typing import Any

from jsonrpc_backend.cli.target import readable_time

HEADER = ["name", "made", "insertable", "public", "delete with owner", "indexes"]


def cells(collection: Mapping[str, Any]) -> list[str]:
    """As HEADER says; `-` stands for none."""
    return [
        collection["_id"],
        readable_time(collection["_createdAt"]),
        "insertable" if collection["isInsertable"] else "-",
        collection["defaultPublicPermission"] or "-",
        collection["deleteWithOwner"],
        ",".join(collection["indexes"]) or "-",
    ]
