"""`restore`: what `backup` has copied becomes the data of a server again, or everything stays as it is."""

import contextlib
import json
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.store.moving import move_all
from tests.crash import QUICK_SERVER
from tests.servers import served
from tests.shell import QuickShell, Shell
from tests.wire import Wire


def add(shell: Shell, name: str, *options: str) -> None:
    shell.ok("user", "add", name, "--password-stdin", *options, stdin="password")


def names(shell: Shell, *options: str) -> list[str]:
    return [user["_username"] for user in json.loads(shell.ok("user", "list", "--json", *options))]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder and its folders; but of the lock only whether it is there, for that has no content."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file): b"" if file.name == "server.lock" else file.read_bytes() for file in files}


@pytest.fixture
def app(quick: QuickShell) -> QuickShell:
    """A folder with anna in ./copy, and anna and bert in ./data."""
    add(quick, "anna")
    quick.ok("backup", "copy")
    add(quick, "bert")
    return quick


@contextlib.contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        yield db


def count_mails(file: Path) -> int:
    with opened(file) as db:
        count: int = db.execute("SELECT count(*) FROM mails").fetchone()[0]
        return count


@pytest.mark.slow
async def test_what_was_copied_is_served_again(tmp_path: Path, quick: QuickShell, http: aiohttp.ClientSession) -> None:
    data = tmp_path / "data"
    with served(data, environment=QUICK_SERVER) as server:
        wire = Wire(http, server)
        await wire.register()
        await wire.elsewhere().call("User.sendPasswordResetToken", username="me@example.com")
        while not json.loads(quick.ok("mail", "list", "--json")):
            await wire.call("User.isAuthenticated")
        quick.ok("backup", "copy")
        await wire.call("User.unregister", password="password")
        said = quick.fails(4, "restore", "copy", "--force")
        assert "data: another server is running on this folder (process " in said
    assert "exists already and was left as it is; --force replaces it." in quick.fails(1, "restore", "copy")
    assert names(quick) == []
    (data / "app.mail-key").unlink()  # lost with what else was there
    done = json.loads(quick.ok("restore", "copy", "--force", "--json"))
    assert done == {"backends": ["app"], "folder": "data", "kept": done["kept"]}
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert {file.name for file in data.iterdir() if file.is_file()} == {
        *("app.sqlite3", "app.api-key", "app.mail-key", "server.lock"),
        *("app.sqlite3-writer", "app.sqlite3-next"),
    }
    assert {stat.S_IMODE(file.stat().st_mode) for file in data.rglob("*") if file.is_file()} == {0o600}
    assert "code" in quick.ok("mail", "show", "1")
    with served(data, environment=QUICK_SERVER) as restored:
        assert restored.api_key == server.api_key
        assert (await Wire(http, restored).call("User.login", username="me@example.com", password="password")).session


def test_what_was_there_is_kept_and_can_be_restored(app: QuickShell) -> None:
    (app.folder / "data" / "app.api-key").write_text("k" * 32)
    said = app.ok("restore", "copy", "--force")
    assert names(app) == ["anna"]
    assert said.startswith("Restored app to data. What was there is in data/before-restore-2")
    (kept,) = (app.folder / "data").glob("before-restore-*")
    assert names(app, "--data", str(kept)) == ["anna", "bert"]
    assert (app.folder / "data" / "app.api-key").read_text() == "k" * 32  # the copy has none
    kept.rename(app.folder / "undone")
    app.ok("restore", "undone", "--force")
    assert names(app) == ["anna", "bert"]


def test_a_new_folder_needs_no_force(app: QuickShell) -> None:
    assert app.ok("restore", "copy", "--data", "new/folder") == "Restored app to new/folder.\n"
    assert names(app, "--data", "new/folder") == ["anna"]
    assert not list((app.folder / "new" / "folder").glob(".*"))


