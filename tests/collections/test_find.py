"""`Collection.find`: criteria, order, pages, and what of items is told."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.collections.conftest import NewPerson, Person, make_collection
from tests.servers import InProcessServer


@pytest.fixture
async def anna(person: NewPerson) -> Person:
    found: Person = await person("anna")
    return found


VALUES: list[Any] = [
    None,
    False,
    True,
    -1,
    0,
    0.5,
    2,
    2**53 + 1,
    "",
    "B",
    "a",
    "b",
    "\u00e9",
    "\U0001f600",
    [1],
    {"a": 1},
]


@pytest.mark.parametrize("indexed", [False, True])
async def test_order_of_values(indexed: bool, anna: Person, server: InProcessServer) -> None:
    make_collection(server, "values", indexes=("v",) if indexed else ())
    for value in reversed(VALUES):
        await anna.call("insert", collectionName="values", item={"v": value})
    await anna.call("insert", collectionName="values", item={"w": 1})

    async def values(order_by: Any) -> list[Any]:
        found = await anna.found(collectionName="values", orderBy=order_by)
        return [item.get("v", "absent") for item in found]

    upwards = await values("v")
    assert upwards[:2] == [None, "absent"], "those that do not differ are in the order of insertion"
    assert upwards[2:-2] == VALUES[1:-2]
    assert upwards[-2:] == [{"a": 1}, [1]]
    assert await values("v DESC") == upwards[::-1]
    assert await values(["v desc"]) == upwards[::-1]


async def test_several_keys(anna: Person) -> None:
    for a, b in [(1, 1), (2, 1), (1, 2), (2, 2), (1, 1)]:
        await anna.insert({"a": a, "b": b})
    pairs = [(item["a"], item["b"]) for item in await anna.found(orderBy=["a DESC", "b"])]
    assert pairs == [(2, 1), (2, 2), (1, 1), (1, 1), (1, 2)]
    first, *_, last = await anna.ids(orderBy=["a"])
    assert (await anna.ids(orderBy=["a DESC"]))[-1] == first
    assert (await anna.ids(orderBy=["a DESC"]))[0] == last


@pytest.mark.parametrize(
    "order_by", ["a UP", "a ASC x", "_x", "a b c", ["a", "b;"], "1a", "_ownerDeviceOid", "_permission"]
)
async def test_wrong_order(order_by: Any, anna: Person) -> None:
    answer = await anna.call("find", orderBy=order_by)
    assert answer.code == -32602
    assert answer.data.keys() == {"orderBy"}


@pytest.mark.parametrize("order_by", [1, {"a": 1}, [1], [["a"]], ["a"] * 11])
async def test_order_of_a_wrong_type(order_by: Any, anna: Person) -> None:
    assert (await anna.call("find", orderBy=order_by)).data.keys() == {"orderBy"}


@pytest.mark.parametrize("blank", ["", "  ", None, []])
async def test_blank_order_is_that_of_time(blank: Any, anna: Person, server: InProcessServer) -> None:
    expected = []
    for _ in range(3):
        expected.append(await anna.insert())
        server.clock.advance(minutes=1)
    assert await anna.ids(orderBy=blank) == expected


# --- criteria --------------------------------------------------------------------------------------------


async def test_fields(anna: Person, server: InProcessServer, person: NewPerson) -> None:
    first = await anna.insert({"n": 1})
    made = server.clock.now
    server.clock.advance(minutes=1)
    second = await anna.insert({"n": 2}, public="r")
    nobodys = await (await person(device="x")).insert({"n": 3}, public="r")

    assert await anna.ids("_id == ?", first) == [first]
    assert await anna.ids("_id IN [?, ?] && n > 1", first, second) == [second]
    assert await anna.ids("_ownerUserOid == ?", anna.id) == [first, second]
    assert await anna.ids("_ownerUserOid != ?", anna.id) == [nobodys]
    assert await anna.ids("_ownerUserOid == null") == [nobodys]
    assert await anna.ids("!(_ownerUserOid == ?)", anna.id) == [nobodys]
    assert await anna.ids("_ownerUserOid NIN [?]", anna.id) == [nobodys]
    assert await anna.ids("_createdAt <= ?", made) == [first]
    moment = datetime.fromtimestamp(made / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert await anna.ids("_createdAt > ?", moment) == [second, nobodys]
    assert await anna.ids("_updatedAt == ?", moment) == [first]


@pytest.mark.parametrize("criteria", ["", " \n", None])
async def test_blank_criteria_are_everything(criteria: str | None, anna: Person) -> None:
    assert await anna.ids(criteria) == []
    assert [await anna.insert()] == await anna.ids(criteria)


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"criteria": "a = 1"}, "criteria"),
        ({"criteria": "_permission == 1"}, "criteria"),
        ({"criteria": "a == ?"}, "criteria"),
        ({"criteria": "a == ?", "bindParams": [1, 2]}, "bindParams"),
        ({"bindParams": [1]}, "bindParams"),
        ({"criteria": 1}, "criteria"),
        ({"criteria": "a == 1", "bindParams": {}}, "bindParams"),
    ],
)
async def test_wrong_criteria(params: dict[str, Any], name: str, anna: Person) -> None:
    calls: dict[str, dict[str, Any]] = {"find": {}, "updatePermission": {"permission": {}}}
    for method, more in calls.items():
        answer = await anna.call(method, **params, **more)
        assert answer.code == -32602
        assert answer.data.keys() == {name}


async def test_what_old_clients_make_of_find_mine(anna: Person) -> None:
    """Each call adds a term and a pair of parentheses to the same object."""
    mine = await anna.insert({"a": 1})
    criteria, bind = "a == ?", list[Any]([1])
    for _ in range(200):
        criteria, bind = f"({criteria}) && _ownerUserOid == ?", [*bind, anna.id]
    assert await anna.ids(criteria, *bind) == [mine]


NEVER = ["_id == 1", "_id == null", "_id IN []", "_ownerUserOid == 1", "_ownerDeviceOid == 1", "_createdAt == null"]


@pytest.mark.parametrize("criteria", [*NEVER, *(f"{never} && n == 1" for never in NEVER)])
async def test_what_can_never_be_true_finds_nothing(criteria: str, anna: Person) -> None:
    await anna.insert({"n": 1}, public="rw")
    assert await anna.ids(criteria) == []
    answer = await anna.call("updatePermission", criteria=criteria, permission={"public": ""})
    assert answer.result == {"numUpdates": 0}


@pytest.mark.parametrize("many", [20, 21, 99, 600, 9_990])
async def test_long_lists(many: int, anna: Person, server: InProcessServer) -> None:
    make_collection(server, "indexed", indexes=("tag",))
    item = (await anna.call("insert", collectionName="indexed", item={"tag": "t0"})).result["item"]
    strangers = [f"t{number}" for number in range(many)]
    for criteria, last in (("_id IN ?", item["_id"]), ("_ownerUserOid IN ?", anna.id), ("tag IN ?", "t0")):
        assert await anna.ids(criteria, [*strangers, last], collectionName="indexed") == [item["_id"]]
        assert await anna.ids(criteria, strangers, collectionName="indexed") == ([item["_id"]] if last == "t0" else [])


# --- who owns what ---------------------------------------------------------------------------------------


async def test_mine(anna: Person, person: NewPerson) -> None:
    tablet, bert = await person(device="tablet"), await person("bert")
    signed_in_there = await person("carla", device="tablet")
    hers = await anna.insert({"n": 1}, public="r")
    anonymous = await tablet.insert({"n": 2}, public="r")
    await bert.insert({"n": 3}, public="r")
    assert await anna.ids(options={"mine": True}) == [hers]
    assert await anna.ids("n > 1", options={"mine": True}) == []
    assert await tablet.ids(options={"mine": True}) == [anonymous]
    assert await signed_in_there.ids(options={"mine": True}) == []
    assert await tablet.ids("_ownerDeviceOid == ?", "tablet") == [anonymous]
    assert await signed_in_there.ids("_ownerDeviceOid == ?", "tablet") == [anonymous]


async def test_device_ids_cannot_be_learnt(person: NewPerson) -> None:
    """To everybody else the field is null, whatever is asked, so that no search by halves finds an id."""
    tablet, thief = await person(device="secret device"), await person("mallory")
    await tablet.insert({"n": 1}, public="rw")
    await Person(thief.wire.elsewhere("zzz"), None).insert({"n": 2})
    for operator in ("==", "<", "<=", ">", ">="):
        for guess in ("secret device", "a", "z", "secret"):
            assert await thief.ids(f"_ownerDeviceOid {operator} ?", guess) == []
    assert len(await thief.ids("_ownerDeviceOid == null")) == 1
    assert len(await thief.ids("_ownerDeviceOid != ?", "secret device")) == 1
    found = await thief.found()
    assert "device" not in str(found)
    assert set(found[0]) == {"_id", "_ownerUserOid", "_createdAt", "_updatedAt", "n"}
    assert await tablet.ids("_ownerDeviceOid == ?", "secret device") == await tablet.ids()


# --- pages -----------------------------------------------------------------------------------------------


async def test_pages_cover_everything_once(anna: Person) -> None:
    expected = [await anna.insert({"n": number % 3, "number": number}) for number in range(10)]
    for order in ("n", "n DESC", "_createdAt DESC", "number"):
        seen = []
        for page in (1, 2, 3, 4, 5):
            answer = await anna.call("find", orderBy=order, options={"limit": 3, "page": page})
            assert answer.result["totalItems"] == 10
            seen += [item["_id"] for item in answer.result["items"]]
        assert sorted(seen) == sorted(expected), order
    answer = await anna.call("find", options={"page": 2})
    assert answer.result == {"items": [], "totalItems": 10}
    assert len(await anna.found(options={"limit": 10_001})) == 10


async def test_totals_are_of_what_may_be_read(anna: Person, person: NewPerson) -> None:
    bert = await person("bert")
    for number in range(6):
        await bert.insert({"n": number}, public="r" if number % 2 else "")
    for params in ({}, {"criteria": "n >= 0"}, {"orderBy": "n"}, {"options": {"limit": 1}}):
        assert (await anna.call("find", **params)).result["totalItems"] == 3


async def test_a_page_that_is_too_large_is_refused_and_one_of_all_is_cut(anna: Person) -> None:
    text = "x" * 500_000
    for _ in range(70):
        await anna.insert({"text": text})
    answer = await anna.call("find", options={"limit": 70})
    assert answer.code == -32602
    assert answer.data.keys() == {"options.limit"}
    whole = (await anna.call("find")).result
    assert whole["totalItems"] == 70
    assert 60 < len(whole["items"]) < 70
    assert len((await anna.call("find", options={"limit": 70, "propertyNames": []})).result["items"]) == 70


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"limit": 0}, "options.limit"),
        ({"limit": "5"}, "options.limit"),
        ({"limit": -1}, "options.limit"),
        ({"page": 0}, "options.page"),
        ({"page": 1.5}, "options.page"),
        ({"mine": 1}, "options.mine"),
        ({"propertyNames": 1}, "options.propertyNames"),
        ({"propertyNames": [1]}, "options.propertyNames.0"),
        ([], "options"),
    ],
)
async def test_wrong_options(options: Any, name: str, anna: Person) -> None:
    answer = await anna.call("find", options=options)
    assert answer.code == -32602
    assert answer.data.keys() == {name}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (None, {"a", "b"}),
        (["a"], {"a"}),
        ("a, c", {"a"}),
        ("a,b", {"a", "b"}),
        ([], set()),
        ("", set()),
        (["_id"], set()),
    ],
)
async def test_property_names(names: Any, expected: set[str], anna: Person) -> None:
    await anna.insert({"a": 1, "b": 2})
    (item,) = await anna.found(options={"propertyNames": names, "orderBy": "x", "unknown": 1})
    assert set(item) == {"_id", "_ownerUserOid", "_createdAt", "_updatedAt"} | expected
