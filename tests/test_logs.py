"""What the server writes about itself while it runs, and that writing it holds nobody up."""

import asyncio
import contextlib
import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.crash import QUICK_SERVER
from tests.operators import KEY_HEADER
from tests.patience import HANG_SECONDS
from tests.servers import ServerProcess, served
from tests.setup import program
from tests.wire import Wire

pytestmark = pytest.mark.slow

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


class Logged:
    """A server whose log goes to a file."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.file = folder / "log"
        environment = {f"JSONRPC_BACKEND_SERVER_{name.upper()}": value for name, value in settings.items()}
        # The shell becomes the server; its standard error is the file.
        launcher = ["sh", "-c", 'exec "$@" 2> log', "sh"]
        self.server = ServerProcess(folder / "data", environment=QUICK_SERVER | environment, launcher=launcher)

    def lines(self) -> list[str]:
        """All of them: the server has stopped."""
        assert self.server.stop() == 0
        return self.file.read_text(encoding="utf-8").splitlines()

    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines()]


@contextlib.contextmanager
def logged(folder: Path, **settings: str) -> Any:
    log = Logged(folder, **settings)
    log.server.start()
    try:
        yield log
    finally:
        if log.server.process and log.server.process.poll() is None:
            log.server.kill()


def break_database(server: ServerProcess) -> None:
    with contextlib.closing(sqlite3.connect(server.data_dir / "app.sqlite3")) as database, database:
        database.execute("ALTER TABLE users RENAME TO hidden")


async def test_one_json_object_for_each_call(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    with logged(tmp_path) as log:
        app = Wire(http, log.server)
        await app.register()
        await app.call("User.login", username="me@example.com", password="wrong-password")
        await app.send([{"jsonrpc": "2.0", "method": "User.isAuthenticated", "params": app.params({})}] * 2 + [1])
        await app.post(b"{")
        calls = [line for line in log.objects() if line["message"] == "call"]
    assert [(call["backend"], call["method"], call["code"]) for call in calls] == [
        ("app", "User.register", 0),
        ("app", "User.login", -32602),
        ("app", "User.isAuthenticated", 0),
        ("app", "User.isAuthenticated", 0),
        ("app", None, -32600),
        ("app", None, -32700),
    ]
    assert len({call["request_id"] for call in calls}) == len(calls)
    for call in calls:
        assert call.keys() == {
            *("time", "level", "logger", "message"),
            *("request_id", "backend", "method", "code", "ms", "client"),
        }
        assert re.fullmatch(TIME, call["time"])
        assert (call["level"], call["client"]) == ("info", "127.0.0.1")
        assert 0 < call["ms"] < HANG_SECONDS * 1000
    written = log.file.read_text()
    assert [secret for secret in ("me@example.com", "password", app.session, "device-1") if secret in written] == []


async def test_address_is_the_one_that_limits_are_counted_for(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    with logged(tmp_path, trusted_proxies="127.0.0.1") as log:
        await Wire(http, log.server).post(b"{", **{"X-Forwarded-For": "198.51.100.9, 192.0.2.7"})
        await Wire(http, log.server).post(b"{", **{"X-Forwarded-For": "2001:db8::1"})
        assert [line["client"] for line in log.objects()] == ["192.0.2.7", "2001:db8::/64"]


async def test_a_refused_key_has_its_line_also_where_it_asks_for_the_document(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    """Who watches the log for guesses has to see them all."""
    with logged(tmp_path) as log:
        for backend_id in ("app", "gone\n"):
            query = {"backend": backend_id}
            async with http.get(f"{log.server.url}/manage/openrpc.json", params=query, headers={KEY_HEADER: "guess"}):
                pass
        calls = [line for line in log.objects() if line["message"] == "call"]
    assert [(call["backend"], call["method"], call["code"]) for call in calls] == [
        ("app", "rpc.discover", 4),
        (r"'gone\n'", "rpc.discover", 4),
    ]
    assert "guess" not in log.file.read_text()


async def test_request_id_of_a_fault_finds_its_traceback(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    with logged(tmp_path) as log:
        app = Wire(http, log.server)
        await app.register()
        break_database(log.server)
        answer = await app.call("User.isAuthenticated")
        assert answer.code == -32603
        found = [line for line in log.objects() if line.get("request_id") == answer.data["requestId"]]
    fault, call = found
    assert (fault["level"], call["code"], call["method"]) == ("error", -32603, "User.isAuthenticated")
    assert fault["traceback"].startswith("Traceback (most recent call last):\n")
    assert "no such table: users" in fault["traceback"].splitlines()[-1]


@pytest.mark.parametrize("log_format", ["json", "text"])
async def test_names_that_clients_make_up_cannot_forge_lines(
    tmp_path: Path, http: aiohttp.ClientSession, log_format: str
) -> None:
    names = ["a\nforged\r", "\x1b[2J\x9b2J\x7f", "\u2028\u202e\ud800\U0001f600", '"}\n{"code":0,"', "x" * 100_000]
    with logged(tmp_path, log_format=log_format) as log:
        app = Wire(http, log.server)
        for name in names:
            assert (await app.call(name)).code == -32601
        log.server.backend_id = "%0Aforged%1B%5B2J"
        await app.call("User.isAuthenticated")
        lines = log.lines()
    assert len(lines) == len(names) + 1
    for line in lines:
        assert line.isascii()
        assert line.isprintable()
        assert len(line) < 1000
    assert r"a\nforged\r" in lines[0].replace("\\\\", "\\")
    assert r"'\nforged\x1b[2J'" in lines[-1].replace("\\\\", "\\")


async def test_text_for_people(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    with logged(tmp_path, log_format="text") as log:
        app = Wire(http, log.server)
        await app.register()
        break_database(log.server)
        request_id = (await app.call("User.isAuthenticated")).data["requestId"]
        await app.post(b"{")
        lines = log.lines()
    assert re.fullmatch(rf"{TIME} INFO call [0-9a-f]{{16}} app User.register 0 \d+\.\d ms 127.0.0.1", lines[0])
    failed = f"ERROR jsonrpc_backend.rpc.dispatch: request {request_id}: User.isAuthenticated failed"
    assert re.fullmatch(f"{TIME} {failed}", lines[1])
    assert lines[2] == "  Traceback (most recent call last):"
    assert re.search(f"INFO call {request_id} app User.isAuthenticated -32603 ", lines[-2])
    assert re.search(" app - -32700 ", lines[-1])
    assert all(line.startswith("  ") for line in lines[2:-2])


def test_text_on_a_terminal(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "jsonrpc_backend", "serve", "--data", str(tmp_path / "data"), "--port", "0"]
    environment = {**os.environ, "JSONRPC_BACKEND_SERVER_LOG_LEVEL": "debug"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment)
    assert process.stdout
    while b"Ctrl+C" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGTERM)
    assert process.wait(HANG_SECONDS) == 0
    process.stdout.close()
    os.close(theirs)
    assert re.match(rf"{TIME} DEBUG asyncio: Using selector".encode(), os.read(ours, 65536))
    os.close(ours)


@pytest.mark.parametrize("settings", [{"log_calls": "false"}, {"log_level": "warning"}])
async def test_lines_of_calls_can_be_left_out(
    tmp_path: Path, http: aiohttp.ClientSession, settings: dict[str, str]
) -> None:
    with logged(tmp_path, **settings) as log:
        app = Wire(http, log.server)
        await app.register()
        break_database(log.server)
        assert (await app.call("User.isAuthenticated")).code == -32603
        assert [line["level"] for line in log.objects()] == ["error"]


async def test_output_that_nobody_reads_stops_nothing(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    """Pipes hold 64 KiB; here nobody reads until many times that has been written."""
    metrics = {"JSONRPC_BACKEND_METRICS_ENABLED": "true", "JSONRPC_BACKEND_METRICS_PORT": "0"}
    with served(tmp_path / "data", environment=QUICK_SERVER | metrics) as server:
        app = Wire(http, server)
        found = re.search(r"Metrics +(\S+)", server.output)
        assert found
        batch = [{"jsonrpc": "2.0", "method": "x" * 64, "id": 1}] * 50
        dropped = 0.0
        async with asyncio.timeout(HANG_SECONDS):
            while not dropped:
                for _ in range(20):
                    assert len((await app.send(batch)).body) == 50
                async with http.get(found[1]) as response:
                    text = await response.text()
                (value,) = re.findall(r"^jsonrpc_backend_log_lines_dropped_total (\S+)$", text, re.MULTILINE)
                dropped = float(value)
        assert (await app.call("User.isAuthenticated")).result is False
        told = await asyncio.to_thread(server.read_until, '"dropped":')
        assert "lines of the log were dropped: they could not be written in time" in told


def test_stops_although_nobody_reads(tmp_path: Path) -> None:
    with served(tmp_path / "data", environment=QUICK_SERVER) as server:
        assert server.process
        assert server.process.stdout
        # The pipe is full before the last words are written.
        line = b'{"jsonrpc": "2.0", "method": "' + b"x" * 64 + b'", "id": 1}'
        body = b"[" + b",".join([line] * 50) + b"]"
        for _ in range(20):
            subprocess.run([program("curl"), "-s", server.endpoint, "-d", body], check=True, capture_output=True)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(HANG_SECONDS) == 0
        server.process.stdout.close()
