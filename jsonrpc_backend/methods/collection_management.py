"""`Collection.*` of the operators' API: making, configuring and dropping collections. No rights are checked."""

from collections.abc import Sequence
from typing import Any

from jsonrpc_backend.collections import definitions
from jsonrpc_backend.collections.definitions import GivenSettings, definition_object
from jsonrpc_backend.methods.user import OK
from jsonrpc_backend.rpc.management import ManagementCall
from jsonrpc_backend.rpc.registry import OF_OPERATORS, Registry
from jsonrpc_backend.store import collections, items

handlers = Registry(OF_OPERATORS)
method = handlers.method

LATEST_ITEMS = 100

ID = {"collectionName": "_id"}  # the name of a collection, to the methods that are about it


@method("Collection.list")
async def list_collections(call: ManagementCall) -> dict[str, Any]:
    found = await call.backend.database.read(collections.list_all)
    return {"items": [definition_object(each) for each in found]}


@method("Collection.create", blames=ID)
async def create(
    call: ManagementCall,
    _id: str,
    *,
    is_insertable: bool | None = None,
    default_public_permission: str | None = None,
    delete_with_owner: str | None = None,
    indexes: Sequence[str] | None = None,
) -> str:
    given = GivenSettings(is_insertable, default_public_permission, delete_with_owner, indexes)
    await call.backend.database.write(definitions.create, _id, given, call.act)
    return OK


@method("Collection.setConfig", blames=ID)
async def set_config(
    call: ManagementCall,
    _id: str,
    *,
    is_insertable: bool | None = None,
    default_public_permission: str | None = None,
    delete_with_owner: str | None = None,
    indexes: Sequence[str] | None = None,
) -> str:
    given = GivenSettings(is_insertable, default_public_permission, delete_with_owner, indexes)
    await call.backend.database.write(definitions.configure, _id, given, call.act)
    call.backend.purge.sweep_soon()  # which builds indexes, too
    return OK


@method("Collection.getConfig", blames=ID)
async def get_config(call: ManagementCall, _id: str) -> dict[str, Any]:
    return {"config": definition_object(await call.backend.database.read(definitions.named, _id))}


@method("Collection.drop", blames=ID)
async def drop(call: ManagementCall, _id: str) -> str:
    await call.backend.database.write(definitions.drop, _id, call.act)
    call.backend.purge.sweep_soon()
    return OK


@method("Collection.getPropertyNames", blames=ID)
async def get_property_names(call: ManagementCall, _id: str) -> dict[str, Any]:
    return {
        "names": await call.backend.database.read_long(
            lambda db, _: items.latest_property_names(db, definitions.named(db, _id), LATEST_ITEMS)
        )
    }
