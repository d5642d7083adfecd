"""`user export`, and the way back: what is exported makes the same users again."""

import contextlib
import csv
import json
import random
import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import argon2
import pytest

from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from tests.conftest import StartServer
from tests.shell import QuickShell, Shell
from tests.wire import Wire

BCRYPT = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"  # of U*U

AWKWARD: list[Any] = [
    *["", " ", "5", " 5", "5.0", "-0", "1e5", "1e999", "0123", "9" * 25, "true", "null", "NaN", "[]", "{}", '{"a":1}'],
    *[
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20SUM(A1)",
        '"quoted"',
        '"',
        "a,b;c\td",
        "line\nbreak",
        "cr\rlf\r\n",
        "\u2028",
        "\ufeff",
    ],
    *["Ärger 😀", "\x00", "\x7f", "it's", ";=1+1", 'a; "@b', "\\n", "x" * 5000, "hello"],
    *[5, 5.0, -0.0, 10**20, -(10**20), 1e308, 5e-324, 0.1, True, False, None, [], {}, [None], ["5", 5]],
    {"a": {"b": [1, "2", None, {"__proto__": "ok"}]}, "": 1},
    [[[[[[[[[[[[[[[[[[[[[[[[[[[[["deep"]]]]]]]]]]]]]]]]]]]]]]]]]]]]],
]
USERNAMES = ["user{}@example.com", "Ünïcode{}", "=name{}", "+49170{}", "a;=1{}", "{}0000", '"q"{}']
NAMES = ["nickname", "email", "id", "username", "createdAt", "constructor", "a1", "toString"]


def make_users(path: Path, count: int) -> None:
    """Users as the server stores them, with all kinds of values."""
    chance, shared = random.Random(7), argon2.PasswordHasher(1, 64, 1).hash("secret")
    with contextlib.closing(open_for_writing(path)) as db:
        db.execute("BEGIN")
        for number in range(count):
            username = chance.choice(
                ["user{}@example.com", "Ünïcode{}", "=name{}", "+49170{}", "a;=1{}", "{}0000", '"q"{}']
            )
            username = username.format(number)
            properties = {name: chance.choice(AWKWARD) for name in chance.sample(NAMES, chance.randrange(5))}
            if number < len(AWKWARD):
                properties["all"] = AWKWARD[number]
            db.execute(
                "INSERT INTO users (id, username, username_key, password_hash, created_at, updated_at, properties)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    f"u{number:08x}-0000-4000-8000-{chance.randrange(16**12):012x}",
                    username,
                    username_key(username),
                    [shared, BCRYPT, "!"][number % 3],
                    chance.randrange(2**41),
                    chance.randrange(2**41),
                    json.dumps(properties, ensure_ascii=False, separators=(",", ":")),
                ),
            )
        db.execute("COMMIT")


