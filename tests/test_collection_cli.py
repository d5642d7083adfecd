"""`collection …`, on the database file and with --url at a running server."""

import asyncio
import json
from typing import Any

import pytest

from tests.collections.conftest import make_collection
from tests.operators import KEY, Operator
from tests.servers import InProcessServer
from tests.shell import QuickShell, Shell
from tests.wire import Wire

VARIABLE = "JSONRPC_BACKEND_MANAGEMENT_KEY"


class Far:
    """The commands beside a server: on its file, or through the operators' API."""

    def __init__(self, server: InProcessServer, quick: QuickShell, *options: str) -> None:
        self.server = server
        self._quick, self._options = quick, options

    @property
    def is_far(self) -> bool:
        return "--url" in self._options

    async def ok(self, *arguments: str, **more: str) -> str:
        return await asyncio.to_thread(
            self._quick.ok, "collection", *arguments, *self._options, **{VARIABLE: KEY}, **more
        )

    async def fails(self, exit_code: int, *arguments: str) -> str:
        key = {VARIABLE: KEY}
        return await asyncio.to_thread(self._quick.fails, exit_code, "collection", *arguments, *self._options, **key)


@pytest.fixture(params=["near", "far"])
def place(request: pytest.FixtureRequest, operator: Operator, quick: QuickShell) -> Far:
    server = operator.server
    if request.param == "far":
        return Far(server, quick, "--url", server.management_url)
    return Far(server, quick, "--data", str(server.database_path().parent))


@pytest.fixture
def app(operator: Operator) -> Wire:
    return Wire(operator.http, operator.server)


async def shown(place: Far, name: str) -> Any:
    return json.loads(await place.ok("show", name, "--json"))


async def test_collections_are_made_configured_and_dropped(place: Far, app: Wire) -> None:
    assert await place.ok("create", "diary", "--insertable", "--public", "r", "--index", "tag", "--index", "n") == (
        "Made the collection diary.\n"
    )
    made = json.loads(await place.ok("create", "notes", "--json"))
    assert made == await shown(place, "notes")
    assert (made["isInsertable"], made["defaultPublicPermission"], made["deleteWithOwner"]) == (False, "", "private")
    diary = await shown(place, "diary")
    assert json.loads(await place.ok("list", "--json")) == [diary, made]
    assert diary["indexes"] == ["tag", "n"]

    inserted = await app.call("Collection.insert", collectionName="diary", item={"tag": "x"})
    assert inserted.result
    assert await place.ok("set", "diary", "--no-insertable", "--delete-with-owner", "all", "--public", "") == (
        "Changed the collection diary.\n"
    )
    assert await shown(place, "diary") == {
        **diary,
        "isInsertable": False,
        "defaultPublicPermission": "",
        "deleteWithOwner": "all",
    }
    assert (await app.call("Collection.insert", collectionName="diary", item={})).code == 14
    await place.ok("set", "diary", "--no-index")
    assert (await shown(place, "diary"))["indexes"] == []
    assert await place.ok("drop", "diary", "--yes") == "Deleted the collection diary.\n"
    assert (await app.call("Collection.find", collectionName="diary")).code == -32602
    assert json.loads(await place.ok("list", "--json")) == [made]
    methods = [entry[0].split()[-1] for entry in place.server.rows("SELECT method FROM audit ORDER BY key")]
    assert [method.removeprefix("Collection.").replace("setConfig", "set") for method in methods] == [
        "create",
        "create",
        "set",
        "set",
        "drop",
    ]


async def test_tables(place: Far) -> None:
    for arguments in (["notes"], ["diary", "--insertable", "--public", "rw", "--index", "a", "--index", "b"]):
        await place.ok("create", *arguments)
    time = (await place.ok("list")).splitlines()[0].split("  ")[1]
    assert [line.split() for line in (await place.ok("list")).splitlines()] == [
        ["diary", *time.split(), "insertable", "rw", "private", "a,b"],
        ["notes", *(await place.ok("list")).splitlines()[1].split()[1:3], "-", "-", "private", "-"],
    ]
    assert await place.ok("show", "diary") == (
        f"name               diary\nmade               {time}\ninsertable         insertable\n"
        "public             rw\ndelete with owner  private\nindexes            a,b\n"
    )


@pytest.mark.parametrize(
    ("exit_code", "arguments", "message"),
    [
        (1, ["show", "none"], "Collection not found."),
        (1, ["set", "none", "--insertable"], "Collection not found."),
        (1, ["drop", "none", "--yes"], "Collection not found."),
        (1, ["create", "taken"], "Collection name is already taken."),
        (1, ["create", "my diary"], "The name of a collection must consist of at most 64"),
        (1, ["create", "diary", "--index", "_id"], "must consist of the letters a-z and A-Z, digits and underscores"),
        (2, ["set", "taken"], "Say what to change"),
        (2, ["set", "taken", "--index", "a", "--no-index"], "Say either --index or --no-index."),
        (2, ["set", "taken", "--public", "x"], "--public"),
    ],
)
async def test_what_goes_wrong_is_explained(place: Far, exit_code: int, arguments: list[str], message: str) -> None:
    make_collection(place.server, "taken")
    assert message in await place.fails(exit_code, *arguments)


