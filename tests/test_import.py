"""`user import`: what other systems export, every kind of bad record, and nothing half done."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.accounts.stand_ins import draw_lot
from jsonrpc_backend.config import BackendConfig
from jsonrpc_backend.store import users
from jsonrpc_backend.store.audit import COMMAND_LINE, Act, Operator
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from jsonrpc_backend.transfer.intake import Existing, Intake
from jsonrpc_backend.transfer.record import ImportRules
from jsonrpc_backend.transfer.source import Record
from tests.conftest import StartServer
from tests.servers import QUICK_PASSWORDS, ServerProcess
from tests.shell import QuickShell, Shell
from tests.wire import Wire

OUR_ID = "u01234567-89ab-4cde-8f01-23456789abcd"
OTHER_ID = "u11111111-2222-4333-8444-555555555555"
BCRYPT = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"  # of U*U
QUICK = {f"JSONRPC_BACKEND_PASSWORDS_{name.upper()}": str(value) for name, value in QUICK_PASSWORDS.items()}


def listed(shell: Shell) -> list[dict[str, Any]]:
    if not (shell.folder / "data" / "app.sqlite3").exists():
        return []
    found: list[dict[str, Any]] = json.loads(shell.ok("user", "list", "--json"))
    for user in found:
        assert user.pop("_updateAt") == user["_updatedAt"]
    return found


def given(shell: Shell, name: str, content: str | bytes) -> str:
    (shell.folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return name


def lines(*records: Mapping[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


# --- what people bring -----------------------------------------------------------------------------------

PARSE_API: dict[str, list[dict[str, Any]]] = {
    "results": [
        {
            "objectId": "Ed1nuqPvcm",
            "username": "anna",
            "email": "anna@example.com",
            "createdAt": "2015-01-02T03:04:05.678Z",
            "updatedAt": {"__type": "Date", "iso": "2016-01-02T03:04:05.678Z"},
            "score": 7,
            "ACL": {"*": {"read": True}},
        }
    ]
}
PARSE_MONGO = {
    "_id": "Ed1nuqPvcm",
    "username": "anna",
    "email": "anna@example.com",
    "_created_at": {"$date": "2015-01-02T03:04:05.678Z"},
    "_updated_at": {"$date": {"$numberLong": "1451703845678"}},
    "score": 7,
    "_hashed_password": BCRYPT,
    "_acl": {"*": {"r": True}},
}
MONACA = {
    "_id": OUR_ID,
    "_username": "anna",
    "email": "anna@example.com",
    "_createdAt": 1420167845678,
    "_updatedAt": 1451703845678,
    "_updateAt": 1451703845678,
    "score": 7,
}
CSV = (
    "id,username,email,score,createdAt,updatedAt\r\n7,anna,anna@example.com,7,2015-01-02 03:04:05.678,1451703845678\r\n"
)


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        pytest.param("u.json", json.dumps(PARSE_API), ["--drop", "ACL"], id="Parse, API"),
        pytest.param("u.json", json.dumps(PARSE_API, indent=2), ["--drop", "ACL"], id="indented"),
        pytest.param("u.json", json.dumps(PARSE_API["results"]), ["--drop", "ACL"], id="array"),
        pytest.param("u.json", '{"n": 1, ' + json.dumps(PARSE_API)[1:], ["--drop", "ACL"], id="results come second"),
        pytest.param("u.json", json.dumps(PARSE_MONGO), ["--drop", "_acl"], id="Parse, mongoexport"),
        pytest.param("u.json", json.dumps([MONACA]), [], id="Monaca Backend"),
        pytest.param("u.jsonl", "\ufeff\r\n" + json.dumps(MONACA) + "\r\n\r\n", [], id="BOM and blank lines"),
        pytest.param("u.csv", CSV, [], id="CSV"),
        pytest.param("u.csv", "\ufeff" + CSV.replace(",", ";"), [], id="CSV of a spreadsheet"),
        pytest.param("u.CSV", CSV.replace("username", "name"), ["--map", "name=username"], id="renamed"),
        pytest.param("u.csv", CSV.replace("username", "name"), ["--map", "name=_username"], id="renamed to our name"),
    ],
)
def test_exports_of_other_systems(quick: QuickShell, name: str, content: str, options: list[str]) -> None:
    quick.ok("user", "import", given(quick, name, content), *options)
    (anna,) = listed(quick)
    assert anna.pop("_id").startswith("u")
    assert anna == {
        "_username": "anna",
        "_createdAt": 1420167845678,
        "_updatedAt": 1451703845678,
        "email": "anna@example.com",
        "score": 7,
    }


def test_ids_are_kept_or_made(quick: QuickShell) -> None:
    file = given(quick, "u.jsonl", lines(MONACA, {"_id": "Ed1nuqPvcm", "_username": "bert"}))
    quick.ok("user", "import", file)
    assert [user["_id"] == OUR_ID for user in listed(quick)] == [True, False]
    quick.ok("user", "import", given(quick, "v.jsonl", lines(MONACA | {"_username": "carl"})), "--new-ids")
    assert len({user["_id"] for user in listed(quick)}) == 3
    legacy = given(quick, "w.jsonl", lines({"id": 7, "username": "dora"}))
    quick.ok("user", "import", legacy, "--map", "id=legacyId")
    assert listed(quick)[-1]["legacyId"] == 7


def test_times_are_now_where_nobody_says(quick: QuickShell) -> None:
    quick.ok(
        "user", "import", given(quick, "u.jsonl", lines({"username": "anna"}, {"username": "bert", "createdAt": 5}))
    )
    anna, bert = listed(quick)
    assert anna["_createdAt"] == anna["_updatedAt"] > 1_700_000_000_000
    assert bert["_createdAt"] == bert["_updatedAt"] == 5


async def test_everybody_can_sign_in(quick: QuickShell, start: StartServer, http: aiohttp.ClientSession) -> None:
    records: list[dict[str, Any]] = [
        {"username": "plain", "password": "a b"},
        {"username": "bcrypt", "passwordHash": BCRYPT},
        {"_username": "monaca", "_password": "secret", "password": 5},
    ]
    printed = quick.ok("user", "import", given(quick, "u.jsonl", lines(*records)), **QUICK)
    assert printed == "3 added, 0 updated, 0 skipped, 0 bad.\n"
    server = await start()
    for username, password in (("plain", "a b"), ("bcrypt", "U*U"), ("MONACA", "secret")):
        assert (await Wire(http, server).call("User.login", username=username, password=password)).session
        assert (await Wire(http, server).call("User.login", username=username, password="?")).code == -32602
    stored = [row[0] for row in server.rows("SELECT password_hash FROM users")]
    assert all(hash_.startswith("$argon2id$v=19$m=64,t=1,p=1$") for hash_ in stored)
    assert b"a b" not in b"".join(file.read_bytes() for file in (quick.folder / "data").iterdir())


def test_csv_passwords_are_taken_as_they_are(quick: QuickShell) -> None:
    quick.ok("user", "import", given(quick, "u.csv", 'username,password\nanna,""\nbert,12345\n'), **QUICK)
    errors = quick.fails(1, "user", "import", given(quick, "v.csv", "username,password\ncarl,\nan,5\n"), **QUICK)
    assert "v.csv:3: username: Username must be at least 3 characters long." in errors


def test_property_that_may_be_a_password(quick: QuickShell) -> None:
    file = given(quick, "u.jsonl", lines(MONACA | {"password": "geheim"}))
    noted = quick.run("user", "import", file).stderr
    assert noted.startswith("Note: password becomes a property that everybody reads.")
    assert "geheim" not in noted


def test_from_standard_input(shell: Shell) -> None:
    assert "say --format" in shell.fails(2, "user", "import", "-")
    printed = shell.ok("user", "import", "-", "--format", "jsonl", "--json", stdin=lines(MONACA))
    assert json.loads(printed) == {"added": 1, "updated": 0, "skipped": 0, "bad": []}


# --- bad records -----------------------------------------------------------------------------------------

GOOD = '{"username": "good"}\n'
BAD_LINES = [
    ('{"username": "anna"', "2: The record is not valid JSON (column 20: Expecting ',' delimiter)."),
    ('{"username": "anna", "username": "bert"}', "2: The record has the same key twice."),
    ('{"username": "anna", "a": NaN}', "2: The record holds NaN, which is not JSON."),
    ('{"username": "anna", "a": ' + "[" * 40 + "]" * 40 + "}", "2: The record is nested deeper than 32 levels."),
    ('{"username": "anna", "a": ' + "[" * 30 + "]" * 30 + "}", "2: properties: Properties must not be nested deeper"),
    ('{"username": "anna", "a": "\xff"}'.encode("latin-1"), "2: The record is not UTF-8."),
    ("[1]", "2: The record is not a JSON object."),
    ("{}", "2: username: Username is required."),
    ('{"username": null}', "2: username: Username is required."),
    ('{"username": "an"}', "2: username: Username must be at least 3 characters long."),
    ('{"username": "a nna"}', "2: username: Username must not contain spaces"),
    ('{"username": 12345}', "2: username: Username must be a string."),
    ('{"username": "' + "a" * 256 + '"}', "2: username: Username must not be longer than 255 characters."),
    (r'{"username": "anna\ud800"}', "2: _username: The value must not contain a lone surrogate."),
    ('{"username": "GOOD"}', "2: username: The same username is on line 1, record 1."),
    ('{"username": "TAKEN"}', "2: username: Username is already taken."),
    ('{"_username": "anna", "_id": "' + OTHER_ID + '"}', "2: id: Another user has this id."),
    ('{"username": "anna", "a": ' + "9" * 22 + "}", "2: a: The value must not contain an integer of more than 21"),
    ('{"username": "anna", "a": "' + "x" * 512_000 + '"}', "2: properties: The properties of a user must not take"),
    ('{"username": "anna", "createdAt": "soon"}', "2: _createdAt: The time must be milliseconds since 1970 UTC"),
    ('{"username": "anna", "updatedAt": -1}', "2: _updatedAt: The time must be milliseconds since 1970 UTC"),
    ('{"username": "anna", "updatedAt": true}', "2: _updatedAt: The time must be milliseconds since 1970 UTC"),
    ('{"username": "anna", "id": 1, "objectId": 2}', "2: objectId: There are several values for _id"),
    ('{"username": "anna", "password": 12345}', "2: password: Password must be a string."),
    ('{"username": "anna", "password": ""}', "2: password: The password is empty"),
    ('{"username": "anna", "password": "' + "x" * 1025 + '"}', "2: password: Password must not be longer than 1024"),
    ('{"username": "anna", "password": "' + BCRYPT + '"}', "2: password: This looks like the hash of a password"),
    ('{"username": "anna", "password_hash": "secret"}', "2: passwordHash: The hash is in no known form"),
    ('{"username": "anna", "password_hash": 5}', "2: passwordHash: The hash must be a string."),
    (
        '{"username": "anna", "password_hash": "$2a$31$' + BCRYPT[7:] + '"}',
        "2: passwordHash: The hash has a bcrypt cost",
    ),
    ('{"username": "anna", "password": "a", "password_hash": "b"}', "2: passwordHash: There are both a password and"),
]


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A folder with one user, for tests that change nothing."""
    shell = QuickShell(tmp_path_factory.mktemp("taken"))
    shell.ok("user", "import", given(shell, "first.jsonl", lines({"_username": "taken", "_id": OTHER_ID})))
    return shell


