"""`backup`: a copy that is whole although the server writes meanwhile, and that a server starts from."""

import asyncio
import contextlib
import json
import sqlite3
import stat
from pathlib import Path

import aiohttp
import pytest

from tests.crash import QUICK_SERVER, WRITERS, Account, Writer, complaints, stored_reset_requests, until_acknowledged
from tests.patience import HANG_SECONDS
from tests.servers import served
from tests.shell import QuickShell, Shell
from tests.wire import Wire

pytestmark = pytest.mark.slow


async def test_backup_beside_16_writers_is_restored(tmp_path: Path, shell: Shell, http: aiohttp.ClientSession) -> None:
    with served(tmp_path / "data", environment=QUICK_SERVER) as server:
        writers = [Writer(Wire(http, server, f"device-{n}"), f"user-{n}") for n in range(WRITERS)]
        # Accounts that nobody changes any more, and those of the writers beside them.
        quiet = [Writer(Wire(http, server, f"quiet-{n}"), f"quiet-{n}") for n in range(WRITERS)]
        await asyncio.gather(*(do_some(writer) for writer in quiet))
        await until_mails(tmp_path / "data" / "app.sqlite3", len(quiet))
        running = [asyncio.create_task(writer.run()) for writer in writers]
        await until_acknowledged(writers, 10 * WRITERS)
        before, acknowledged = saved_counters(writers), sum(writer.acknowledged for writer in writers)
        unchanged = saved_counters(quiet)
        await asyncio.to_thread(shell.ok, "backup", "copies/today")
        assert sum(writer.acknowledged for writer in writers) > acknowledged + WRITERS, "nobody wrote meanwhile"
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    check_copy(tmp_path / "copies" / "today", before, unchanged)
    with served(tmp_path / "copies" / "today", environment=QUICK_SERVER) as restored:
        assert restored.api_key == server.api_key
        asked = stored_reset_requests(tmp_path / "copies" / "today" / "app.sqlite3")
        for writer in quiet:
            app = Wire(http, restored, writer.app.device)
            for account in writer.accounts.values():
                assert await complaints(app, account, asked) == []
        # A mail that waits can still be read, so its key has come along.
        found = json.loads(shell.ok("mail", "list", "--json", "--data", "copies/today"))
        assert "code" in shell.ok("mail", "show", str(found[0]["key"]), "--data", "copies/today")


async def until_mails(file: Path, many: int) -> None:
    """Until so many mails are written, which is done by the side."""
    async with asyncio.timeout(HANG_SECONDS):
        with contextlib.closing(sqlite3.connect(file)) as db:
            while db.execute("SELECT count(*) FROM mails").fetchone() != (many,):  # noqa: ASYNC110
                await asyncio.sleep(0.005)


async def do_some(writer: Writer) -> None:
    for _ in range(5):
        await writer.register(next(writer.names))
        (*_, account) = writer.accounts.values()
        await writer.save(account)
    await writer.ask_for_reset(account_of(writer, 0))
    await writer.update_password(account_of(writer, 1))
    await writer.log_out(account_of(writer, 2))
    await writer.unregister(account_of(writer, 3))


def account_of(writer: Writer, number: int) -> Account:
    return list(writer.accounts.values())[number]


def saved_counters(writers: list[Writer]) -> dict[str, int]:
    """What was acknowledged so far, of the accounts that there still are."""
    accounts = [account for writer in writers for account in writer.accounts.values() if account.password is not None]
    return {account.username: account.counter for account in accounts if account.counter is not None}


def check_copy(folder: Path, before: dict[str, int], unchanged: dict[str, int]) -> None:
    """It has what was acknowledged before, nobody but the owner can read it, and nothing else is left."""
    assert {file.name for file in folder.iterdir()} == {"app.sqlite3", "app.api-key", "app.mail-key"}
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    with contextlib.closing(sqlite3.connect(folder / "app.sqlite3")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = db.execute("SELECT username, json_extract(properties, '$.counter') FROM users").fetchall()
    found = {name: counter for name, counter in rows if counter is not None}
    assert len(unchanged) == 4 * WRITERS
    assert unchanged.items() <= found.items()
    # Any of the others may have been deleted while the backup began.
    assert [name for name in before.keys() & found.keys() if found[name] < before[name]] == []


# --- what it refuses, and what it leaves out -------------------------------------------------------------


@pytest.fixture
def app(quick: QuickShell) -> QuickShell:
    """A folder with one user, anna, in ./data."""
    quick.ok("user", "add", "anna", "--password-stdin", "--properties", '{"note": "unmistakable"}', stdin="secret")
    return quick


def test_what_exists_is_left_alone(app: QuickShell) -> None:
    (app.folder / "full").mkdir()
    (app.folder / "full" / "mine").write_text("mine")
    (app.folder / "file").write_text("mine")
    for dest in ("full", "file", "data"):
        assert f"{dest} exists already and was left as it is." in app.fails(1, "backup", dest)
    assert (app.folder / "full" / "mine").read_text() == (app.folder / "file").read_text() == "mine"
    (app.folder / "empty").mkdir()
    assert app.ok("backup", "empty") == "Copied app to empty.\n"
    assert {path.name for path in app.folder.iterdir()} == {"data", "empty", "file", "full"}


def test_choice_of_backends(quick: QuickShell) -> None:
    tables = "".join(f'[backends.{name}]\napi_key = "k"\n' for name in ("one", "two", "three"))
    (quick.folder / "config.toml").write_text(tables)
    for name in ("one", "two"):
        quick.ok("user", "add", "anna", "--password-stdin", "--backend", name, stdin="secret")
    assert "There is no database" in quick.fails(4, "backup", "all")
    assert "There is no backend four; there is one, two, three." in quick.fails(2, "backup", "x", "--backend", "four")
    assert "Copied one, two to some." in quick.ok("backup", "some", "--backend", "one", "--backend", "two")
    assert {path.name for path in (quick.folder / "some").iterdir()} == {"one.sqlite3", "two.sqlite3"}
    assert not (quick.folder / "all").exists()


def test_damaged_database_gives_no_backup(app: QuickShell) -> None:
    path = app.folder / "data" / "app.sqlite3"
    content = bytearray(path.read_bytes())
    content[4096:12288] = b"\xa5" * 8192
    path.write_bytes(content)
    assert "data/app.sqlite3 cannot be copied: database disk image is malformed" in app.fails(4, "backup", "copy")
    assert [file.name for file in app.folder.iterdir()] == ["data"]


def test_what_was_deleted_is_not_in_the_copy(app: QuickShell) -> None:
    assert "unmistakable" in json.dumps(app.ok("user", "show", "anna"))
    app.ok("user", "delete", "anna", "--yes")
    app.ok("backup", "copy")
    for folder in ("copy", "data"):
        assert b"unmistakable" not in (app.folder / folder / "app.sqlite3").read_bytes()