def test_first_command_makes_the_database(quick: QuickShell) -> None:
    assert "There is no database" in quick.fails(4, "collection", "list")
    quick.ok("collection", "create", "diary", "--insertable")
    assert quick.ok("collection", "list").startswith("diary  ")
    assert quick.ok("audit", "list").endswith("  collection create  diary\n")


def test_dropping_asks(shell: Shell) -> None:
    shell.ok("collection", "create", "diary")
    assert "Delete the collection diary with all items for good?" in shell.on_terminal(
        "collection", "drop", "diary", typed="n\n"
    )
    assert shell.ok("collection", "list").startswith("diary  ")


async def test_items_go_and_indexes_come_with_the_command(operator: Operator, app: Wire, quick: QuickShell) -> None:
    """A server that runs would not look for them before some minutes have passed."""
    near = Far(operator.server, quick, "--data", str(operator.server.database_path().parent))
    await near.ok("create", "diary", "--insertable")
    for number in range(5):
        await app.call("Collection.insert", collectionName="diary", item={"n": number})
    await near.ok("set", "diary", "--index", "n")
    assert operator.server.rows("SELECT indexes FROM collections") == [(json.dumps({"n": True}),)]
    assert operator.server.rows("SELECT count(*) FROM item_values") == [(5,)]
    await near.ok("drop", "diary", "--yes")
    for table in ("collections", "items", "item_values", "upkeep"):
        assert operator.server.rows(f"SELECT * FROM {table}") == []


# --- items -----------------------------------------------------------------------------------------------

LISTS = [
    [],
    ["--json"],
    ["--query", "n > 1", "--sort", "n", "--desc", "--columns", "n,_permission"],
    ["--json", "--columns", "_id,n"],
    ["--page", "2", "--per-page", "2"],
    ["--page", "9", "--json"],
]


async def test_items_are_the_same_from_far_and_near(operator: Operator, app: Wire, quick: QuickShell) -> None:
    make_collection(operator.server, "diary", public="r")
    near = Far(operator.server, quick, "--data", str(operator.server.database_path().parent))
    far = Far(operator.server, quick, "--url", operator.server.management_url)
    await app.register()
    for number in range(3):
        await app.call("Collection.insert", collectionName="diary", item={"n": number, "text": "a\nb"})
    for arguments in LISTS:
        assert await far.ok("items", "diary", *arguments) == await near.ok("items", "diary", *arguments), arguments
    found = json.loads(await near.ok("items", "diary", "--json"))
    assert [item["n"] for item in found] == [0, 1, 2]
    assert found[0]["_permission"] == {"public": "r"}
    assert (await near.ok("items", "diary", "--columns", "n,text")).splitlines()[0] == '0  "a\\nb"'
    first = (await near.ok("items", "diary")).splitlines()[0].split()
    assert (first[0], first[-1]) == (found[0]["_id"], found[0]["_ownerUserOid"])


@pytest.mark.parametrize(
    ("exit_code", "arguments", "message"),
    [
        (1, ["none"], "Collection not found."),
        (2, ["diary", "--columns", "_owner"], "_owner is no column; _id, _ownerUserOid,"),
        (2, ["diary", "--columns", "a,"], "An empty name is no column"),
        (1, ["diary", "--sort", "a b"], "Sort property must be the name of a property or field."),
    ],
)
async def test_wrong_lists_of_items(place: Far, exit_code: int, arguments: list[str], message: str) -> None:
    make_collection(place.server, "diary")
    assert message in await place.fails(exit_code, "items", *arguments)


async def test_wrong_query_is_explained(place: Far) -> None:
    make_collection(place.server, "diary")
    code = 1 if place.is_far else 2
    assert "Item query is wrong at position 3" in await place.fails(code, "items", "diary", "--query", "n = 1")


async def test_audit_is_filtered_by_collection(operator: Operator, quick: QuickShell) -> None:
    data = ["--data", str(operator.server.database_path().parent)]
    for name in ("diary", "notes"):
        await operator.call("Collection.create", _id=name)
    ids = []
    for _ in range(5):
        answer = await operator.call("CollectionItem.create", collectionName="diary", item={})
        ids.append(answer.result["item"]["_id"])
    await operator.call("CollectionItem.delete", collectionName="diary", idList=ids)
    await operator.create("anna")
    listed = json.loads(await asyncio.to_thread(quick.ok, "audit", "list", "--json", "--collection", "diary", *data))
    assert [entry["method"] for entry in listed] == [
        "CollectionItem.delete",
        *["CollectionItem.create"] * 5,
        "Collection.create",
    ]
    assert (listed[0]["collection"], listed[0]["itemIds"], listed[0]["items"]) == ("diary", ids, 5)
    assert (listed[0]["userIds"], listed[0]["users"]) == ([], 0)
    lines = (await asyncio.to_thread(quick.ok, "audit", "list", *data)).splitlines()
    assert lines[0].split("  ")[-1].startswith("u")
    assert lines[1].endswith(f"  CollectionItem.delete  diary: {ids[0]} {ids[1]} {ids[2]} and 2 more")
    assert lines[-1].endswith("  Collection.create      diary")
