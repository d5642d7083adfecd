"""Inserting, changing and deleting items."""

from pathlib import Path
from typing import Any

import pytest

from tests.collections.conftest import CALLS, NewPerson, Person, make_collection
from tests.conftest import StartServer
from tests.servers import InProcessServer
from tests.wire import Wire


@pytest.fixture
async def anna(person: NewPerson) -> Person:
    found: Person = await person("anna")
    return found


async def test_insert_gives_the_item(anna: Person, server: InProcessServer) -> None:
    answer = await anna.call("insert", item={"text": "x", "first_name": None, "then": {"update": [1]}})
    item = answer.result["item"]
    assert item.pop("_id").startswith("i")
    now = server.clock.now
    assert item == {
        "_ownerUserOid": anna.id,
        "_createdAt": now,
        "_updatedAt": now,
        "text": "x",
        "first_name": None,
        "then": {"update": [1]},
    }


async def test_update_merges_and_time_grows(anna: Person, server: InProcessServer) -> None:
    item_id = await anna.insert({"a": 1, "b": {"c": 1, "d": 2}})
    assert (await anna.call("update", itemOid=item_id, data={"b": {"e": 1}, "c": None})).result == "OK"
    (item,) = await anna.found()
    assert (item["a"], item["b"], item["c"]) == (1, {"e": 1}, None)
    assert item["_updatedAt"] == item["_createdAt"] + 1, "in the same millisecond"
    await anna.call("update", itemOid=item_id, data={})
    (item,) = await anna.found()
    assert item["_updatedAt"] == item["_createdAt"] + 2
    server.clock.advance(minutes=1)
    await anna.call("update", itemOid=item_id, data={"a": 2})
    (item,) = await anna.found()
    assert item["_updatedAt"] == server.clock.now


async def test_null_counts_as_absent(anna: Person) -> None:
    absent, null, there = await anna.insert(), await anna.insert({"a": None}), await anna.insert({"a": 0})
    assert await anna.ids("a == null") == [absent, null]
    assert await anna.ids("a != null") == [there]


async def test_unknown_items(anna: Person) -> None:
    gone = await anna.insert()
    assert (await anna.call("delete", itemOid=gone)).result == "OK"
    for item_id in (gone, "none", "", "\u0000"):
        for method in ("update", "delete", "getPermission"):
            answer = await anna.call(method, **{**CALLS[method], "itemOid": item_id})
            assert (answer.code, answer.data) == (-32602, {"itemOid": "Item not found."})


@pytest.mark.parametrize("name", ["none", "Diary", "", "a b", "__proto__", "x" * 300, "\u0000"])
async def test_unknown_collections(name: str, anna: Person) -> None:
    for method, params in CALLS.items():
        answer = await anna.call(method, collectionName=name, **params)
        assert (answer.code, answer.data) == (-32602, {"collectionName": "Collection not found."})


@pytest.mark.parametrize("name", ["_x", "1a", "a-b", "a b", "", "\u00e9", "a\n"])
async def test_wrong_property_names(name: str, anna: Person) -> None:
    item_id = await anna.insert()
    answer = await anna.call("insert", item={name: 1})
    assert answer.data.keys() == {f"item.{name}"}
    answer = await anna.call("update", itemOid=item_id, data={name: 1})
    assert answer.data.keys() == {f"data.{name}"}


@pytest.mark.parametrize("value", ["\x00", ["a\x00"], {"a": {"b": "\x00"}}, {"\x00": 1}, "\\\\\x00"])
async def test_nul_is_refused_wherever_it_is(value: Any, anna: Person) -> None:
    item_id = await anna.insert()
    assert (await anna.call("insert", item={"a": value})).data.keys() == {"item"}
    assert (await anna.call("update", itemOid=item_id, data={"a": value})).data.keys() == {"data"}


@pytest.mark.parametrize("value", ["\\u0000", "\\\\u0000", {"\\u0000": 1}])
async def test_what_only_looks_like_nul_is_kept(value: Any, anna: Person) -> None:
    await anna.insert({"a": value})
    (item,) = await anna.found()
    assert item["a"] == value


async def test_largest_item(anna: Person) -> None:
    room = 512_000 - len(b'{"a":"","b":1}')
    item_id = await anna.insert({"a": "x" * room, "b": 1})
    answer = await anna.call("update", itemOid=item_id, data={"b": 10})
    assert (answer.code, answer.data.keys()) == (-32602, {"data"})
    assert (await anna.call("insert", item={"a": "x" * room, "b": 10})).data.keys() == {"item"}
    (item,) = await anna.found("b > 0", options={"propertyNames": ["b"]})
    assert item["b"] == 1


async def test_collection_that_is_not_insertable(anna: Person, server: InProcessServer) -> None:
    make_collection(server, "news", insertable=False, public="rw")
    assert (await anna.call("insert", collectionName="news", item={})).code == 14


async def test_anonymous_inserts_are_limited(start: StartServer, anna: Person, tmp_path: Path) -> None:
    """Items and new devices together, per address; who signs in is not limited by that."""
    limits = {"enabled": True, "anonymous_inserts_per_address": 3}
    server: InProcessServer = await start({"throttle": limits, "server": {"data_dir": str(tmp_path / "limited")}})
    make_collection(server)
    device = Person(Wire(anna.wire.http, server, "device"), None)
    await device.insert()
    for _ in range(3):
        assert (await device.wire.call("Device.saveProperties", properties={"a": 1})).result == "OK"
    await device.insert()
    answer = await device.call("insert", item={})
    assert (answer.code, answer.data.keys()) == (9999, {"retryAfter"})
    assert (await device.wire.elsewhere().call("Device.saveProperty", name="a", value=1)).code == 9999
    assert len(await device.found()) == 2
    user = Wire(anna.wire.http, server, "device")
    await user.register("bert@example.com")
    assert (await Person(user, None).insert()).startswith("i")


async def test_batch_sees_its_own_effects(anna: Person) -> None:
    item_id = await anna.insert({"n": 1})
    params = anna.wire.params({"collectionName": "diary"})
    update = {"method": "Collection.update", "params": {**params, "itemOid": item_id, "data": {"n": 2}}}
    find = {"method": "Collection.find", "params": params}
    calls = [{"jsonrpc": "2.0", "id": str(number), **call} for number, call in enumerate([update, find])]
    answers = (await anna.wire.send(calls)).body
    assert answers[1]["result"]["items"][0]["n"] == 2
