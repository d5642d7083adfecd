"""Who may do what with an item: COLLECTIONS.md, section 9, "Rights"."""

import contextlib
from typing import Any

import pytest

from jsonrpc_backend.collections import definitions
from jsonrpc_backend.store import items
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from tests.collections.conftest import CALLS, NAME, NewPerson, Person, make_collection
from tests.servers import InProcessServer
from tests.wire import Answer

READ, WRITE, NEITHER = "r", "w", ""

# Whose item, the permission of it, who calls, and what he may do.
TABLE = [
    pytest.param("anna", {}, "anna", "rw", id="the owner may do all"),
    pytest.param("anna", {"public": ""}, "anna", "rw", id="whatever the permission says"),
    pytest.param("anna", {"anna": ""}, "anna", "rw", id="also of herself"),
    pytest.param("anna", {}, "anna's device", "", id="who owns it is signed out"),
    pytest.param("anna", {}, "bert", "", id="others may do nothing"),
    pytest.param("anna", {"public": "r"}, "bert", "r", id="public to read"),
    pytest.param("anna", {"public": "w"}, "bert", "w", id="public to write only"),
    pytest.param("anna", {"public": "rw"}, "bert", "rw", id="public for all"),
    pytest.param("anna", {"public": "r"}, "somebody", "r", id="public is for who is not signed in, too"),
    pytest.param("anna", {"public": "w"}, "somebody", "w", id="public to write for who is not signed in"),
    pytest.param("anna", {"bert": "r"}, "bert", "r", id="a user's entry to read"),
    pytest.param("anna", {"bert": "w"}, "bert", "w", id="a user's entry to write only"),
    pytest.param("anna", {"bert": "rw"}, "bert", "rw", id="a user's entry for all"),
    pytest.param("anna", {"bert": "rw"}, "carla", "", id="an entry is for one user"),
    pytest.param("anna", {"bert": "rw"}, "somebody", "", id="an entry is for who is signed in"),
    pytest.param("anna", {"public": "r", "bert": "w"}, "bert", "rw", id="rights add up"),
    pytest.param("anna", {"public": "r", "bert": ""}, "bert", "r", id="an empty entry takes nothing away"),
    pytest.param("tablet", {}, "tablet", "rw", id="the device that has inserted it"),
    pytest.param("tablet", {}, "dora on tablet", "rw", id="whoever is signed in on it"),
    pytest.param("tablet", {}, "somebody", "", id="another device"),
    pytest.param("tablet", {"bert": "r"}, "bert", "r", id="an entry in a device's item"),
]


async def everybody(person: NewPerson) -> dict[str, Person]:
    people = {name: await person(name) for name in ("anna", "bert", "carla")}
    people["dora on tablet"] = await person("dora", device="tablet")
    people["tablet"] = await person(device="tablet")
    people["somebody"] = await person(device="elsewhere")
    people["anna's device"] = await person(device="device of anna")
    return people


@pytest.mark.parametrize(("owner", "permission", "caller", "rights"), TABLE)
async def test_rights(owner: str, permission: dict[str, str], caller: str, rights: str, person: NewPerson) -> None:
    people = await everybody(person)
    entries = {(people[who].id or who) if who in people else who: text for who, text in permission.items()}
    item_id = await people[owner].insert({"a": 1}, **entries)
    who = people[caller]

    assert await who.ids() == ([item_id] if "r" in rights else [])
    assert await who.ids("_id == ?", item_id) == ([item_id] if "r" in rights else [])
    refused = check_refused("r" in rights)
    for answer in (
        await who.call("update", itemOid=item_id, data={"a": 2}),
        await who.call("getPermission", itemOid=item_id),
        await who.call("updatePermission", criteria="_id == ?", bindParams=[item_id], permission={"x": "r"}),
        await who.call("updatePermission", permission={"x": "r"}),
        await who.call("delete", itemOid=item_id),
    ):
        if "w" in rights:
            assert "result" in answer.body
        else:
            refused(answer)
    assert await people[owner].ids() == ([] if "w" in rights else [item_id])


def check_refused(may_read: bool) -> Any:
    """What may be read is refused with 14; what may not is not there."""

    def check(answer: Answer) -> None:
        if may_read:
            assert answer.code == 14
            assert answer.data is None
        elif "result" in answer.body:
            assert answer.result == {"numUpdates": 0}
        else:
            assert (answer.code, answer.data) == (-32602, {"itemOid": "Item not found."})

    return check


async def test_an_item_that_may_only_be_written_can_be_opened(person: NewPerson) -> None:
    anna, bert = await person("anna"), await person("bert")
    item_id = await anna.insert({"a": 1}, **{bert.id: "w"})
    assert await bert.ids() == []
    changed = await bert.call("updatePermission", criteria="_id == ?", bindParams=[item_id], permission={bert.id: "rw"})
    assert changed.result == {"numUpdates": 1}
    assert await bert.ids() == [item_id]


async def test_a_session_that_has_ended_is_not_a_device(person: NewPerson) -> None:
    anna = await person("anna")
    stale = anna.wire.tab()
    await anna.wire.call("User.logout")
    for method, params in CALLS.items():
        assert (await Person(stale, None).call(method, **params)).code == 11
    anna.wire.session = None
    assert await anna.found() == []


async def test_who_is_gone_inserts_for_nobody(person: NewPerson, server: Any) -> None:
    anna = await person("anna")
    stale = anna.wire.tab()
    await anna.wire.call("User.unregister", password="password")
    assert (await Person(stale, None).call("insert", item={})).code == 11
    assert server.rows("SELECT * FROM items") == []


