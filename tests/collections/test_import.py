"""`collection import`: what other systems export, every kind of bad record, and nothing half done."""

import asyncio
import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from jsonrpc_backend.transfer.items import files
from tests.servers import ServerProcess
from tests.shell import QuickShell, Shell
from tests.test_import import given, lines
from tests.wire import Wire

ANNA, BERT = "u01234567-89ab-4cde-8f01-23456789abcd", "u11111111-2222-4333-8444-555555555555"
TIME = 1420167845678  # 2015-01-02T03:04:05.678Z


@pytest.fixture
def here(quick: QuickShell) -> QuickShell:
    """A folder with the users anna and bert, and a collection `diary` without items."""
    people = lines({"_id": ANNA, "_username": "anna"}, {"_id": BERT, "_username": "bert"})
    quick.ok("user", "import", given(quick, "people.jsonl", people))
    quick.ok("collection", "create", "diary")
    return quick


def exported(shell: QuickShell, name: str = "diary", *options: str) -> list[dict[str, Any]]:
    file = shell.folder / "exported.jsonl"
    shell.ok("collection", "export", name, file.name, *options)
    found = [json.loads(line) for line in file.read_text().splitlines()]
    file.unlink()
    return found


def imported(shell: QuickShell, *records: Mapping[str, Any], options: tuple[str, ...] = ()) -> dict[str, Any]:
    """The report of an import of these."""
    (shell.folder / "diary.jsonl").write_text(lines(*records))
    report: dict[str, Any] = json.loads(shell.ok("collection", "import", "diary.jsonl", "--json", *options))
    return report


# --- what people bring -----------------------------------------------------------------------------------

ITEM = {
    "_id": "i1",
    "_ownerUserOid": ANNA,
    "_ownerDeviceOid": None,
    "_createdAt": TIME,
    "_updatedAt": TIME + 1,
    "_permission": {"public": "r", BERT: "rw"},
    "text": "Rain",
    "a_b": {"nested": [None, 1.5]},
}
NCMB = {
    "objectId": "8FgKqFlH8dZRDrBJ",
    "createDate": "2020-06-01T00:00:00.000Z",
    "updateDate": "2020-06-01T00:00:00.000Z",
    "monaca_id": "i1",
    "createDate_Monaca": "2015-01-02T03:04:05.678Z",
    "updateDate_Monaca": {"__type": "Date", "iso": "2015-01-02T03:04:05.679Z"},
    "acl": {"*": {"read": True}, BERT: {"read": True, "write": True}, ANNA: {}, "role:Admin": {"write": True}},
    "owner": "Anna",
    "text": "Rain",
    "a_b": {"nested": [None, 1.5]},
}
ANSWER = {"jsonrpc": "2.0", "id": 1, "result": {"items": [ITEM], "totalItems": 1}}
CSV = (
    "_id;_ownerUserOid;_createdAt;_updatedAt;_permission;text;a_b\r\n"
    f'i1;{ANNA};{TIME};2015-01-02T03:04:05.679Z;"{{""public"":""r"",""{BERT}"":""rw""}}";Rain;'
    '"{""nested"":[null,1.5]}"\r\n'
)
FROM_OWNER = ["--owner-from", "owner"]


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        pytest.param("diary.jsonl", lines(ITEM), [], id="JSON Lines"),
        pytest.param("collection_diary.json", json.dumps([ITEM], indent=1), [], id="array"),
        pytest.param("diary.json", json.dumps(ANSWER), [], id="answer of CollectionItem.list"),
        pytest.param("collection_diary.json", json.dumps({"results": [NCMB]}), FROM_OWNER, id="NCMB, once of Monaca"),
        pytest.param("diary.csv", "\ufeff" + CSV, [], id="CSV of a spreadsheet"),
        pytest.param("d.ndjson", lines(ITEM), ["--collection", "diary"], id="named by the option"),
        pytest.param("diary.jsonl", lines({**ITEM, "x": 1}), ["--drop", "x"], id="dropped"),
        pytest.param("diary.jsonl", lines(ITEM).replace("a_b", "a-b"), ["--map", "a-b=a_b"], id="renamed"),
    ],
)
def test_exports_of_other_systems(here: QuickShell, name: str, content: str, options: list[str]) -> None:
    printed = here.ok("collection", "import", given(here, name, content), *options)
    assert printed.startswith("1 added, 0 updated, 0 skipped, 0 bad.\n")
    (item,) = exported(here)
    assert item.pop("owner", "Anna") == "Anna"
    assert item == ITEM