def stored(path: Path) -> list[tuple[Any, ...]]:
    """All that is kept of each user; of properties the order does not count, the type of each number does."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        columns = "id, username, username_key, password_hash, created_at, updated_at, properties"
        rows = db.execute(f"SELECT {columns} FROM users ORDER BY key").fetchall()
    return [(*row[:-1], json.dumps(json.loads(row[-1]), sort_keys=True)) for row in rows]


# jsonl and csv on different workers: most of the time goes into the schemas.
@pytest.mark.slow
@pytest.mark.parametrize("ending", ["jsonl", "csv"])
async def test_round_trip(quick: QuickShell, start: StartServer, http: aiohttp.ClientSession, ending: str) -> None:
    make_users(quick.folder / "old" / "app.sqlite3", 10_000)
    file = f"users.{ending}"
    printed = quick.ok("user", "export", file, "--with-hashes", "--data", "old")
    assert printed == f"Exported 10000 users to {file}.\n"
    assert quick.ok("user", "import", file).startswith("10000 added")
    before, after = stored(quick.folder / "old" / "app.sqlite3"), stored(quick.folder / "data" / "app.sqlite3")
    assert len(before) == 10_000
    assert before == after
    server = await start()
    for index, password in ((0, "secret"), (1, "U*U"), (9999, "secret")):
        answer = await Wire(http, server).call("User.login", username=before[index][1], password=password)
        assert answer.result["user"]["_id"] == before[index][0]
    assert (await Wire(http, server).call("User.login", username=before[2][1], password="!")).code == -32602


@pytest.fixture
def three(quick: QuickShell) -> QuickShell:
    """A folder with three users."""
    records = [
        {"_username": name, "age": 5, "text": text} for name, text in (("anna", "5"), ("bert", "a\nb"), ("carl", "=1"))
    ]
    (quick.folder / "u.jsonl").write_text("\n".join(map(json.dumps, records)))
    quick.ok("user", "import", "u.jsonl")
    return quick


def test_csv_that_a_spreadsheet_cannot_run(three: QuickShell) -> None:
    three.ok("user", "export", "x.csv")
    with (three.folder / "x.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["_id", "_username", "_createdAt", "_updatedAt", "age", "text"]
    assert [row[4:] for row in rows[1:]] == [["5", '"5"'], ["5", '"a\\nb"'], ["5", '"=1"']]


@pytest.mark.parametrize("sign", "=+-@\uff1d\uff0b\uff0d\uff20")
def test_text_that_begins_as_a_formula_is_quoted(quick: QuickShell, sign: str) -> None:
    record = {"username": f"{sign}name", "text": f"{sign}1+1", "other": f"1{sign}1"}
    (quick.folder / "u.jsonl").write_text(json.dumps(record))
    quick.ok("user", "import", "u.jsonl")
    quick.ok("user", "export", "x.csv")
    with (quick.folder / "x.csv").open(newline="") as file:
        _, row = csv.reader(file)
    assert row[1] == f'"{sign}name"'
    assert row[4:] == [f"1{sign}1", f'"{sign}1+1"']


def test_csv_that_is_split_at_semicolons_cannot_run_either(three: QuickShell) -> None:
    texts = ["a;=1+1", "a; +1", 'a;"-1', "a;;@b", "a;b"]
    properties = json.dumps({"text": texts[0], "list": texts, "plain": "a;b"})
    three.ok("user", "add", "d;=e", "--properties", properties, "--password-stdin", stdin="password")
    three.ok("user", "export", "x.csv")
    for line in (three.folder / "x.csv").read_text().splitlines():
        assert not re.search(r'; *"*[=+@-]', line)
    before = json.loads(three.ok("user", "show", "d;=e", "--json"))
    assert before["list"] == texts
    three.ok("user", "delete", "d;=e", "--yes")
    three.ok("user", "import", "x.csv", "--existing", "skip")
    assert json.loads(three.ok("user", "show", "d;=e", "--json")) == before


def test_hashes_only_on_demand_and_files_for_the_owner(three: QuickShell) -> None:
    (three.folder / "b.jsonl").write_text(json.dumps({"username": "dora", "passwordHash": BCRYPT}))
    three.ok("user", "import", "b.jsonl")
    for ending in ("jsonl", "csv"):
        three.ok("user", "export", f"with.{ending}", "--with-hashes")
        three.ok("user", "export", f"without.{ending}")
        assert BCRYPT in (three.folder / f"with.{ending}").read_text()
        assert "$2a$" not in (three.folder / f"without.{ending}").read_text()
        assert stat.S_IMODE((three.folder / f"with.{ending}").stat().st_mode) == 0o600
    assert not list(three.folder.glob("*.part"))


def test_what_is_printed(three: QuickShell) -> None:
    assert three.ok("user", "export", "a.jsonl") == "Exported 3 users to a.jsonl.\n"
    assert json.loads(three.ok("user", "export", "b.jsonl", "--json")) == {"users": 3, "file": "b.jsonl"}
    piped = three.run("user", "export", "-")
    assert piped.stdout == (three.folder / "a.jsonl").read_text()
    assert piped.stderr == "Exported 3 users.\n"
    assert three.run("user", "export", "-", "--format", "csv").stdout.startswith("_id,_username,")
    assert [json.loads(line)["_username"] for line in piped.stdout.splitlines()] == ["anna", "bert", "carl"]
    first = json.loads(piped.stdout.splitlines()[0])["_id"]
    assert three.ok("user", "export", "-", "--after", first) == "".join(piped.stdout.splitlines(keepends=True)[1:])


def test_refusals(three: QuickShell) -> None:
    (three.folder / "mine.csv").write_text("mine")
    assert "mine.csv exists already and was left as it is" in three.fails(1, "user", "export", "mine.csv")
    assert (three.folder / "mine.csv").read_text() == "mine"
    three.ok("user", "export", "mine.csv", "--force")
    assert "ends in .jsonl or .csv" in three.fails(2, "user", "export", "mine.json")
    assert "gone/x.csv.part cannot be written: No such file" in three.fails(1, "user", "export", "gone/x.csv")
    assert "There is no user x any more" in three.fails(1, "user", "export", "-", "--after", "x")
    assert "--continue goes with a file" in three.fails(2, "user", "export", "-", "--continue")
    assert "There is no new.csv.part to continue" in three.fails(1, "user", "export", "new.csv", "--continue")


# --- interrupted -----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["jsonl", "csv"])
@pytest.mark.parametrize("with_hashes", [False, True])
def test_continued_wherever_it_was_cut(three: QuickShell, ending: str, with_hashes: bool) -> None:
    options = ["--with-hashes"] if with_hashes else []
    three.ok("user", "export", f"all.{ending}", *options)
    complete = (three.folder / f"all.{ending}").read_bytes()
    file, part = f"x.{ending}", f"x.{ending}{'.hashes' if with_hashes else ''}.part"
    header = complete.index(b"\n") + 1 if ending == "csv" else 0
    for cut in range(header, len(complete) + 1, 7):
        (three.folder / part).write_bytes(complete[:cut])
        three.ok("user", "export", file, "--continue", "--force", *options)
        assert (three.folder / file).read_bytes() == complete
        assert not (three.folder / part).exists()


def test_what_cannot_be_continued(three: QuickShell) -> None:
    three.ok("user", "export", "all.csv")
    complete = (three.folder / "all.csv").read_bytes()
    cases = {
        "has other columns": complete.replace(b"age", b"old"),
        "is damaged": complete.splitlines(keepends=True)[0] + b"\n",
        "There is no user": complete.splitlines(keepends=True)[0] + b"u1,x,1,1,,\n",
    }
    for message, content in cases.items():
        (three.folder / "x.csv.part").write_bytes(content)
        assert message in three.fails(1, "user", "export", "x.csv", "--continue")
        assert (three.folder / "x.csv.part").exists()
        assert not (three.folder / "x.csv").exists()
    three.ok("user", "export", "x.csv")
    assert (three.folder / "x.csv").read_bytes() == complete


@pytest.mark.parametrize("kind", ["link", "second name"])
def test_file_that_somebody_else_has_put_there_is_not_continued(three: QuickShell, kind: str) -> None:
    three.ok("user", "export", "all.jsonl")
    theirs, part = three.folder / "theirs", three.folder / "x.jsonl.part"
    theirs.write_bytes((three.folder / "all.jsonl").read_bytes()[:-1])
    before = theirs.read_bytes()
    if kind == "link":
        part.symlink_to(theirs)
    else:
        part.hardlink_to(theirs)
    reason = "is a symbolic link" if kind == "link" else "is not yours alone"
    assert f"x.jsonl.part {reason}; leave out --continue." in three.fails(1, "user", "export", "x.jsonl", "--continue")
    assert theirs.read_bytes() == before
    three.ok("user", "export", "x.jsonl")
    assert theirs.read_bytes() == before
    assert (three.folder / "x.jsonl").read_bytes() == (three.folder / "all.jsonl").read_bytes()


def test_one_moment_while_others_write(shell: Shell) -> None:
    """The export waits for its reader; who comes meanwhile is not in it, who goes is."""
    path = shell.folder / "data" / "app.sqlite3"
    make_users(path, 3000)
    command = [sys.executable, "-m", "jsonrpc_backend", "user", "export", "-"]
    # Without a buffer of ours, in which communicate would not find what readline has left.
    process = subprocess.Popen(command, bufsize=0, cwd=shell.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    first = process.stdout.readline()
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(
            "INSERT INTO users (id, username, username_key, password_hash, created_at, updated_at)"
            " VALUES ('new', 'new', 'new', '!', 1, 1)"
        )
        db.execute("DELETE FROM users WHERE key = (SELECT max(key) FROM users WHERE key < 9999)")
    rest, errors = process.communicate()
    exported = [json.loads(line)["_username"] for line in [first, *rest.splitlines()]]
    assert process.returncode == 0
    assert errors == b"Exported 3000 users.\n"
    assert len(exported) == 3000
    assert "new" not in exported


def test_reader_that_goes_away(shell: Shell) -> None:
    make_users(shell.folder / "data" / "app.sqlite3", 3000)
    command = [sys.executable, "-m", "jsonrpc_backend", "user", "export", "-"]
    process = subprocess.Popen(command, cwd=shell.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.wait() == 1
