"""`Collection.*` of the operators' API, and what apps see of it."""

import json
from typing import Any

import pytest

from tests.collections.conftest import until_rows
from tests.operators import Operator
from tests.wire import Answer, Wire

DEFAULTS = {"isInsertable": False, "defaultPublicPermission": "", "deleteWithOwner": "private", "indexes": []}
NOT_FOUND = "Collection not found."


@pytest.fixture
def app(operator: Operator) -> Wire:
    return Wire(operator.http, operator.server)


async def config(operator: Operator, name: str) -> Any:
    return (await operator.call("Collection.getConfig", _id=name)).result["config"]


async def insert(app: Wire, name: str, **item: Any) -> Answer:
    return await app.call("Collection.insert", collectionName=name, item=item)


async def total(app: Wire, name: str, **more: Any) -> int:
    found: int = (await app.call("Collection.find", collectionName=name, **more)).result["totalItems"]
    return found


async def test_collections_are_listed_by_name(operator: Operator) -> None:
    assert (await operator.call("Collection.list")).result == {"items": []}
    now = operator.server.clock.now
    assert (await operator.call("Collection.create", _id="notes")).result == "OK"
    settings = {
        "isInsertable": True,
        "defaultPublicPermission": "rw",
        "deleteWithOwner": "all",
        "indexes": ["tag", "made_at"],
    }
    assert (await operator.call("Collection.create", _id="Diary-2", **settings)).result == "OK"
    second, first = {"_id": "notes", **DEFAULTS, "_createdAt": now}, {"_id": "Diary-2", **settings, "_createdAt": now}
    assert (await operator.call("Collection.list")).result == {"items": [first, second]}
    assert await config(operator, "notes") == second


@pytest.mark.parametrize("name", ["a", "A" * 64, "a-b_c9"])
async def test_names_that_are_taken(operator: Operator, name: str) -> None:
    assert (await operator.call("Collection.create", _id=name)).result == "OK"
    answer = await operator.call("Collection.create", _id=name)
    assert (answer.code, answer.data) == (-32602, {"_id": "Collection name is already taken."})
    assert (await operator.call("Collection.create", _id=name.swapcase())).result == "OK"


@pytest.mark.parametrize("name", ["", "9a", "_a", "a b", "a\n", "A" * 65, "\u00e4", "a.b", 1, None])
async def test_names_that_are_none(operator: Operator, name: Any) -> None:
    answer = await operator.call("Collection.create", _id=name)
    assert (answer.code, [*answer.data]) == (-32602, ["_id"])


@pytest.mark.parametrize(
    ("setting", "value", "key"),
    [
        ("isInsertable", 1, "isInsertable"),
        ("defaultPublicPermission", "wr", "defaultPublicPermission"),
        ("deleteWithOwner", "some", "deleteWithOwner"),
        ("indexes", [f"a{number}" for number in range(9)], "indexes"),
        ("indexes", ["_id"], "indexes.0"),
        ("indexes", "tag", "indexes"),
    ],
)
async def test_settings_that_are_none(operator: Operator, setting: str, value: Any, key: str) -> None:
    await operator.call("Collection.create", _id="notes")
    for method, name in (("create", "diary"), ("setConfig", "notes")):
        answer = await operator.call(f"Collection.{method}", _id=name, **{setting: value})
        assert (answer.code, [*answer.data]) == (-32602, [key]), answer
    assert (await operator.call("Collection.list")).result["items"] == [await config(operator, "notes")]


@pytest.mark.parametrize("method", ["setConfig", "getConfig", "drop", "getPropertyNames"])
@pytest.mark.parametrize("name", ["diary", "DIARY", "", "9 no name", "\u0000"])
async def test_unknown_collection(operator: Operator, method: str, name: str) -> None:
    await operator.call("Collection.create", _id="Diary")
    answer = await operator.call(f"Collection.{method}", _id=name)
    assert (answer.code, answer.data) == (-32602, {"_id": NOT_FOUND})


async def test_settings_that_are_not_given_stay(operator: Operator, app: Wire) -> None:
    await operator.call("Collection.create", _id="notes", isInsertable=True, indexes=["tag"])
    before = await config(operator, "notes")
    assert (await operator.call("Collection.setConfig", _id="notes")).result == "OK"
    assert await config(operator, "notes") == before
    await operator.call("Collection.setConfig", _id="notes", defaultPublicPermission="r", deleteWithOwner=None)
    assert await config(operator, "notes") == {**before, "defaultPublicPermission": "r"}
    await operator.call("Collection.setConfig", _id="notes", isInsertable=False, indexes=[])
    assert await config(operator, "notes") == {
        **before,
        "defaultPublicPermission": "r",
        "isInsertable": False,
        "indexes": [],
    }
    assert (await insert(app, "notes")).code == 14


