"""A username that nobody has takes as long as a wrong password, also while stored hashes have older parameters.

`python -m tests.measure_answer_times` measures it.
"""

import contextlib
import itertools
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.accounts.stand_ins import draw_lot, find_user
from jsonrpc_backend.store import users
from jsonrpc_backend.store.sqlite.database_file import APPLICATION_ID, open_for_writing
from jsonrpc_backend.store.sqlite.migrations import MIGRATIONS
from jsonrpc_backend.store.users import NO_PASSWORD
from tests.servers import FakeClock, make_config, running
from tests.wire import Wire

pytestmark = pytest.mark.slow

OLD = "$argon2id$v=19$m=64,t=1,p=1$"
NEW = "$argon2id$v=19$m=128,t=3,p=2$"
OLDEST = "$argon2i$v=16$m=8,t=9,p=1$"

STEPS_BEFORE_LOTS = 2

NAMES = [f"nobody{number}" for number in range(2000)]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(open_for_writing(tmp_path / "app.sqlite3")) as connection:
        yield connection


def insert(db: sqlite3.Connection, name: str, parameters: str, salt: str = "c2FsdHNhbHQ") -> users.User:
    return users.insert(
        db,
        id=name,
        username=name,
        username_key=name,
        password_hash=f"{parameters}{salt}$aGFzaGhhc2g",
        properties_json="{}",
        lot=draw_lot(),
        now=0,
    )


def parameters_of(db: sqlite3.Connection, name: str) -> str | None:
    """With which parameters a password is verified for a name that nobody has."""
    user, expected = find_user(db, name)
    assert user is None
    return None if expected is None else "$".join(expected.split("$")[:4]) + "$"


