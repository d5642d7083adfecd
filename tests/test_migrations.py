"""Databases of every released schema, opened by the server of today.

Before a step is added to MIGRATIONS, the schema until then is stored: `python -m tests.store_schema`.
"""

import contextlib
import json
import sqlite3
import stat
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.accounts.tokens import digest
from jsonrpc_backend.store.engine import DatabaseUnusable
from jsonrpc_backend.store.sqlite import database_file
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from jsonrpc_backend.store.sqlite.migrations import MIGRATIONS
from tests.servers import make_config, running
from tests.store_schema import FOLDER
from tests.wire import Wire

CURRENT = len(MIGRATIONS)
STORED = sorted(int(file.stem) for file in FOLDER.glob("*.sql"))
OLD = [version for version in STORED if version < CURRENT]


def restore(version: int, path: Path) -> dict[str, Any]:
    """Makes the file that was stored. Returns what the client of anna has kept."""
    text = (FOLDER / f"{version}.sql").read_text(encoding="utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(text)
        db.execute("PRAGMA journal_mode = WAL")
    kept: dict[str, Any] = json.loads(text.splitlines()[0].removeprefix("-- "))
    return kept


def content(path: Path) -> tuple[int, list[Any]]:
    """The schema's version and every row of every table."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        rows = [(table, db.execute(f'SELECT * FROM "{table}"').fetchall()) for table in tables]
        return db.execute("PRAGMA user_version").fetchone()[0], rows


def schema(db: sqlite3.Connection) -> set[str]:
    """What makes up the tables and indexes, however it is spaced."""
    rows = db.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
    return {" ".join(sql.split()) for (sql,) in rows}


def test_every_schema_before_the_current_one_is_stored() -> None:
    missing = set(range(1, CURRENT)) - set(STORED)
    assert not missing, "check out the commit before the new step and run: python -m tests.store_schema"
    assert max(STORED) <= CURRENT


@pytest.mark.parametrize("version", STORED)
def test_released_steps_have_not_changed(version: int, tmp_path: Path) -> None:
    restore(version, tmp_path / "stored.sqlite3")
    with (
        contextlib.closing(sqlite3.connect(":memory:")) as by_steps,
        contextlib.closing(sqlite3.connect(tmp_path / "stored.sqlite3")) as stored,
    ):
        for step in MIGRATIONS[:version]:
            for statement in step:
                by_steps.execute(statement)
        assert schema(by_steps) == schema(stored)


@pytest.mark.parametrize("version", STORED)
async def test_stored_database_serves_as_before(version: int, tmp_path: Path, http: aiohttp.ClientSession) -> None:
    path = tmp_path / "data" / "app.sqlite3"
    kept = restore(version, path)
    before = content(path)
    async with running(make_config(path.parent)) as server:
        app = Wire(http, server)
        app.session = kept["session"]
        assert (await app.call("User.getProperties")).result["properties"] == {
            "age": 21,
            "tags": ["a", "b"],
            "city": "Köln",
        }
        assert (await app.call("User.autoLogin", loginToken=kept["loginToken"])).result["user"]["age"] == 21
        login = {"username": "anna@example.com", "password": kept["password"]}
        assert (await app.elsewhere().call("User.login", **login)).session
        await app.elsewhere("third").register("carla@example.com")
        assert (await app.call("User.saveProperty", name="age", value=22)).result == "OK"
        assert (await app.call("User.unregister", password=kept["password"])).result == "OK"
    assert content(path)[0] == CURRENT
    copies = list(path.parent.glob("*.before-schema-*"))
    assert [copy.name for copy in copies] == [f"app.sqlite3.before-schema-{CURRENT}"] * (version < CURRENT)
    for copy in copies:
        assert content(copy) == before
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_new_file_is_not_copied(tmp_path: Path) -> None:
    open_for_writing(tmp_path / "app.sqlite3").close()
    # The others are there to be locked.
    assert {path.name for path in tmp_path.iterdir()} == {"app.sqlite3", "app.sqlite3-writer", "app.sqlite3-next"}


@pytest.mark.parametrize("version", OLD)
def test_failing_step_leaves_the_file_as_it_was(version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "app.sqlite3"
    restore(version, path)
    before = content(path)
    monkeypatch.setattr(database_file, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE new (a) STRICT", "nonsense")))
    with pytest.raises(DatabaseUnusable, match="cannot be used"):
        open_for_writing(path)
    assert content(path) == before
    assert content(path.with_name(f"app.sqlite3.before-schema-{CURRENT + 1}")) == before


@pytest.mark.parametrize("version", OLD)
def test_no_copy_no_migration(version: int, tmp_path: Path) -> None:
    path = tmp_path / "app.sqlite3"
    restore(version, path)
    before = content(path)
    (tmp_path / f"app.sqlite3.before-schema-{CURRENT}").mkdir()  # in the way
    with pytest.raises(DatabaseUnusable, match="cannot be used"):
        open_for_writing(path)
    assert content(path) == before


@pytest.mark.parametrize("version", [version for version in STORED if version < 5])
@pytest.mark.parametrize("presented", ["superseded", "sibling", "parent"])
async def test_login_tokens_made_before_families_had_a_part_in_common(
    version: int, presented: str, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    path = tmp_path / "app.sqlite3"
    kept = restore(version, path)
    superseded = [f"{number:064x}" for number in range(80)]
    sibling, parent = "a" * 64, "b" * 64
    insert = (
        "INSERT INTO login_tokens (digest, family_key, parent, superseded, created_at)"
        " SELECT ?, family_key, ?, ?, created_at + ? FROM login_tokens WHERE digest = ?"
    )
    newest = digest(kept["loginToken"])
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE login_tokens SET parent = ? WHERE digest = ?", (digest(parent), newest))
        db.executemany(insert, [(digest(token), None, 1, -80 + n, newest) for n, token in enumerate(superseded)])
        db.executemany(insert, [(digest(sibling), digest(parent), 0, 1, newest), (digest(parent), None, 0, -1, newest)])
    async with running(make_config(tmp_path)) as server:
        app = Wire(http, server)
        family = server.rows("SELECT family_key FROM login_tokens WHERE superseded = 1")
        assert len(family) < 50, "the latest ones"
        assert (await app.elsewhere().call("User.autoLogin", loginToken=parent)).session, "its grace begins anew"
        for _ in range(3):
            token = app.login_token or kept["loginToken"]
            assert (await app.call("User.autoLogin", loginToken=token)).session
        old = {"superseded": superseded[-1], "sibling": sibling, "parent": parent}[presented]
        assert (await app.elsewhere().call("User.autoLogin", loginToken=old)).code == -32602
        assert (await app.call("User.isAuthenticated")).result is False
        assert (await app.call("User.autoLogin", loginToken=app.login_token)).code == -32602