def test_ncmb_alone(here: QuickShell) -> None:
    names = ("objectId", "createDate", "updateDate", "acl")
    report = imported(here, {name: NCMB[name] for name in names})
    (item,) = exported(here)
    assert (item["_id"], item["_createdAt"]) == ("8FgKqFlH8dZRDrBJ", 1590969600000)
    assert item["_permission"] == {"public": "r", BERT: "rw"}
    assert report["rightsLeftOut"] == {"role:Admin": 1}
    assert report["fieldsLeftOut"] == {}


def test_what_means_the_same_is_left_out_and_told(here: QuickShell) -> None:
    assert imported(here, NCMB)["fieldsLeftOut"] == {"objectId": 1, "createDate": 1, "updateDate": 1}
    imported(here, NCMB, options=("--existing", "update", "--map", "objectId=ncmbId"))
    assert exported(here)[0]["ncmbId"] == "8FgKqFlH8dZRDrBJ"


def test_names_of_other_systems_are_properties_beside_ours(here: QuickShell) -> None:
    properties = dict.fromkeys(("objectId", "monaca_id", "createDate", "updatedAt", "acl", "ACL", "id"), 1)
    imported(here, ITEM | properties)
    assert exported(here) == [ITEM | properties]


VOTE = {
    "_id": "KmSnEcdi",
    "_type": "custom",
    "_tableName": "Vote",
    "_version": 1,
    "_isModified": False,
    "_modifiedColumns": [],
    "createdAt": {"$date": "2015-01-02T03:04:05.678Z"},
    "updatedAt": {"$date": {"$numberLong": str(TIME + 1)}},
    "expires": None,
    "ACL": {
        "read": {"allow": {"user": ["all"], "role": []}, "deny": {"user": [], "role": []}},
        "write": {"allow": {"user": ["anna1234"], "role": ["admin"]}, "deny": {"user": ["bert1234"], "role": []}},
    },
    "voter": {"_type": "custom", "_tableName": "Person", "_id": "aBcDeFgH"},
    "others": [{"_type": "user", "_tableName": "User", "_id": "anna1234"}, "plain"],
    "place": {"_type": "point", "coordinates": [139.7, 35.6], "longitude": 139.7, "latitude": 35.6},
    "spot": {"type": "Point", "coordinates": [1, 2]},
    "day": {"$date": "2016-02-03T00:00:00Z"},
    "count": {"$numberLong": "7"},
    "tag": "@cb:like/one",
    "_secret": True,
    "more": {"a_b": ["@@cb:x"], "none": None, "picture": {"_type": "file", "_tableName": "_File", "_id": "f"}},
}


def test_documents_of_cloudboost(here: QuickShell) -> None:
    given(here, "ids.csv", "CloudBoost,here\nanna1234,anna\n")
    file = given(here, "diary.json", json.dumps(VOTE) + "\n" + json.dumps(VOTE | {"_id": "other678"}))
    report = json.loads(here.ok("collection", "import", file, "--owner-map", "ids.csv", "--json"))
    assert report["rightsLeftOut"] == {"role:admin": 2}
    item, other = exported(here)
    assert other == item | {"_id": "other678"}
    assert item == {
        "_id": "KmSnEcdi",
        "_ownerUserOid": None,
        "_ownerDeviceOid": None,
        "_createdAt": TIME,
        "_updatedAt": TIME + 1,
        "_permission": {"public": "r", ANNA: "w"},
        "voter": "@cb:Person/aBcDeFgH",
        "others": ["@cb:User/anna1234", "plain"],
        "place": {"_type": "point", "longitude": 139.7, "latitude": 35.6},
        "spot": {"_type": "point", "longitude": 1, "latitude": 2},
        "day": "2016-02-03T00:00:00.000Z",
        "count": 7,
        "tag": "@@cb:like/one",
        "cb_secret": True,
        "more": {"a_b": ["@@@cb:x"], "none": None, "picture": VOTE["more"]["picture"]},  # type: ignore[index]
    }