@pytest.mark.parametrize(("bad", "message"), BAD_LINES, ids=[message[:40] for _, message in BAD_LINES])
def test_one_bad_line(taken: Shell, bad: str | bytes, message: str) -> None:
    line = bad.encode() if isinstance(bad, str) else bad
    file = given(taken, "u.jsonl", GOOD.encode() + line + b"\n" + GOOD.replace("good", "better").encode())
    errors = taken.fails(1, "user", "import", file)
    assert f"u.jsonl:{message}" in errors
    assert errors.endswith("Error: 1 record is bad. Nothing was imported.\n")
    assert len(errors) < 500
    assert [user["_username"] for user in listed(taken)] == ["taken"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("username,a\nanna,1\nbert\n", "u.csv:3: The row has 1 cells, the header 2."),
        ('username,a\nanna,"1\n2"\nbert\n', "u.csv:4: The row has 1 cells, the header 2."),
        ('username,a\nanna,"x" y\nbert,1\n', "u.csv:2: The row is not CSV: "),
        ('username,a\nanna,"x\n', "u.csv:2: The row is not CSV: unexpected end of data."),
        (b"username,a\nanna,\xff\n", "u.csv:2: The row is not UTF-8."),
        ("username,a,a\nanna,1,2\n", "u.csv: line 1: there are several columns for a"),
        ("username,\nanna,1\n", "u.csv: line 1: the header must give every column a name."),
        ("", "u.csv: line 1: the header must give every column a name."),
    ],
)
def test_bad_csv(taken: Shell, content: str | bytes, message: str) -> None:
    errors = taken.fails(1, "user", "import", given(taken, "u.csv", content))
    assert message in errors
    assert errors.endswith("Nothing was imported.\n")


