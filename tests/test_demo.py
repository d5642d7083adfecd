"""`serve --dev --demo`: an empty backend gets users and a mail, any other is left as it is."""

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import jsonrpc_backend
from jsonrpc_backend.accounts.mail_address import parse_address
from tests.servers import ServerProcess, served
from tests.shell import Shell
from tests.wire import Wire

DEMO = ("--dev", "--demo")
HANAKO, PASSWORD = "hanako.sato@mail.example", "demo-password"
GREETING = f"Demo        50 users in app; sign in as {HANAKO} with the password {PASSWORD}.\n"
USERS = Path(jsonrpc_backend.__file__).parent / "demo" / "users.jsonl"


def listed(shell: Shell) -> list[dict[str, Any]]:
    users: list[dict[str, Any]] = json.loads(shell.ok("user", "list", "--json"))
    return users


def count(folder: Path, table: str) -> int:
    with contextlib.closing(sqlite3.connect(folder / "app.sqlite3")) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def wait_for_mail(server: ServerProcess) -> None:
    """It is written by the side: before the greeting or after it."""
    if f"Mail of app to {HANAKO}" not in server.output:
        server.read_until(f"Mail of app to {HANAKO}")


async def mails(http: aiohttp.ClientSession, server: ServerProcess) -> str:
    async with http.get(f"{server.url}/dev/mail") as response:
        return await response.text()


async def test_demo_has_users_to_sign_in_as_and_a_mail_to_read(
    tmp_path: Path, shell: Shell, http: aiohttp.ClientSession
) -> None:
    with served(tmp_path / "data", *DEMO) as server:
        assert GREETING in server.output
        wait_for_mail(server)
        assert "Your password reset code" in await mails(http, server)
        app = Wire(http, server)
        user = (await app.call("User.login", username=HANAKO, password=PASSWORD)).result["user"]
        assert (user["nickname"], user["city"], user["interests"]) == ("花子", "東京", ["coffee", "books", "cats"])
        for other in ("ひなた", "OMAR.HADDAD@post.example"):
            assert (await app.call("User.login", username=other, password=PASSWORD)).session
    assert "serve --demo" in shell.ok("audit", "list")


async def found(app: Wire, collection: str) -> list[Any]:
    items: list[Any] = (await app.call("Collection.find", collectionName=collection)).result["items"]
    return items


