"""`User.getProperty`, `User.getProperties`, `User.saveProperty`, `User.saveProperties`."""

import json
from typing import Any

import pytest

from tests.servers import InProcessServer
from tests.wire import Answer, Wire

MOST = 512_000  # bytes of a user's properties as compact UTF-8 JSON
TOO_LARGE = "The properties of a user must not take more than 512,000 bytes."


async def properties(wire: Wire) -> Any:
    return (await wire.call("User.getProperties")).result["properties"]


async def save(wire: Wire, **changes: Any) -> Answer:
    return await wire.call("User.saveProperties", properties=changes)


@pytest.fixture
async def user(wire: Wire) -> Wire:
    """An app, signed in as a user who has two properties."""
    await wire.register(age=21, icon="face.png")
    return wire


# --- reading ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("age", 21, id="there"),
        pytest.param("Age", None, id="case"),
        pytest.param("nickname", None, id="missing"),
        pytest.param("", None, id="empty"),
        pytest.param("_id", None, id="not a property"),
        pytest.param("_username", None, id="not a property either"),
        pytest.param("__proto__", None, id="JavaScript"),
        pytest.param("__class__", None, id="Python"),
        pytest.param("password", None, id="column"),
        pytest.param("age.x", None, id="dotted"),
        pytest.param("$.age", None, id="path"),
    ],
)
async def test_get_property(name: str, value: Any, user: Wire) -> None:
    assert (await user.call("User.getProperty", name=name)).result == {"value": value}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({}, {"age": 21, "icon": "face.png"}, id="absent: all"),
        pytest.param({"names": None}, {"age": 21, "icon": "face.png"}, id="null: all"),
        pytest.param({"names": []}, {}, id="none"),
        pytest.param({"names": ["age"]}, {"age": 21}, id="one"),
        pytest.param({"names": ["icon", "age"]}, {"age": 21, "icon": "face.png"}, id="both"),
        pytest.param({"names": ["age", "nickname"]}, {"age": 21}, id="one is missing"),
        pytest.param({"names": ["nickname"]}, {}, id="missing"),
        pytest.param({"names": ["age", "age"]}, {"age": 21}, id="twice"),
        pytest.param({"names": ["_id", "_username", "__proto__", ""]}, {}, id="no properties"),
    ],
)
async def test_get_properties(params: dict[str, Any], expected: dict[str, Any], user: Wire) -> None:
    assert (await user.call("User.getProperties", **params)).result == {"properties": expected}


@pytest.mark.parametrize(
    ("names", "complaints"),
    [
        pytest.param("age", {"names"}, id="string"),
        pytest.param(1, {"names"}, id="number"),
        pytest.param({"age": 1}, {"names"}, id="object"),
        pytest.param(["age", 1], {"names.1"}, id="number in it"),
        pytest.param([None, "age", ["icon"]], {"names.0", "names.2"}, id="null and array in it"),
    ],
)
async def test_get_properties_with_names_of_wrong_types(names: Any, complaints: set[str], user: Wire) -> None:
    answer = await user.call("User.getProperties", names=names)
    assert answer.code == -32602
    assert answer.data.keys() == complaints
    assert all(sentence.endswith(".") for sentence in answer.data.values())


@pytest.mark.parametrize("name", [None, 1, ["age"], {"age": 1}], ids=json.dumps)
async def test_get_property_with_a_name_of_the_wrong_type(name: Any, user: Wire) -> None:
    answer = await user.call("User.getProperty", name=name)
    assert answer.code == -32602
    assert answer.data == {"name": "Name must be a string."}


async def test_properties_stay_below_their_member(user: Wire) -> None:
    evil = {"properties": "evil", "value": "evil", "error": "evil", "loginToken": "evil", "user": "evil"}
    assert (await save(user, **evil)).result == "OK"
    everything = await user.call("User.getProperties")
    assert everything.body.keys() == {"jsonrpc", "id", "result"}
    assert everything.result == {"properties": {"age": 21, "icon": "face.png", **evil}}
    assert (await user.call("User.getProperty", name="value")).result == {"value": "evil"}


