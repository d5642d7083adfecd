"""`User.*` of the operators' API: any user, without a password. Changes go into the audit log with what they change."""

import asyncio
from collections.abc import Callable, Container, Mapping
from typing import Any

from jsonrpc_backend.accounts.changes import deletion, profile, registration
from jsonrpc_backend.accounts.changes.registration import NewUser
from jsonrpc_backend.accounts.searching import search_condition, sorting
from jsonrpc_backend.accounts.user_object import joined, system_fields, user_json
from jsonrpc_backend.accounts.whom import by_id
from jsonrpc_backend.errors import InvalidParams
from jsonrpc_backend.methods.finding import wanted
from jsonrpc_backend.methods.listing import listed, page_json
from jsonrpc_backend.methods.user import OK, check_registration
from jsonrpc_backend.rpc.answer import Encoded
from jsonrpc_backend.rpc.management import ManagementCall
from jsonrpc_backend.rpc.registry import OF_OPERATORS, Registry
from jsonrpc_backend.store import user_search, users
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import User

handlers = Registry(OF_OPERATORS)
method = handlers.method

LATEST_USERS = 100

# --- searching -------------------------------------------------------------------------------------------


@method("User.list")
async def list_users(
    call: ManagementCall,
    *,
    page: float,
    items_in_page: float,
    sort_property: str | None = None,
    sort_order: str | None = None,
    property_names: list[str] | str | None = None,
    name_filter: str | None = None,
    user_query: str | None = None,
    user_query_bind_params: list[Any] | None = None,
) -> Encoded:
    dialect = call.backend.dialect
    order = sorting(sort_property, descending=sort_order == "desc").compile(dialect)
    condition = await asyncio.to_thread(search_condition, dialect, name_filter, user_query, user_query_bind_params)
    names, most_bytes = wanted(property_names), call.post.share.left_for_lists

    def search(db: Db, check: Callable[[], None]) -> bytes:
        keys = user_search.find_keys(db, condition, order)
        first = (int(page) - 1) * int(items_in_page)  # JSON Schema takes 1.0 for an integer
        found = user_search.get_in_order(db, keys[first : first + int(items_in_page)])
        return page_json((_encoded(user, names) for user in found), len(keys), check, most_bytes=most_bytes)

    return await listed(call, search)


def _encoded(user: User, names: Container[str] | None) -> bytes:
    if names is None:
        return user_json(user).encode()
    some_of_them = {name: value for name, value in user.properties.items() if name in names}
    return joined(users.to_json(system_fields(user)), users.to_json(some_of_them)).encode()


def _user_result(user: User) -> Encoded:
    return Encoded(b'{"user":%s}' % user_json(user).encode())


@method("User.get")
async def get(call: ManagementCall, _id: str) -> Encoded:
    found = await call.backend.database.read(by_id(_id))
    return _user_result(found)


@method("User.getPropertyNames")
async def get_property_names(call: ManagementCall) -> dict[str, Any]:
    return {
        "names": await call.backend.database.read_long(
            lambda db, _: user_search.latest_property_names(db, LATEST_USERS)
        )
    }


# --- changing --------------------------------------------------------------------------------------------


@method("User.create")
async def create(
    call: ManagementCall, username: str, password: str, properties: Mapping[str, Any] | None = None
) -> Encoded:
    backend = call.backend
    encoded = await check_registration(call, username, properties)
    new = NewUser.of(username, await call.hash(password), encoded)
    return _user_result(await backend.database.write(registration.create, new, backend.config, call.act, backend.room))


@method("User.update", blames={"username": "user._username", "properties": "user"})
async def update(call: ManagementCall, _id: str, user: Mapping[str, Any]) -> str:
    backend, username = call.backend, user.get("_username")
    properties = {name: value for name, value in user.items() if not name.startswith("_")}
    await backend.database.write(
        profile.update,
        by_id(_id),
        username,
        properties,
        settings=backend.config,
        act=call.act,
        room=backend.room,
    )
    return OK


@method("User.delete")
async def delete(call: ManagementCall, id_list: list[str] | None = None, _id_list: list[str] | None = None) -> str:
    if id_list is None and _id_list is None:
        raise InvalidParams({"idList": "Id list is required."})
    ids = [*(id_list or []), *(_id_list or [])]
    while ids:
        _, ids = await call.backend.database.write(deletion.delete, ids, call.act)
    call.backend.purge.sweep_soon()
    return OK