# --- owners and rights -----------------------------------------------------------------------------------


def test_ids_are_kept_or_made(here: QuickShell) -> None:
    records: list[dict[str, Any]] = [
        {"_id": 7},
        {"_id": {"$oid": "5f"}},
        {"_id": "a b"},
        {"_id": "x" * 65},
        {},
        {"_id": "-_Z"},
    ]
    assert imported(here, *records)["newIds"] == 2
    made = re.compile(r"i[0-9a-f-]{36}")
    assert [made.sub("new", item["_id"]) for item in exported(here)] == ["7", "5f", "new", "new", "new", "-_Z"]


def test_owners(here: QuickShell) -> None:
    given(here, "ids.csv", f"old1,BERT\nold2,{ANNA}\nold3,u99999999-9999-4999-8999-999999999999\n")
    records: list[dict[str, Any]] = [
        {"_ownerUserOid": "old1", "_permission": {"old2": "r", "old1": "w", BERT: "r", "stranger": "rw"}},
        {"_ownerUserOid": "old3", "_ownerDeviceOid": "tablet"},
        {"_ownerUserOid": "gone", "_ownerDeviceOid": ""},
        {"_ownerUserOid": None, "_ownerDeviceOid": "tablet"},
        {"_ownerUserOid": "gone", "by": "Anna"},
        {"by": "old1"},
        {"by": "nobody"},
    ]
    report = imported(here, *records, options=("--owner-map", "ids.csv", "--owner-from", "by"))
    items = exported(here)
    assert [(item["_ownerUserOid"], item["_ownerDeviceOid"]) for item in items] == [
        (BERT, None),
        ("u99999999-9999-4999-8999-999999999999", None),
        ("gone", None),
        (None, "tablet"),
        (ANNA, None),
        (BERT, None),
        (None, None),
    ]
    assert items[0]["_permission"] == {"public": "", "stranger": "rw", ANNA: "r", BERT: "rw"}
    assert (report["ownerUnknown"], report["ownerNotFound"], report["withoutOwner"]) == (2, 1, 1)
    assert (report["withoutPermission"], report["operatorsOnly"]) == (6, 3)


BELONGS_TO_NOBODY = (
    "1 item belongs to somebody who is not a user here: it is theirs again once `user import` brings them, id and all."
)
BY_DEFAULT = (
    "2 items came without a permission: everybody may do with them what the collection's default says, or --public."
)


def test_report_says_what_it_means(here: QuickShell) -> None:
    file = given(here, "diary.jsonl", lines({"_permission": {"public": "r"}}, {}, {"_ownerUserOid": "gone"}))
    counts, *words = here.ok("collection", "import", file, "--dry-run").splitlines()
    assert counts == "3 ready to import, 0 skipped, 0 bad."
    assert words == [
        "2 items have no owner: only their permissions say who may do what with them.",
        BELONGS_TO_NOBODY,
        BY_DEFAULT,
        "2 items are private and without an owner who is here: operators alone see them.",
    ]
    assert exported(here) == []
    assert "alone" not in here.ok("collection", "import", file, "--public", "r")
    assert {item["_permission"]["public"] for item in exported(here)} == {"r"}


def test_users_may_come_after_their_items(here: QuickShell) -> None:
    imported(here, {"_ownerUserOid": "u0f8fad5b-d9cb-469f-a165-70867728950e"})
    late = lines({"_id": "u0f8fad5b-d9cb-469f-a165-70867728950e", "_username": "carl"})
    here.ok("user", "import", given(here, "late.jsonl", late))
    assert imported(here, {"_ownerUserOid": "u0f8fad5b-d9cb-469f-a165-70867728950e"})["ownerUnknown"] == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("old,new\na,nobody\n", "ids.csv: line 2: there is no user nobody."),
        ("a,anna\na,bert\n", "ids.csv: line 2: a is there twice, for several users."),
        ("a\n", "ids.csv: line 1: each row must have two cells"),
        ('a,"anna\n', "ids.csv: line 1: the row is not CSV"),
        (b"a,\xff\n", "ids.csv cannot be read: it is not UTF-8."),
    ],
)
def test_bad_owner_map(here: QuickShell, content: str | bytes, message: str) -> None:
    given(here, "diary.jsonl", lines({}))
    given(here, "ids.csv", content)
    assert message in here.fails(1, "collection", "import", "diary.jsonl", "--owner-map", "ids.csv")
    assert exported(here) == []