async def test_users_see_their_own(user: Wire, other: Wire) -> None:
    await other.register("you@example.com", age=30)
    await save(other, icon="other.png")
    assert await properties(user) == {"age": 21, "icon": "face.png"}
    assert await properties(other) == {"age": 30, "icon": "other.png"}


async def test_devices_of_a_user_see_the_same(user: Wire, other: Wire) -> None:
    await other.call("User.login", username="me@example.com", password="password")
    await save(other, age=22)
    assert (await user.call("User.getProperty", name="age")).result == {"value": 22}


# --- writing ---------------------------------------------------------------------------------------------

VALUES = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    1e300,
    9007199254740993,
    9223372036854775808,
    999999999999999999999,
    "",
    "text",
    "21",
    "a\0b",
    "\u2028\n\t\"'\\</script>",
    "\ufeff e\u0301 \U0001f44d",
    "' OR 1=1; --",
    [],
    {},
    [1, [2, [3, None]], {"a": []}],
    {"": 1, "_x": 2, "__proto__": {"polluted": True}, "a.b": 3, "a b": 4, "名前": 5},
]


@pytest.mark.parametrize("value", VALUES, ids=ascii)
async def test_any_json_comes_back_as_it_was(value: Any, user: Wire) -> None:
    def written(given: Any) -> str:
        return json.dumps(given, sort_keys=True)  # tells 1 from 1.0 and from true

    assert (await user.call("User.saveProperty", name="one", value=value)).result == "OK"
    assert (await save(user, two=value)).result == "OK"
    assert written((await user.call("User.getProperty", name="one")).result) == written({"value": value})
    expected = {"age": 21, "icon": "face.png", "one": value, "two": value}
    assert written(await properties(user)) == written(expected)
    logged_in = await user.call("User.login", username="me@example.com", password="password")
    assert written(logged_in.result["user"]["one"]) == written(value)


async def test_a_property_that_is_null_is_there(user: Wire) -> None:
    await save(user, age=None)
    assert (await user.call("User.getProperties", names=["age", "nickname"])).result == {"properties": {"age": None}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, {"age": 21, "icon": "face.png"}, id="nothing"),
        pytest.param({"age": 22}, {"age": 22, "icon": "face.png"}, id="update"),
        pytest.param({"nickname": "John"}, {"age": 21, "icon": "face.png", "nickname": "John"}, id="add"),
        pytest.param({"age": None}, {"age": None, "icon": "face.png"}, id="null removes nothing"),
        pytest.param({"Age": 1}, {"age": 21, "Age": 1, "icon": "face.png"}, id="case"),
        pytest.param({"icon": {"a": 1}}, {"age": 21, "icon": {"a": 1}}, id="other type"),
    ],
)
async def test_saving_merges(changes: dict[str, Any], expected: dict[str, Any], user: Wire) -> None:
    assert (await save(user, **changes)).result == "OK"
    assert await properties(user) == expected


async def test_objects_are_replaced_as_a_whole(user: Wire) -> None:
    await save(user, address={"city": "Tokyo", "zip": "100"})
    await save(user, address={"city": "Osaka"})
    assert (await user.call("User.getProperty", name="address")).result == {"value": {"city": "Osaka"}}


async def test_saving_changes_the_date(server: InProcessServer, user: Wire) -> None:
    created = server.clock.now
    server.clock.advance(seconds=1.5)
    await user.call("User.saveProperty", name="age", value=22)
    answer = await user.call("User.login", username="me@example.com", password="password")
    dates = [answer.result["user"][name] for name in ("_createdAt", "_updatedAt", "_updateAt")]
    assert dates == [created, created + 1500, created + 1500]


BAD_NAMES = ["", "_x", "_id", "__proto__", "1a", "a-b", "a.b", "a b", "a\n", "\na", "a\0", "é", "名前", "a\uff11"]


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
async def test_property_name_is_refused(name: str, user: Wire) -> None:
    one = await user.call("User.saveProperty", name=name, value=1)
    assert one.code == -32602
    assert one.data.keys() == {"name"}
    several = await save(user, age=22, **{name: 1})
    assert several.code == -32602
    assert several.data.keys() == {f"properties.{name}"}
    assert await properties(user) == {"age": 21, "icon": "face.png"}, "all of them or none"


