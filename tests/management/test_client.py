"""The Python clients of the operators' API."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from typing import Any, assert_type

import pytest

from jsonrpc_backend.client import AsyncManagementClient, ManagementClient, User, UserPage
from jsonrpc_backend.client.access import (
    AsyncSessionManagement,
    AsyncThrottleManagement,
    SessionManagement,
    ThrottleManagement,
)
from jsonrpc_backend.client.collection_management import (
    AsyncCollectionManagement,
    AsyncItemManagement,
    AsyncPushManagement,
    CollectionManagement,
    ItemManagement,
    PushManagement,
)
from jsonrpc_backend.client.user_management import AsyncUserManagement, UserManagement
from jsonrpc_backend.errors import InvalidApiKey, InvalidParams, InvalidResponse, MethodNotFound
from tests.operators import KEY, KEY_HEADER, Operator
from tests.scripted import USER, ScriptedServer, result
from tests.test_client_blocking import public


@pytest.fixture
async def client(operator: Operator) -> AsyncIterator[AsyncManagementClient]:
    async with AsyncManagementClient(operator.server.management_url, "app", KEY) as client:
        yield client


@pytest.fixture
async def lonely(scripted: ScriptedServer) -> AsyncIterator[AsyncManagementClient]:
    """A client of a server that answers what the test says."""
    async with AsyncManagementClient(scripted.url, "app", KEY) as client:
        yield client


@pytest.mark.parametrize(
    ("asynchronous", "blocking"),
    [
        (AsyncManagementClient, ManagementClient),
        (AsyncUserManagement, UserManagement),
        (AsyncThrottleManagement, ThrottleManagement),
        (AsyncSessionManagement, SessionManagement),
        (AsyncCollectionManagement, CollectionManagement),
        (AsyncItemManagement, ItemManagement),
        (AsyncPushManagement, PushManagement),
    ],
)
def test_both_clients_have_the_same_names_and_parameters(asynchronous: type, blocking: type) -> None:
    assert public(blocking).keys() == public(asynchronous).keys()
    for name, method in public(blocking).items():
        if inspect.isfunction(method):
            assert inspect.signature(method) == inspect.signature(getattr(asynchronous, name))
            assert method.__doc__
    assert inspect.signature(AsyncManagementClient) == inspect.signature(ManagementClient)


async def test_a_user_from_beginning_to_end(client: AsyncManagementClient) -> None:
    user = await client.user.create("me@example.com", "secret", {"age": 21})
    assert_type(user, User)
    assert (user.username, user.properties) == ("me@example.com", {"age": 21})
    await client.user.update(user.id, {"age": 22, "tags": ["a"]}, username="you@example.com")
    changed = await client.user.get(user.id)
    assert (changed.username, changed.properties) == ("you@example.com", {"age": 22, "tags": ["a"]})
    await client.user.update(user.id, username="me@example.com")
    assert await client.user.get_property_names() == ["age", "tags"]
    await client.user.delete([user.id])
    with pytest.raises(InvalidParams) as raised:
        await client.user.get(user.id)
    assert raised.value.data == {"_id": "There is no such user."}


async def test_users_are_found(client: AsyncManagementClient) -> None:
    for name, age in (("anna", 30), ("bert", 20), ("carl", 40)):
        await client.user.create(name, "password", {"age": age, "country": "DE"})
    page = await client.user.list(query="age > ?", bind=[25], sort="age", descending=True, items_in_page=1)
    assert_type(page, UserPage)
    assert (page.total, [user.username for user in page.items]) == (2, ["carl"])
    page = await client.user.list(page=2, items_in_page=2, property_names=["age"])
    assert [(user.username, user.properties) for user in page.items] == [("carl", {"age": 40})]
    assert [user.username for user in (await client.user.list(name_filter="ER")).items] == ["bert"]
    with pytest.raises(InvalidParams) as raised:
        await client.user.list(query="age = 1")
    assert raised.value.data == {"userQuery": "User query is wrong at position 5: this character has no meaning here."}


async def test_any_method_and_batches(client: AsyncManagementClient) -> None:
    assert await client.call("User.getPropertyNames") == {"names": []}
    assert await client.call("User.list", page=1, itemsInPage=5) == {"items": [], "totalItems": 0}
    with pytest.raises(MethodNotFound):
        await client.call("User.register")
    first, second, third = await client.batch(
        [("User.getPropertyNames", None), ("User.nonsense", {}), ("User.list", {"page": 1, "itemsInPage": 1})]
    )
    assert (first, third) == ({"names": []}, {"items": [], "totalItems": 0})
    assert isinstance(second, MethodNotFound)
    assert await client.batch([]) == []


async def test_a_wrong_key_is_an_invalid_one(operator: Operator) -> None:
    async with AsyncManagementClient(operator.server.management_url, "app", "wrong") as client:
        with pytest.raises(InvalidApiKey):
            await client.user.list()


async def test_the_blocking_client_does_the_same(operator: Operator) -> None:
    def use() -> list[str]:
        with ManagementClient(operator.server.management_url, "app", KEY) as client:
            for name in ("anna", "bert"):
                assert_type(client.user.create(name, "password"), User)
            client.user.delete([client.user.list(name_filter="anna").items[0].id])
            assert KEY not in repr(client)
            return [user.username for user in client.user.list().items]

    assert await asyncio.to_thread(use) == ["bert"]


# --- the wire --------------------------------------------------------------------------------------------


async def test_the_key_travels_in_a_header_only(scripted: ScriptedServer, lonely: AsyncManagementClient) -> None:
    scripted.answer = result({"user": USER})
    await lonely.user.get("u1")
    assert scripted.requests[0].path == "/manage/json-rpc/app"
    assert scripted.requests[0].headers[KEY_HEADER] == KEY
    assert scripted.received[0]["params"] == {"_id": "u1"}
    assert KEY not in repr(lonely)


@pytest.mark.parametrize(
    "answer",
    [
        {"items": []},
        {"items": {}, "totalItems": 0},
        {"items": [], "totalItems": "0"},
        {"items": [1], "totalItems": 1},
        5,
    ],
)
async def test_a_page_of_another_shape_is_an_invalid_response(
    scripted: ScriptedServer, lonely: AsyncManagementClient, answer: Any
) -> None:
    scripted.answer = result(answer)
    with pytest.raises(InvalidResponse):
        await lonely.user.list()


async def test_names_of_another_shape_are_an_invalid_response(
    scripted: ScriptedServer, lonely: AsyncManagementClient
) -> None:
    scripted.answer = result({"names": "age"})
    with pytest.raises(InvalidResponse):
        await lonely.user.get_property_names()


@pytest.mark.parametrize(
    "answer",
    [
        5,
        {"users": {}},
        {"users": [1]},
        {"users": [{"_id": "u0", "_username": "anna"}]},
        {"users": [{"_id": "u0", "_username": 1, "until": 1}]},
    ],
)
async def test_people_held_up_of_another_shape_are_an_invalid_response(
    scripted: ScriptedServer, lonely: AsyncManagementClient, answer: Any
) -> None:
    scripted.answer = result(answer)
    with pytest.raises(InvalidResponse):
        await lonely.throttle.list()


@pytest.mark.parametrize("answer", [5, {}, {"removed": "1"}])
async def test_a_number_cleared_of_another_shape_is_an_invalid_response(
    scripted: ScriptedServer, lonely: AsyncManagementClient, answer: Any
) -> None:
    scripted.answer = result(answer)
    with pytest.raises(InvalidResponse):
        await lonely.throttle.clear(name="anna")


async def test_a_string_is_no_list_of_ids(lonely: AsyncManagementClient) -> None:
    with pytest.raises(TypeError):
        await lonely.user.delete("u0")


@pytest.mark.parametrize("key", ["a\nb", "é", "a\x00b"])
def test_a_key_that_no_header_can_hold_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="key must consist of printable ASCII"):
        AsyncManagementClient("http://localhost", "app", key)


async def test_a_closed_client_makes_no_calls(lonely: AsyncManagementClient) -> None:
    await lonely.close()
    with pytest.raises(RuntimeError):
        await lonely.user.list()
