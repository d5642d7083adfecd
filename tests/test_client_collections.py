"""Collections, the device and mails from Python: against the real server, and what bad answers are taken for."""

import asyncio
import contextlib
import inspect
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

import pytest

from jsonrpc_backend.client import AsyncClient, Client, Item, ItemPage
from jsonrpc_backend.client import blocking as of_blocking
from jsonrpc_backend.client.collection import AsyncCollection
from jsonrpc_backend.client.device import AsyncDevice
from jsonrpc_backend.client.mailer import AsyncMailer
from jsonrpc_backend.errors import (
    CallLimitExceeded,
    InvalidParams,
    InvalidResponse,
    LoginRequired,
    PermissionDenied,
)
from jsonrpc_backend.methods import APP_API
from jsonrpc_backend.rpc.schema_files import load
from jsonrpc_backend.rpc.schemas import ParamsSchema
from tests.collections.conftest import make_collection
from tests.conftest import StartServer
from tests.mailbox import Mailbox
from tests.scripted import KEY, ScriptedServer, result
from tests.servers import InProcessServer

TEMPLATES = {"hello": {"subject": "Hello", "from": "app@example.com", "body": "%FROM% says hello to %USERNAME%."}}


@pytest.fixture
async def server(start: StartServer, mailbox: Mailbox) -> InProcessServer:
    """With collections, and templates of mails."""
    server: InProcessServer = await start(
        {"smtp": mailbox.settings, "backends": {"app": {"mail_templates": TEMPLATES}}}
    )
    make_collection(server)
    make_collection(server, "news", insertable=False, public="r")
    return server


def client_of(server: InProcessServer, device: str = "phone", kind: Any = AsyncClient) -> Any:
    return kind(server.url, server.backend_id, server.api_key, device=device)


@pytest.fixture
async def client(server: InProcessServer) -> AsyncIterator[AsyncClient]:
    async with client_of(server) as client:
        yield client


async def refused(work: Any, *names: str, error: type[Exception] = InvalidParams) -> None:
    with pytest.raises(error) as caught:
        await work
    if names:
        assert isinstance(caught.value, InvalidParams)
        assert caught.value.data.keys() == set(names)


# --- items -----------------------------------------------------------------------------------------------


async def test_an_item_from_beginning_to_end(server: InProcessServer, client: AsyncClient) -> None:
    user = await client.user.register("anna@example.com", "secret")
    diary = client.collection("diary")
    item = await diary.insert({"text": "Rain.", "mood": 3, "then": None})
    now = datetime.fromtimestamp(server.clock.now / 1000, UTC)
    assert item == Item(item.id, user.id, now, now, {"text": "Rain.", "mood": 3, "then": None})
    server.clock.advance(seconds=1)
    await diary.update(item.id, {"mood": 4})
    found = await diary.find_one("_id == ?", [item.id])
    assert found is not None
    assert found.properties == {"text": "Rain.", "mood": 4, "then": None}
    assert (found.created_at, found.updated_at) == (now, now + timedelta(seconds=1))
    assert await diary.get_permission(item.id) == {"public": ""}
    assert await diary.update_permission({"public": "r"}, criteria="_id == ?", bind=[item.id]) == 1
    assert await diary.update_permission({"u1": "rw"}) == 1
    assert await diary.get_permission(item.id) == {"public": "r", "u1": "rw"}
    assert await diary.update_permission({"u2": "w"}, force_overwrite=True) == 1
    assert await diary.get_permission(item.id) == {"public": "", "u2": "w"}
    await diary.delete(item.id)
    assert await diary.find() == ItemPage([], 0)
    assert await diary.find_one() is None


