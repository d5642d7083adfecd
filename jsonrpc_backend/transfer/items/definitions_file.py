"""The definitions of collections beside their items, in a zip of all."""

from typing import Any

from jsonrpc_backend.collections.definitions import DEFAULTS, GivenSettings
from jsonrpc_backend.config import BackendConfig
from jsonrpc_backend.rpc.schemas import ParamsSchema
from jsonrpc_backend.transfer.items.files import DEFINITIONS
from jsonrpc_backend.transfer.items.intake import NewCollection
from jsonrpc_backend.transfer.json_text import UnusableFile
from jsonrpc_backend.transfer.times import milliseconds

_CREATED = "_createdAt"


def read_definition(value: Any, settings: BackendConfig, now: int) -> tuple[str, NewCollection]:
    """Name and settings of a collection. Raises UnusableFile."""
    if not isinstance(value, dict):
        raise UnusableFile(f"{DEFINITIONS} has a definition that is no object")
    given = {name: each for name, each in value.items() if name != _CREATED}
    complaints = ParamsSchema.of("management/Collection.create", settings).complaints(given)
    if complaints:
        raise UnusableFile(f"{DEFINITIONS}, collection {value.get('_id')}: {' '.join(complaints.values())[:-1]}")
    try:
        created_at = milliseconds(value.get(_CREATED, now))
    except ValueError as error:
        raise UnusableFile(f"{DEFINITIONS}, collection {value['_id']}: {_CREATED} is no time") from error
    wanted = GivenSettings(
        given.get("isInsertable"),
        given.get("defaultPublicPermission"),
        given.get("deleteWithOwner"),
        given.get("indexes"),
    )
    return value["_id"], NewCollection(wanted.over(DEFAULTS), created_at)
