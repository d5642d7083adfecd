"""`User.list`: who is found, in which order, on which page."""

import asyncio
import contextlib
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from tests.conftest import StartServer
from tests.operators import KEYS, Operator, add_users
from tests.servers import InProcessServer
from tests.wire import Wire


def fill(server: InProcessServer, many: int, properties: dict[str, Any] | None = None, begin: int = 0) -> None:
    with contextlib.closing(open_for_writing(server.database_path())) as db:
        db.write(lambda db: add_users(db, many, properties, begin))


async def create_all(operator: Operator, properties: list[dict[str, Any]]) -> None:
    """Users `user0`, `user1` and so on, a second apart."""
    for number, values in enumerate(properties):
        await operator.create(f"user{number}", **values)
        operator.server.clock.advance(seconds=1)


# --- pages -----------------------------------------------------------------------------------------------


async def test_pages(operator: Operator) -> None:
    fill(operator.server, 7)
    seen = []
    for page, many in ((1, 3), (2, 3), (3, 1), (4, 0), (1_000_000_000, 0)):
        result = (await operator.call("User.list", page=page, itemsInPage=3)).result
        assert result["totalItems"] == 7
        assert len(result["items"]) == many
        seen += [item["_username"] for item in result["items"]]
    assert seen == [f"user{number}@example.com" for number in range(7)]


async def test_integers_may_be_written_as_doubles(operator: Operator) -> None:
    """JSON Schema counts 2.0 as an integer."""
    fill(operator.server, 3)
    assert await operator.names(page=2.0, itemsInPage=2.0) == ["user2@example.com"]


FIELDS = "_id, _username, _createdAt, _updatedAt, _updateAt"


@pytest.mark.parametrize(
    ("params", "name", "sentence"),
    [
        ({"page": 0}, "page", "Page must be 1 or more."),
        ({"page": 1.5}, "page", "Page must be an integer."),
        ({"page": 10**9 + 1}, "page", "Page must be 1,000,000,000 or less."),
        ({"itemsInPage": 0}, "itemsInPage", "Items in page must be 1 or more."),
        ({"itemsInPage": 10_001}, "itemsInPage", "Items in page must be 10,000 or less."),
        ({"sortOrder": "up"}, "sortOrder", "Sort order must be one of: asc, desc."),
        ({"sortProperty": "a b"}, "sortProperty", "Sort property must be the name of a property or field."),
        ({"sortProperty": "age\n"}, "sortProperty", "Sort property must be the name of a property or field."),
        (
            {"sortProperty": "_age"},
            "sortProperty",
            f"Sort property must be the name of a property, or one of: {FIELDS}.",
        ),
        ({"propertyNames": 5}, "propertyNames", "Property names must be an array of names, or a string."),
        ({"propertyNames": ["a", 5]}, "propertyNames.1", "Element 1 of propertyNames must be a string."),
        (
            {"userQuery": "age = 1"},
            "userQuery",
            "User query is wrong at position 5: this character has no meaning here.",
        ),
        (
            {"userQuery": "a == 1 && _x == 1"},
            "userQuery",
            f"User query is wrong at position 11: there is no field `_x`; known here: {FIELDS}.",
        ),
        (
            {"userQuery": "(" * 5000},
            "userQuery",
            "User query is wrong at position 251: parentheses are more than 250 deep.",
        ),
        (
            {"userQuery": "age == ?"},
            "userQuery",
            "User query is wrong at position 8: there is no bind param for this `?`, which is number 1.",
        ),
        (
            {"userQuery": "age == ?", "userQueryBindParams": [1, 2]},
            "userQueryBindParams",
            "User query bind params must have one value for each `?` of the query: 1, not 2.",
        ),
        (
            {"userQueryBindParams": [1]},
            "userQueryBindParams",
            "User query bind params are given without a user query to fill.",
        ),
    ],
)
async def test_wrong_param_is_explained(operator: Operator, params: dict[str, Any], name: str, sentence: str) -> None:
    answer = await operator.call("User.list", **{"page": 1, "itemsInPage": 10, **params})
    assert (answer.code, answer.data) == (-32602, {name: sentence})