async def test_finding(server: InProcessServer, client: AsyncClient) -> None:
    diary = client.collection("diary")
    for number in range(5):
        await diary.insert({"n": number, "even": number % 2 == 0}, {"public": "r"})
        server.clock.advance(seconds=1)
    async with client_of(server, "tablet") as other:
        theirs = await other.collection("diary").insert({"n": 9}, {"public": "r"})

    def numbers(page: ItemPage) -> list[Any]:
        return [item.properties.get("n") for item in page.items]

    assert numbers(await diary.find()) == [0, 1, 2, 3, 4, 9]
    assert numbers(await diary.find("n > ? && even == ?", [0, True])) == [2, 4]
    page = await diary.find(order_by="n DESC", limit=2, page=2)
    assert (numbers(page), page.total) == ([3, 2], 6)
    assert numbers(await diary.find(order_by=["even DESC", "n"])) == [0, 2, 4, 1, 3, 9]
    assert [item.properties for item in (await diary.find(property_names=["n"], limit=1)).items] == [{"n": 0}]
    assert [item.properties for item in (await diary.find(property_names=[], limit=1)).items] == [{}]
    assert numbers(await diary.find_mine("n > 2")) == [3, 4]
    last = await diary.find_one(order_by="n DESC")
    assert last == theirs
    mine = await diary.find_one_mine(order_by="n DESC", property_names=["n"])
    assert mine is not None
    assert mine.properties == {"n": 4}
    assert numbers(await diary.find("_createdAt >= ?", [mine.created_at])) == [4, 9]
    with pytest.raises(ValueError, match="time zone"):
        await diary.find("_createdAt >= ?", [datetime(2026, 1, 1)])  # noqa: DTZ001
    for wrong in ({"bind": "x"}, {"property_names": "n"}):
        with pytest.raises(TypeError, match="must be a list"):
            await diary.find("n == ?", **wrong)  # type: ignore[arg-type]


