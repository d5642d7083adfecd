"""`CollectionItem.*` of the operators' API, and what apps see of it."""

from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.collections import item_changes
from tests.collections.conftest import NAME, NewPerson, Person, make_collection
from tests.conftest import StartServer
from tests.operators import KEYS, Operator
from tests.servers import InProcessServer
from tests.wire import Answer

NO_COLLECTION, NO_ITEM = "Collection not found.", "Item not found."


@pytest.fixture
def server(operator: Operator) -> InProcessServer:
    make_collection(operator.server, public="r", indexes=("n",))
    return operator.server


async def call(operator: Operator, method: str, **params: Any) -> Answer:
    return await operator.call(f"CollectionItem.{method}", **{"collectionName": NAME, **params})


async def get(operator: Operator, item_id: str) -> Any:
    return (await call(operator, "get", _id=item_id)).result["item"]


async def create(operator: Operator, **item: Any) -> Any:
    return (await call(operator, "create", item=item)).result["item"]


async def listed(operator: Operator, **params: Any) -> Any:
    return (await call(operator, "list", **{"page": 1, "itemsInPage": 100, **params})).result


async def ns(operator: Operator, **params: Any) -> list[Any]:
    return [item.get("n") for item in (await listed(operator, **params))["items"]]


# --- reading ---------------------------------------------------------------------------------------------


async def test_items_come_with_owner_device_and_permission(
    operator: Operator, server: InProcessServer, person: NewPerson
) -> None:
    anna, tablet = await person("anna"), await person(device="tablet")
    now = server.clock.now
    hers = await anna.insert({"n": 1}, **{anna.id: "w", "public": ""})
    its = await tablet.insert({"n": 2, "a_b": [None]})
    times = {"_createdAt": now, "_updatedAt": now}
    first = {
        "_id": hers,
        "_ownerUserOid": anna.id,
        "_ownerDeviceOid": None,
        "_permission": {"public": "", anna.id: "w"},
        **times,
        "n": 1,
    }
    second = {
        "_id": its,
        "_ownerUserOid": None,
        "_ownerDeviceOid": "tablet",
        "_permission": {"public": "r"},
        **times,
        "n": 2,
        "a_b": [None],
    }
    assert await get(operator, hers) == first
    assert await listed(operator) == {"items": [first, second], "totalItems": 2}
    assert (await call(operator, "getPermission", _id=hers)).result == {"permission": {"public": "", anna.id: "w"}}


async def test_items_are_searched_sorted_and_paged(operator: Operator, server: InProcessServer) -> None:
    for number in (3, 1, None, 2):
        await create(operator, n=number, tag="x" if number == 2 else "y")
        server.clock.advance(seconds=1)
    assert await ns(operator) == [3, 1, None, 2]
    assert await ns(operator, sortOrder="desc") == [2, None, 1, 3]
    assert await ns(operator, sortProperty="n") == [None, 1, 2, 3]
    assert await ns(operator, sortProperty="", itemQuery=" ") == [3, 1, None, 2]
    assert await ns(operator, sortProperty="n", sortOrder="desc", page=2, itemsInPage=3) == [None]
    assert await ns(operator, itemQuery="n > ? && tag == ?", itemQueryBindParams=[1, "y"]) == [3]
    assert (await listed(operator, itemsInPage=1, page=9)) == {"items": [], "totalItems": 4}
    (only,) = (await listed(operator, itemQuery="n == 1", propertyNames="tag, none"))["items"]
    assert {name for name in only if not name.startswith("_")} == {"tag"}
    (only,) = (await listed(operator, itemQuery="n == 1", propertyNames=[]))["items"]
    assert [*only] == ["_id", "_ownerUserOid", "_ownerDeviceOid", "_permission", "_createdAt", "_updatedAt"]


async def test_true_device_is_asked_for(operator: Operator, person: NewPerson) -> None:
    tablet, phone = await person(device="tablet"), await person(device="phone")
    await tablet.insert({"n": 1}, public="")
    await phone.insert({"n": 2}, public="")
    await create(operator, n=3)
    assert await ns(operator, itemQuery='_ownerDeviceOid == "tablet"') == [1]
    assert await ns(operator, itemQuery="_ownerDeviceOid == null") == [3]
    assert await ns(operator, itemQuery='!(_ownerDeviceOid == "tablet")') == [2, 3]