# --- items -----------------------------------------------------------------------------------------------


async def test_items_are_user_objects(http: aiohttp.ClientSession, operator: Operator) -> None:
    app = Wire(http, operator.server)
    registered = (await app.register("Jürgen", age=21, tags=["a", {"b": None}], quote='"\n😀\u2028')).result["user"]
    bare = (await app.elsewhere().register("bare")).result["user"]
    result = (await operator.call("User.list", page=1, itemsInPage=10)).result
    assert result == {"items": [registered, bare], "totalItems": 2}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["age"], {"age": 21}),
        (["nickname", "age", "age", "nobody", "_id"], {"age": 21, "nickname": "me"}),
        ([], {}),
        ("age", {"age": 21}),
        ("age,nickname", {"age": 21, "nickname": "me"}),
        ("", {}),
        (None, {"age": 21, "nickname": "me", "country": "DE"}),
    ],
)
async def test_property_names_limit_the_properties(operator: Operator, names: Any, expected: dict[str, Any]) -> None:
    await operator.create(age=21, nickname="me", country="DE")
    (item,) = (await operator.call("User.list", page=1, itemsInPage=10, propertyNames=names)).result["items"]
    assert {name: value for name, value in item.items() if not name.startswith("_")} == expected
    assert {name for name in item if name.startswith("_")} == {
        "_id",
        "_username",
        "_createdAt",
        "_updatedAt",
        "_updateAt",
    }


# --- order -----------------------------------------------------------------------------------------------

# In ascending order; those in one tuple do not differ.
RANKED: list[tuple[Any, ...]] = [
    (..., None),
    (False,),
    (True,),
    (-5,),
    (0.5,),
    (1, 1.0),
    (10,),
    ("",),
    ("10",),
    ("B",),
    ("a",),
    ("é",),
    ("\ue000",),
    ("😀",),
    ([2], {"a": 1}, [1], []),
]


async def test_values_of_all_types_have_an_order(operator: Operator) -> None:
    values = [(rank, value) for rank, same in enumerate(RANKED) for value in same]
    mixed = values[::2] + values[1::2]
    await create_all(operator, [{} if value is ... else {"a": value} for _, value in mixed])
    stable = sorted(range(len(mixed)), key=lambda number: mixed[number][0])
    expected = [f"user{number}" for number in stable]
    assert await operator.names(sortProperty="a") == expected
    assert await operator.names(sortProperty="a", sortOrder="asc") == expected
    assert await operator.names(sortProperty="a", sortOrder="desc") == expected[::-1]


async def test_fields_to_sort_by(operator: Operator) -> None:
    ids = {}
    for name in ("bert", "Carl", "anna"):
        ids[name] = await operator.create(name)
        operator.server.clock.advance(seconds=1)
    await operator.call("User.update", _id=ids["bert"], user={"age": 1})
    assert await operator.names() == ["bert", "Carl", "anna"]
    assert await operator.names(sortOrder="desc") == ["anna", "Carl", "bert"]
    assert await operator.names(sortProperty="") == ["bert", "Carl", "anna"]
    assert await operator.names(sortProperty="_username") == ["anna", "bert", "Carl"]
    assert await operator.names(sortProperty="_createdAt", sortOrder="desc") == ["anna", "Carl", "bert"]
    assert await operator.names(sortProperty="_updatedAt") == ["Carl", "anna", "bert"]
    assert await operator.names(sortProperty="_updateAt") == ["Carl", "anna", "bert"]
    assert await operator.names(sortProperty="_id") == sorted(ids, key=lambda name: ids[name])


