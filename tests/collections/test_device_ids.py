"""Who knows the id of a device is the owner of its items: nobody learns it from answers, errors, logs, or work done."""

import contextlib
import itertools
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jsonrpc_backend.collections.search import Search, SortedBy
from jsonrpc_backend.monaql import parse_query
from jsonrpc_backend.store import collections, items
from jsonrpc_backend.store.item_rights import Asker
from jsonrpc_backend.store.sqlite.connection import SqliteConnection
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from jsonrpc_backend.store.sqlite.dialect import SqliteDialect
from tests.collections.conftest import NAME, NewPerson, Person, make_collection
from tests.servers import InProcessServer

SECRET = "7f3c9a52-secret-device"
NEAR = [SECRET[:length] + "0" for length in range(len(SECRET))] + [SECRET + "0", SECRET.upper()]
FAR = "5" * len(SECRET)  # no beginning of it is right

OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
QUESTIONS = [
    *(f"_ownerDeviceOid {operator} ?" for operator in OPERATORS),
    *(f"!(_ownerDeviceOid {operator} ?)" for operator in OPERATORS),
    "_ownerDeviceOid IN [?]",
    "_ownerDeviceOid NIN [?]",
    '_ownerDeviceOid IN [?, "x", null]',
    "n == 1 && _ownerDeviceOid == ?",
    "n == 1 || _ownerDeviceOid >= ?",
    "_ownerDeviceOid >= ? && _ownerUserOid == null",
    "tag == 1 && _ownerDeviceOid <= ?",
    "_createdAt > 0 && !(_ownerDeviceOid > ? || n == 2)",
]


@pytest.fixture
async def server(start: Callable[..., Any]) -> InProcessServer:
    server: InProcessServer = await start()
    make_collection(server, indexes=("tag",))
    return server


@pytest.fixture
async def thief(person: NewPerson) -> Person:
    """Among items of the device that is looked for, which may be read by all, by her, or by nobody; and some others."""
    owner, neighbours = await person(device=SECRET), [await person(device=name) for name in ("0", "zz")]
    thief: Person = await person("mallory")
    for number, rights in enumerate(({"public": "r"}, {"public": "rw"}, {str(thief.id): "rw"}, {})):
        await owner.insert({"n": number, "tag": number}, **rights)
    for neighbour in neighbours:
        await neighbour.insert({"n": 1, "tag": 1}, public="r")
    await owner.wire.call("Device.saveProperties", properties={"seen": True})
    return thief


def same(answer: Any) -> str:
    return json.dumps(answer.body, sort_keys=True)


# --- answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_right_guess_is_answered_like_a_wrong_one(thief: Person, question: str) -> None:
    for who in (thief, Person(thief.wire.elsewhere("her other device"), None)):
        ways: list[tuple[str, dict[str, Any]]] = [
            ("find", {}),
            ("find", {"orderBy": ["n DESC"], "options": {"limit": 2, "page": 2}}),
            ("find", {"options": {"mine": True}}),
            ("updatePermission", {"permission": {"x": "r"}}),
        ]
        for method, params in ways:
            answers = [await who.call(method, criteria=question, bindParams=[g], **params) for g in (SECRET, FAR)]
            assert same(answers[0]) == same(answers[1]), (method, params)


