"""The `user` commands with --url: the same as on the database file, through the operators' API."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.cli.table import table
from jsonrpc_backend.config import load_config
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from tests.conftest import StartServer
from tests.operators import KEY, KEYS, Operator, add_users
from tests.scripted import ScriptedServer
from tests.servers import InProcessServer, running
from tests.shell import QuickShell
from tests.wire import Wire

VARIABLE = "JSONRPC_BACKEND_MANAGEMENT_KEY"


class Both:
    """The command line with --url, and on the file of the same server."""

    def __init__(self, operator: Operator, quick: QuickShell) -> None:
        self.operator = operator
        self.quick = quick
        self.data = str(operator.server.database_path().parent)

    async def far(self, *arguments: str, **more: Any) -> str:
        url = self.operator.server.management_url
        return await asyncio.to_thread(self.quick.ok, "user", *arguments, "--url", url, **{VARIABLE: KEY, **more})

    async def fails(self, exit_code: int, *arguments: str, **more: Any) -> str:
        url = self.operator.server.management_url
        options = {VARIABLE: KEY, **more}
        message = await asyncio.to_thread(self.quick.fails, exit_code, "user", *arguments, "--url", url, **options)
        assert KEY not in message
        return message

    async def near(self, *arguments: str) -> str:
        return await asyncio.to_thread(self.quick.ok, "user", *arguments, "--data", self.data)


@pytest.fixture
def both(operator: Operator, quick: QuickShell) -> Both:
    return Both(operator, quick)


@pytest.fixture
def server(both: Both) -> InProcessServer:
    """The same for apps."""
    return both.operator.server


def fill(both: Both, many: int, properties: dict[str, Any]) -> None:
    with contextlib.closing(open_for_writing(Path(both.data) / "app.sqlite3")) as db:
        db.write(lambda db: add_users(db, many, properties))


SEARCHES = [
    [],
    ["--json"],
    ["--columns", "_username,age,tags"],
    ["--columns", "_id"],
    ["--json", "--columns", "_username,age"],
    ["--query", "age > 20", "--sort", "age", "--desc"],
    ["--filter", "NN", "--json"],
    ["--page", "2", "--per-page", "2"],
    ["--page", "9", "--json"],
]


async def test_users_are_the_same_from_far_and_near(both: Both) -> None:
    for number, name in enumerate(("anna", "Bert", "hanni")):
        await both.operator.create(name, age=15 + 10 * number, tags=["a", {"b": None}], city="K\u00f6ln")
    for search in SEARCHES:
        assert await both.far("list", *search) == await both.near("list", *search), search
    (bert,) = json.loads(await both.near("list", "--filter", "bert", "--json"))
    for name in ("BERT", bert["_id"]):
        assert await both.far("show", name) == await both.near("show", name)
        assert json.loads(await both.far("show", name, "--json")) == bert


async def test_users_are_changed(both: Both) -> None:
    added = await both.far("add", "anna", "--properties", '{"age": 21}', "--password-stdin", stdin="password\n")
    assert added.startswith("Added anna (u")
    app = Wire(both.operator.http, both.operator.server)
    assert (await app.call("User.login", username="anna", password="password")).session
    assert "Changed anne (u" in await both.far("set", "ANNA", "--username", "anne", "--properties", '{"a": null}')
    shown = json.loads(await both.near("show", "anne", "--json"))
    assert (shown["_username"], shown["age"], shown["a"]) == ("anne", 21, None)
    assert await both.far("delete", "anne", "--yes") == "Deleted anne.\n"
    assert await both.far("list", "--json") == "[]\n"


async def test_passwords_and_sessions(both: Both, wire: Wire, other: Wire) -> None:
    await both.operator.create("anna", "password")
    for app in (wire, other):
        assert (await app.call("User.login", username="anna", password="password")).session
    for options in ([], ["--json"]):
        assert await both.far("sessions", "anna", *options) == await both.near("sessions", "anna", *options)
    found = {each["device"]: each["id"] for each in json.loads(await both.far("sessions", "anna", "--json"))}
    assert await both.far("sessions", "ANNA", "--revoke", found[wire.device].upper()) == "Ended 1 session.\n"
    assert [(await app.call("User.isAuthenticated")).result for app in (wire, other)] == [False, True]
    assert "The user has no such session." in await both.fails(1, "sessions", "anna", "--revoke", found[wire.device])
    too_short = await both.fails(1, "passwd", "anna", "--password-stdin", stdin="abc")
    assert "Password must be at least 4 characters long." in too_short
    done = await both.far("passwd", "ANNA", "--password-stdin", "--json", stdin="another\n")
    assert json.loads(done)["_username"] == "anna"
    assert (await other.call("User.isAuthenticated")).result is False
    assert (await other.call("User.login", username="anna", password="password")).code == -32602
    assert (await other.call("User.login", username="anna", password="another")).session
    assert json.loads(await both.far("sessions", "anna", "--revoke", "all", "--json")) == {"ended": 1}
    assert (await other.call("User.autoLogin", loginToken=other.login_token)).code == -32602
    audited = [entry[0] for entry in both.operator.server.rows("SELECT method FROM audit ORDER BY key")]
    assert audited == ["User.create", "Session.revoke", "User.setPassword", "Session.revoke"]


async def test_many_users_come_in_pages(both: Both) -> None:
    fill(both, 2500, {"age": 1})
    found = json.loads(await both.far("list", "--json"))
    assert [user["_username"] for user in found] == [f"user{number}@example.com" for number in range(2500)]
    assert "There is no user user." in await both.fails(1, "show", "user")
    assert "user7@example.com" in await both.far("show", "user7@example.com")


@pytest.mark.slow
async def test_large_users_come_in_smaller_pages(both: Both) -> None:
    """All of them at once would be refused: 40 MB."""
    fill(both, 400, {"text": "x" * 100_000})
    assert len(json.loads(await both.far("list", "--json"))) == 400


@pytest.mark.parametrize(
    ("exit_code", "arguments", "key", "message"),
    [
        (2, ["list"], "", f"--url needs a management key: in {VARIABLE}, or in a --key-file."),
        (1, ["list"], "another-management-key", "The server refuses the management key"),
        (1, ["list", "--backend", "other"], KEY, "The server refuses the management key"),
        (1, ["list", "--query", "age = 1"], KEY, "User query is wrong at position 5"),
        (1, ["list", "--page", "1", "--per-page", "99999"], KEY, "Items in page must be 10,000 or less."),
        (2, ["list", "--data", "data"], KEY, "do not go with --url"),
        (2, ["list", "--filter", "\udcff"], KEY, "The arguments are not UTF-8."),
        (1, ["list", "--key-file", "missing"], KEY, "missing cannot be read"),
        (1, ["show", "nobody"], KEY, "There is no user nobody."),
        (1, ["add", "a b", "--password-stdin"], KEY, "Username must not contain spaces"),
        (1, ["set", "nobody", "--username", "somebody"], KEY, "There is no user nobody."),
        (1, ["passwd", "nobody", "--password-stdin"], KEY, "There is no user nobody."),
        (1, ["sessions", "nobody"], KEY, "There is no user nobody."),
        (1, ["sessions", "nobody", "--revoke", "all"], KEY, "There is no user nobody."),
        (
            2,
            ["import", "u.csv"],
            KEY,
            "The management API cannot import users. Run this command on the server's machine",
        ),
        (2, ["export", "u.csv"], KEY, "The management API cannot export all users as they are at one moment."),
        (2, ["send-reset"], KEY, "The management API cannot mail all users."),
    ],
)
async def test_what_goes_wrong_is_explained(
    both: Both, exit_code: int, arguments: list[str], key: str, message: str
) -> None:
    assert message in await both.fails(exit_code, *arguments, stdin="password", **{VARIABLE: key})


async def test_the_only_backend_needs_no_name(http: aiohttp.ClientSession, tmp_path: Path, quick: QuickShell) -> None:
    table = {"server": {"data_dir": str(tmp_path / "data")}, "backends": {"shop": {"api_key": "k", **KEYS}}}
    async with running(load_config(table, environment={})) as server:
        both = Both(Operator(http, server, backend_id="shop"), quick)
        await both.operator.create("anna")
        assert "anna" in await both.far("list")
        wrong = [["--backend", "app"], []]
        for options, key in zip(wrong, (KEY, "another-management-key"), strict=True):
            said = await both.fails(1, "list", *options, **{VARIABLE: key})
            assert "The server refuses the management key: it is wrong, or not for" in said


async def test_one_of_several_backends_is_asked_for(
    http: aiohttp.ClientSession, start: StartServer, quick: QuickShell
) -> None:
    server = await start({"backends": {"app": {}, "shop": {"api_key": "k", **KEYS}}})
    both = Both(Operator(http, server, backend_id="shop"), quick)
    said = await both.fails(1, "list")
    assert "or the server has several backends: then say which, with --backend ID." in said
    assert await both.far("list", "--json", "--backend", "shop") == "[]\n"


async def test_a_server_that_does_not_tell_its_backend(scripted: ScriptedServer, quick: QuickShell) -> None:
    said = await asyncio.to_thread(quick.fails, 2, "user", "list", "--url", scripted.url, **{VARIABLE: KEY})
    assert "Which backend? Say --backend ID; the server does not tell." in said


async def test_key_in_a_file(both: Both) -> None:
    (both.quick.folder / "key").write_text(KEY + "\n")
    assert await both.far("list", "--json", "--key-file", "key", **{VARIABLE: ""}) == "[]\n"
    assert await both.far("list", "--json", "--key-file", "-", stdin=KEY, **{VARIABLE: ""}) == "[]\n"


def test_no_server(quick: QuickShell) -> None:
    key = {VARIABLE: KEY}
    assert "http://127.0.0.1:1: " in quick.fails(1, "user", "list", "--url", "http://127.0.0.1:1", **key)
    assert "url must look like" in quick.fails(2, "user", "list", "--url", "127.0.0.1", **key)
    assert "--key-file goes with --url." in quick.fails(2, "user", "list", "--key-file", "key")


def test_columns_stand_under_each_other_in_every_script() -> None:
    rows = [["a", "1"], ["\u65e5\u672c", "2"], ["e\u0301e", "3"], ["\uff71", "4"]]
    assert [*table(rows)] == ["a     1", "\u65e5\u672c  2", "e\u0301e    3", "\uff71     4"]
    assert [*table([])] == []