# --- filters ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name_filter", "expected"),
    [
        ("anna", ["anna@example.com", "Joanna"]),
        ("ANNA", ["anna@example.com", "Joanna"]),
        ("\uff41nna", ["anna@example.com", "Joanna"]),  # a full-width letter
        ("@example.com", ["anna@example.com"]),
        ("straße", ["STRASSE"]),
        ("%", ["100%_\\"]),
        ("_", ["100%_\\"]),
        ("\\", ["100%_\\"]),
        ("%_\\", ["100%_\\"]),
        ("' OR 1=1", []),
        ("nobody", []),
        ("", ["anna@example.com", "Joanna", "STRASSE", "100%_\\"]),
    ],
)
async def test_name_filter(operator: Operator, name_filter: str, expected: list[str]) -> None:
    for name in ("anna@example.com", "Joanna", "STRASSE", "100%_\\"):
        await operator.create(name)
    assert await operator.names(nameFilter=name_filter) == expected


async def test_name_filter_finds_ids(operator: Operator) -> None:
    user_id = await operator.create("anna")
    await operator.create("bert")
    for part in (user_id, user_id.upper(), user_id[5:20]):
        assert await operator.names(nameFilter=part) == ["anna"]


@pytest.mark.parametrize(
    ("query", "values", "expected"),
    [
        ('country == "US" && age > 20', None, ["user0"]),
        ("country == ? && age > ?", ["US", 20], ["user0"]),
        ("country IN ?", [["US", "JP"]], ["user0", "user1", "user2"]),
        ("age == null", None, ["user3"]),
        ("!(age >= 20)", [], ["user1", "user3"]),
        ('_username == "user2"', None, ["user2"]),
        ('_username == "USER2"', None, []),
        ("_createdAt >= ?", [1_800_000_002_000], ["user2", "user3"]),
        (" ", None, ["user0", "user1", "user2", "user3"]),
        ("", [], ["user0", "user1", "user2", "user3"]),
    ],
)
async def test_user_query(operator: Operator, query: str, values: Any, expected: list[str]) -> None:
    people: list[dict[str, Any]] = [
        {"country": "US", "age": 30},
        {"country": "US", "age": 15},
        {"country": "JP", "age": 40},
        {"country": "DE"},
    ]
    await create_all(operator, people)
    assert await operator.names(userQuery=query, userQueryBindParams=values) == expected


async def test_query_filter_order_and_page_together(operator: Operator) -> None:
    await create_all(operator, [{"age": age} for age in (5, 3, 9, 1, 7)])
    params = {"userQuery": "age > ?", "userQueryBindParams": [2], "nameFilter": "USER", "sortProperty": "age"}
    result = (await operator.call("User.list", page=2, itemsInPage=2, sortOrder="desc", **params)).result
    assert [item["age"] for item in result["items"]] == [5, 3]
    assert result["totalItems"] == 4


async def test_query_by_id(operator: Operator) -> None:
    ids = [await operator.create(name) for name in ("anna", "bert", "carl")]
    assert await operator.names(userQuery="_id==?", userQueryBindParams=[ids[1]]) == ["bert"]
    assert await operator.names(userQuery="_id IN ?", userQueryBindParams=[ids[:2]]) == ["anna", "bert"]
    assert await operator.names(userQuery="_id NIN ?", userQueryBindParams=[ids[:2]]) == ["carl"]


# --- size ------------------------------------------------------------------------------------------------

HALF_A_MEGABYTE = {"text": "x" * 511_000}


async def list_many(operator: Operator, **params: Any) -> Any:
    return (await operator.call("User.list", **{"page": 1, "itemsInPage": 10_000, **params})).body


@pytest.mark.slow
async def test_what_a_list_takes_of_memory_is_bounded(operator: Operator) -> None:
    fill(operator.server, 70, HALF_A_MEGABYTE)
    refused = await list_many(operator)
    assert refused["error"]["data"] == {
        "itemsInPage": "These items take more than 33,554,432 bytes;"
        " ask for fewer of them, or for some of their properties."
    }
    assert len((await list_many(operator, itemsInPage=60))["result"]["items"]) == 60
    assert len((await list_many(operator, propertyNames=["age"]))["result"]["items"]) == 70


