"""`User.*` of the operators' API: any user, without a password. Changes go into the audit log with what they change."""

import asyncio
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

from jsonrpc_backend.accounts import changes, look_alikes
from jsonrpc_backend.accounts.reset_addresses import USERNAME
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.config import BackendConfig
from jsonrpc_backend.errors import InvalidOperation, InvalidParams
from jsonrpc_backend.methods.user import (
    OK,
    TOO_LARGE,
    check_registration,
    new_user_id,
    taken,
)
from jsonrpc_backend.monaql import BindError, Condition, QueryError, parse
from jsonrpc_backend.rpc.call import Encoded, joined, system_fields, user_json
from jsonrpc_backend.rpc.management import ManagementCall
from jsonrpc_backend.rpc.registry import management_method
from jsonrpc_backend.store import audit, password_resets, reset_addresses, user_search, users
from jsonrpc_backend.store.engine import Db, TookTooLong
from jsonrpc_backend.store.user_search import Order
from jsonrpc_backend.store.users import PropertiesTooLarge, User, UsernameTaken

NO_SUCH_USER = "There is no such user."
NO_QUERY = "User query bind params are given without a user query to fill."
TOO_MUCH = "These items take more than {:,} bytes; ask for fewer of them, or for some of their properties."
TOO_SLOW = "The search was given up after {} seconds; ask for something simpler, or raise management.search_seconds."
LATEST_USERS = 100

# --- searching -------------------------------------------------------------------------------------------


@management_method("User.list")
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
    order = Order(sort_field(sort_property), descending=sort_order == "desc")
    condition = await asyncio.to_thread(search_condition, name_filter, user_query, user_query_bind_params)
    named = property_names.split(",") if isinstance(property_names, str) else property_names
    names = None if named is None else frozenset(named)
    exchange, seconds = call.exchange, call.backend.search_seconds

    def search(db: Db, check: Callable[[], None]) -> bytes:
        keys = user_search.find_keys(db, condition, order)
        first = (int(page) - 1) * int(items_in_page)  # JSON Schema takes 1.0 for an integer
        found = user_search.get_in_order(db, keys[first : first + int(items_in_page)])
        return b'{"items":[%s],"totalItems":%d}' % (
            _encoded_items(found, names, check, most_bytes=exchange.listed_bytes_left),
            len(keys),
        )

    with exchange.turn.paused():
        async with call.backend.searching:
            exchange.share.check()  # what the searches before found is counted by now
            try:
                result = await call.backend.database.read_long(search, seconds=seconds)
            except TookTooLong as error:
                raise InvalidOperation(TOO_SLOW.format(seconds)) from error
            exchange.share.add(len(result))
    exchange.listed_bytes_left -= len(result)
    return Encoded(result, is_counted=True)


def sort_field(name: str | None) -> str | None:
    """The field to sort by. Raises InvalidParams for a name with an underscore that is none."""
    if name is not None and name.startswith("_") and name not in user_search.FIELDS:
        known = ", ".join(user_search.FIELDS)
        raise InvalidParams({"sortProperty": f"Sort property must be the name of a property, or one of: {known}."})
    return name or None


def search_condition(name_filter: str | None, query: str | None, bind_params: list[Any] | None) -> Condition:
    """Who is looked for; an empty filter or query means everybody. Raises InvalidParams."""
    parts = [user_search.EVERYBODY]
    if name_filter:
        parts.append(user_search.named(username_key(name_filter)))
    if query and not query.isspace():
        parts.append(_query_condition(query, bind_params or []))
    elif bind_params:
        raise InvalidParams({"userQueryBindParams": NO_QUERY})
    return Condition.joined("AND", parts)


def _query_condition(query: str, bind_params: list[Any]) -> Condition:
    try:
        return user_search.matching(parse(query, bind_params))
    except QueryError as error:
        raise InvalidParams({"userQuery": f"User query {error}."}) from error
    except BindError as error:
        raise InvalidParams({"userQueryBindParams": f"User query bind params {error}."}) from error


def _encoded_items(
    found: Iterable[User], names: Container[str] | None, check: Callable[[], None], *, most_bytes: int
) -> bytes:
    """Users as JSON, joined by commas. Raises InvalidParams where they would take more memory than they may.

    `check` is called for each.
    """
    items, size = [], 0
    for user in found:
        check()
        item = _encoded(user, names)
        size += len(item) + 1
        if size > most_bytes:
            raise InvalidParams({"itemsInPage": TOO_MUCH.format(most_bytes)})
        items.append(item)
    return b",".join(items)