@pytest.mark.parametrize(
    ("name", "renamed"),
    [
        ("first_name", "first_name=firstName"),
        ("FIRST_NAME", "FIRST_NAME=firstName"),
        ("favourite-colour", "favourite-colour=favouriteColour"),
        ("First Name", "'First Name=firstName'"),
        ("2nd", "2nd=nd"),
        ("prénom", "'prénom=prenom'"),
        ("名前", "'名前=NAME'"),
        ("_acl", "_acl=acl"),
    ],
)
def test_name_that_no_property_can_have_is_said_once(taken: Shell, name: str, renamed: str) -> None:
    records = [{"username": f"anna{number}", name: number} for number in range(3)]
    file = given(taken, "u.jsonl", lines(*records) + "{}\n")
    hint, bad, end = taken.fails(1, "user", "import", file).splitlines()
    wrong = "There is no such field" if name.startswith("_") else "Property names must consist of the letters"
    assert hint.startswith(f"u.jsonl, 3 records: {name}: {wrong}")
    assert f"; say --map {renamed}, or --drop " in hint
    assert bad == "u.jsonl:4: username: Username is required."
    assert end == "Error: 4 records are bad. Nothing was imported."
    if "NAME'" not in renamed:  # what is said works when it is pasted
        taken.ok("user", "import", given(taken, "v.jsonl", lines(*records)), "--dry-run", "--map", renamed.strip("'"))


