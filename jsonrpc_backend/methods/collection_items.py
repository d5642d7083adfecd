"""`CollectionItem.*` of the operators' API: any item, without its owner. No rights are checked."""

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from jsonrpc_backend.accounts.user_object import joined
from jsonrpc_backend.collections import definitions, item_changes
from jsonrpc_backend.collections.item_changes import NewItem, known_item
from jsonrpc_backend.collections.item_form import new_item_id
from jsonrpc_backend.collections.item_object import operator_fields
from jsonrpc_backend.collections.searching import OperatorSearch
from jsonrpc_backend.errors import InvalidParams
from jsonrpc_backend.methods.finding import wanted
from jsonrpc_backend.methods.item_values import HAS_NUL, encoded_item, has_nul
from jsonrpc_backend.methods.listing import listed, page_json
from jsonrpc_backend.methods.user import OK
from jsonrpc_backend.rpc.answer import Encoded
from jsonrpc_backend.rpc.management import ManagementCall
from jsonrpc_backend.rpc.registry import OF_OPERATORS, Registry
from jsonrpc_backend.store import item_rights, items
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.items import Item
from jsonrpc_backend.store.users import to_json

handlers = Registry(OF_OPERATORS)
method = handlers.method

ITEM = {"itemId": "_id"}
OF_CHANGED = {**ITEM, "properties": "item"}
OF_NEW = {"owner": "item._ownerUserOid", "permission": "item._permission"}


@method("CollectionItem.list")
async def list_items(
    call: ManagementCall,
    collection_name: str,
    *,
    page: float,
    items_in_page: float,
    sort_property: str | None = None,
    sort_order: str | None = None,
    property_names: list[str] | str | None = None,
    item_query: str | None = None,
    item_query_bind_params: list[Any] | None = None,
) -> Encoded:
    search = await call.post.run(
        OperatorSearch.parsed,
        collection_name,
        call.backend.dialect,
        query=item_query,
        bind_params=item_query_bind_params,
        sorted_by=sort_property,
        descending=sort_order == "desc",
    )
    names, most_bytes = wanted(property_names), call.post.share.left_for_lists

    def query(db: Db, check: Callable[[], None]) -> bytes:
        # JSON Schema takes 1.0 for an integer.
        found = search.find(db, page=int(page), items_in_page=int(items_in_page))
        encoded = (_encoded(db, item, names) for item in items.get_in_order(db, found.keys))
        return page_json(encoded, found.total, check, most_bytes=most_bytes)

    return await listed(call, query)


def _encoded(db: Db, item: Item, names: Container[str] | None = None) -> bytes:
    fields = to_json(operator_fields(db, item))
    if names is None:
        return joined(fields, item.properties_json).encode()
    some_of_them = {name: value for name, value in item.properties.items() if name in names}
    return joined(fields, to_json(some_of_them)).encode()


def _properties(item: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in item.items() if not name.startswith("_"))


@method("CollectionItem.create", blames=OF_NEW)
async def create(call: ManagementCall, collection_name: str, item: Mapping[str, Any]) -> Encoded:
    encoded = await call.post.run(encoded_item, dict(_properties(item)))
    permission = item_rights.parsed(item.get("_permission", {}))
    new = NewItem(new_item_id(), item.get("_ownerUserOid"), encoded, permission)

    def unit(db: Db) -> bytes:
        return _encoded(db, item_changes.create(db, collection_name, new, call.act, call.backend.room))

    return Encoded(b'{"item":%s}' % await call.backend.database.write(unit))


@method("CollectionItem.get", blames=ITEM)
async def get(call: ManagementCall, collection_name: str, _id: str) -> Encoded:
    def query(db: Db) -> bytes:
        return _encoded(db, known_item(db, definitions.named(db, collection_name), _id))

    return Encoded(b'{"item":%s}' % await call.backend.database.read(query))


@method("CollectionItem.update", blames=OF_CHANGED)
async def update(call: ManagementCall, collection_name: str, _id: str, item: Mapping[str, Any]) -> str:
    changes = dict(_properties(item))
    if await call.post.run(has_nul, changes):
        raise InvalidParams({"item": HAS_NUL.format("Item")})
    act, room = call.act, call.backend.room
    await call.backend.database.write(item_changes.update, collection_name, _id, changes, act=act, room=room)
    return OK


@method("CollectionItem.delete")
async def delete(
    call: ManagementCall, collection_name: str, id_list: list[str] | None = None, _id_list: list[str] | None = None
) -> str:
    if id_list is None and _id_list is None:
        raise InvalidParams({"idList": "Id list is required."})
    ids = [*(id_list or []), *(_id_list or [])]
    while True:
        ids = await call.backend.database.write(item_changes.delete, collection_name, ids, call.act)
        if not ids:
            return OK


@method("CollectionItem.getPermission", blames=ITEM)
async def get_permission(call: ManagementCall, collection_name: str, _id: str) -> dict[str, Any]:
    def query(db: Db) -> item_rights.Permission:
        key = known_item(db, definitions.named(db, collection_name), _id).key
        return item_rights.read_permission(db, key)

    return {"permission": item_rights.written(await call.backend.database.read(query))}


@method("CollectionItem.setPermission", blames=ITEM)
async def set_permission(call: ManagementCall, collection_name: str, _id: str, permission: Mapping[str, str]) -> str:
    given = item_rights.parsed(permission)
    await call.backend.database.write(item_changes.set_permission, collection_name, _id, given, call.act)
    return OK
