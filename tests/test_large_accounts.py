"""Properties that are too large to be decoded for each call go other ways, and come out the same."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jsonrpc_backend.accounts.stand_ins import draw_lot
from jsonrpc_backend.store import users
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from tests.servers import InProcessServer
from tests.wire import Wire

pytestmark = pytest.mark.slow

LARGE = "x" * users.LARGE_PROPERTIES_BYTES
MANY = [f"p{number}" for number in range(users.MOST_AT_ONCE + 1)]

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**21) + 1, 10**21 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=8,
)
PROPERTIES = st.dictionaries(st.from_regex("[a-zA-Z][a-zA-Z0-9]{0,5}", fullmatch=True), VALUES, max_size=6)


@pytest.fixture
async def app(wire: Wire) -> Wire:
    """Its user has one large property, an absent one, and many small ones."""
    small: dict[str, Any] = {name: {"é": [1, 2.50, "\u2028\0"]} for name in MANY}
    await wire.register()
    assert (
        await wire.call("User.saveProperties", properties={"large": LARGE, "nothing": None, **small})
    ).result == "OK"
    return wire


async def test_one_property(app: Wire) -> None:
    assert (await app.call("User.getProperty", name="large")).result == {"value": LARGE}
    assert (await app.call("User.getProperty", name="p7")).result == {"value": {"é": [1, 2.5, "\u2028\0"]}}
    for name in ("nothing", "absent", "", "$", "p7.é", 'p7"', "p7[0]", "$.p7", "p7\0"):
        assert (await app.call("User.getProperty", name=name)).result == {"value": None}, name


@pytest.mark.parametrize("names", [["p7", "absent", "nothing", "p7"], MANY, [*MANY, "large", "absent"]], ids=len)
async def test_some_properties(names: list[str], app: Wire) -> None:
    found = (await app.call("User.getProperties", names=names)).result["properties"]
    assert found.keys() == set(names) - {"absent"}
    assert found.get("nothing") is None
    assert found["p7"] == {"é": [1, 2.5, "\u2028\0"]}


async def test_all_properties_and_who_signs_in(app: Wire) -> None:
    everything = (await app.call("User.getProperties")).result["properties"]
    assert everything["large"] == LARGE
    assert everything.keys() == {"large", "nothing", *MANY}
    user = (await app.call("User.login", username="me@example.com", password="password")).result["user"]
    assert {name: value for name, value in user.items() if name[0] != "_"} == everything


@pytest.mark.parametrize("names", [MANY[:3], MANY], ids=len)
async def test_saving_keeps_the_rest(names: list[str], app: Wire, server: InProcessServer) -> None:
    before = (await app.call("User.getProperties")).result["properties"]
    server.clock.advance(seconds=1)
    changes = {**dict.fromkeys(names, "changed"), "fresh": 1e-9}
    assert (await app.call("User.saveProperties", properties=changes)).result == "OK"
    assert (await app.call("User.getProperties")).result["properties"] == before | changes
    assert server.rows("SELECT updated_at - created_at FROM users") == [(1000,)]


@pytest.mark.parametrize("count", [1, users.MOST_AT_ONCE + 1])
async def test_the_limit_is_exact(count: int, wire: Wire) -> None:
    """Both ways of saving measure bytes, and a save that is too large leaves everything as it was."""
    await wire.register()
    rest = {f"p{number}": "é" for number in range(count - 1)}
    room = users.MAX_PROPERTIES_BYTES - len(
        json.dumps({**rest, "a": ""}, ensure_ascii=False, separators=(",", ":")).encode()
    )
    refused = await wire.call("User.saveProperties", properties={**rest, "a": "x" * (room + 1)})
    assert refused.code == -32602
    assert (await wire.call("User.getProperties")).result == {"properties": {}}
    assert (await wire.call("User.saveProperties", properties={**rest, "a": "x" * room})).result == "OK"
    assert (await wire.call("User.saveProperty", name="b", value=1)).code == -32602
    assert (await wire.call("User.getProperty", name="b")).result == {"value": None}


async def test_a_session_that_does_not_read_properties_does_not_load_them(app: Wire, server: InProcessServer) -> None:
    """The text is broken in the file: whoever looked at it would fail."""
    server.execute("UPDATE users SET properties = substr(properties, 1, 40000)")
    assert (await app.call("User.isAuthenticated")).result is True
    assert (await app.call("User.updatePassword", oldPassword="password", newPassword="passw0rd")).result == "OK"
    assert (await app.call("User.logout")).result == "OK"


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path: Path = tmp_path_factory.mktemp("store") / "app.sqlite3"
    with contextlib.closing(open_for_writing(path)) as connection:
        yield connection


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(stored=PROPERTIES, changes=PROPERTIES)
def test_sqlite_merges_as_python_does(stored: dict[str, Any], changes: dict[str, Any], db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM users")
    text = users.encode_properties(stored)
    user = users.insert(
        db, id="u", username="me", username_key="me", password_hash="", properties_json=text, lot=draw_lot(), now=1
    )
    assert users.merge_properties(db, user.key, changes, 2)
    assert users.find_properties(db, user.key) == users.encode_properties(stored | changes)
    names = [*stored, *changes, "absent"]
    assert users.find_values(db, user.key, names) == users.encode_values(stored | changes)
