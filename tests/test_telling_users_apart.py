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
import argon2
import pytest

from jsonrpc_backend.accounts.stand_ins import find_user
from jsonrpc_backend.store import hash_parameters, users
from jsonrpc_backend.store.database_file import APPLICATION_ID, open_for_writing
from jsonrpc_backend.store.migrations import MIGRATIONS
from tests.servers import FakeClock, make_config, running
from tests.wire import Wire

OLD = "$argon2id$v=19$m=64,t=1,p=1$"
NEW = "$argon2id$v=19$m=128,t=3,p=2$"
OLDEST = "$argon2i$v=16$m=8,t=9,p=1$"

STEPS_BEFORE_COUNTING = 2

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
        now=0,
    )


def parameters_of(db: sqlite3.Connection, name: str) -> str | None:
    """With which parameters a password is verified for a name that nobody has."""
    user, stand_in = find_user(db, name)
    assert user is None
    return None if stand_in is None else "$".join(stand_in.split("$")[:4]) + "$"


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


def test_stand_in_is_a_hash_that_no_password_has(db: sqlite3.Connection) -> None:
    insert(db, "somebody", OLD)
    first, second = find_user(db, "nobody")[1], find_user(db, "nobody")[1]
    assert first is not None
    assert first != second
    assert argon2.extract_parameters(first).hash_len == 32
    for password in ("", "password"):
        with pytest.raises(argon2.exceptions.VerifyMismatchError):
            argon2.PasswordHasher().verify(first, password)


def test_as_many_unknown_names_as_users_have_each_set_of_parameters(db: sqlite3.Connection) -> None:
    for number in range(100):
        insert(db, f"user{number}", OLD if number < 60 else NEW if number < 90 else OLDEST)
    found = Counter(parameters_of(db, name) for name in NAMES)
    expected = {OLD: 1200, NEW: 600, OLDEST: 200}
    assert found.keys() == expected.keys()
    # Ten standard deviations: the secret that draws the lots differs from run to run.
    assert all(abs(found[parameters] - number) < 220 for parameters, number in expected.items())


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
    """The secret is made with each file, so nobody can work out a name's lot."""
    drawn = []
    for number in range(2):
        with contextlib.closing(open_for_writing(tmp_path / f"{number}.sqlite3")) as db:
            for parameters in (OLD, NEW):
                insert(db, parameters, parameters)
            drawn.append([parameters_of(db, name) for name in NAMES[:100]])
    assert drawn[0] != drawn[1]


def test_counts_follow_every_change(db: sqlite3.Connection) -> None:
    first, second = insert(db, "first", OLD), insert(db, "second", OLD, salt="c2FsdA")
    assert hash_parameters.counts(db) == [(OLD, 2)]
    users.replace_password(db, first, f"{NEW}c2FsdA$aGFzaA", 1)
    assert hash_parameters.counts(db) == [(NEW, 1), (OLD, 1)]
    users.replace_hash(db, second, f"{OLD}b3RoZXI$b3RoZXI")
    assert hash_parameters.counts(db) == [(NEW, 1), (OLD, 1)]
    users.merge_properties(db, second.key, {"age": 21}, 2)
    users.delete(db, second)
    assert hash_parameters.counts(db) == [(NEW, 1)]
    users.delete(db, users.get(db, first.key))
    assert hash_parameters.counts(db) == []


def test_what_is_no_argon2_hash_is_never_drawn(db: sqlite3.Connection) -> None:
    insert(db, "imported", "$2b$12$")
    insert(db, "broken", "")
    assert parameters_of(db, "nobody") is None


def test_users_from_before_are_counted(tmp_path: Path) -> None:
    """The step that begins to count finds users in the file."""
    path = tmp_path / "app.sqlite3"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in itertools.chain(*MIGRATIONS[:STEPS_BEFORE_COUNTING]):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {STEPS_BEFORE_COUNTING}")
        for number in range(5):
            insert(db, f"user{number}", OLD if number < 3 else NEW, salt="c2FsdA" * (number + 1))
    with contextlib.closing(open_for_writing(path)) as db:
        assert hash_parameters.counts(db) == [(NEW, 2), (OLD, 3)]
        insert(db, "another", OLD)
        assert hash_parameters.counts(db) == [(NEW, 2), (OLD, 4)]
