"""The database from below: transactions, shared commits, migrations."""

import asyncio
import contextlib
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from jsonrpc_backend.accounts.stand_ins import draw_lot
from jsonrpc_backend.store import users
from jsonrpc_backend.store.engine import DatabaseUnusable, Db, StoreFailed
from jsonrpc_backend.store.sqlite import units
from jsonrpc_backend.store.sqlite.database import SqliteDatabase
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from jsonrpc_backend.store.sqlite.migrations import MIGRATIONS
from jsonrpc_backend.store.users import User, UsernameTaken


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "app.sqlite3"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = await SqliteDatabase.open(path)
    yield opened
    await opened.close()


def insert(db: Db, name: str) -> User:
    return users.insert(
        db,
        id=f"u-{name}",
        username=name,
        username_key=name,
        password_hash="-",
        properties_json="{}",
        lot=draw_lot(),
        now=1,
    )


def names(db: Db) -> set[str]:
    return {user.username for user in users.list_all(db)}


async def test_settings_of_a_new_file(database: SqliteDatabase, path: Path) -> None:
    def pragmas(db: Db) -> list[object]:
        wanted = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "secure_delete", "user_version")
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted]

    expected = ["wal", 2, 1, 0, 1, len(MIGRATIONS)]
    assert await database.read(pragmas) == expected
    assert await database.write(pragmas) == expected
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_reader_cannot_write(database: SqliteDatabase) -> None:
    with pytest.raises(StoreFailed, match="readonly"):
        await database.read(insert, "anna")


async def test_write_is_seen_by_readers_once_it_returns(database: SqliteDatabase) -> None:
    for number in range(20):
        await database.write(insert, f"user{number}")
        assert f"user{number}" in await database.read(names)


async def test_unit_that_raises_takes_back_its_own_work_only(database: SqliteDatabase) -> None:
    def insert_and_fail(db: Db) -> None:
        insert(db, "half")
        raise RuntimeError("no")

    outcomes = await asyncio.gather(
        database.write(insert, "before"),
        database.write(insert_and_fail),
        database.write(insert, "before"),
        database.write(insert, "after"),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [User, RuntimeError, UsernameTaken, User]
    assert await database.read(names) == {"before", "after"}


async def test_units_are_run_twice_in_these_tests(database: SqliteDatabase) -> None:
    """What a unit does elsewhere than in the database would show."""
    runs: list[set[str]] = []

    def insert_and_note(db: Db) -> None:
        insert(db, "anna")
        runs.append(names(db))

    await database.write(insert_and_note)
    assert runs == [{"anna"}, {"anna"}]
    assert await database.read(names) == {"anna"}


async def test_writes_that_wait_together_share_commits(
    database: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "GROUP_SECONDS", 60)  # however slow the machine is
    wal = path.with_name(path.name + "-wal")
    committed: list[int] = []

    def insert_and_look(db: Db, number: int) -> None:
        insert(db, f"user{number}")
        committed.append(wal.stat().st_size)  # grows with each commit only

    await asyncio.gather(*(database.write(insert_and_look, number) for number in range(200)))
    assert len(await database.read(names)) == 200
    assert len(set(committed)) <= 3


async def test_cancelled_caller_leaves_a_whole_transaction(database: SqliteDatabase) -> None:
    def insert_two(db: Db, number: int) -> None:
        insert(db, f"a{number}")
        insert(db, f"b{number}")

    tasks = [asyncio.create_task(database.write(insert_two, number)) for number in range(50)]
    for round_number, task in enumerate(tasks):
        if round_number % 3:
            await asyncio.sleep(0)
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
    await database.write(insert, "later")
    found = await database.read(names) - {"later"}
    assert {name[1:] for name in found if name[0] == "a"} == {name[1:] for name in found if name[0] == "b"}


async def test_close_waits_for_accepted_writes(path: Path) -> None:
    database = await SqliteDatabase.open(path)
    writes = [asyncio.create_task(database.write(insert, f"user{number}")) for number in range(30)]
    await asyncio.sleep(0)  # the tasks have handed their writes over
    await database.close()
    await asyncio.gather(*writes)
    with contextlib.closing(open_for_writing(path)) as db:
        assert len(names(db)) == 30
    with pytest.raises(RuntimeError, match="closed"):
        await database.write(insert, "late")


async def test_failed_transaction_reports_nothing_as_done(database: SqliteDatabase) -> None:
    """The transaction as a whole fails where SQLite ends it, as it does on a full disk."""

    def end_the_transaction(db: Db) -> None:
        db.execute("ROLLBACK")

    outcomes = await asyncio.gather(
        database.write(insert, "anna"),
        database.write(end_the_transaction),
        database.write(insert, "bert"),
        return_exceptions=True,
    )
    assert all(isinstance(outcome, StoreFailed) for outcome in outcomes)
    assert await database.read(names) == set()
    await database.write(insert, "carla")
    assert await database.read(names) == {"carla"}


async def test_two_processes_write_to_one_file(database: SqliteDatabase, path: Path) -> None:
    with contextlib.closing(open_for_writing(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        insert(other, "theirs")
        waiting = asyncio.create_task(database.write(insert, "ours"))
        await asyncio.sleep(0)
        other.execute("COMMIT")
        await waiting
    assert await database.read(names) == {"ours", "theirs"}


def test_opening_twice_migrates_once(path: Path) -> None:
    with contextlib.closing(open_for_writing(path)) as db:
        insert(db, "anna")
    with contextlib.closing(open_for_writing(path)) as db:
        assert names(db) == {"anna"}


def make_foreign(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE notes (text TEXT)")


def make_newer(path: Path) -> None:
    with contextlib.closing(open_for_writing(path)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")


def make_garbage(path: Path) -> None:
    path.write_bytes(b"no database at all, " * 100)


def make_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_foreign, "another program"),
        (make_newer, "newer version"),
        (make_garbage, "not a database"),
        (make_folder, "cannot be opened"),
    ],
)
async def test_unusable_file_is_refused_and_left_alone(
    tmp_path: Path, make: Callable[[Path], None], reason: str
) -> None:
    path = tmp_path / "app.sqlite3"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(DatabaseUnusable, match=reason) as refused:
        await SqliteDatabase.open(path)
    assert str(path) in str(refused.value)
    assert path.is_dir() or path.read_bytes() == before