@pytest.mark.parametrize(
    ("params", "key", "sentence"),
    [
        ({"itemQuery": "n = 1"}, "itemQuery", "Item query is wrong at position 3: this character has no meaning here."),
        ({"itemQuery": "_permission == 1"}, "itemQuery", "Item query is wrong at position 1: there is no field"),
        ({"itemQuery": "n == ?"}, "itemQuery", "Item query is wrong at position 6"),
        ({"itemQuery": "n == ?", "itemQueryBindParams": [1, 2]}, "itemQueryBindParams", "Item query bind params must"),
        ({"itemQueryBindParams": [1]}, "itemQueryBindParams", "without an item query"),
        ({"sortProperty": "_permission"}, "sortProperty", "Sort property must be the name of a property, or one of:"),
        ({"itemsInPage": 10_001}, "itemsInPage", "Items in page must be 10,000 or less."),
        ({"page": 0}, "page", "Page must be 1 or more."),
        ({"collectionName": "none"}, "collectionName", NO_COLLECTION),
    ],
)
async def test_lists_that_cannot_be(
    operator: Operator, server: InProcessServer, params: dict[str, Any], key: str, sentence: str
) -> None:
    assert server
    answer = await call(operator, "list", **{"page": 1, "itemsInPage": 1, **params})
    assert (answer.code, [*answer.data]) == (-32602, [key])
    assert sentence in answer.data[key]


async def test_page_that_is_too_large_is_refused(operator: Operator, server: InProcessServer) -> None:
    assert server
    for _ in range(70):
        await create(operator, text="x" * 500_000)
    answer = await call(operator, "list", page=1, itemsInPage=70)
    assert (answer.code, [*answer.data]) == (-32602, ["itemsInPage"])
    assert len((await listed(operator, itemsInPage=70, propertyNames=[]))["items"]) == 70


# --- making ----------------------------------------------------------------------------------------------


async def test_operators_items_have_neither_owner(operator: Operator, person: NewPerson) -> None:
    anna = await person("anna")
    await operator.call("Collection.setConfig", _id=NAME, isInsertable=False)
    made = await create(operator, n=1)
    assert (made["_ownerUserOid"], made["_ownerDeviceOid"], made["_permission"]) == (None, None, {"public": "r"})
    assert await anna.ids() == [made["_id"]]
    assert (await anna.call("update", itemOid=made["_id"], data={"n": 2})).code == 14
    private = await create(operator, n=2, _permission={"public": ""})
    assert await anna.ids() == [made["_id"]]
    assert await get(operator, private["_id"]) == private


async def test_items_are_made_for_a_user(operator: Operator, person: NewPerson) -> None:
    anna, bert = await person("anna"), await person("bert")
    made = await create(operator, n=1, _ownerUserOid=anna.id, _permission={bert.id: "rw", "public": "", "u0": ""})
    assert (made["_ownerUserOid"], made["_permission"]) == (anna.id, {"public": "", bert.id: "rw"})
    assert await anna.ids(options={"mine": True}) == await bert.ids() == [made["_id"]]
    assert (await create(operator, _ownerUserOid=None, _permission={}))["_permission"] == {"public": "r"}


@pytest.mark.parametrize(
    ("item", "key", "sentence"),
    [
        ({"_ownerUserOid": "u0"}, "item._ownerUserOid", "There is no such user."),
        ({"_ownerUserOid": 1}, "item._ownerUserOid", "must be a string."),
        ({"_permission": {"public": "x"}}, "item._permission", "Permission must give"),
        ({"_permission": {"_a": "r"}}, "item._permission", "`public` or ids of users as its keys."),
        ({"_permission": {f"u{n}": "r" for n in range(1000)}}, "item._permission", "at most 1,000 entries."),
        ({"_id": "i1"}, "item._id", "only _ownerUserOid and _permission can be given."),
        ({"_createdAt": 1}, "item._createdAt", "only _ownerUserOid and _permission can be given."),
        ({"a-b": 1}, "item.a-b", "letters a-z and A-Z"),
        ({"a": "\0"}, "item", "Item must not contain the character U+0000."),
        ({"a": "x" * 512_000}, "item", "must not take more than 512,000 bytes."),
    ],
)
async def test_items_that_cannot_be(
    operator: Operator, server: InProcessServer, item: dict[str, Any], key: str, sentence: str
) -> None:
    answer = await call(operator, "create", item=item)
    assert (answer.code, [*answer.data]) == (-32602, [key])
    assert sentence in answer.data[key]
    assert server.rows("SELECT * FROM items") == server.rows("SELECT * FROM grants") == []
    assert server.rows("SELECT * FROM audit") == []


