"""`User.create`, `get`, `update` and `delete`, and what the app of the user sees of them."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.mailbox import Mailbox, listening
from tests.operators import KEYS, Operator
from tests.servers import with_api_key
from tests.wire import Wire


@pytest.fixture
def app(http: aiohttp.ClientSession, operator: Operator) -> Wire:
    """The app, where users sign in."""
    return Wire(http, operator.server)


async def get(operator: Operator, user_id: str) -> Any:
    return (await operator.call("User.get", _id=user_id)).result["user"]


# --- create and get --------------------------------------------------------------------------------------


async def test_created_user_can_sign_in(operator: Operator, app: Wire) -> None:
    answer = await operator.call("User.create", username="Me@example.com", password="secret", properties={"age": 21})
    assert answer.result.keys() == {"user"}
    assert answer.session is None
    signed_in = await app.call("User.login", username="me@example.com", password="secret")
    assert signed_in.result["user"] == answer.result["user"]
    assert await get(operator, answer.result["user"]["_id"]) == answer.result["user"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"username": "ME@example.com"}, {"username": "Username is already taken."}),
        ({"username": "a b"}, {"username": "Username must not contain spaces, line breaks or invisible characters."}),
        ({"password": "123"}, {"password": "Password must be at least 4 characters long."}),
        (
            {"properties": {"a": "x" * 512_000}},
            {"properties": "The properties of a user must not take more than 512,000 bytes."},
        ),
    ],
)
async def test_rules_of_registration_hold(operator: Operator, params: dict[str, Any], expected: dict[str, str]) -> None:
    await operator.create("me@example.com")
    answer = await operator.call("User.create", **{"username": "you@example.com", "password": "password", **params})
    assert (answer.code, answer.data) == (-32602, expected)


async def test_of_many_who_create_one_name_one_succeeds(operator: Operator) -> None:
    call = operator.call("User.create", username="me@example.com", password="password")
    calls = [call, *(operator.call("User.create", username="ME@example.com", password="password") for _ in range(9))]
    answers = await asyncio.gather(*calls)
    assert sorted("result" in answer.body for answer in answers) == [False] * 9 + [True]


@pytest.mark.parametrize("user_id", ["u0", "", "me@example.com", "u'--"])
@pytest.mark.parametrize("method", ["User.get", "User.update"])
async def test_unknown_user_is_said(operator: Operator, method: str, user_id: str) -> None:
    await operator.create("me@example.com")
    params = {"_id": user_id, "user": {"age": 1}} if method == "User.update" else {"_id": user_id}
    answer = await operator.call(method, **params)
    assert (answer.code, answer.data) == (-32602, {"_id": "There is no such user."})


# --- update ----------------------------------------------------------------------------------------------


async def test_update_merges(operator: Operator) -> None:
    user_id = await operator.create(age=21, nickname="me")
    before = await get(operator, user_id)
    operator.server.clock.advance(seconds=5)
    changes = {"_id": "another one", "age": 22, "tags": [1], "nickname": None}
    assert (await operator.call("User.update", _id=user_id, user=changes)).result == "OK"
    after = await get(operator, user_id)
    time = operator.server.clock.now
    assert after == before | {"age": 22, "tags": [1], "nickname": None, "_updatedAt": time, "_updateAt": time}


async def test_update_of_nothing_changes_nothing(operator: Operator) -> None:
    user_id = await operator.create(age=21)
    before = await get(operator, user_id)
    operator.server.clock.advance(seconds=5)
    for nothing in ({}, {"_id": user_id}, {"_username": "me@example.com"}):
        assert (await operator.call("User.update", _id=user_id, user=nothing)).result == "OK"
    assert await get(operator, user_id) == before


async def test_new_username_signs_in_and_the_old_one_is_free(operator: Operator, app: Wire) -> None:
    user_id = await operator.create("old@example.com")
    await operator.call("User.update", _id=user_id, user={"_username": "New@example.com", "age": 1})
    assert (await app.call("User.login", username="old@example.com", password="password")).code == -32602
    signed_in = (await app.call("User.login", username="new@example.com", password="password")).result["user"]
    assert (signed_in["_id"], signed_in["_username"], signed_in["age"]) == (user_id, "New@example.com", 1)
    await app.elsewhere().register("old@example.com")


async def test_spelling_of_a_username_can_change(operator: Operator) -> None:
    user_id = await operator.create("me@example.com")
    assert (await operator.call("User.update", _id=user_id, user={"_username": "Me@Example.com"})).result == "OK"
    assert (await get(operator, user_id))["_username"] == "Me@Example.com"


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"_username": "YOU@example.com", "age": 1}, {"user._username": "Username is already taken."}),
        (
            {"_username": "a b", "age": 1},
            {"user._username": "_username must not contain spaces, line breaks or invisible characters."},
        ),
        ({"_username": None, "age": 1}, {"user._username": "_username must be a string."}),
        (
            {"age": 1, "text": "x" * 512_000},
            {"user": "The properties of a user must not take more than 512,000 bytes."},
        ),
    ],
)
async def test_update_is_done_as_a_whole_or_not_at_all(
    operator: Operator, user: dict[str, Any], expected: dict[str, str]
) -> None:
    await operator.create("you@example.com")
    user_id = await operator.create("me@example.com")
    before = await get(operator, user_id)
    answer = await operator.call("User.update", _id=user_id, user=user)
    assert (answer.code, answer.data) == (-32602, expected)
    assert await get(operator, user_id) == before


@pytest.mark.parametrize(
    "name", ["_createdAt", "_updatedAt", "_updateAt", "__proto__", "_password", "a_b", "é", "age\n"]
)
async def test_other_names_are_refused(operator: Operator, name: str) -> None:
    user_id = await operator.create()
    answer = await operator.call("User.update", _id=user_id, user={name: 1, "age": 1})
    assert answer.code == -32602
    assert answer.data == {
        f"user.{name}": "Property names must consist of the letters a-z and A-Z and digits, and start with a letter;"
        " of the fields with an underscore only _username can be changed."
    }
    assert "age" not in await get(operator, user_id)


async def test_user_stays_signed_in(operator: Operator, app: Wire) -> None:
    user_id = (await app.register()).result["user"]["_id"]
    await operator.call("User.update", _id=user_id, user={"_username": "new@example.com", "age": 7})
    assert (await app.call("User.getProperties")).result == {"properties": {"age": 7}}
    assert (await app.call("User.autoLogin", loginToken=app.login_token)).result["user"][
        "_username"
    ] == "new@example.com"


@pytest.mark.parametrize(("changes", "is_usable"), [({"_username": "new@example.com"}, False), ({"age": 1}, True)])
async def test_reset_that_is_under_way_ends_with_the_old_username(
    http: aiohttp.ClientSession, start: Any, changes: dict[str, Any], is_usable: bool
) -> None:
    async with listening(Mailbox()) as mailbox:
        operator = Operator(http, await start({"backends": {"app": KEYS}, "smtp": mailbox.settings}))
        app = Wire(http, operator.server)
        user_id = await operator.create("old@example.com")
        await app.call("User.sendPasswordResetToken", username="old@example.com")
        token = (await mailbox.next()).token
    await operator.call("User.update", _id=user_id, user=changes)
    name = changes.get("_username", "old@example.com")
    answer = await app.call("User.resetPasswordAndLogin", username=name, newPassword="other", token=token)
    assert ("result" in answer.body) == is_usable


# --- delete ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["idList", "_idList"])
async def test_deleted_users_are_gone(operator: Operator, app: Wire, name: str) -> None:
    first = (await app.register("anna")).result["user"]["_id"]
    second = await operator.create("bert")
    await operator.create("carl")
    assert (await operator.call("User.delete", **{name: [first, "u0", second, first]})).result == "OK"
    assert await operator.names() == ["carl"]
    assert (await app.call("User.isAuthenticated")).result is False
    assert (await app.call("User.autoLogin", loginToken=app.login_token)).code == -32602
    for table in ("sessions", "login_families", "login_tokens"):
        assert operator.server.rows(f"SELECT * FROM {table}") == []
    await app.register("anna")


async def test_both_lists_count(operator: Operator) -> None:
    ids = [await operator.create(name) for name in ("anna", "bert", "carl")]
    await operator.call("User.delete", idList=ids[:1], _idList=ids[2:])
    assert await operator.names() == ["bert"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, {"idList": "Id list is required."}),
        ({"idList": None}, {"idList": "Id list is required."}),
        ({"idList": "u0"}, {"idList": "Id list must be an array."}),
        ({"idList": [1]}, {"idList.0": "Element 0 of idList must be a string."}),
    ],
)
async def test_list_is_needed(operator: Operator, params: dict[str, Any], expected: dict[str, str]) -> None:
    answer = await operator.call("User.delete", **params)
    assert (answer.code, answer.data) == (-32602, expected)


async def test_empty_list_deletes_nobody(operator: Operator) -> None:
    await operator.create("anna")
    assert (await operator.call("User.delete", idList=[])).result == "OK"
    assert await operator.names() == ["anna"]


async def test_backends_are_apart(http: aiohttp.ClientSession, start: Any) -> None:
    other = {"api_key": "k", "management_keys": [{"label": "other", "key": "management-key-2"}]}
    server = await start({"backends": {"app": KEYS, "other": other}})
    ours = Operator(http, server)
    theirs = Operator(http, with_api_key(server, "other", "k"), "management-key-2", "other")
    user_id = await ours.create("anna")
    await theirs.create("anna")
    assert (await theirs.call("User.get", _id=user_id)).code == -32602
    await theirs.call("User.delete", idList=[user_id])
    assert await ours.names() == ["anna"]