async def work_for(wire: Wire, username: str) -> float:
    """Processor time for a wrong password, in seconds: how busy the machine is otherwise hardly matters to it."""
    times = []
    for _ in range(4):
        begin = time.process_time()
        answer = await wire.call("User.login", username=username, password="wrong")
        times.append(time.process_time() - begin)
        assert answer.data == {"password": "Username or password is incorrect."}
    return min(times)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"iterations": 1, "memory_kib": 64}, {"iterations": 200, "memory_kib": 1024}, id="cheaper"),
        pytest.param({"iterations": 200, "memory_kib": 1024}, {"iterations": 1, "memory_kib": 64}, id="dearer"),
    ],
)
async def test_work_is_that_for_stored_hashes_though_parameters_have_changed(
    before: dict[str, Any], after: dict[str, Any], http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """The two sets differ by a factor of 3,000, and the whole call by more than 20: it shows which of them was used."""
    clock = FakeClock()
    async with running(make_config(tmp_path, {"passwords": before}), clock) as server:
        await Wire(http, server).register()
    async with running(make_config(tmp_path, {"passwords": after}), clock) as server:
        wire = Wire(http, server)
        known, unknown = await work_for(wire, "me@example.com"), await work_for(wire, "nobody")
        assert 1 / 3 < unknown / known < 3


async def test_without_users_todays_parameters_are_used(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    dear = {"iterations": 200, "memory_kib": 1024}
    async with running(make_config(tmp_path, {"passwords": dear})) as server:
        wire = Wire(http, server)
        without = await work_for(wire, "nobody")
        await wire.register()
        assert 1 / 3 < without / await work_for(wire, "me@example.com") < 3


def test_hashes_of_every_form_occur(db: sqlite3.Connection) -> None:
    """Those of other systems, and users without a password, in the place of whose hash there is a mark."""
    stored = [
        f"{OLD}c2FsdA$aGFzaA",
        "$2b$12$abcdefghijklmnopqrstuuLF7",
        "pbkdf2_sha256$1000$salt$aGFzaA==",
        NO_PASSWORD,
    ]
    for number in range(40):
        name = f"user{number}"
        key = users.insert(
            db,
            id=name,
            username=name,
            username_key=name,
            password_hash=stored[number % 4],
            properties_json="{}",
            lot=draw_lot(),
            now=0,
        ).key
        assert find_user(db, name) == (users.get(db, key), stored[number % 4])
    assert {find_user(db, name) for name in NAMES} == {(None, each) for each in stored}


async def test_password_of_the_stand_in_opens_nothing(wire: Wire) -> None:
    """With one user there is no doubt whose hash is verified for everybody else."""
    await wire.register("me@example.com", "password")
    answer = await wire.elsewhere().call("User.login", username="nobody", password="password")
    assert answer.data == {"password": "Username or password is incorrect."}
    assert answer.session is None


def test_as_many_unknown_names_as_users_have_each_set_of_parameters(db: sqlite3.Connection) -> None:
    for number in range(2000):
        insert(db, f"user{number}", OLD if number < 1200 else NEW if number < 1800 else OLDEST)
    found = Counter(parameters_of(db, name) for name in NAMES)
    expected = {OLD: 1200, NEW: 600, OLDEST: 200}
    assert found.keys() == expected.keys()
    # Six standard deviations and more: lots differ from run to run.
    assert all(abs(found[parameters] - number) < 190 for parameters, number in expected.items())


def test_a_name_keeps_its_parameters(db: sqlite3.Connection, tmp_path: Path) -> None:
    """Across restarts too: else names that nobody has could be told by changing them back and forth."""
    for number in range(10):
        insert(db, f"user{number}", OLD if number < 5 else NEW)
    drawn = [parameters_of(db, name) for name in NAMES[:200]]
    assert set(drawn) == {OLD, NEW}
    with contextlib.closing(open_for_writing(tmp_path / "app.sqlite3")) as again:
        assert [parameters_of(again, name) for name in NAMES[:200]] == drawn


def test_names_move_as_users_do(db: sqlite3.Connection) -> None:
    """From the old parameters to the new ones and never back."""
    moving = [insert(db, f"user{number}", OLD) for number in range(20)]
    before = {name: parameters_of(db, name) for name in NAMES[:200]}
    assert set(before.values()) == {OLD}
    for user in moving:
        users.replace_hash(db, user, f"{NEW}c2FsdHNhbHQ$aGFzaGhhc2g")
        after = {name: parameters_of(db, name) for name in before}
        assert all(after[name] == NEW for name in before if before[name] == NEW)
        before = after
    assert set(before.values()) == {NEW}


def test_other_files_draw_other_lots(tmp_path: Path) -> None:
    """Lots and the secret are made with each file, so nobody can work out a name's stand-in."""
    drawn = []
    for file in ("one", "another"):
        with contextlib.closing(open_for_writing(tmp_path / f"{file}.sqlite3")) as db:
            for number in range(20):
                insert(db, f"user{number}", OLD if number < 10 else NEW)
            drawn.append([parameters_of(db, name) for name in NAMES[:100]])
    assert drawn[0] != drawn[1]


def test_few_names_move_when_a_user_comes_or_goes(db: sqlite3.Connection) -> None:
    """And those who move when one comes move to the new one, who has today's parameters."""
    for number in range(200):
        insert(db, f"user{number}", OLD)
    newcomer = insert(db, "newcomer", NEW)
    moved = [name for name in NAMES if parameters_of(db, name) == NEW]
    assert len(moved) < 200  # 10 are to be expected
    users.delete(db, newcomer)
    assert {parameters_of(db, name) for name in NAMES} == {OLD}


def test_last_user_stands_in_for_everybody(db: sqlite3.Connection) -> None:
    for number in range(20):
        gone = insert(db, f"user{number}", OLD)
        users.delete(db, gone)
    assert parameters_of(db, "nobody") is None
    insert(db, "last", NEW)
    assert {parameters_of(db, name) for name in NAMES} == {NEW}


def test_stand_in_is_found_by_an_index(db: sqlite3.Connection) -> None:
    queries: list[str] = []
    insert(db, "somebody", OLD)
    db.set_trace_callback(queries.append)
    for name in NAMES[:20]:
        find_user(db, name)
    db.set_trace_callback(None)
    plans = {step[3] for query in set(queries) for step in db.execute(f"EXPLAIN QUERY PLAN {query}")}
    assert plans <= {
        "SEARCH users USING INDEX users_lot (lot>?)",
        "SCAN users USING INDEX users_lot",  # the first of it
        "SEARCH users USING INDEX sqlite_autoindex_users_2 (username_key=?)",
        "SEARCH secrets USING PRIMARY KEY (name=?)",
    }


def test_users_from_before_draw_lots(tmp_path: Path) -> None:
    """The step that begins with it finds users in the file."""
    path = tmp_path / "app.sqlite3"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in itertools.chain(*MIGRATIONS[:STEPS_BEFORE_LOTS]):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {STEPS_BEFORE_LOTS}")
        for number in range(50):
            db.execute(
                "INSERT INTO users (id, username, username_key, password_hash, created_at, updated_at, properties)"
                " VALUES (?1, ?1, ?1, ?2, 0, 0, '{}')",
                (f"user{number}", f"{OLD if number < 25 else NEW}c2FsdA$aGFzaA"),
            )
    with contextlib.closing(open_for_writing(path)) as db:
        assert len(db.execute("SELECT DISTINCT lot FROM users").fetchall()) == 50
        assert {parameters_of(db, name) for name in NAMES[:200]} == {OLD, NEW}
