"""`collection export`, and the way back: what is exported makes the same items again."""

import contextlib
import csv
import json
import random
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsonrpc_backend.store import collections, item_rights, items
from jsonrpc_backend.store.collections import Settings
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.item_rights import PUBLIC, RIGHTS
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from jsonrpc_backend.store.users import encode_properties
from tests.shell import QuickShell
from tests.test_export import AWKWARD

NAMES = ["text", "a_b", "id", "objectId", "createdAt", "acl", "ACL", "monaca_id", "constructor", "A1", "results"]
USERS = ["u01234567-89ab-4cde-8f01-23456789abcd", "old-user", "Zz9"]
DEVICES = ["tablet", "=1+1", '"', "d;=x", "ä" * 255]
OWNERS = [*((user, None) for user in USERS), *((None, device) for device in DEVICES), (None, None)]

SHALLOW = [each for each in AWKWARD if each != "\0" and "deep" not in str(each)]

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.sampled_from(SHALLOW),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
PROPERTIES = st.dictionaries(st.sampled_from(NAMES), VALUES | st.just(AWKWARD[-1]), max_size=4)
RIGHTS_TEXTS = st.sampled_from(list(RIGHTS))
TIMES = st.integers(0, 253_402_300_799_999)


@st.composite
def new_items(draw: st.DrawFn) -> dict[str, Any]:
    owner, device = draw(
        st.sampled_from([*((user, None) for user in USERS), *((None, each) for each in DEVICES), (None, None)])
    )
    grants = draw(st.dictionaries(st.sampled_from(USERS), st.sampled_from(["r", "w", "rw"]), max_size=3))
    return {
        "owner": owner,
        "device": device,
        "properties_json": encode_properties(
            draw(st.dictionaries(st.sampled_from(NAMES), VALUES | st.just(AWKWARD[-1]), max_size=4))
        ),
        "permission": item_rights.parsed({PUBLIC: draw(RIGHTS_TEXTS), **grants}),
        "created_at": draw(TIMES),
        "updated_at": draw(TIMES),
    }


SETTINGS = st.builds(
    Settings,
    st.booleans(),
    RIGHTS_TEXTS.map(RIGHTS.__getitem__),
    st.sampled_from(["private", "all", "none"]),
    st.sampled_from([(), ("text",), ("a_b", "results")]),
)
IDS = st.from_regex("[a-zA-Z0-9_-]{1,64}", fullmatch=True)
CONTENTS = st.dictionaries(
    st.sampled_from(["diary", "Diary", "collections", "collection_x", "a-1"]),
    st.tuples(SETTINGS, TIMES, st.dictionaries(IDS, new_items(), max_size=4)),
    min_size=1,
    max_size=3,
)


@contextlib.contextmanager
def database(folder: Path) -> Iterator[Any]:
    with contextlib.closing(open_for_writing(folder / "app.sqlite3")) as db:
        yield db


def fill(db: Db, contents: Any) -> None:
    for name, (its_settings, created_at, new) in contents.items():
        collections.insert(db, name, its_settings, created_at)
        collection = collections.find(db, name)
        assert collection is not None
        for item_id, values in new.items():
            items.insert(db, collection, id=item_id, **values)


def state(folder: Path) -> list[Any]:
    """All that is kept; of properties the order does not count, the type of each number does."""
    tables = {
        "collections": "name, insertable, default_read, default_write, delete_with_owner, indexes, created_at",
        "items": "collections.name, id, owner, device, public_read, public_write, items.created_at, updated_at",
        "grants": "items.id, user, reads, writes, opens, grants.created_at",
        "item_values": "items.id, property, rank, number, string",
        "upkeep": "*",
    }
    joins = {
        "items": " JOIN collections ON collections.key = collection ORDER BY collections.name, items.key",
        "grants": " JOIN items ON items.key = item ORDER BY items.id, user",
        "item_values": " JOIN items ON items.key = item ORDER BY items.id, property",
        "collections": " ORDER BY name",
    }
    with database(folder) as db:
        rows = [
            db.execute(f"SELECT {columns} FROM {name}{joins.get(name, '')}").fetchall()
            for name, columns in tables.items()
        ]
        properties = db.execute(f"SELECT properties FROM items{joins['items']}").fetchall()
    return [*rows, [json.dumps(json.loads(text), sort_keys=True) for (text,) in properties]]


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(contents=CONTENTS)
def test_round_trip_loses_nothing(tmp_path_factory: pytest.TempPathFactory, contents: Any) -> None:
    shell = QuickShell(tmp_path_factory.mktemp("trip"))
    with database(shell.folder / "old") as db:
        db.write(lambda db: fill(db, contents))
    before = state(shell.folder / "old")
    shell.ok("collection", "export", "--all", "all.zip", "--data", "old")
    shell.ok("collection", "import", "all.zip", "--create", "--data", "zip")
    assert state(shell.folder / "zip") == before
    for ending in ("jsonl", "csv"):
        with database(shell.folder / ending) as db:
            db.write(lambda db: fill(db, {name: (*rest, {}) for name, (*rest, _) in contents.items()}))
        for name in contents:
            shell.ok("collection", "export", name, f"{name}.{ending}", "--data", "old")
            shell.ok("collection", "import", f"{name}.{ending}", "--collection", name, "--data", ending)
        assert state(shell.folder / ending) == before