def test_what_a_file_holds_does_nothing_to_the_terminal(taken: Shell) -> None:
    said = taken.fails(1, "user", "import", given(taken, "u.jsonl", lines({"username": "anna", "\x1b[2J": 1})))
    assert "\x1b" not in said
    assert "u.jsonl, 1 record: \\u001b[2J: Property names" in said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"username": "anna"}\n{"username": "bert"}]', "line 2: the file is not valid JSON: a comma"),
        ('[{"username": "anna"},\n{"username": }]', "line 2, column 14: the file is not valid JSON"),
        ('[{"username": "anna"},\n', "line 2, column 1: the file is not valid JSON"),
        ('{"results": [{"username": "anna"}', "line 1: the file is not valid JSON: a comma"),
        (b'[{"username":\n"\xff"}]', "line 2: the file is not UTF-8"),
        ("[\n" + "[" * 100_000, "line 2: the record is nested deeper than 32 levels"),
        ('[{"username": "anna"}, {"username": "b"}]', "u.json:1 (record 2): username: Username must be at least"),
        (
            '[{"username": "anna"}, {"username": "ANNA"}]',
            "u.json:1 (record 2): username: The same username is on line 1",
        ),
        ('[{"username": "anna", "a": 1, "a": 2}]', "u.json:1 (record 1): The record has the same key twice."),
    ],
)
def test_bad_json(taken: Shell, content: str | bytes, message: str) -> None:
    errors = taken.fails(1, "user", "import", given(taken, "u.json", content))
    assert message in errors
    assert errors.endswith("Nothing was imported.\n")


def test_missing_file_and_wrong_options(taken: Shell) -> None:
    assert "gone.csv cannot be read: No such file or directory." in taken.fails(1, "user", "import", "gone.csv")
    assert "say --format" in taken.fails(2, "user", "import", "users.txt")
    assert "say OLD=NEW" in taken.fails(2, "user", "import", "u.csv", "--map", "a")
    assert "there is send_password_token" in taken.fails(2, "user", "import", "u.csv", "--template", "x")
    assert "there is _username, email" in taken.fails(2, "user", "import", "u.csv", "--email-property", "x")


