"""`user list`, `user set` and `user sessions`, run as people run them."""

import contextlib
import json
import re
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.accounts.stand_ins import draw_lot
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.store import users
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from tests.servers import ServerProcess
from tests.shell import QuickShell, Shell
from tests.wire import Wire

PEOPLE: dict[str, dict[str, Any]] = {
    "anna": {"age": 30, "country": "US"},
    "Bert": {"age": 15, "country": "US", "text": "line\n\x1b[31mred"},
    "carl": {"age": 40, "tags": ["a"]},
}


@pytest.fixture
def app(quick: QuickShell) -> Shell:
    """A folder with three users."""

    def fill(db: Db) -> None:
        for number, (name, properties) in enumerate(PEOPLE.items()):
            users.insert(
                db,
                id=f"u{number}",
                username=name,
                username_key=username_key(name),
                password_hash="",
                properties_json=users.encode_properties(properties),
                lot=draw_lot(),
                now=1_800_000_000_000 + number,
            )

    with contextlib.closing(open_for_writing(quick.folder / "data" / "app.sqlite3")) as db:
        db.write(fill)
    return quick


def listed(app: Shell, *arguments: str) -> list[str]:
    return [line.split()[-1] for line in app.ok("user", "list", *arguments).splitlines()]


# --- list ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([], ["anna", "Bert", "carl"]),
        (["--desc"], ["carl", "Bert", "anna"]),
        (["--filter", "R"], ["Bert", "carl"]),
        (["--query", 'country == "US" && age > 20'], ["anna"]),
        (["--sort", "age"], ["Bert", "anna", "carl"]),
        (["--sort", "_username", "--desc"], ["carl", "Bert", "anna"]),
        (["--page", "2", "--per-page", "2"], ["carl"]),
        (["--page", "3", "--per-page", "2"], []),
        (["--filter", "nobody"], []),
        (["--sort", "age", "--desc", "--query", "age < 40", "--page", "1", "--per-page", "1"], ["anna"]),
    ],
)
def test_users_are_found_and_sorted(app: Shell, arguments: list[str], names: list[str]) -> None:
    assert listed(app, *arguments) == names
    assert [user["_username"] for user in json.loads(app.ok("user", "list", "--json", *arguments))] == names


def test_columns(app: Shell) -> None:
    lines = app.ok("user", "list", "--columns", "_username,age,tags,text,_createdAt").splitlines()
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    patterns = [
        rf"anna  30  -      -                         {time}",
        rf'Bert  15  -      "line\\n\\u001b\[31mred"  {time}',
        rf'carl  40  \["a"\]  -                         {time}',
    ]
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(re.sub(" +", " +", pattern), line)
    assert len({line.index(" 2") for line in lines}) == 1, "columns stand under each other"
    chosen = json.loads(app.ok("user", "list", "--json", "--columns", "_username,tags"))
    assert chosen == [{"_username": "anna"}, {"_username": "Bert"}, {"_username": "carl", "tags": ["a"]}]


@pytest.mark.parametrize(
    ("exit_code", "arguments", "message"),
    [
        (2, ["--query", "age = 1"], "User query is wrong at position 5: this character has no meaning here."),
        (2, ["--query", "age == ?"], "there is no bind param for this `?`"),
        (2, ["--sort", "_age"], "Sort property must be the name of a property, or one of: _id,"),
        (1, ["--sort", 'a"b'], "Sort property must be the name of a property or field."),
        (2, ["--page", "0"], "--page"),
        (2, ["--filter", "\udcff"], "--filter is not UTF-8."),
        (1, ["--sort", "agee"], "No user has a property agee."),
        (1, ["--columns", "_username,agee,age,namee"], "No user has a property agee or namee."),
        (1, ["--columns", "agee", "--json"], "No user has a property agee."),
        (2, ["--columns", "_username,_age"], "_age is no column; _id, _username, _createdAt,"),
        (2, ["--columns", "_username, age"], " age is no column;"),
        (2, ["--columns", "_username,"], "An empty name is no column;"),
    ],
)
def test_wrong_search_is_explained(app: Shell, exit_code: int, arguments: list[str], message: str) -> None:
    assert message in app.fails(exit_code, "user", "list", *arguments)


def test_names_are_not_checked_where_nobody_is(quick: QuickShell) -> None:
    quick.ok("user", "add", "anna", "--password-stdin", stdin="password")
    quick.ok("user", "delete", "anna", "--yes")
    assert json.loads(quick.ok("user", "list", "--sort", "age", "--columns", "_id,age", "--json")) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--page", "2", "--per-page", "2"], "Page 2 of 2, 3 users in all.\n"),
        (["--page", "1", "--filter", "anna"], "Page 1 of 1, 1 user in all.\n"),
        (["--page", "3", "--per-page", "2"], "No users on this page.\nPage 3 of 2, 3 users in all.\n"),
        (["--filter", "nobody"], "No users.\n"),
        ([], ""),
        (["--json", "--page", "1"], ""),
    ],
)
def test_pages_tell_the_total_and_no_rows_are_said(app: Shell, arguments: list[str], said: str) -> None:
    assert app.run("user", "list", *arguments).stderr == said