@pytest.mark.slow
def test_the_log_of_what_was_there_goes_with_it(tmp_path: Path, app: QuickShell) -> None:
    """It would be written into the database that takes the place of its own."""
    with served(tmp_path / "data", environment=QUICK_SERVER) as server:
        add(app, "carl")
        server.kill()
    assert (tmp_path / "data" / "app.sqlite3-wal").stat().st_size
    app.ok("restore", "copy", "--force")
    assert names(app) == ["anna"]
    (kept,) = (tmp_path / "data").glob("before-restore-*")
    assert names(app, "--data", str(kept)) == ["anna", "bert", "carl"]


def test_root_restores_for_who_owns_the_folder(app: QuickShell) -> None:
    data = app.folder / "data"
    owner = 12345 if os.geteuid() == 0 else os.geteuid()
    for path in (data, *data.iterdir()):
        os.chown(path, owner, -1)
    app.ok("restore", "copy", "--force")
    assert {path.stat().st_uid for path in (data, *data.rglob("*"))} == {owner}


# --- what it refuses -------------------------------------------------------------------------------------


def damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096:12288] = b"\xa5" * 8192
    file.write_bytes(content)


def disown(file: Path) -> None:
    with opened(file) as db:
        db.execute("PRAGMA application_id = 1")


def make_newer(file: Path) -> None:
    with opened(file) as db:
        db.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (damage, "copy/app.sqlite3 cannot be copied: database disk image is malformed"),
        (disown, "copy/app.sqlite3: is a database of another program"),
        (make_newer, "copy/app.sqlite3: was written by a newer version (schema 99;"),
        (lambda file: file.write_bytes(b""), "copy/app.sqlite3 is empty."),
        (lambda file: file.write_bytes(b"no database" * 1000), "copy/app.sqlite3: cannot be"),
    ],
    ids=["damaged", "another program's", "newer", "empty", "no database"],
)
def test_a_copy_that_cannot_be_used_changes_nothing(app: QuickShell, spoil: Any, message: str) -> None:
    spoil(app.folder / "copy" / "app.sqlite3")
    (app.folder / "data" / "server.lock").touch()
    before = contents(app.folder)
    assert message in app.fails(4, "restore", "copy", "--force")
    assert contents(app.folder) == before


def test_one_bad_copy_of_several_changes_nothing(quick: QuickShell) -> None:
    (quick.folder / "config.toml").write_text("".join(f'[backends.{name}]\napi_key = "k"\n' for name in ("one", "two")))
    for backend in ("one", "two"):
        add(quick, "anna", "--backend", backend)
    quick.ok("backup", "copy")
    damage(quick.folder / "copy" / "two.sqlite3")
    (quick.folder / "data" / "server.lock").touch()
    before = contents(quick.folder)
    quick.fails(4, "restore", "copy", "--force")
    assert contents(quick.folder) == before
    assert "Restored one to data." in quick.ok("restore", "copy", "--force", "--backend", "one")


def test_wrong_folders_and_backends(app: QuickShell) -> None:
    (app.folder / "empty").mkdir()
    assert "empty has no database. Name a folder that `backup` has made." in app.fails(1, "restore", "empty")
    assert "'gone' does not exist" in app.fails(2, "restore", "gone")
    assert "copy has no backend shop; it has app." in app.fails(2, "restore", "copy", "--backend", "shop")
    assert "SOURCE is the data folder itself." in app.fails(2, "restore", "data", "--force")
    (app.folder / "copy" / "app.sqlite3").rename(app.folder / "copy" / "shop.sqlite3")
    assert "The configuration has no backend shop, only app; say --backend." in app.fails(2, "restore", "copy")
    (app.folder / "file").touch()
    assert "file" in app.fails(2, "restore", "copy", "--data", "file")


def test_files_get_their_names_together_or_not_at_all(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    before = contents(tmp_path)
    pairs = [("a", "c"), ("b", "a"), ("gone", "b")]
    with pytest.raises(FileNotFoundError):
        move_all((tmp_path / old, tmp_path / new) for old, new in pairs)
    assert contents(tmp_path) == before
    move_all((tmp_path / old, tmp_path / new) for old, new in pairs[:2])
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"c": "a", "a": "b"}