# --- changing --------------------------------------------------------------------------------------------


async def test_update_merges_and_takes_a_whole_item(operator: Operator, person: NewPerson) -> None:
    anna = await person("anna")
    item_id = await anna.insert({"n": 1, "tag": "a", "list": [1]})
    before = await get(operator, item_id)
    sent = {name: "ignored" for name in before if name.startswith("_")} | {"n": 2, "new_1": None}
    assert (await call(operator, "update", _id=item_id, item=sent)).result == "OK"
    after = await get(operator, item_id)
    assert after == {**before, "_updatedAt": before["_updatedAt"] + 1, "n": 2, "new_1": None}
    assert await anna.found("n == 2 && tag == ?", "a", options={"mine": True})
    assert await ns(operator, itemQuery="n == 2") == [2]
    assert (await call(operator, "update", _id=item_id, item=after)).result == "OK"


@pytest.mark.parametrize(
    ("item", "key"),
    [({"_owner": 1}, "item._owner"), ({"a": "\0"}, "item"), ({"a": "x" * 512_000}, "item"), (1, "item")],
)
async def test_updates_that_cannot_be(operator: Operator, person: NewPerson, item: Any, key: str) -> None:
    item_id = await (await person("anna")).insert({"n": 1})
    before = await get(operator, item_id)
    answer = await call(operator, "update", _id=item_id, item=item)
    assert (answer.code, [*answer.data]) == (-32602, [key])
    assert await get(operator, item_id) == before


async def test_permission_is_replaced(operator: Operator, person: NewPerson) -> None:
    anna, bert = await person("anna"), await person("bert")
    item_id = await anna.insert({"n": 1}, **{"public": "rw", anna.id: "r"})
    before = await get(operator, item_id)
    assert (await call(operator, "setPermission", _id=item_id, permission={bert.id: "r"})).result == "OK"
    assert await get(operator, item_id) == {**before, "_permission": {"public": "", bert.id: "r"}}
    assert await bert.ids() == [item_id]
    assert (await bert.call("delete", itemOid=item_id)).code == 14
    for wrong in ({"public": "x"}, {"a b": "r"}, {f"u{n}": "r" for n in range(1000)}):
        answer = await call(operator, "setPermission", _id=item_id, permission=wrong)
        assert (answer.code, [*answer.data]) == (-32602, ["permission"])
    assert (await call(operator, "getPermission", _id=item_id)).result["permission"] == {"public": "", bert.id: "r"}


@pytest.mark.parametrize("name", ["idList", "_idList"])
async def test_delete(operator: Operator, person: NewPerson, name: str) -> None:
    anna: Person = await person("anna")
    ids = [await anna.insert({"n": number}, **{str(anna.id): "r"}) for number in range(3)]
    assert (await call(operator, "delete", **{name: [ids[0], "none", ids[2], ids[0]]})).result == "OK"
    assert await anna.ids() == [ids[1]]
    assert (await call(operator, "delete", **{name: []})).result == "OK"
    server = operator.server
    assert server.rows("SELECT count(*) FROM grants") == server.rows("SELECT count(*) FROM item_values") == [(1,)]
    answer = await call(operator, "delete", collectionName="none", **{name: []})
    assert answer.data == {"collectionName": NO_COLLECTION}


async def test_long_lists_are_deleted_in_steps(
    operator: Operator, server: InProcessServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_changes, "ITEMS_AT_ONCE", 3)
    ids = [(await create(operator, n=number))["_id"] for number in range(7)]
    await call(operator, "delete", idList=ids)
    assert server.rows("SELECT count(*) FROM items") == [(0,)]
    assert server.rows("SELECT items FROM audit WHERE method = 'CollectionItem.delete' ORDER BY key") == [
        (3,),
        (3,),
        (1,),
    ]


OF_ONE: dict[str, dict[str, Any]] = {
    "get": {},
    "update": {"item": {}},
    "getPermission": {},
    "setPermission": {"permission": {}},
}


