"""`Collection.*`: items of an app's collections, for whoever has a right to them."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from jsonrpc_backend.accounts.throttle import Attempt
from jsonrpc_backend.collections import definitions
from jsonrpc_backend.collections.definitions import NoSuchCollection
from jsonrpc_backend.collections.item_changes import ITEM_TOO_LARGE, NO_SUCH_ITEM, TOO_MANY_ENTRIES
from jsonrpc_backend.collections.item_form import new_item_id
from jsonrpc_backend.collections.search import Search
from jsonrpc_backend.errors import InvalidParams, LoginRequired, PermissionDenied
from jsonrpc_backend.methods.finding import Page, parsed_criteria, parsed_order, searched, wanted
from jsonrpc_backend.methods.item_values import HAS_NUL, encoded_item, has_nul, item_json
from jsonrpc_backend.methods.user import OK
from jsonrpc_backend.rpc.answer import Encoded
from jsonrpc_backend.rpc.call import Call
from jsonrpc_backend.rpc.registry import Handler, Registry, SessionRule
from jsonrpc_backend.store import item_rights, items, users
from jsonrpc_backend.store.collections import Collection
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.item_rights import Asker, PermissionTooLarge
from jsonrpc_backend.store.items import Item
from jsonrpc_backend.store.users import PropertiesTooLarge

handlers = Registry()
method = handlers.method

MAX_CHANGED = 10_000  # items, in one call of updatePermission
MAX_GRANTED = 100_000  # items x entries, likewise

TOO_MANY_ITEMS = (
    f"Criteria must match fewer items: one call changes at most {MAX_CHANGED:,}, and {MAX_GRANTED:,} entries of theirs."
)


def of_collection(name: str) -> Callable[[Handler], Handler]:
    """The handler of a method about one collection; the server tells whoever it is for of one that there is not."""

    def register(handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def handle(call: Call, collection_name: str, **params: Any) -> Any:
            try:
                return await handler(call, collection_name, **params)
            except NoSuchCollection:
                call.backend.note_missing_collection(collection_name)
                raise

        return method(name, session=SessionRule.IF_GIVEN)(handle)

    return register


def _caller(call: Call) -> Asker:
    return Asker(call.user.id if call.signed_in else None, call.device)


# --- one item --------------------------------------------------------------------------------------------


@of_collection("Collection.insert")
async def insert(
    call: Call, collection_name: str, item: Mapping[str, Any], permission: Mapping[str, str] | None = None
) -> Encoded:
    encoded = await call.post.run(encoded_item, item)
    caller, now, rights = _caller(call), call.now, item_rights.parsed(permission or {})
    item_id, attempt = new_item_id(), Attempt(call.post.networks(), call.device)

    def unit(db: Db) -> Item:
        collection = definitions.named(db, collection_name)
        if not collection.settings.is_insertable:
            raise PermissionDenied
        if not call.signed_in:
            call.backend.throttle.count_insert(db, attempt)
        elif not users.exists(db, call.user.key):
            raise LoginRequired  # the account was deleted while the call was under way
        call.backend.room.check(db)
        return items.insert(
            db,
            collection,
            id=item_id,
            owner=caller.user,
            device=caller.owner_device,
            properties_json=encoded,
            permission=rights,
            created_at=now,
            updated_at=now,
        )

    try:
        return Encoded(b'{"item":%s}' % item_json(await call.backend.database.write(unit)))
    except PermissionTooLarge as error:
        raise InvalidParams({"permission": TOO_MANY_ENTRIES}) from error


@of_collection("Collection.update")
async def update(call: Call, collection_name: str, item_oid: str, data: Mapping[str, Any]) -> str:
    if await call.post.run(has_nul, data):
        raise InvalidParams({"data": HAS_NUL.format("Data")})
    caller, now, room = _caller(call), call.now, call.backend.room

    def unit(db: Db) -> None:
        collection = definitions.named(db, collection_name)
        key = _writable(db, collection, item_oid, caller)
        with room.unless_larger(db, lambda: items.bytes_of(db, key)):
            items.merge_properties(db, collection, key, data, now)

    try:
        await call.backend.database.write(unit)
    except PropertiesTooLarge as error:
        raise InvalidParams({"data": ITEM_TOO_LARGE}) from error
    return OK


@of_collection("Collection.delete")
async def delete(call: Call, collection_name: str, item_oid: str) -> str:
    caller = _caller(call)

    def unit(db: Db) -> None:
        items.delete(db, _writable(db, definitions.named(db, collection_name), item_oid, caller))

    await call.backend.database.write(unit)
    return OK


@of_collection("Collection.getPermission")
async def get_permission(call: Call, collection_name: str, item_oid: str) -> dict[str, Any]:
    caller = _caller(call)

    def query(db: Db) -> item_rights.Permission:
        key = _writable(db, definitions.named(db, collection_name), item_oid, caller)
        return item_rights.read_permission(db, key)

    return {"permission": item_rights.written(await call.backend.database.read(query))}


def _writable(db: Db, collection: Collection, item_id: str, caller: Asker) -> int:
    """The key of an item that the caller may change.

    Raises PermissionDenied for one that he may only read, InvalidParams for one that is not there for him.
    """
    key, rights = items.find_rights(db, collection, item_id, caller) or (0, item_rights.NONE)
    if not rights.writes:
        raise PermissionDenied if rights.reads else InvalidParams({"itemOid": NO_SUCH_ITEM})
    return key


# --- many items ------------------------------------------------------------------------------------------


@of_collection("Collection.find")
async def find(
    call: Call,
    collection_name: str,
    *,
    criteria: str | None = None,
    bind_params: list[Any] | None = None,
    order_by: list[str] | str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Encoded:
    expression = await call.post.run(parsed_criteria, call.backend.dialect, criteria, bind_params)
    order, caller = parsed_order(order_by), _caller(call)
    given = {name: value for name, value in (options or {}).items() if value is not None}
    names, is_mine = wanted(given.get("propertyNames")), given.get("mine", False)
    page = Page.wanted(given.get("limit"), given.get("page", 1), most_bytes=call.post.share.left_for_lists)

    def query(db: Db, check: Callable[[], None]) -> bytes:
        search = Search(
            definitions.named(db, collection_name), caller, call.backend.dialect, expression, mine=is_mine, order=order
        )
        found = search.find(db, limit=page.limit, offset=page.offset)
        encoded = page.encoded(items.get_in_order(db, found.keys), names, check)
        return b'{"items":[%s],"totalItems":%d}' % (encoded, found.total)

    result = await searched(call, expression, query)
    call.post.share.add_list(len(result))
    return Encoded(result)


@of_collection("Collection.updatePermission")
async def update_permission(
    call: Call,
    collection_name: str,
    *,
    criteria: str | None = None,
    bind_params: list[Any] | None = None,
    permission: Mapping[str, str],
    options: Mapping[str, Any] | None = None,
) -> dict[str, int]:
    expression = await call.post.run(parsed_criteria, call.backend.dialect, criteria, bind_params)
    caller, rights = _caller(call), item_rights.parsed(permission)
    change = item_rights.replace if (options or {}).get("forceOverwrite") else item_rights.overlay

    def query(db: Db, _: Callable[[], None]) -> list[int]:
        search = Search(definitions.named(db, collection_name), caller, call.backend.dialect, expression, verb="write")
        keys = search.all_keys(db)
        if not keys and search.to("read").is_any(db):
            raise PermissionDenied
        return keys

    def unit(db: Db) -> int:
        # As things are by now: whoever has lost the right meanwhile changes nothing.
        search = Search(definitions.named(db, collection_name), caller, call.backend.dialect, expression, verb="write")
        left = search.still_matching(db, keys)
        for key in left:
            change(db, key, rights)
        return len(left)

    keys = await searched(call, expression, query)
    if len(keys) > MAX_CHANGED or len(keys) * len(rights) > MAX_GRANTED:
        raise InvalidParams({"criteria": TOO_MANY_ITEMS})
    try:
        return {"numUpdates": await call.backend.database.write(unit) if keys else 0}
    except PermissionTooLarge as error:
        raise InvalidParams({"permission": TOO_MANY_ENTRIES}) from error