async def test_demo_has_notes_of_each_and_a_guestbook_of_all(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    with served(tmp_path / "data", *DEMO) as server:
        hanako, somebody = Wire(http, server), Wire(http, server, "another device")
        own = (await hanako.call("User.login", username=HANAKO, password=PASSWORD)).result["user"]["_id"]
        notes, open_to_all = await found(hanako, "notes"), await found(somebody, "notes")
        assert next(note["title"] for note in notes if note["_ownerUserOid"] == own) == "買い物"
        titles = {note["title"] for note in notes}
        assert {"Trip to Nara", "旅行の計画"} < titles, "others share these with her"
        assert titles > {note["title"] for note in open_to_all}, "and some with everybody"
        assert "Packing" not in titles, "which is somebody's own"
        (shared,) = (note["_id"] for note in notes if note["title"] == "Trip to Nara")
        update = {"itemOid": shared, "data": {"text": "With you!"}}
        assert (await hanako.call("Collection.update", collectionName="notes", **update)).result == "OK"
        assert len(await found(somebody, "guestbook")) == 10
        signed = await somebody.call("Collection.insert", collectionName="guestbook", item={"text": "Hi!"})
        assert signed.result["item"]["_ownerUserOid"] is None
        assert len(await found(hanako, "guestbook")) == 11


async def test_a_collection_of_that_name_is_left_as_it_is(
    tmp_path: Path, shell: Shell, http: aiohttp.ClientSession
) -> None:
    shell.ok("collection", "create", "notes", "--public", "w")
    with served(tmp_path / "data", *DEMO) as server:
        assert await found(Wire(http, server), "notes") == []
        assert len(await found(Wire(http, server), "guestbook")) == 10


def test_users_are_varied_and_the_same_each_time(tmp_path: Path, shell: Shell) -> None:
    for folder in ("data", "other"):
        with served(tmp_path / folder, *DEMO):
            pass
    users = listed(shell)
    assert users == json.loads(shell.ok("user", "list", "--json", "--data", "other"))
    assert len(users) == 50
    for user in users:
        address = parse_address(user.get("email", user["_username"]))
        assert address is not None
        assert address.domain.endswith(".example")  # nobody's, by RFC 2606
    assert len({user["_createdAt"] for user in users}) == 50
    assert len({user["country"] for user in users}) > 15
    assert sum(user["country"] == "JP" for user in users) == 20
    assert 0 < sum("age" not in user for user in users) < 20
    kinds = {type(value) for user in users for value in user.values()}
    assert kinds >= {str, int, bool, list, dict}


def test_users_keep_the_rules_of_an_import(shell: Shell) -> None:
    assert shell.ok("user", "import", str(USERS), "--dry-run") == "50 ready to import, 0 skipped, 0 bad.\n"


async def test_later_start_makes_nothing_twice(tmp_path: Path, shell: Shell, http: aiohttp.ClientSession) -> None:
    with served(tmp_path / "data", *DEMO) as server:
        wait_for_mail(server)
        await Wire(http, server).register("me@mail.example")
    shell.ok("user", "delete", "ひなた", "--yes")
    before = listed(shell)
    with served(tmp_path / "data", *DEMO) as server:
        assert GREETING.replace("50", "49") in server.output
        assert (await mails(http, server)).count("<article") == 1
    assert listed(shell) == before
    assert (count(tmp_path / "data", "collections"), count(tmp_path / "data", "items")) == (2, 22)
    assert count(tmp_path / "data", "password_reset_requests") == 0


async def test_greeting_names_somebody_whose_password_it_is(
    tmp_path: Path, shell: Shell, http: aiohttp.ClientSession
) -> None:
    with served(tmp_path / "data", *DEMO):
        pass
    shell.ok("user", "passwd", HANAKO, "--password-stdin", stdin="another")
    with served(tmp_path / "data", *DEMO) as server:
        named = server.output.partition("sign in as ")[2].split()[0]
        assert named != HANAKO
        assert (await Wire(http, server).call("User.login", username=named, password=PASSWORD)).session


def test_backend_with_users_of_its_own_is_left_as_it_is(tmp_path: Path, shell: Shell) -> None:
    shell.ok("user", "add", "anna", "--password-stdin", stdin="secret")
    before = listed(shell)
    with served(tmp_path / "data", *DEMO) as server:
        assert "Demo        not made: app has users of its own. Take another folder, with --data.\n" in server.output
    assert listed(shell) == before
    assert count(tmp_path / "data", "collections") == 0
    assert count(tmp_path / "data", "mails") + count(tmp_path / "data", "password_reset_requests") == 0


def test_nobody_asks_for_a_mail_that_would_go_out(tmp_path: Path) -> None:
    with served(tmp_path / "data", *DEMO, environment={"JSONRPC_BACKEND_SMTP_HOST": "127.0.0.1"}) as server:
        assert GREETING in server.output
    assert count(tmp_path / "data", "mails") + count(tmp_path / "data", "password_reset_requests") == 0


def test_backend_that_is_stopped_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[backends.one]\napi_key = "k1"\n[backends.two]\napi_key = "k2"\n')
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "one.sqlite3").write_bytes(b"no database, certainly not" * 100)
    with served(tmp_path / "data", *DEMO) as server:
        assert GREETING.replace(" app;", " two;") in server.output


@pytest.mark.parametrize("arguments", [["--demo"], ["--demo", "--config", "gone.toml"]])
def test_demo_is_for_development_only(shell: Shell, arguments: list[str]) -> None:
    """Its password is in the documents."""
    assert "--demo goes with --dev" in shell.fails(2, "serve", "--port", "0", *arguments)
    assert list(shell.folder.iterdir()) == []