def test_only_the_first_errors_are_printed(taken: Shell) -> None:
    errors = taken.fails(1, "user", "import", given(taken, "u.jsonl", "{}\n" * 150))
    assert len(errors.splitlines()) == 102
    assert "… and 50 more." in errors
    assert "150 records are bad" in errors


def test_skip_bad_imports_the_others(quick: QuickShell) -> None:
    file = given(quick, "u.jsonl", GOOD + "{}\n" + '{"username": "GOOD"}\n{"username": "better"}\n')
    dry = quick.run("user", "import", file, "--skip-bad", "--dry-run")
    assert (dry.returncode, dry.stdout) == (1, "2 ready to import, 0 skipped, 2 bad.\n")
    assert listed(quick) == []
    imported = quick.run("user", "import", file, "--skip-bad", "--json")
    assert imported.returncode == 1
    assert imported.stderr.endswith("Error: 2 records are bad and left out.\n")
    done = json.loads(imported.stdout)
    assert done["added"] == 2
    assert done["bad"] == [
        {"line": 2, "record": 2, "name": "username", "reason": "Username is required."},
        {"line": 3, "record": 3, "name": "username", "reason": "The same username is on line 1, record 1."},
    ]
    assert [user["_username"] for user in listed(quick)] == ["good", "better"]


def test_refused_import_says_so_in_json(quick: QuickShell) -> None:
    completed = quick.run("user", "import", given(quick, "u.jsonl", "{}\n"), "--json")
    assert completed.returncode == 1
    assert json.loads(completed.stdout)["added"] == 0


# --- users that exist ------------------------------------------------------------------------------------


def test_existing_users(quick: QuickShell) -> None:
    first = given(quick, "1.jsonl", lines({"username": "anna", "a": 1, "b": 1, "updatedAt": 5}, {"username": "bert"}))
    quick.ok("user", "import", first)
    before = listed(quick)
    new = {"username": "ANNA", "b": [2], "updatedAt": "2033-01-01", "passwordHash": BCRYPT}
    second = given(quick, "2.jsonl", lines(new, {"username": "carl"}))
    quick.fails(1, "user", "import", second)
    assert (
        quick.ok("user", "import", second, "--existing", "skip", "--dry-run")
        == "1 ready to import, 1 skipped, 0 bad.\n"
    )
    assert listed(quick) == before
    printed = quick.ok("user", "import", second, "--existing", "update")
    assert printed == "1 added, 1 updated, 0 skipped, 0 bad.\n"
    anna, bert, carl = listed(quick)
    assert anna == before[0] | {"b": [2], "_updatedAt": 1988150400000}
    assert bert == before[1]
    assert carl["_username"] == "carl"
    hashes = [
        json.loads(line).get("_passwordHash") for line in quick.ok("user", "export", "-", "--with-hashes").splitlines()
    ]
    assert hashes == [BCRYPT, None, None]  # anna had no password
    other = BCRYPT.replace("E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy")
    third = given(quick, "3.jsonl", lines({"username": "anna", "passwordHash": other}))
    quick.ok("user", "import", third, "--existing", "update")
    assert BCRYPT in quick.ok("user", "export", "-", "--with-hashes")  # and keeps the one she has


def test_properties_that_grow_too_large(quick: QuickShell) -> None:
    quick.ok("user", "import", given(quick, "1.jsonl", lines({"username": "anna", "a": "x" * 300_000})))
    before = listed(quick)
    file = given(quick, "2.jsonl", lines({"username": "bert"}, {"username": "anna", "b": "x" * 300_000}))
    errors = quick.fails(1, "user", "import", file, "--existing", "update")
    assert "2.jsonl:2: properties: The properties of a user must not take more than 512,000 bytes." in errors
    assert listed(quick) == before


# --- interrupted, and beside others ----------------------------------------------------------------------