# --- permissions -----------------------------------------------------------------------------------------


async def test_permission_is_the_default_overlaid_with_what_is_given(person: NewPerson, server: Any) -> None:
    make_collection(server, "open", public="r")
    anna = await person("anna")

    async def permission(given: dict[str, str] | None) -> Any:
        item = (await anna.call("insert", collectionName="open", item={}, permission=given)).result["item"]
        return (await anna.call("getPermission", collectionName="open", itemOid=item["_id"])).result["permission"]

    assert await permission(None) == {"public": "r"}
    assert await permission({}) == {"public": "r"}
    assert await permission({"u1": "w", "u2": ""}) == {"public": "r", "u1": "w"}
    assert await permission({"public": ""}) == {"public": ""}


async def test_entries_are_overlaid_or_replaced(person: NewPerson) -> None:
    anna = await person("anna")
    item_id = await anna.insert({}, public="r", u1="rw", u2="r")

    async def change(permission: dict[str, str], **options: Any) -> Any:
        params = {"criteria": "_id == ?", "bindParams": [item_id], "permission": permission, "options": options}
        assert (await anna.call("updatePermission", **params)).result == {"numUpdates": 1}
        return (await anna.call("getPermission", itemOid=item_id)).result["permission"]

    assert await change({"u1": "", "u3": "w"}) == {"public": "r", "u2": "r", "u3": "w"}
    assert await change({}) == {"public": "r", "u2": "r", "u3": "w"}
    assert await change({"public": ""}) == {"public": "", "u2": "r", "u3": "w"}
    assert await change({"u4": "r"}, forceOverwrite=True) == {"public": "", "u4": "r"}
    assert await change({"public": "rw"}, forceOverwrite=True, orderBy=None) == {"public": "rw"}


async def test_permission_changes_leave_the_time_of_the_item_alone(person: NewPerson, server: Any) -> None:
    anna = await person("anna")
    await anna.insert()
    before = await anna.found()
    server.clock.advance(minutes=1)
    await anna.call("updatePermission", permission={"public": "r"})
    assert await anna.found() == before


@pytest.mark.parametrize(
    "permission", [{"public": "rwx"}, {"public": 1}, {"1u": "r"}, {"a b": "r"}, {"": "r"}, {"a_b": "r"}]
)
async def test_what_is_wrong_in_a_permission_is_told_as_one(permission: dict[str, Any], person: NewPerson) -> None:
    anna = await person("anna")
    calls: dict[str, dict[str, Any]] = {"insert": {"item": {}}, "updatePermission": {}}
    for method, params in calls.items():
        answer = await anna.call(method, permission=permission, **params)
        assert answer.code == -32602
        assert answer.data.keys() == {"permission"}


async def test_an_item_has_a_thousand_entries_at_most(person: NewPerson) -> None:
    anna = await person("anna")
    many = {f"u{number}": "r" for number in range(999)}
    await anna.insert({}, **many)
    await anna.insert({}, public="r", **many)
    for more in ({"x": "r", "y": "r"}, {"x": "rw"}):
        answer = await anna.call("updatePermission", permission=more)
        assert answer.data.keys() == {"permission"}
    assert (await anna.call("insert", item={}, permission={**many, "x": "r", "y": "r"})).data.keys() == {"permission"}
    assert (await anna.call("insert", item={}, permission={**many, "x": "r"})).data.keys() == {"permission"}
    assert len(await anna.found()) == 2


# --- so many and no more ---------------------------------------------------------------------------------


def insert_many(server: InProcessServer, owner: str | None, number: int) -> None:
    """In one transaction, which the app API does not offer."""

    def unit(db: Db) -> None:
        collection = definitions.named(db, NAME)
        for n in range(number):
            items.insert(
                db,
                collection,
                id=f"i{n}",
                owner=owner,
                device=None,
                properties_json=f'{{"n":{n}}}',
                permission={},
                created_at=server.clock(),
                updated_at=server.clock(),
            )

    with contextlib.closing(open_for_writing(server.database_path())) as db:
        db.write(unit)


async def test_one_call_is_about_ten_thousand_items_at_most(person: NewPerson, server: InProcessServer) -> None:
    anna = await person("anna")
    insert_many(server, anna.id, 10_001)
    entries = {f"u{number}": "r" for number in range(11)}
    for refused in (
        {"permission": {"public": "r"}},
        {"permission": entries, "criteria": "n < 10000"},
    ):
        answer = await anna.call("updatePermission", **refused)
        assert (answer.code, [*answer.data]) == (-32602, ["criteria"])
    assert server.rows("SELECT count(*) FROM items WHERE public_read") == [(0,)]
    assert server.rows("SELECT count(*) FROM grants") == [(0,)]

    changed = await anna.call("updatePermission", permission={"public": "r"}, criteria="n < 10000")
    assert changed.result == {"numUpdates": 10_000}
    for options in ({}, {"limit": 10_001}):
        found = (await anna.call("find", options=options)).result
        assert (len(found["items"]), found["totalItems"]) == (10_000, 10_001)
        assert (await anna.call("find", options={**options, "page": 2})).result == {"items": [], "totalItems": 10_001}
    second = (await anna.call("find", options={"limit": 10_000, "page": 2})).result
    assert [item["_id"] for item in second["items"]] == ["i10000"]
