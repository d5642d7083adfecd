"""Collections, items and push notifications in the Python clients of the operators' API."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, assert_type

import pytest

from jsonrpc_backend.client import (
    AsyncManagementClient,
    CollectionConfig,
    ManagedItem,
    ManagedItemPage,
    ManagementClient,
)
from jsonrpc_backend.errors import InvalidOperation, InvalidParams, InvalidResponse
from tests.operators import KEY, Operator
from tests.scripted import ScriptedServer, result
from tests.wire import Wire


@pytest.fixture
async def client(operator: Operator) -> AsyncIterator[AsyncManagementClient]:
    async with AsyncManagementClient(operator.server.management_url, "app", KEY) as client:
        yield client


@pytest.fixture
async def lonely(scripted: ScriptedServer) -> AsyncIterator[AsyncManagementClient]:
    """A client of a server that answers what the test says."""
    async with AsyncManagementClient(scripted.url, "app", KEY) as client:
        yield client


async def test_a_collection_from_beginning_to_end(client: AsyncManagementClient, operator: Operator) -> None:
    made_at = datetime.fromtimestamp(operator.server.clock.now / 1000, UTC)
    await client.collection.create("notes")
    await client.collection.create(
        "diary", is_insertable=True, public="r", delete_with_owner="all", indexes=["tag", "mood"]
    )
    diary = CollectionConfig("diary", True, "r", "all", ("tag", "mood"), made_at)
    assert await client.collection.list() == [diary, CollectionConfig("notes", False, "", "private", (), made_at)]
    await client.collection.set_config("diary", is_insertable=False, indexes=[])
    changed = await client.collection.get_config("diary")
    assert_type(changed, CollectionConfig)
    assert changed == CollectionConfig("diary", False, "r", "all", (), made_at)
    await client.item.create("diary", {"mood": 3, "a_b": 1})
    assert await client.collection.get_property_names("diary") == ["a_b", "mood"]
    await client.collection.drop("diary")
    with pytest.raises(InvalidParams) as raised:
        await client.collection.get_config("diary")
    assert raised.value.data == {"_id": "Collection not found."}


async def test_an_item_from_beginning_to_end(client: AsyncManagementClient, operator: Operator) -> None:
    anna = await operator.create("anna")
    await client.collection.create("diary", public="r")
    item = await client.item.create("diary", {"mood": 3}, owner_id=anna, permission={"u1": "rw"})
    assert_type(item, ManagedItem)
    assert (item.owner_id, item.owner_device, item.permission) == (anna, None, {"public": "r", "u1": "rw"})
    await client.item.update("diary", item.id, {"mood": 4, "tag": "a"})
    changed = await client.item.get("diary", item.id)
    assert (changed.properties, changed.created_at) == ({"mood": 4, "tag": "a"}, item.created_at)
    assert changed.updated_at > item.updated_at
    await client.item.set_permission("diary", item.id, {"public": "w"})
    assert await client.item.get_permission("diary", item.id) == {"public": "w"}
    await client.item.delete("diary", [item.id, "none"])
    with pytest.raises(InvalidParams) as raised:
        await client.item.get("diary", item.id)
    assert raised.value.data == {"_id": "Item not found."}


async def test_items_are_found(client: AsyncManagementClient, operator: Operator) -> None:
    await client.collection.create("diary", is_insertable=True)
    app = Wire(operator.http, operator.server, "tablet")
    await app.call("Collection.insert", collectionName="diary", item={"mood": 1, "tag": "x"})
    for mood in (3, 2):
        await client.item.create("diary", {"mood": mood, "tag": "y"})
    page = await client.item.list("diary", query="mood > ?", bind=[1], sort="mood", descending=True, items_in_page=1)
    assert_type(page, ManagedItemPage)
    assert (page.total, [item.properties for item in page.items]) == (2, [{"mood": 3, "tag": "y"}])
    page = await client.item.list("diary", page=2, items_in_page=2, sort="mood", property_names=["mood"])
    assert [item.properties for item in page.items] == [{"mood": 3}]
    (item,) = (await client.item.list("diary", query="_ownerDeviceOid != null")).items
    assert item.owner_device == "tablet"
    assert "tablet" not in repr(item)
    with pytest.raises(InvalidParams):
        await client.item.list("diary", query="mood = 1")


async def test_nothing_is_pushed(client: AsyncManagementClient) -> None:
    with pytest.raises(InvalidOperation):
        await client.push.send("p1", "Rain.", platform="ios", build_type="debug", user_ids=["u1"], badge=1, data={})
    with pytest.raises(InvalidOperation):
        await client.push.status("p1", "1")
    with pytest.raises(InvalidParams):
        await client.push.send("p1", "Rain.", platform="ios", build_type="debug", user_ids=[], device_ids=["d"])


async def test_the_blocking_client_does_the_same(operator: Operator) -> None:
    def use() -> list[Any]:
        with ManagementClient(operator.server.management_url, "app", KEY) as client:
            client.collection.create("diary")
            ids = [client.item.create("diary", {"n": number}).id for number in range(3)]
            client.item.delete("diary", ids[:1])
            with pytest.raises(InvalidOperation):
                client.push.status("p", "1")
            return [item.properties for item in client.item.list("diary").items]

    assert await asyncio.to_thread(use) == [{"n": 1}, {"n": 2}]


async def test_a_string_is_no_list(lonely: AsyncManagementClient) -> None:
    with pytest.raises(TypeError, match="item_ids must be a list"):
        await lonely.item.delete("diary", "i0")
    with pytest.raises(TypeError, match="indexes must be a list"):
        await lonely.collection.create("diary", indexes="tag")


CONFIG = {
    "_id": "diary",
    "isInsertable": True,
    "defaultPublicPermission": "r",
    "deleteWithOwner": "all",
    "indexes": ["tag"],
    "_createdAt": 1,
}
ITEM = {
    "_id": "i",
    "_ownerUserOid": None,
    "_ownerDeviceOid": None,
    "_permission": {"public": "r"},
    "_createdAt": 1,
    "_updatedAt": 1,
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"indexes": [1]},
        {"indexes": "tag"},
        {"_createdAt": "1"},
        {"defaultPublicPermission": "x"},
        {"isInsertable": 1},
        {"_id": None},
    ],
)
async def test_collections_of_another_shape(
    scripted: ScriptedServer, lonely: AsyncManagementClient, wrong: dict[str, Any]
) -> None:
    scripted.answer = result({"config": CONFIG})
    assert (await lonely.collection.get_config("diary")).indexes == ("tag",)
    scripted.answer = result({"config": CONFIG | wrong, "items": [CONFIG | wrong]})
    for call in (lonely.collection.get_config("diary"), lonely.collection.list()):
        with pytest.raises(InvalidResponse):
            await call


@pytest.mark.parametrize(
    "wrong", [{"_permission": {"public": "x"}}, {"_permission": 1}, {"_ownerDeviceOid": 1}, {"_id": 1}]
)
async def test_items_of_another_shape(
    scripted: ScriptedServer, lonely: AsyncManagementClient, wrong: dict[str, Any]
) -> None:
    scripted.answer = result({"item": ITEM})
    assert (await lonely.item.get("diary", "i")).permission == {"public": "r"}
    scripted.answer = result({"item": ITEM | wrong, "items": [ITEM | wrong], "totalItems": 1})
    for call in (lonely.item.get("diary", "i"), lonely.item.list("diary")):
        with pytest.raises(InvalidResponse):
            await call


@pytest.mark.parametrize("answer", [5, {"items": 1}, {"items": [], "totalItems": "0"}, {"names": "a", "items": {}}])
async def test_answers_of_another_shape(scripted: ScriptedServer, lonely: AsyncManagementClient, answer: Any) -> None:
    scripted.answer = result(answer)
    for call in (lonely.item.list("diary"), lonely.collection.get_property_names("diary")):
        with pytest.raises(InvalidResponse):
            await call
    scripted.answer = result({"items": 1, "permission": []})
    for other in (lonely.collection.list(), lonely.item.get_permission("diary", "i")):
        with pytest.raises(InvalidResponse):
            await other