@pytest.mark.slow
async def test_lists_of_a_batch_share_the_bound(operator: Operator) -> None:
    fill(operator.server, 30, HALF_A_MEGABYTE)
    calls: list[dict[str, Any]] = [
        {"jsonrpc": "2.0", "method": "User.list", "params": {"page": 1, "itemsInPage": 30}, "id": number}
        for number in range(4)
    ]
    answers = (await operator.send(calls)).body
    assert ["result" in answer for answer in answers] == [True, True, False, False]
    assert [answer["id"] for answer in answers] == [0, 1, 2, 3]


async def test_id_of_a_list_is_echoed_whatever_it_is(operator: Operator) -> None:
    call = {"jsonrpc": "2.0", "method": "User.list", "params": {"page": 1, "itemsInPage": 1}}
    for request_id in (None, "é", 1.5, ":null"):
        await operator.send({**call, "id": request_id})  # checks the id
    answers = await operator.send([{**call, "id": "x"}, {**call, "id": 2}])
    assert [answer["id"] for answer in answers.body] == ["x", 2]


@pytest.mark.slow
async def test_apps_are_served_while_operators_search(http: aiohttp.ClientSession, start: StartServer) -> None:
    """A long search has a reader of its own."""
    operator = Operator(http, await start({"backends": {"app": KEYS}, "management": {"search_seconds": 600}}))
    app = Wire(http, operator.server)
    await app.register()
    fill(operator.server, 4000, {f"b{number}": "x" * 20 for number in range(60)})
    query = "&&".join(f"a{number}==null" for number in range(500))
    search = asyncio.create_task(operator.call("User.list", page=1, itemsInPage=1, userQuery=query))
    calls = 0
    while not search.done():
        assert (await app.call("User.getProperties")).result == {"properties": {}}
        calls += 1
    assert calls > 5
    assert (await search).result["totalItems"] == 4001


# --- time ------------------------------------------------------------------------------------------------


class HastyTime:
    """A second passes each time somebody looks."""

    def __init__(self) -> None:
        self.seconds = 0

    def monotonic(self) -> float:
        self.seconds += 1
        return self.seconds


async def test_what_a_search_does_outside_of_the_database_is_bounded_too(
    start: StartServer, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names of properties by the ten thousand are looked for in thousands of users, each of whom has to be read."""
    operator = Operator(http, await start({"backends": {"app": KEYS}, "management": {"search_seconds": 10}}))
    fill(operator.server, 30, {"a": 1, "b": 2})
    names = ["a", *(f"name{number}" for number in range(20_000))]
    found = (await list_many(operator, propertyNames=names))["result"]["items"]
    assert [{name: item[name] for name in item if not name.startswith("_")} for item in found] == [{"a": 1}] * 30
    monkeypatch.setattr("jsonrpc_backend.store.sqlite.database.time", HastyTime())
    refused = await list_many(operator, propertyNames=names)
    assert refused["error"] == {
        "code": 13,
        "message": "Invalid operation",
        "data": {
            "reason": "The search was given up after 10 seconds; ask for something simpler, or raise"
            " management.search_seconds."
        },
    }
    assert len((await list_many(operator, itemsInPage=5))["result"]["items"]) == 5


# --- names of properties ---------------------------------------------------------------------------------


async def test_property_names_of_the_latest_users(operator: Operator) -> None:
    assert (await operator.call("User.getPropertyNames")).result == {"names": []}
    fill(operator.server, 1, {"old": 1})
    fill(operator.server, 98, {"b": 1, "a": {"inner": 1}}, begin=1)
    await operator.create("anna", nickname="x")
    assert (await operator.call("User.getPropertyNames")).result == {"names": ["a", "b", "nickname", "old"]}
    await operator.create("bert")
    assert (await operator.call("User.getPropertyNames")).result == {"names": ["a", "b", "nickname"]}