async def test_default_is_for_new_items(operator: Operator, app: Wire) -> None:
    await operator.call("Collection.create", _id="notes", isInsertable=True)
    await insert(app, "notes", n=1)
    await operator.call("Collection.setConfig", _id="notes", defaultPublicPermission="r")
    await insert(app, "notes", n=2)
    assert await total(app.elsewhere("tablet"), "notes") == 1
    assert await total(app, "notes") == 2


async def test_index_is_built_beside_the_calls_and_found_by(operator: Operator, app: Wire) -> None:
    await operator.call("Collection.create", _id="notes", isInsertable=True)
    for number in range(30):
        await insert(app, "notes", tag=f"t{number % 3}")
    await operator.call("Collection.setConfig", _id="notes", indexes=["tag", "tag"])
    await insert(app, "notes", tag="t1")
    assert (await config(operator, "notes"))["indexes"] == ["tag"]
    await until_rows(operator.server, "SELECT * FROM upkeep", [])
    assert operator.server.rows("SELECT indexes FROM collections") == [(json.dumps({"tag": True}),)]
    assert operator.server.rows("SELECT count(*) FROM item_values WHERE string = 't1'") == [(11,)]
    assert await total(app, "notes", criteria='tag == "t1"') == 11
    await operator.call("Collection.setConfig", _id="notes", indexes=[])
    await until_rows(operator.server, "SELECT count(*) FROM item_values", [(0,)])
    assert await total(app, "notes", criteria='tag == "t1"') == 11


async def test_dropped_collection_is_gone_at_once_and_its_name_free(operator: Operator, app: Wire) -> None:
    await operator.call("Collection.create", _id="notes", isInsertable=True, indexes=["n"])
    item = (await insert(app, "notes", n=1)).result["item"]["_id"]
    assert (await operator.call("Collection.drop", _id="notes")).result == "OK"
    for answer in (
        await app.call("Collection.find", collectionName="notes"),
        await app.call("Collection.delete", collectionName="notes", itemOid=item),
        await insert(app, "notes"),
    ):
        assert (answer.code, answer.data) == (-32602, {"collectionName": NOT_FOUND})
    await operator.call("Collection.create", _id="notes", isInsertable=True, defaultPublicPermission="r")
    assert await total(app, "notes") == 0
    await insert(app, "notes", n=2)
    await until_rows(operator.server, "SELECT properties FROM items", [('{"n":2}',)])
    await until_rows(operator.server, "SELECT count(*) FROM item_values", [(0,)])


async def test_names_of_the_newest_items(operator: Operator, app: Wire) -> None:
    await operator.call("Collection.create", _id="notes", isInsertable=True)
    await operator.call("Collection.create", _id="others", isInsertable=True)
    assert (await operator.call("Collection.getPropertyNames", _id="notes")).result == {"names": []}
    await insert(app, "notes", oldest=1)
    operator.server.clock.advance(seconds=1)
    for number in range(99):
        await insert(app, "notes", **{f"b{number % 3}": None})
    await insert(app, "others", another=1)
    names = ["b0", "b1", "b2"]
    assert (await operator.call("Collection.getPropertyNames", _id="notes")).result == {"names": [*names, "oldest"]}
    await insert(app, "notes", a_b=1)
    assert (await operator.call("Collection.getPropertyNames", _id="notes")).result == {"names": ["a_b", *names]}


async def test_changes_are_remembered(operator: Operator, app: Wire) -> None:
    await operator.call("Collection.create", _id="notes", isInsertable=True)
    await operator.call("Collection.create", _id="notes")
    await operator.call("Collection.setConfig", _id="none", isInsertable=True)
    for number in range(3):
        await insert(app, "notes", n=number)
    await operator.call("Collection.setConfig", _id="notes", isInsertable=False)
    await operator.call("Collection.getConfig", _id="notes")
    await operator.call("Collection.drop", _id="notes")
    rows = operator.server.rows("SELECT actor, method, collection, item_ids, items, user_ids FROM audit ORDER BY key")
    assert rows == [
        ("tests", "Collection.create", "notes", "[]", 0, "[]"),
        ("tests", "Collection.setConfig", "notes", "[]", 0, "[]"),
        ("tests", "Collection.drop", "notes", "[]", 3, "[]"),
    ]