# --- bad records -----------------------------------------------------------------------------------------

BAD_LINES = [
    ('{"a": 1', "2: The record is not valid JSON (column 8: Expecting ',' delimiter)."),
    ('{"a": 1, "a": 2}', "2: The record has the same key twice."),
    ("[]", "2: The record is not a JSON object."),
    ('{"_id": "first"}', "2: _id: The same id is on line 1, record 1."),
    ('{"_id": "taken"}', "2: _id: The collection has an item with this id."),
    ('{"a": "' + "x" * 512_000 + '"}', "2: properties: The properties of an item must not take more than 512,000"),
    (r'{"a": {"b\u0000": 1}}', r"2: properties: Properties must not contain the character U+0000."),
    (r'{"a": "\ud800"}', "2: a: The value must not contain a lone surrogate."),
    ('{"a": ' + "9" * 22 + "}", "2: a: The value must not contain an integer of more than 21 digits"),
    ('{"a": ' + "[" * 30 + "]" * 30 + "}", "2: properties: Properties must not be nested deeper than 30 levels."),
    ('{"_createdAt": "soon"}', "2: _createdAt: The time must be milliseconds since 1970 UTC or in ISO 8601."),
    ('{"updatedAt": true}', "2: _updatedAt: The time must be milliseconds since 1970 UTC or in ISO 8601."),
    ('{"_ownerUserOid": 5}', "2: _ownerUserOid: The owner must be the id of a user."),
    ('{"_ownerUserOid": "a b"}', "2: _ownerUserOid: The owner must be the id of a user."),
    ('{"_ownerDeviceOid": []}', "2: _ownerDeviceOid: The id of a device must be a text of 1 to 255 characters."),
    ('{"_permission": "r"}', "2: _permission: The permission must say who may do what"),
    ('{"_permission": {"public": "rwx"}}', "2: _permission: The permission must say who may do what"),
    ('{"_permission": {"a b": "r"}}', "2: _permission: The permission must say who may do what"),
    ('{"acl": {"*": {"read": 1}}}', "2: _permission: The permission must say who may do what"),
    ('{"acl": {"*": {"reads": true}}}', "2: _permission: The permission must say who may do what"),
    ('{"ACL": {"read": {"allow": {"user": "all"}}}}', "2: _permission: The permission must say who may do what"),
    (json.dumps({"acl": {f"u{n}": {"read": True} for n in range(1000)}}), "2: _permission: The permission must not"),
    ('{"_x": 1}', ", 1 record: _x: There is no such field; say --map _x=x, or --drop _x."),
    ('{"a-b": 1}', ", 1 record: a-b: Property names must consist of the letters a-z and A-Z, digits and _"),
]


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> QuickShell:
    """A folder with one item, for tests that change nothing."""
    shell = QuickShell(tmp_path_factory.mktemp("taken"))
    shell.ok("collection", "create", "diary")
    shell.ok("collection", "import", given(shell, "diary.jsonl", lines({"_id": "taken"})))
    return shell


