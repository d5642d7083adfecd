"""A file that cannot be used stops its own backend, with a reason, and no other."""

import contextlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from jsonrpc_backend.store.sqlite.migrations import MIGRATIONS
from tests.servers import ServerProcess
from tests.shell import QuickShell, Shell
from tests.wire import Wire

pytestmark = pytest.mark.slow

CONFIG = '[backends.good]\napi_key = "good-key"\n[backends.bad]\napi_key = "bad-key"\n'


def garbage(path: Path) -> None:
    path.write_bytes(b"no database, certainly not" * 1000)


def newer(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")


def of_another_program(path: Path) -> None:
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE notes (text TEXT)")


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8192])


def damaged_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xa5" * 4096
    path.write_bytes(content)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


BROKEN = [
    (garbage, "file is not a database"),
    (newer, "written by a newer version"),
    (of_another_program, "is a database of another program"),
    (cut_short, "malformed"),
    (damaged_page, r"is damaged \(.*\)\. Restore a backup|malformed"),
    (a_folder, "cannot be opened"),
]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder with two backends."""
    (tmp_path / "config.toml").write_text(CONFIG)
    folder = tmp_path / "data"
    for name in ("good", "bad"):
        open_for_writing(folder / f"{name}.sqlite3").close()
    return folder


@contextlib.contextmanager
def serving(data_dir: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(data_dir, ["--dev"], backend_id="good")
    server.start()
    server.api_key = "good-key"
    try:
        yield server
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize(("break_it", "reason"), BROKEN, ids=[make.__name__ for make, _ in BROKEN])
async def test_only_the_broken_backend_is_stopped(
    data_dir: Path, http: aiohttp.ClientSession, break_it: Callable[[Path], None], reason: str
) -> None:
    path = data_dir / "bad.sqlite3"
    break_it(path)
    before = path.read_bytes() if path.is_file() else None
    with serving(data_dir) as server:
        logged = rf'"level":"error".*backend bad is stopped: \S+bad\.sqlite3: .*{reason}'
        assert re.search(logged, server.output)
        assert "/json-rpc/bad  (stopped: see above)" in server.output
        assert "/json-rpc/good\n" in server.output
        good = Wire(http, server)
        await good.register()
        await good.call("User.saveProperty", name="age", value=21)
        async with http.get(f"{server.url}/dev/mail") as page:
            assert page.status == 200
        async with http.get(f"{server.url}/healthz") as alive:
            assert alive.status == 200
        async with http.get(f"{server.url}/readyz") as ready:
            assert ready.status == 503
            assert await ready.json() == {"status": "database unavailable"}
        server.backend_id, server.api_key = "bad", "bad-key"
        bad = Wire(http, server)
        request_ids = []
        for method, params in [
            ("User.login", {"username": "anna", "password": "password"}),
            ("User.register", {"username": "anna", "password": "password"}),
            ("User.validate", {"username": "anna"}),
            ("User.autoLogin", {"loginToken": "0" * 64}),
            ("User.sendPasswordResetToken", {"username": "anna"}),
        ]:
            answer = await bad.call(method, **params)
            assert answer.code == -32603
            assert answer.data.keys() == {"requestId"}
            request_ids.append(answer.data["requestId"])
        server.api_key = "good-key"
        assert (await bad.call("User.login", username="anna", password="password")).code == 4
    assert [request_id for request_id in request_ids if request_id not in server.output] == []
    assert "Traceback" not in server.output
    assert path.is_dir() or path.read_bytes() == before


def test_server_without_any_usable_file_exits_4(data_dir: Path, shell: Shell) -> None:
    for name in ("good", "bad"):
        garbage(data_dir / f"{name}.sqlite3")
    error = shell.fails(4, "serve", "--port", "0")
    assert "no backend can be served" in error
    for name in ("good", "bad"):
        assert f"backend {name} is stopped: {data_dir.relative_to(shell.folder)}" in error.replace(
            f"{shell.folder}/", ""
        )


# --- one server for one data folder ----------------------------------------------------------------------


def test_second_server_on_the_same_folder_is_refused(shell: Shell, quick: QuickShell, served: ServerProcess) -> None:
    assert served.process is not None
    error = shell.fails(4, "serve", "--port", "0")
    assert f"data: another server is running on this folder (process {served.process.pid}). Stop it, or" in error
    quick.ok("user", "add", "anna", "--password-stdin", stdin="secret")
    assert [user["_username"] for user in json.loads(quick.ok("user", "list", "--json"))] == ["anna"]
    quick.ok("mail", "list")
    quick.ok("backup", "copy")
    other = ServerProcess(quick.folder / "copy").start()
    assert other.stop() == 0


def test_lock_ends_with_its_server(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data").start()
    server.kill()
    server.start()
    assert server.stop() == 0
    server.start()
    assert server.stop() == 0