@pytest.mark.parametrize("name", ["a", "Z9", "camelCase", "a" * 1000, "constructor", "hasOwnProperty", "properties"])
async def test_property_name_is_allowed(name: str, user: Wire) -> None:
    assert (await user.call("User.saveProperty", name=name, value=1)).result == "OK"
    assert (await save(user, **{name: 2})).result == "OK"
    assert (await user.call("User.getProperty", name=name)).result == {"value": 2}


@pytest.mark.parametrize("value", [None, "age", 21, True, [], [["age", 21]]], ids=json.dumps)
async def test_properties_must_be_an_object(value: Any, user: Wire) -> None:
    answer = await user.call("User.saveProperties", properties=value)
    assert answer.code == -32602
    assert answer.data == {"properties": "Properties must be an object."}


async def test_everything_wrong_is_named_together(user: Wire) -> None:
    answer = await user.call("User.saveProperties", properties={"_a": 1, "1": 2}, value=3)
    assert answer.data.keys() == {"properties._a", "properties.1", "value"}
    answer = await user.call("User.saveProperty", name="_a", values=3)
    assert answer.data.keys() == {"name", "value", "values"}


async def test_a_screenful_of_wrong_names_is_enough(user: Wire) -> None:
    answer = await user.call("User.saveProperties", properties={f"_{number}": 1 for number in range(5000)})
    assert answer.code == -32602
    assert 1 <= len(answer.data) < 100
    answer = await user.call("User.saveProperties", properties={"_" + "x" * 100_000: 1})
    assert answer.code == -32602
    assert len(json.dumps(answer.body)) < 2000


# --- size ------------------------------------------------------------------------------------------------


def compact_size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


@pytest.mark.parametrize("character", ["x", "é", "\\", "👍"])
@pytest.mark.parametrize("method", ["User.saveProperty", "User.saveProperties"])
async def test_size_of_the_merged_properties(method: str, character: str, user: Wire) -> None:
    """To the byte, what is there counting in."""

    def params(text: str) -> dict[str, Any]:
        if method == "User.saveProperty":
            return {"name": "text", "value": text}
        return {"properties": {"text": text}}

    room = MOST - compact_size({"age": 21, "icon": "face.png", "text": ""})
    count, rest = divmod(room, compact_size(character) - 2)
    fits = character * count + "x" * rest
    assert (await user.call(method, **params(fits))).result == "OK"
    assert compact_size(await properties(user)) == MOST

    refused = await user.call(method, **params(fits + "x"))
    assert refused.code == -32602
    assert refused.data == {"value" if method == "User.saveProperty" else "properties": TOO_LARGE}
    assert (await user.call("User.getProperty", name="text")).result == {"value": fits}


async def test_too_large_saves_nothing_of_it(user: Wire) -> None:
    assert (await save(user, age=22, text="x" * MOST, nickname="John")).data == {"properties": TOO_LARGE}
    assert await properties(user) == {"age": 21, "icon": "face.png"}


async def test_small_addition_that_goes_over_the_limit(user: Wire) -> None:
    room = MOST - compact_size({"age": 21, "icon": "face.png", "text": ""})
    assert (await save(user, text="x" * room)).result == "OK"
    assert (await save(user, a=1)).data == {"properties": TOO_LARGE}
    assert (await user.call("User.saveProperty", name="a", value=1)).data == {"value": TOO_LARGE}
    assert (await user.call("User.saveProperty", name="age", value=22)).result == "OK"
    assert (await save(user, text="")).result == "OK"
    assert (await save(user, a=1)).result == "OK"


async def test_large_properties_come_with_signing_in(user: Wire) -> None:
    text = "x" * 500_000
    await save(user, text=text)
    answer = await user.call("User.login", username="me@example.com", password="password")
    assert answer.result["user"]["text"] == text