@pytest.mark.parametrize(("bad", "message"), BAD_LINES, ids=[message[:40] for _, message in BAD_LINES])
def test_one_bad_line(taken: QuickShell, bad: str, message: str) -> None:
    file = given(taken, "diary.jsonl", f'{{"_id": "first"}}\n{bad}\n{{"_id": "last"}}\n')
    errors = taken.fails(1, "collection", "import", file)
    assert re.search(r"diary\.jsonl:?" + re.escape(message), errors)
    assert errors.endswith("Error: 1 record is bad. Nothing was imported.\n")
    assert [item["_id"] for item in exported(taken)] == ["taken"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("diary.json", "[{},\n{]", "diary.json: line 2, column 2: the file is not valid JSON."),
        ("diary.csv", "a,a\n1,2\n", "diary.csv: line 1: there are several columns for a"),
        ("diary.txt", "", "diary.txt: the file's name must end in .jsonl, .ndjson, .json, .csv or .zip."),
        ("other.jsonl", "", "other.jsonl: there is no collection other; say --create, or make it as you want it: "),
        ("my diary.jsonl", "", "my diary.jsonl: the file's name is not that of a collection; say --collection NAME."),
        ("diary.zip", "no", "diary.zip: the file is not a zip."),
    ],
)
def test_files_that_cannot_be_read(taken: QuickShell, name: str, content: str, message: str) -> None:
    errors = taken.fails(1, "collection", "import", given(taken, name, content))
    assert message in errors
    assert errors.endswith("Nothing was imported.\n")
    assert "gone.jsonl cannot be read: No such file" in taken.fails(1, "collection", "import", "gone.jsonl")


def test_bad_records_of_several_files_are_told_in_order(taken: QuickShell) -> None:
    given(taken, "b.jsonl", lines({"_id": "taken"}, {"_x": 1}, {"_id": "twice"}))
    given(taken, "a.json", '[{"_id": "twice"},\n{"_createdAt": "x"}]')
    errors = taken.fails(1, "collection", "import", "b.jsonl", "a.json", "--collection", "diary", "--json").splitlines()
    assert errors == [
        "b.jsonl, 1 record: _x: There is no such field; say --map _x=x, or --drop _x.",
        "b.jsonl:1: _id: The collection has an item with this id.",
        "a.json:1 (record 1): _id: The same id is on line 3, record 3 of b.jsonl.",
        "a.json:2 (record 2): _createdAt: The time must be milliseconds since 1970 UTC or in ISO 8601.",
        "Error: 4 records are bad. Nothing was imported.",
    ]