@pytest.mark.slow
def test_tables_have_headers_on_a_terminal_only(app: Shell) -> None:
    rows = app.ok("user", "list", "--columns", "_username,age").splitlines()
    assert rows == ["anna  30", "Bert  15", "carl  40"]
    terminal = Shell(app.folder)
    shown = terminal.on_terminal("user", "list", "--columns", "_username,age").splitlines()
    assert shown == ["_username  age", "anna       30", "Bert       15", "carl       40"]
    app.ok("user", "set", "anna", "--properties", '{"age": 31}')
    assert terminal.on_terminal("audit", "list").split()[:4] == ["time", "who", "what", "users"]
    assert terminal.on_terminal("user", "sessions", "anna") == "No sessions.\n"
    assert terminal.on_terminal("mail", "list") == "No mails.\n"


# --- set -------------------------------------------------------------------------------------------------


def test_set_changes_properties_and_username(app: Shell) -> None:
    assert "Changed anne (u" in app.ok("user", "set", "ANNA", "--username", "anne", "--properties", '{"age": 31}')
    shown = json.loads(app.ok("user", "show", "anne", "--json"))
    assert (shown["_username"], shown["age"], shown["country"]) == ("anne", 31, "US")
    assert json.loads(app.ok("audit", "list", "--json", "--last", "1"))[0]["method"] == "user set"


@pytest.mark.parametrize(
    ("exit_code", "arguments", "message"),
    [
        (2, ["anna"], "Say what to change: --username or --properties."),
        (1, ["nobody", "--username", "x-y"], "There is no user nobody."),
        (1, ["anna", "--username", "BERT"], "Username is already taken."),
        (1, ["anna", "--username", "a b"], "must not contain spaces"),
        (1, ["anna", "--properties", '{"_id": "u0"}'], "Property names must consist of"),
        (1, ["anna", "--properties", "[]"], "Properties must be an object."),
        (2, ["anna", "--properties", "{"], "--properties is not valid JSON."),
        (1, ["anna", "--properties", '{"_username": "x"}'], "Property names must consist of"),
    ],
)
def test_wrong_change_is_explained_and_not_made(app: Shell, exit_code: int, arguments: list[str], message: str) -> None:
    before = app.ok("user", "list", "--json")
    assert message in app.fails(exit_code, "user", "set", *arguments)
    assert app.ok("user", "list", "--json") == before


def test_every_change_has_json(app: Shell) -> None:
    added = json.loads(app.ok("user", "add", "dora", "--password-stdin", "--json", stdin="password"))
    assert (added["_username"], json.loads(app.ok("user", "show", "dora", "--json"))) == ("dora", added)
    changed = json.loads(app.ok("user", "set", "dora", "--properties", '{"age": 1}', "--json"))
    assert (changed["_id"], changed["age"]) == (added["_id"], 1)
    who = {"_id": added["_id"], "_username": "dora"}
    passwd = app.ok("user", "passwd", "dora", "--password-stdin", "--json", stdin="password")
    assert json.loads(passwd) == who
    assert json.loads(app.ok("user", "sessions", "dora", "--revoke", "all", "--json")) == {"ended": 0}
    assert json.loads(app.ok("user", "delete", "dora", "--yes", "--json")) == who
    assert json.loads(app.ok("backup", "copy", "--json")) == {"backends": ["app"], "folder": "copy"}
    assert json.loads(app.ok("init", "--json")) == {"file": "config.toml"}


# --- sessions --------------------------------------------------------------------------------------------


async def test_sessions_are_listed_and_ended(
    quick: QuickShell, served: ServerProcess, http: aiohttp.ClientSession
) -> None:
    phone, tablet = Wire(http, served, "phone"), Wire(http, served, "tablet\n1")
    await phone.register("anna")
    await tablet.call("User.login", username="anna", password="password")
    found = json.loads(quick.ok("user", "sessions", "anna", "--json"))
    assert {session["device"] for session in found} == {"phone", "tablet\n1"}
    lines = quick.ok("user", "sessions", "anna").splitlines()
    assert len(lines) == 2
    (line,) = [line for line in lines if line.endswith("phone")]
    assert re.fullmatch(r"[0-9a-f]{12}(  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d){2}  phone", line)

    assert "Ended 1 session." in quick.ok("user", "sessions", "anna", "--revoke", line.split()[0])
    assert (await phone.call("User.isAuthenticated")).result is False
    assert (await phone.call("User.autoLogin", loginToken=phone.login_token)).code == -32602
    assert (await tablet.call("User.isAuthenticated")).result is True
    assert "The user has no such session." in quick.fails(1, "user", "sessions", "anna", "--revoke", "0123")

    assert "Ended 1 session." in quick.ok("user", "sessions", "anna", "--revoke", "all")
    assert (await tablet.call("User.isAuthenticated")).result is False
    assert (await tablet.call("User.autoLogin", loginToken=tablet.login_token)).code == -32602
    assert quick.ok("user", "sessions", "anna") == ""
    methods = [entry["method"] for entry in json.loads(quick.ok("audit", "list", "--json"))]
    assert methods == ["user sessions --revoke"] * 2
