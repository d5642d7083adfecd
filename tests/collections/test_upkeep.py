"""What is done afterwards, in slices: what users and collections leave, and indexes."""

from dataclasses import replace
from typing import Any

import pytest

from jsonrpc_backend.collections import chores
from jsonrpc_backend.store import collections, upkeep
from jsonrpc_backend.store.collections import Collection, Settings
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.item_rights import NONE
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from tests.collections.conftest import NewPerson, make_collection, until_rows
from tests.servers import InProcessServer


def finish(server: InProcessServer, most: int = 2) -> int:
    """Does what is left, `most` rows at a time; how many slices that took."""
    db = open_for_writing(server.database_path())
    slices = 0
    while db.write(lambda db: chores.do_slice(db, most=most)):
        slices += 1
    db.close()
    return slices


def change(server: InProcessServer, unit: Any) -> Any:
    db = open_for_writing(server.database_path())
    try:
        return db.write(unit)
    finally:
        db.close()


def known(db: Db, name: str = "diary") -> Collection:
    found = collections.find(db, name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("delete_with_owner", "left"),
    [
        ("private", {"opened", "public", "write"}),
        ("all", set()),
        ("none", {"opened", "public", "write", "private", "own"}),
    ],
)
async def test_items_of_a_user_who_is_gone(
    delete_with_owner: str, left: set[str], person: NewPerson, server: InProcessServer
) -> None:
    make_collection(server, "notes", delete_with_owner=delete_with_owner)
    anna, bert = await person("anna"), await person("bert")
    permissions: dict[str, dict[str, str]] = {
        "private": {},
        "own": {anna.id: "r"},
        "opened": {bert.id: "r"},
        "public": {"public": "r"},
        "write": {"public": "w"},
    }
    for name, permission in permissions.items():
        await anna.call("insert", collectionName="notes", item={"name": name}, permission=permission)
    await bert.call("insert", collectionName="notes", item={"name": "hers"}, permission={anna.id: "rw"})
    await anna.wire.call("User.unregister", password="password")
    await until_rows(server, "SELECT * FROM upkeep", [])

    rows = server.rows("SELECT json_extract(properties, '$.name'), owner FROM items")
    assert {name for name, owner in rows if owner is None} == left
    assert [name for name, owner in rows if owner is not None] == ["hers"]
    assert server.rows(f"SELECT * FROM grants WHERE user = '{anna.id}'") == []
    found = await bert.found(collectionName="notes")
    assert {item["name"] for item in found} == {"hers"} | (left & {"opened", "public"})


async def test_slices_are_small_and_a_restart_goes_on(person: NewPerson, server: InProcessServer) -> None:
    anna = await person("anna")
    for _ in range(5):
        await anna.insert({"text": "x"})
    change(server, lambda db: upkeep.remove_items_of(db, anna.id))
    assert finish(server, most=2) == 4, "2, 2 and 1 items, and nothing more"
    assert server.rows("SELECT * FROM items") == []


async def test_dropped_collection_is_gone_at_once(person: NewPerson, server: InProcessServer) -> None:
    anna = await person("anna")
    await anna.insert({"text": "x"}, u1="r")
    change(server, lambda db: collections.drop(db, known(db)))
    assert (await anna.call("find")).code == -32602
    make_collection(server)
    assert await anna.found() == []
    await anna.insert({"text": "new"})
    finish(server)
    assert [item["text"] for item in await anna.found()] == ["new"]
    assert server.rows("SELECT * FROM grants") == []


async def test_index_is_built_beside_the_calls(person: NewPerson, server: InProcessServer) -> None:
    anna = await person("anna")
    values = [3, "a", None, True, "x" * 300, 2, 3.5, [1]]
    for value in values:
        await anna.insert({"v": value})
    before = await anna.ids(orderBy="v")
    settings = Settings(is_insertable=True, default_public=NONE, delete_with_owner="private", indexes=("v",))
    change(server, lambda db: collections.change(db, known(db), settings))
    assert change(server, lambda db: known(db).built) == frozenset()
    await anna.insert({"v": 1})
    assert finish(server) > len(values) // 2
    assert change(server, lambda db: known(db).built) == {"v"}
    after = await anna.ids(orderBy="v")
    assert [item_id for item_id in after if item_id in before] == before
    for value in values:
        if not isinstance(value, list):
            assert len(await anna.found("v == ?", value)) == 1
    (item_id,) = await anna.ids("v == 1")
    await anna.call("update", itemOid=item_id, data={"v": 7})
    assert await anna.ids("v == 1") == []
    assert await anna.ids("v > 5") == [item_id]

    change(server, lambda db: collections.change(db, known(db), replace(settings, indexes=())))
    finish(server)
    assert server.rows("SELECT * FROM item_values") == []
    assert await anna.ids("v > 5") == [item_id]


async def test_slices_of_an_index_are_bounded_by_what_they_look_at(
    person: NewPerson, server: InProcessServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else there is: other collections, and items that take megabytes together. The last slice finds none."""
    make_collection(server, "others")
    anna = await person("anna")
    for number in range(6):
        await anna.insert({"v": number, "text": "x" * 1000})
        await anna.call("insert", collectionName="others", item={"v": number})
    settings = Settings(is_insertable=True, default_public=NONE, delete_with_owner="private", indexes=("v",))
    for most_bytes, slices in ((10**6, 4 + 1), (500, 7 + 1)):
        monkeypatch.setattr(chores, "MOST_BYTES", most_bytes)
        change(server, lambda db: collections.change(db, known(db), replace(settings, indexes=())))
        finish(server)
        change(server, lambda db: collections.change(db, known(db), settings))
        assert finish(server, most=3) == slices
        assert server.rows("SELECT number FROM item_values ORDER BY number") == [(number,) for number in range(6)]