def test_skip_bad_imports_the_others(here: QuickShell) -> None:
    given(here, "diary.jsonl", '{"_id": "a"}\n{\n{"_id": "a"}\n{"_id": "b"}\n')
    done = here.run("collection", "import", "diary.jsonl", "--skip-bad", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["added"] == 2
    assert [(bad["file"], bad["line"], bad["name"]) for bad in json.loads(done.stdout)["bad"]] == [
        ("diary.jsonl", 2, None),
        ("diary.jsonl", 3, "_id"),
    ]
    assert [item["_id"] for item in exported(here)] == ["a", "b"]


# --- items that exist ------------------------------------------------------------------------------------


def test_existing_items(here: QuickShell) -> None:
    first, second = {"_id": "a", "x": 1, "y": 1, "_updatedAt": TIME}, {"_id": "b", "_ownerDeviceOid": "tablet"}
    imported(here, first, second)
    before = exported(here)
    newer: list[dict[str, Any]] = [
        {"_id": "a", "y": [2], "_updatedAt": TIME + 5, "_ownerUserOid": ANNA, "_permission": {BERT: "r"}},
        {"_id": "b", "_ownerUserOid": ANNA, "_updatedAt": TIME},
        {"_id": "c"},
    ]
    given(here, "diary.jsonl", lines(*newer))
    here.fails(1, "collection", "import", "diary.jsonl")
    report = imported(here, *newer, options=("--existing", "skip", "--dry-run"))
    assert (report["ready"], report["skipped"]) == (1, 2)
    assert exported(here) == before
    report = imported(here, *newer, options=("--existing", "update"))
    assert (report["added"], report["updated"], report["withoutPermission"]) == (1, 2, 1)
    a, b, c = exported(here)
    rights = {"public": "", BERT: "r"}
    assert a == before[0] | {"y": [2], "_updatedAt": TIME + 5, "_ownerUserOid": ANNA, "_permission": rights}
    assert b == before[1] | {"_updatedAt": before[1]["_updatedAt"] + 1}  # it belongs to the device
    assert c["_id"] == "c"


def test_item_that_grows_too_large(here: QuickShell) -> None:
    imported(here, {"_id": "a", "x": "x" * 300_000})
    before = exported(here)
    given(here, "diary.jsonl", lines({"_id": "b"}, {"_id": "a", "y": "x" * 300_000}))
    errors = here.fails(1, "collection", "import", "diary.jsonl", "--existing", "update")
    assert "diary.jsonl:2: properties: The properties of an item must not take more than 512,000 bytes." in errors
    assert exported(here) == before


def test_new_collections_are_as_is_said(here: QuickShell) -> None:
    given(here, "notes.jsonl", lines({"a": 1}))
    given(here, "empty.jsonl", "")
    here.ok("collection", "import", "notes.jsonl", "empty.jsonl", "--create", "--public", "r", "--dry-run")
    assert len(json.loads(here.ok("collection", "list", "--json"))) == 1
    here.ok("collection", "import", "notes.jsonl", "empty.jsonl", "--create", "--public", "r")
    made = {each["_id"]: each for each in json.loads(here.ok("collection", "list", "--json"))}
    assert set(made) == {"diary", "empty", "notes"}
    assert (made["notes"]["isInsertable"], made["notes"]["defaultPublicPermission"]) == (False, "r")
    assert exported(here, "notes")[0]["_permission"] == {"public": "r"}


def test_audit(here: QuickShell) -> None:
    imported(here, {"_id": "a"}, {"_id": "b"})
    latest = json.loads(here.ok("audit", "list", "--json"))[0]
    assert (latest["method"], latest["collection"]) == ("collection import", "diary")
    assert (latest["itemIds"], latest["items"]) == (["a", "b"], 2)
    exported(here)
    latest = json.loads(here.ok("audit", "list", "--json"))[0]
    assert (latest["method"], latest["collection"], latest["items"]) == ("collection export", "diary", 2)


def test_not_through_the_management_api(taken: QuickShell) -> None:
    errors = taken.fails(2, "collection", "import", "x.jsonl", "--url", "http://127.0.0.1:1")
    assert "The management API cannot import items. Run this command on the server's machine" in errors


# --- zips ------------------------------------------------------------------------------------------------


def zipped(path: Path, members: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> str:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path.name


def test_export_of_monaca(here: QuickShell) -> None:
    members = {
        "backend/collection_diary.json": json.dumps({"results": [{"monaca_id": "i1"}, {"monaca_id": "i2"}]}),
        "backend/collection_Shops.json": json.dumps({"results": [{"monaca_id": "i1"}]}),
        "backend/push.json": json.dumps({"results": [{"deviceToken": "secret"}]}),
        "__MACOSX/._collection_diary.json": "?",
        "readme.txt": "hello",
    }
    file = zipped(here.folder / "export.zip", members)
    printed = here.ok("collection", "import", file, "--create")
    assert printed.startswith("3 added")
    left = "backend/push.json, __MACOSX/._collection_diary.json, readme.txt"
    assert f"Files that are not of items were left alone: {left}." in printed
    assert [item["_id"] for item in exported(here)] == ["i1", "i2"]
    assert [item["_id"] for item in exported(here, "Shops")] == ["i1"]
    assert {file.name for file in here.folder.iterdir()} == {"data", "export.zip", "people.jsonl"}
    errors = here.fails(1, "collection", "import", file, "--collection", "diary")
    assert "the zip has several collections, each with its name; leave out --collection." in errors


def test_pages_of_one_collection_in_a_zip(here: QuickShell) -> None:
    file = zipped(here.folder / "x.zip", {"1.json": '[{"_id": "a"}]', "2.csv": "_id\nb\n", "x/3.jsonl": '{"_id": "c"}'})
    here.ok("collection", "import", file, "--collection", "diary")
    assert [item["_id"] for item in exported(here)] == ["a", "b", "c"]


def test_place_in_a_zip_is_told(here: QuickShell) -> None:
    file = zipped(here.folder / "x.zip", {"a/diary.jsonl": '{}\n{"_x": 1}\n{"_createdAt": -1}'})
    errors = here.fails(1, "collection", "import", file)
    assert "x.zip/a/diary.jsonl:3: _createdAt: The time must be" in errors
    assert "x.zip/a/diary.jsonl, 1 record: _x: There is no such field" in errors


def test_zip_bomb(here: QuickShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_SMALL_BYTES", 1 << 20)
    file = zipped(here.folder / "x.zip", {"diary.jsonl": '{"a": 1}\n' * (1 << 18)})
    assert (here.folder / file).stat().st_size < 10_000
    errors = here.fails(1, "collection", "import", file)
    assert "x.zip/diary.jsonl: the zip unpacks to more than 100 times its size. Nothing was imported." in errors
    assert exported(here) == []


def _flagged(content: bytes) -> bytes:
    """With the flag of encryption in the central directory."""
    at = content.index(b"PK\x01\x02") + 8
    return content[:at] + bytes([content[at] | 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content.replace(b"diary", b"dIary", 1), "the zip is damaged"),
        (lambda content: content[:60] + bytes([content[60] ^ 255]) + content[61:], "the zip is damaged"),
        (lambda content: content[:-10], "the file is not a zip"),
        (_flagged, "the zip is encrypted"),
    ],
)
def test_broken_zip(here: QuickShell, damage: Any, message: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("diary.jsonl", lines(*({"a": n} for n in range(1000))))
    file = given(here, "x.zip", damage(packed.getvalue()))
    errors = here.fails(1, "collection", "import", file)
    assert f"{message}. Nothing was imported." in errors
    assert exported(here) == []


def test_unusual_packing(here: QuickShell) -> None:
    file = zipped(here.folder / "x.zip", {"diary.jsonl": "{}"}, zipfile.ZIP_LZMA)
    assert "the zip is packed in an unusual way" in here.fails(1, "collection", "import", file)


# --- beside a server, as people run it -------------------------------------------------------------------


async def test_running_server_serves_what_comes(
    shell: Shell, served: ServerProcess, http: aiohttp.ClientSession
) -> None:
    shell.ok("collection", "create", "diary", "--index", "tag")
    app = Wire(http, served)
    anna = (await app.register("anna")).result["user"]["_id"]
    records = ({"_id": f"i{n}", "_ownerUserOid": anna, "tag": f"t{n % 50}", "n": n} for n in range(5000))
    file = given(shell, "diary.jsonl", lines(*records))
    running, calls = asyncio.create_task(asyncio.to_thread(shell.ok, "collection", "import", file)), 0
    while not running.done() or calls < 5:
        assert (await app.call("User.saveProperty", name="calls", value=calls)).result == "OK"
        found = (await app.call("Collection.find", collectionName="diary", options={"limit": 1})).result
        assert found["totalItems"] in {0, 5000}
        calls += 1
    assert (await running).startswith("5000 added")
    found = (await app.call("Collection.find", collectionName="diary", criteria='tag == "t7"')).result
    assert [item["n"] for item in found["items"]] == list(range(7, 5000, 50))
    with contextlib.closing(open_for_writing(shell.folder / "data" / "app.sqlite3")) as db:
        assert db.execute("SELECT count(*) FROM item_values").fetchall() == [(5000,)]
        assert db.execute("SELECT * FROM upkeep").fetchall() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_import_leaves_nothing(shell: Shell, number: signal.Signals) -> None:
    shell.ok("collection", "create", "diary")
    pipe = shell.folder / "diary.jsonl"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "jsonrpc_backend", "collection", "import", pipe.name]
    process = subprocess.Popen(command, cwd=shell.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with pipe.open("wb") as stream:  # more than a pipe holds: when all is written, the process is reading
        stream.write(b"".join(b'{"_id": "i%d", "a": "%s"}\n' % (n, b"x" * 1000) for n in range(500)))
        stream.flush()
        process.send_signal(number)
        _, errors = process.communicate()
    assert process.returncode != 0
    assert b"Traceback" not in errors
    pipe.unlink()
    shell.ok("collection", "export", "diary", "x.jsonl")
    assert (shell.folder / "x.jsonl").read_bytes() == b""