def _encoded(user: User, names: Container[str] | None) -> bytes:
    if names is None:
        return user_json(user).encode()
    some_of_them = {name: value for name, value in user.properties.items() if name in names}
    return joined(users.to_json(system_fields(user)), users.to_json(some_of_them)).encode()


def _user_result(user: User) -> Encoded:
    return Encoded(b'{"user":%s}' % user_json(user).encode())


def find_known(db: Db, user_id: str) -> User:
    """The user whom an operator names. Raises InvalidParams where there is none."""
    found = users.find_by_id(db, user_id)
    if found is None:
        raise InvalidParams({"_id": NO_SUCH_USER})
    return found


@management_method("User.get")
async def get(call: ManagementCall, _id: str) -> Encoded:
    found = await call.backend.database.read(find_known, _id)
    return _user_result(found)


@management_method("User.getPropertyNames")
async def get_property_names(call: ManagementCall) -> dict[str, Any]:
    return {
        "names": await call.backend.database.read_long(
            lambda db, _: user_search.latest_property_names(db, LATEST_USERS)
        )
    }


# --- changing --------------------------------------------------------------------------------------------


@management_method("User.create")
async def create(
    call: ManagementCall, username: str, password: str, properties: Mapping[str, Any] | None = None
) -> Encoded:
    key, properties_json = await check_registration(call, username, properties)
    password_hash = await call.hash(password)

    def insert(db: Db) -> User:
        call.backend.room.check(db)
        user = users.insert(
            db,
            id=new_user_id(),
            username=username,
            username_key=key,
            password_hash=password_hash,
            properties_json=properties_json,
            now=call.now,
        )
        look_alikes.claim(db, call.backend.config, user, username)
        audit.record(db, call.operator, "User.create", [user.id], call.now)
        return user

    try:
        return _user_result(await call.backend.database.write(insert))
    except UsernameTaken as error:
        raise InvalidParams({"username": taken(error)}) from error


@management_method("User.update")
async def update(call: ManagementCall, _id: str, user: Mapping[str, Any]) -> str:
    properties = {name: value for name, value in user.items() if not name.startswith("_")}

    def change(db: Db) -> None:
        found = find_known(db, _id)
        with call.backend.room.for_properties(db, found):
            change_user(
                db, call.backend.config, found, username=user.get("_username"), properties=properties, now=call.now
            )
        audit.record(db, call.operator, "User.update", [_id], call.now)

    try:
        await call.backend.database.write(change)
    except UsernameTaken as error:
        raise InvalidParams({"user._username": taken(error)}) from error
    except PropertiesTooLarge as error:
        raise InvalidParams({"user": TOO_LARGE}) from error
    return OK


def change_user(
    db: Db,
    settings: BackendConfig,
    user: User,
    *,
    username: str | None,
    properties: Mapping[str, Any],
    now: int,
) -> None:
    """Adds and updates properties, removes none; another username where one is given.

    Sessions and login tokens go on. A password reset that is under way ends with the old username, for its token may
    have been mailed there. Raises UsernameTaken, PropertiesTooLarge.
    """
    if properties:
        users.merge_properties(db, user.key, properties, now)
        reset_addresses.trust(db, user.key, properties)
    if username is not None and username != user.username:
        users.rename(db, user.key, username=username, username_key=username_key(username), now=now)
        look_alikes.claim(db, settings, user, username)
        reset_addresses.trust(db, user.key, [USERNAME])
        password_resets.end(db, user.key)


@management_method("User.delete")
async def delete(call: ManagementCall, id_list: list[str] | None = None, _id_list: list[str] | None = None) -> str:
    if id_list is None and _id_list is None:
        raise InvalidParams({"idList": "Id list is required."})

    def remove(db: Db, ids: list[str]) -> list[str]:
        removed, left = changes.delete_by_ids(db, ids)
        if removed:
            audit.record(db, call.operator, "User.delete", removed, call.now)
        return left

    ids = [*(id_list or []), *(_id_list or [])]
    while ids:
        ids = await call.backend.database.write(remove, ids)
    call.backend.purge.sweep_soon()
    return OK
