"""Backends that refuse usernames which look like those of others: whoever makes them, and whenever that began."""

# ruff: noqa: RUF001 (characters that look like others are what this is about)

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path

import aiohttp
import pytest

from jsonrpc_backend.accounts.look_alikes import skeleton
from tests.conftest import StartServer
from tests.operators import KEYS, Operator
from tests.servers import make_config, running
from tests.shell import QuickShell
from tests.wire import Wire

LOOKS_TAKEN = "Username looks like another one that is taken."
ON = {"backends": {"app": {"refuse_confusable_usernames": True, **KEYS}}}

ALIKE = {
    "Cyrillic letters": ("scope", "ѕсоре"),
    "one Cyrillic letter": ("admin@example.com", "аdmin@example.com"),
    "Greek letter": ("oscar", "οscar"),
    "capital i": ("paypal", "paypaI"),
    "digit for a letter": ("paypal", "paypa1"),
    "zero": ("user-o", "user-0"),
    "Cyrillic capital": ("admin", "ADМIN"),
    "two letters for one": ("mary", "rnary"),
    "letter of a minority": ("lisa", "ꓡisa"),
    "accent as another": ("Ame\u0301lie", "Аmélie"),
}

NOT_ALIKE = {
    "number": ("user1", "user2"),
    "dot": ("john.doe", "johndoe"),
    "accent": ("Amélie", "Amelie"),
    "two letters": ("kate", "cate"),
    "kanji": ("山田太郎", "山田次郎"),
    "Cyrillic": ("Владимир", "Vladimir"),
}


@pytest.mark.parametrize("case", ALIKE)
def test_alike(case: str) -> None:
    one, other = ALIKE[case]
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize("case", NOT_ALIKE)
def test_not_alike(case: str) -> None:
    one, other = NOT_ALIKE[case]
    assert skeleton(one) != skeleton(other)


@pytest.mark.parametrize("case", ALIKE)
async def test_app_is_refused(start: StartServer, http: aiohttp.ClientSession, case: str) -> None:
    one, other = ALIKE[case]
    wire = Wire(http, await start(ON))
    await wire.register(one)
    for method, params in (("User.validate", {}), ("User.register", {"password": "password"})):
        answer = await wire.elsewhere().call(method, username=other, **params)
        assert (answer.code, answer.data) == (-32602, {"username": LOOKS_TAKEN})
        again = await wire.elsewhere().call(method, username=one.upper(), **params)
        assert again.data == {"username": "Username is already taken."}
    assert (await wire.call("User.unregister", password="password")).result == "OK"
    assert (await wire.register(other)).session, "a name that is free again looks like none"


async def test_it_is_off_by_default(wire: Wire) -> None:
    await wire.register("paypal")
    assert (await wire.elsewhere().call("User.validate", username="paypaI")).result == "OK"
    assert (await wire.elsewhere().register("paypaI")).session


async def test_of_many_at_once_one_gets_the_name(start: StartServer, http: aiohttp.ClientSession) -> None:
    """Between the check and the transaction another one may have come."""
    server = await start(ON)
    names = ["paypal", "paypaI", "paypa1", "раураl", "PAYPAL", "рaypal", "pаypal", "payрal"]
    answers = await asyncio.gather(
        *(Wire(http, server, name).call("User.register", username=name, password="password") for name in names)
    )
    assert sum("result" in answer.body for answer in answers) == 1
    assert len(server.rows("SELECT * FROM users")) == 1


async def test_operators_are_refused(start: StartServer, http: aiohttp.ClientSession) -> None:
    operator = Operator(http, await start(ON))
    await operator.create("paypal")
    other = await operator.create("somebody")
    created = await operator.call("User.create", username="paypaI", password="password")
    assert created.data == {"username": LOOKS_TAKEN}
    changed = await operator.call("User.update", _id=other, user={"_username": "paypaI"})
    assert changed.data == {"user._username": LOOKS_TAKEN}
    assert (await operator.call("User.update", _id=other, user={"_username": "some-body"})).result == "OK"
    assert (await operator.call("User.create", username="somebody", password="password")).result, "it is free again"
    assert (await operator.call("User.update", _id=other, user={"_username": "sоme-body"})).result == "OK", "one's own"


async def test_names_from_before_count(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    """They keep them, even where they look alike themselves."""
    async with running(make_config(tmp_path)) as server:
        for name in ("paypal", "paypaI", "admin"):
            await Wire(http, server, name).register(name)
    async with running(make_config(tmp_path, ON)) as server:
        wire = Wire(http, server)
        for name in ("paypa1", "аdmin"):
            assert (await wire.call("User.validate", username=name)).data == {"username": LOOKS_TAKEN}
        for name in ("paypal", "paypaI", "admin"):
            assert (await wire.call("User.login", username=name, password="password")).session


async def test_other_data_is_taken_into_account(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    async with running(make_config(tmp_path, ON)) as server:
        await Wire(http, server).register("paypal")
        server.execute("UPDATE look_alikes SET skeleton = 'otherwise', version = '0.0.1'")
    async with running(make_config(tmp_path, ON)) as server:
        answer = await Wire(http, server).call("User.validate", username="paypaI")
        assert answer.data == {"username": LOOKS_TAKEN}


# --- the command line ----------------------------------------------------------------------------------------


@pytest.fixture
def app(quick: QuickShell) -> QuickShell:
    """A folder with a user from before the setting."""
    (quick.folder / "config.toml").write_text('[backends.app]\napi_key = "key"\n')
    quick.ok("user", "add", "paypal", "--password-stdin", stdin="password")
    (quick.folder / "config.toml").write_text('[backends.app]\napi_key = "key"\nrefuse_confusable_usernames = true\n')
    return quick


def test_command_line_is_refused(app: QuickShell) -> None:
    app.ok("user", "add", "anna", "--password-stdin", stdin="password")
    assert LOOKS_TAKEN in app.fails(1, "user", "add", "paypaI", "--password-stdin", stdin="password")
    assert LOOKS_TAKEN in app.fails(1, "user", "set", "anna", "--username", "paypa1")
    app.ok("user", "set", "anna", "--username", "аnna")  # her own, in other letters


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_import_reports_them(app: QuickShell, options: list[str]) -> None:
    names = ["paypaI", "bert", "bеrt", "carl"]
    (app.folder / "users.jsonl").write_text("\n".join(json.dumps({"username": name}) for name in names))
    error = app.fails(1, "user", "import", "users.jsonl", *options)
    for line in (1, 3):
        assert f"users.jsonl:{line}: username: {LOOKS_TAKEN}" in error
    assert "2 records are bad" in error


def test_imported_names_count(app: QuickShell) -> None:
    (app.folder / "users.jsonl").write_text('{"username": "bert"}\n')
    app.ok("user", "import", "users.jsonl")
    with contextlib.closing(sqlite3.connect(app.folder / "data" / "app.sqlite3")) as db:
        assert db.execute("SELECT skeleton FROM look_alikes ORDER BY user_key").fetchall() == [("paypa1",), ("bert",)]
    (app.folder / "users.jsonl").write_text('{"username": "bert", "age": 5}\n')
    app.ok("user", "import", "users.jsonl", "--existing", "update")