@pytest.fixture
def three(quick: QuickShell) -> QuickShell:
    """A folder with a collection of three items."""
    (quick.folder / "diary.jsonl").write_text("".join(f'{{"_id": "{name}", "text": "={name}"}}\n' for name in "bac"))
    quick.ok("collection", "import", "diary.jsonl", "--create")
    return quick


def test_csv_that_a_spreadsheet_cannot_run(three: QuickShell) -> None:
    extra = {"_id": "-d", "_ownerDeviceOid": "@x", "n": -5, "s": "5", "l": [1], "e": "", "0": None}
    (three.folder / "diary.jsonl").write_text(json.dumps({**extra, "z": None} | {"text": "t"}).replace('"0"', '"o"'))
    three.ok("collection", "import", "diary.jsonl")
    three.ok("collection", "export", "diary", "x.csv")
    with (three.folder / "x.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header[:3] == ["_id", "_ownerUserOid", "_ownerDeviceOid"]
    assert header[5:] == ["_permission", "e", "l", "n", "o", "s", "text", "z"]
    assert [row[0] for row in rows] == ["b", "a", "c", '"-d"']
    assert [row[11] for row in rows] == ['"=b"', '"=a"', '"=c"', "t"]
    assert rows[3][2] == '"@x"'
    assert rows[3][5:] == ['{"public":""}', '""', "[1]", "-5", "null", '"5"', "t", "null"]


def test_file_is_its_owners_and_replaces_none(three: QuickShell) -> None:
    for destination in (["diary", "x.jsonl"], ["--all", "x.zip"]):
        printed = three.ok("collection", "export", *destination)
        file = three.folder / destination[1]
        assert printed == f"Exported 3 items of 1 collection to {file.name}.\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        before = file.read_bytes()
        errors = three.fails(1, "collection", "export", *destination)
        assert errors == f"Error: {file.name} exists already and was left as it is.\n"
        assert file.read_bytes() == before


def test_nothing_is_left_of_an_export_that_fails(three: QuickShell, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(three.folder.iterdir())
    assert "Collection not found." in three.fails(1, "collection", "export", "none", "x.jsonl")
    assert "cannot be written: No such file" in three.fails(1, "collection", "export", "diary", "no/x.jsonl")
    with (three.folder / "data" / "app.sqlite3").open("r+b") as file:
        file.truncate(file.seek(0, 2) - 4096 * 3)
    assert three.run("collection", "export", "diary", "x.jsonl").returncode in {1, 4}
    assert set(three.folder.iterdir()) == before


def test_wrong_usage(three: QuickShell) -> None:
    for arguments in ([], ["diary"], ["diary", "x.jsonl", "--all", "x.zip"]):
        assert "Say NAME and FILE, or --all DEST.zip." in three.fails(2, "collection", "export", *arguments)
    assert "ends in .jsonl or .csv" in three.fails(2, "collection", "export", "diary", "x.json")
    assert "ends in .zip" in three.fails(2, "collection", "export", "--all", "x.jsonl")


def test_zip_of_all(three: QuickShell) -> None:
    three.ok("collection", "create", "empty", "--insertable", "--index", "tag")
    three.ok("collection", "export", "--all", "x.zip")
    with zipfile.ZipFile(three.folder / "x.zip") as archive:
        assert archive.namelist() == ["collections.json", "collection_diary.jsonl", "collection_empty.jsonl"]
        assert [each["_id"] for each in json.loads(archive.read("collections.json"))] == ["diary", "empty"]
        assert archive.read("collection_diary.jsonl").count(b"\n") == 3


def test_definitions_that_are_none(quick: QuickShell) -> None:
    for content, message in (
        ("[", "collections.json is not valid JSON"),
        ("{}", "collections.json is not a list of collections"),
        ("[1]", "collections.json has a definition that is no object"),
        ('[{"_id": "a b"}]', "collections.json, collection a b: The name of a collection must consist of"),
        ('[{"_id": "a", "_createdAt": "x"}]', "collections.json, collection a: _createdAt is no time"),
    ):
        with zipfile.ZipFile(quick.folder / "x.zip", "w") as archive:
            archive.writestr("collections.json", content)
        assert message in quick.fails(1, "collection", "import", "x.zip", "--create")


@pytest.mark.parametrize("seed", range(3))
def test_order_of_insertion_is_kept(quick: QuickShell, seed: int) -> None:
    ids = [f"i{number}" for number in range(200)]
    random.Random(seed).shuffle(ids)
    (quick.folder / "diary.jsonl").write_text("".join(f'{{"_id": "{each}", "_createdAt": 5}}\n' for each in ids))
    quick.ok("collection", "import", "diary.jsonl", "--create")
    quick.ok("collection", "export", "diary", "x.csv")
    assert [line.split(",")[0] for line in (quick.folder / "x.csv").read_text().splitlines()[1:]] == ids