async def test_find_all_asks_for_page_after_page(client: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jsonrpc_backend.client.collection.MOST_ON_A_PAGE", 4)
    diary = client.collection("diary")
    for number in range(9):
        await diary.insert({"n": number, "a": 1})
    found = [item.properties async for item in diary.find_all("n < ?", [8], order_by="n DESC", property_names=["n"])]
    assert found == [{"n": number} for number in range(7, -1, -1)]
    assert [item.properties["n"] async for item in diary.find_all(mine=True)] == list(range(9))
    assert [item async for item in diary.find_all("n > 100")] == []
    async for item in diary.find_all():
        assert item.properties["n"] == 0
        break


@pytest.mark.slow
async def test_find_all_gets_items_of_any_size(client: AsyncClient) -> None:
    """One page of them would be larger than an answer may be."""
    diary = client.collection("diary")
    for number in range(70):
        await diary.insert({"n": number, "text": "x" * 500_000})
    await refused(diary.find(limit=1024), "options.limit")
    assert [item.properties["n"] async for item in diary.find_all()] == list(range(70))


async def test_what_the_server_refuses(server: InProcessServer, client: AsyncClient) -> None:
    await client.user.register("anna@example.com", "secret")
    diary, news = client.collection("diary"), client.collection("news")
    item = await diary.insert({"a": 1}, {"public": "r"})
    await refused(client.collection("no such").find(), "collectionName")
    await refused(diary.find("a =="), "criteria")
    await refused(diary.find(order_by="a b c"), "orderBy")
    await refused(diary.find(limit=0), "options.limit")
    await refused(diary.insert({"_a": 1}), "item._a")
    await refused(diary.insert({}, {"public": "rwx"}), "permission")  # type: ignore[dict-item]
    await refused(diary.update("none", {}), "itemOid")
    await refused(diary.delete("none"), "itemOid")
    await refused(diary.get_permission("none"), "itemOid")
    await refused(news.insert({}), error=PermissionDenied)
    async with client_of(server, "tablet") as other:
        theirs = other.collection("diary")
        await refused(theirs.update(item.id, {"a": 2}), error=PermissionDenied)
        await refused(theirs.update_permission({"public": "rw"}), error=PermissionDenied)
    server.clock.advance(minutes=60 * 24 * 8)
    await refused(diary.find(), error=LoginRequired)


# --- device and mails ------------------------------------------------------------------------------------


async def test_device(server: InProcessServer, client: AsyncClient) -> None:
    assert client.device == "phone"
    assert json.dumps({"device": client.device}) == '{"device": "phone"}'
    await client.device.save_property("seen", {"at": 1})
    await client.device.save_properties({"a": None, "b": "x"})
    assert await client.device.get_property("seen") == {"at": 1}
    assert await client.device.get_property("none") is None
    assert await client.device.get_properties() == {"seen": {"at": 1}, "a": None, "b": "x"}
    assert await client.device.get_properties(["b", "none"]) == {"b": "x"}
    await refused(client.device.save_property("_a", 1), "name")
    with pytest.raises(TypeError, match="must be a list"):
        await client.device.get_properties("seen")
    async with client_of(server, "tablet") as other:
        assert await other.device.get_properties() == {}


async def test_mails(client: AsyncClient, mailbox: Mailbox) -> None:
    await refused(client.mailer.send_mail("u1", "hello"), error=LoginRequired)
    user = await client.user.register("anna@example.com", "secret", {"email": "a@example.org"})
    await client.mailer.send_mail(user.id, "hello", {"FROM": "Bert"})
    assert (await mailbox.next()).text == "Bert says hello to anna@example.com.\n"
    await client.mailer.send_mail(user.id, "hello", email_property_name="email")
    assert (await mailbox.next()).envelope.rcpt_tos == ["a@example.org"]
    await refused(client.mailer.send_mail("u1", "hello"), "userOid")
    await refused(client.mailer.send_mail(user.id, "send_password_token"), "templateName")
    await refused(client.mailer.send_mail(user.id, "hello", email_property_name="x"), "options.emailPropertyName")


async def test_limits(start: StartServer) -> None:
    server = await start({"throttle": {"enabled": True, "anonymous_inserts_per_address": 1}})
    make_collection(server)
    async with client_of(server) as client:
        await client.collection("diary").insert({})
        with pytest.raises(CallLimitExceeded) as caught:
            await client.device.save_property("a", 1)
        assert caught.value.data == {"retryAfter": 900}


# --- the client that blocks ------------------------------------------------------------------------------


def use_all_that_blocks(client: Client) -> None:
    diary = client.collection("diary")
    item = assert_type(diary.insert({"n": 1}), Item)
    assert assert_type(diary.find(), ItemPage).items == [item]
    assert diary.find_mine("n == ?", [1]).total == 1
    assert assert_type(diary.find_one(), Item | None) == diary.find_one_mine() == item
    diary.update(item.id, {"n": 2})
    assert assert_type(diary.update_permission({"public": "r"}), int) == 1
    assert diary.get_permission(item.id) == {"public": "r"}
    assert [each.properties for each in diary.find_all(order_by="n")] == [{"n": 2}]
    assert next(diary.find_all("n > 2"), None) is None
    diary.delete(item.id)
    with pytest.raises(InvalidParams):
        diary.delete(item.id)
    client.device.save_properties({"a": 1})
    client.device.save_property("b", 2)
    assert (client.device, client.device.get_properties(), client.device.get_property("b")) == (
        "phone",
        {"a": 1, "b": 2},
        2,
    )
    with pytest.raises(LoginRequired):
        client.mailer.send_mail("u1", "hello")


async def test_everything_without_asyncio(server: InProcessServer) -> None:
    with client_of(server, kind=Client) as client:
        await asyncio.to_thread(use_all_that_blocks, client)


def own(kind: type) -> dict[str, Any]:
    return {name: value for name, value in vars(kind).items() if not name.startswith("_") and callable(value)}


@pytest.mark.parametrize(
    ("asynchronous", "blocking"),
    [
        (AsyncCollection, of_blocking.Collection),
        (AsyncDevice, of_blocking.Device),
        (AsyncMailer, of_blocking.Mailer),
    ],
)
def test_both_have_the_same_names_and_parameters(asynchronous: type, blocking: type) -> None:
    assert own(blocking).keys() == own(asynchronous).keys()
    for name, method in own(blocking).items():
        ours, theirs = (inspect.signature(each).parameters for each in (method, own(asynchronous)[name]))
        assert ours == theirs
        assert method.__doc__
        assert method.__module__ == of_blocking.__name__


# --- what is sent, and what is taken for an answer -------------------------------------------------------


def everything(client: AsyncClient) -> list[tuple[str, Callable[[], Any]]]:
    """A call of each method, with all that it can be given, and the method of the wire."""
    diary = client.collection("diary")
    question: dict[str, Any] = {"criteria": "a == ?", "bind": [1], "order_by": ["a DESC"], "property_names": ("a",)}
    page: dict[str, Any] = {"limit": 5, "page": 2}
    return [
        ("Collection.find", lambda: diary.find(**question, **page)),
        ("Collection.find", lambda: diary.find_mine(**question, **page)),
        ("Collection.find", lambda: diary.find_one(**question)),
        ("Collection.find", lambda: diary.find_one_mine(**question)),
        ("Collection.find", lambda: anext(diary.find_all(**question, mine=True))),
        ("Collection.insert", lambda: diary.insert({"a": 1}, {"public": "r"})),
        ("Collection.update", lambda: diary.update("i1", {"a": 1})),
        ("Collection.delete", lambda: diary.delete("i1")),
        ("Collection.getPermission", lambda: diary.get_permission("i1")),
        (
            "Collection.updatePermission",
            lambda: diary.update_permission({}, criteria="a == ?", bind=[1], force_overwrite=True),
        ),
        ("Device.getProperty", lambda: client.device.get_property("a")),
        ("Device.getProperties", lambda: client.device.get_properties(iter(["a"]))),
        ("Device.saveProperty", lambda: client.device.save_property("a", 1)),
        ("Device.saveProperties", lambda: client.device.save_properties({"a": 1})),
        ("Mailer.sendMail", lambda: client.mailer.send_mail("u1", "t", {"a": 1}, email_property_name="email")),
    ]


@pytest.fixture
async def of_script(scripted: ScriptedServer) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(scripted.url, "app", KEY, device="phone") as client:
        yield client


async def test_all_params_of_the_schemas_can_be_given(
    server: InProcessServer, scripted: ScriptedServer, of_script: AsyncClient
) -> None:
    covered: dict[str, set[str]] = {}
    for method, call in everything(of_script):
        with contextlib.suppress(InvalidResponse):  # of "OK", where more is wanted
            await call()
        message = scripted.received[-1]
        params = {name: value for name, value in message["params"].items() if not name.startswith("__")}
        assert message["method"] == method
        assert ParamsSchema.of(method, server.config.backends["app"]).complaints(params) == {}
        options = {f"options.{name}" for name in params.get("options", {})}
        covered.setdefault(method, set()).update(params, options)
    for method in APP_API.methods:
        if method.startswith(("Collection.", "Device.", "Mailer.")):  # others are called by their names
            stated = load(f"{method}.json")["params"]["properties"]
            options = stated.get("options", {}).get("properties", {})
            assert covered[method] == {*stated, *(f"options.{name}" for name in options)}, method


async def test_nothing_is_sent_that_is_not_given(scripted: ScriptedServer, of_script: AsyncClient) -> None:
    scripted.answer = result({"items": [], "totalItems": 0})
    await of_script.collection("diary").find()
    assert scripted.received[-1]["params"].keys() == {"collectionName", "__api_key", "__device"}


ITEM = {"_id": "i1", "_ownerUserOid": None, "_createdAt": 1, "_updatedAt": 2}


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "OK",
        [],
        {"items": {}, "totalItems": 1},
        {"items": [], "totalItems": "1"},
        {"items": [], "totalItems": True},
        {"items": [None], "totalItems": 1},
        *({"items": [{**ITEM, name: []}], "totalItems": 1} for name in ITEM),
        {"items": [{**ITEM, "_createdAt": 10**30}], "totalItems": 1},
        {"item": {"_id": 1}},
        {"permission": []},
        {"permission": {"public": "x"}},
        {"permission": {"public": []}},
        {"numUpdates": True},
        {"properties": []},
    ],
)
async def test_wrong_results(scripted: ScriptedServer, of_script: AsyncClient, wrong: Any) -> None:
    scripted.answer = result(wrong)
    for method, call in everything(of_script):
        if method.endswith(("update", "delete", "saveProperty", "saveProperties", "sendMail")):
            await call()  # of these nothing is expected
        else:
            with pytest.raises(InvalidResponse):
                await call()