async def test_the_field_cannot_be_got_by_any_other_name(thief: Person, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    field, found = "_ownerDeviceOid", await thief.found()
    assert len(found) == 5
    item_id = next(item["_id"] for item in found if item["n"] == 1)  # which everybody may write
    tries: list[tuple[str, dict[str, Any]]] = [
        ("find", {}),
        ("find", {"options": {"propertyNames": [field, "n"]}}),
        ("find", {"options": {"propertyNames": f"{field},_permission"}}),
        ("find", {"orderBy": field}),
        ("find", {"orderBy": [f"{field} DESC"]}),
        ("find", {"orderBy": "_permission"}),
        ("find", {"criteria": "device == ?", "bindParams": [SECRET]}),
        ("find", {"criteria": f"{field} == n"}),
        ("find", {"criteria": f"{field}"}),
        ("find", {"criteria": "_ownerdeviceoid == null"}),
        ("find", {"criteria": "_device == null"}),
        ("insert", {"item": {field: SECRET}}),
        ("insert", {"item": {"n": 9}}),
        ("update", {"itemOid": item_id, "data": {field: "mine"}}),
        ("update", {"itemOid": item_id, "data": {"n": 1}}),
        ("getPermission", {"itemOid": item_id}),
        ("updatePermission", {"criteria": f"{field} != 1", "permission": {"public": "rw"}}),
        ("delete", {"itemOid": SECRET}),
    ]
    for method, params in tries:
        answer = same(await thief.call(method, **params))
        told = json.dumps(params)
        assert SECRET not in answer, (method, params)
        assert field not in answer or field in told or "known here" in answer, (method, params)
    assert SECRET not in caplog.text


async def test_what_one_device_has_another_does_not_see(thief: Person) -> None:
    near = [Person(thief.wire.elsewhere(device), None) for device in (*NEAR, FAR)]
    answers = {same(await who.wire.call("Device.getProperties")) for who in near}
    assert answers == {same(await thief.wire.call("Device.getProperties"))}
    assert {same(await who.call("find")) for who in near} == {same(await near[0].call("find"))}


# --- work ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def opened(server: InProcessServer) -> Iterator[SqliteConnection]:
    with contextlib.closing(open_for_writing(server.database_path())) as db:
        yield db


def steps(db: SqliteConnection, work: Callable[[], Any]) -> tuple[int, list[str]]:
    """How many instructions the database's machine runs, and which statements."""
    count, statements = itertools.count(), list[str]()

    def note(statement: str) -> None:
        statements.append(statement.replace(SECRET, "…").replace(FAR, "…"))

    db.set_progress_handler(lambda: next(count) < 0, 1)
    db.set_trace_callback(note)
    try:
        work()
    finally:
        db.set_progress_handler(None, 0)
        db.set_trace_callback(None)
    return next(count), statements


def search(db: SqliteConnection, caller: Asker, question: str, guess: str, **more: Any) -> Search:
    collection = collections.find(db, NAME)
    assert collection is not None
    return Search(collection, caller, SqliteDialect(), parse_query(question, [guess]), **more)


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_right_guess_takes_as_many_steps_as_a_wrong_one(
    thief: Person, server: InProcessServer, question: str
) -> None:
    """Of the database, whose statements are the same too: what can be measured from outside is noise."""
    with opened(server) as db:
        for caller in (Asker(thief.id, "her device"), Asker(None, "her device")):
            for more in ({}, {"order": (SortedBy("n"),)}, {"mine": True}, {"verb": "write"}):
                right, wrong = (
                    steps(db, lambda: search(db, caller, question, guess, **more).find(db, limit=10, offset=0))  # noqa: B023
                    for guess in (SECRET, FAR)
                )
                assert right[0] > 10
                assert right == wrong, more


async def test_no_guess_is_nearer_than_another(thief: Person, server: InProcessServer) -> None:
    """Who claims to be a device whose id begins right takes as many steps as who claims any other."""
    with opened(server) as db:
        collection = collections.find(db, NAME)
        assert collection is not None
        for user in (None, thief.id):
            counts = set()
            for device in (*NEAR, FAR):
                found = Search(collection, Asker(user, device), SqliteDialect())
                counts.add(steps(db, lambda: found.find(db, limit=10, offset=0))[0])  # noqa: B023
            assert len(counts) == 1


async def test_a_hidden_item_is_looked_up_like_any_other(thief: Person, server: InProcessServer) -> None:
    """Rights are decided after one query, the same for every id and every device."""
    (hidden,) = server.rows("SELECT id FROM items WHERE json_extract(properties, '$.n') = 3")[0]
    with opened(server) as db:
        collection = collections.find(db, NAME)
        assert collection is not None
        counts = {
            steps(db, lambda: items.find_rights(db, collection, hidden, Asker(thief.id, device)))[0]  # noqa: B023
            for device in (*NEAR, FAR, SECRET)
        }
        assert len(counts) == 1