@contextlib.contextmanager
def importing(shell: Shell) -> "Iterator[subprocess.Popen[bytes]]":
    """An import that reads from a pipe."""
    command = [sys.executable, "-m", "jsonrpc_backend", "user", "import", "-", "--format", "jsonl"]
    process = subprocess.Popen(
        command, cwd=shell.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted_import_leaves_nothing(shell: Shell, number: signal.Signals) -> None:
    shell.ok("user", "import", given(shell, "u.jsonl", lines({"username": "anna"})))
    with importing(shell) as process:
        # More than a pipe holds: when all is written, the process is reading.
        assert process.stdin is not None
        process.stdin.write(b"".join(b'{"username": "user%d", "a": "%s"}\n' % (n, b"x" * 1000) for n in range(500)))
        process.stdin.flush()
        process.send_signal(number)
        _, errors = process.communicate()
    assert process.returncode != 0
    assert b"Traceback" not in errors
    assert [user["_username"] for user in listed(shell)] == ["anna"]
    assert {file.name for file in (shell.folder / "data").iterdir()} <= {
        "app.sqlite3",
        "app.sqlite3-wal",
        "app.sqlite3-shm",
        "app.sqlite3-writer",
        "app.sqlite3-next",
    }


def test_user_who_comes_while_passwords_are_hashed(tmp_path: Path) -> None:
    """All or nothing holds to the last moment; with skip_bad the others go in."""
    path = tmp_path / "app.sqlite3"
    rules = ImportRules(BackendConfig(api_key="k"), now=1, keep_ids=True)
    for skip_bad in (False, True):
        with contextlib.closing(open_for_writing(path)) as db, contextlib.closing(open_for_writing(path)) as other:
            intake = Intake.begin(db, rules, Existing.REFUSE)
            names = [f"anna{skip_bad}", f"bert{skip_bad}"]
            for number, name in enumerate(names, 1):
                intake.take(Record(number, number + 10, {"_username": name}))
            assert intake.compare() == 0
            users.insert(
                other,
                id=f"u{skip_bad}",
                username=names[0],
                username_key=names[0].lower(),
                password_hash="!",
                properties_json="{}",
                lot=draw_lot(),
                now=1,
            )
            moved = intake.move(db, skip_bad=skip_bad, act=Act(Operator(COMMAND_LINE, "anna"), "user import", 1))
            taken = [user.username for user in users.list_all(other)]
            if skip_bad:
                assert moved is not None
                assert taken[-1] == names[1]
            else:
                assert moved is None
                assert taken == names[:1]
                assert [(bad.line, bad.reason) for bad in intake.bad] == [(11, "Username is already taken.")]


async def test_running_server_goes_on(shell: Shell, served: ServerProcess, http: aiohttp.ClientSession) -> None:
    file = given(shell, "u.jsonl", lines(*({"username": f"user{number}", "a": number} for number in range(5000))))
    done = threading.Event()

    def run_import() -> str:
        try:
            return shell.ok("user", "import", file)
        finally:
            done.set()

    running = asyncio.create_task(asyncio.to_thread(run_import))
    app, calls = Wire(http, served), 0
    await app.register("anna")
    while not done.is_set() or calls < 5:
        assert (await app.call("User.saveProperty", name="calls", value=calls)).result == "OK"
        calls += 1
    assert (await running).startswith("5000 added")
    assert (await app.elsewhere().call("User.validate", username="user4999")).data == {
        "username": "Username is already taken."
    }


def test_no_progress_bar_in_a_pipe(shell: Shell) -> None:
    completed = shell.run("user", "import", given(shell, "u.jsonl", lines({"username": "anna", "password": "secret"})))
    assert completed.stderr == ""


@pytest.mark.slow
def test_progress_bar_on_a_terminal(shell: Shell) -> None:
    file = given(shell, "u.jsonl", lines(*({"username": f"user{n}", "password": "secret"} for n in range(20))))
    master, slave = os.openpty()
    command = [sys.executable, "-m", "jsonrpc_backend", "user", "import", file]
    completed = subprocess.run(
        command, cwd=shell.folder, stdout=subprocess.PIPE, stderr=slave, env={**os.environ, **QUICK}, check=True
    )
    os.close(slave)
    drawn = os.read(master, 65536)
    os.close(master)
    assert b"Hashing passwords" in drawn
    assert b"100%" in drawn
    assert completed.stdout == b"20 added, 0 updated, 0 skipped, 0 bad.\n"