@pytest.mark.parametrize("method", OF_ONE)
async def test_unknown_collection_and_item(operator: Operator, server: InProcessServer, method: str) -> None:
    make_collection(server, "other")
    item_id = (await create(operator, n=1))["_id"]
    for collection, item, data in (
        ("none", item_id, {"collectionName": NO_COLLECTION}),
        ("\0", item_id, {"collectionName": NO_COLLECTION}),
        ("other", item_id, {"_id": NO_ITEM}),
        (NAME, "i0", {"_id": NO_ITEM}),
    ):
        answer = await call(operator, method, collectionName=collection, _id=item, **OF_ONE[method])
        assert (answer.code, answer.data) == (-32602, data)
    assert [entry[0] for entry in server.rows("SELECT method FROM audit")] == ["CollectionItem.create"]


async def test_changes_are_remembered_without_values(operator: Operator, server: InProcessServer) -> None:
    first, second = [(await create(operator, geheim="geheimes"))["_id"] for _ in range(2)]
    await call(operator, "update", _id=first, item={"geheim": "geheimes-2"})
    await call(operator, "setPermission", _id=first, permission={"geheimer": "r"})
    await call(operator, "get", _id=first)
    await call(operator, "delete", idList=["i0", second, first])
    await call(operator, "delete", idList=["i0"])
    rows = server.rows("SELECT method, collection, item_ids, items FROM audit ORDER BY key")
    assert rows == [
        ("CollectionItem.create", NAME, f'["{first}"]', 1),
        ("CollectionItem.create", NAME, f'["{second}"]', 1),
        ("CollectionItem.update", NAME, f'["{first}"]', 1),
        ("CollectionItem.setPermission", NAME, f'["{first}"]', 1),
        ("CollectionItem.delete", NAME, f'["{second}", "{first}"]', 2),
    ]
    assert "geheim" not in str(server.rows("SELECT * FROM audit"))


async def test_full_database_takes_no_more(http: aiohttp.ClientSession, start: StartServer) -> None:
    server = await start({"backends": {"app": {**KEYS, "max_database_bytes": 400_000}}})
    make_collection(server)
    operator = Operator(http, server)
    item_id = (await create(operator, text="x" * 400_000))["_id"]
    assert (await call(operator, "create", item={})).code == 9999
    assert (await call(operator, "update", _id=item_id, item={"more": 1})).code == 9999
    assert (await call(operator, "update", _id=item_id, item={"text": "x" * 300_000})).result == "OK"
    assert (await call(operator, "delete", idList=[item_id])).result == "OK"
    assert (await call(operator, "create", item={})).result


# --- push ------------------------------------------------------------------------------------------------

PUSH = {"pushProjectId": "p", "platform": "ios", "target": "app", "buildType": "adhoc", "message": "Rain."}


@pytest.mark.parametrize(
    ("params", "key"),
    [
        ({"deviceIdList": [], "userOidList": []}, "deviceIdList"),
        ({"deviceIdList": [], "userQuery": "a == 1"}, "deviceIdList"),
        ({"userOidList": [], "userQuery": "a == 1"}, "userQuery"),
        ({"userQuery": "a = 1"}, "userQuery"),
        ({"userQueryBindParams": [1]}, "userQueryBindParams"),
        ({"platform": "windows"}, "platform"),
        ({"target": "monaca"}, "target"),
        ({"buildType": "test"}, "buildType"),
        ({"message": None}, "message"),
        ({"badge": -1}, "badge"),
    ],
)
async def test_params_of_push_are_checked_first(operator: Operator, params: dict[str, Any], key: str) -> None:
    answer = await operator.call("Push.send", **{**PUSH, **params})
    assert (answer.code, [*answer.data]) == (-32602, [key])


async def test_nothing_is_pushed(operator: Operator) -> None:
    reason = {"reason": "This server sends no push notifications."}
    for more in ({}, {"deviceIdList": ["d"]}, {"userQuery": "a == ?", "userQueryBindParams": [1]}, {"json": [1]}):
        answer = await operator.call("Push.send", **PUSH, **more)
        assert (answer.code, answer.data) == (13, reason)
    answer = await operator.call("Push.status", pushProjectId="p", queueId="1")
    assert (answer.code, answer.data) == (13, reason)
