"""A full disk, or one that cannot be written: writes fail as a whole, reads go on, and room heals everything."""

import asyncio
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.store import private_file
from tests.crash import QUICK_SERVER
from tests.disks import Disk, FileLimit, SmallDisk, mounting_is_allowed
from tests.patience import HANG_SECONDS
from tests.ports import reserved_port
from tests.servers import ServerProcess
from tests.shell import Shell
from tests.wire import Answer, Wire

pytestmark = pytest.mark.slow

TOKEN = re.compile(r"\b(?:\w{4}-){2}\w{4}\b")

KINDS = ["no byte more", "a part of a commit", *(["small disk"] if mounting_is_allowed() else [])]


@pytest.fixture(params=KINDS)
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Disk:
    if request.param == "small disk":
        return SmallDisk(tmp_path / "data")
    return FileLimit(2000 if request.param == "a part of a commit" else None)


@pytest.fixture
def server(disk: Disk, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", ["--dev"], QUICK_SERVER, disk.launcher).start()
    yield server
    if server.process and server.process.poll() is None:
        server.kill()


@contextlib.contextmanager
def logged(server: ServerProcess) -> Iterator[bytearray]:
    """What the server prints from now on. Stops it at the end. (It would wait for a reader once the pipe is full.)"""
    assert server.process is not None
    assert server.process.stdout is not None
    log, output = bytearray(), server.process.stdout

    def read() -> None:
        while chunk := os.read(output.fileno(), 65536):
            log.extend(chunk)

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    yield log
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(HANG_SECONDS) == 0
    reading.join()
    output.close()


class People:
    """Users in several states, and a call of every method that writes."""

    def __init__(self, http: aiohttp.ClientSession, server: ServerProcess) -> None:
        self.anna = Wire(http, server, "annas")
        self.bert = Wire(http, server, "berts")
        self.guest = Wire(http, server, "nobodys")
        self.server = server
        self.reset_token = ""

    async def prepare(self) -> None:
        await self.anna.register("anna@example.com", age=21)
        await self.bert.register("bert@example.com")
        await self.guest.call("User.sendPasswordResetToken", username="bert@example.com")
        (self.reset_token,) = TOKEN.findall(self.server.read_until("your password stays as it is."))

    def writes(self) -> list[tuple[Wire, str, dict[str, Any]]]:
        anna, password = {"username": "anna@example.com"}, {"password": "password"}
        return [
            (self.guest, "User.register", {"username": "carla@example.com", **password}),
            (self.guest, "User.login", anna | password),
            (self.guest, "User.autoLogin", {"loginToken": self.anna.login_token}),
            (self.guest, "User.sendPasswordResetToken", anna),
            (
                self.guest,
                "User.resetPasswordAndLogin",
                {"username": "bert@example.com", "newPassword": "changed", "token": self.reset_token},
            ),
            (self.anna, "User.saveProperty", {"name": "age", "value": 22}),
            (self.anna, "User.saveProperties", {"properties": {"age": 22, "large": "x" * 100_000}}),
            (self.anna, "User.updatePassword", {"oldPassword": "password", "newPassword": "changed"}),
            (self.anna, "User.logout", {}),
            (self.anna, "User.unregister", password),
        ]

    async def check_reads(self) -> None:
        assert (await self.anna.call("User.isAuthenticated")).result is True
        assert (await self.anna.call("User.getProperties")).result == {"properties": {"age": 21}}
        assert (await self.anna.call("User.getProperty", name="age")).result == {"value": 21}
        assert (await self.guest.call("User.isAuthenticated")).result is False
        assert (await self.guest.call("User.validate", username="carla@example.com")).result == "OK"
        assert (await self.guest.call("User.validate", username="anna@example.com")).code == -32602
        async with self.guest.http.get(f"{self.server.url}/readyz") as response:
            assert response.status == 200


async def refused(app: Wire, method: str, params: dict[str, Any]) -> Answer:
    answer = await app.call(method, **params)
    assert answer.code == -32603, method
    assert answer.session is None
    assert answer.error.keys() == {"code", "message", "data"}
    return answer


async def test_writes_fail_reads_go_on_and_service_recovers(
    disk: Disk, server: ServerProcess, http: aiohttp.ClientSession
) -> None:
    people = People(http, server)
    await people.prepare()
    with logged(server) as log:
        disk.fill(server)
        requests = [(await refused(*write)).data["requestId"] for _ in range(2) for write in people.writes()]
        await people.check_reads()
        disk.free(server)
        await people.check_reads()
        # Nothing that was refused had been done, and in the same process everything works again: were the reset token
        # spent, the password changed or the account gone, one of these would fail.
        for app, method, params in people.writes():
            assert (await app.call(method, **params)).result, method
            app.session = None if app is people.guest else app.session
            if method == "User.updatePassword":
                await app.call("User.updatePassword", oldPassword="changed", newPassword="password")
            if method == "User.logout":
                await app.call("User.login", username="anna@example.com", password="password")
        assert (await people.anna.call("User.login", username="anna@example.com", password="password")).code == -32602
    assert [request for request in requests if request.encode() not in log] == []


async def test_disk_that_fills_up_again_and_again_under_writers(
    disk: Disk, server: ServerProcess, http: aiohttp.ClientSession
) -> None:
    with logged(server):
        apps = [Wire(http, server, f"device-{number}") for number in range(8)]
        for app in apps:
            await app.register(app.device)
        saved, refusals, done = dict.fromkeys(apps, 0), dict.fromkeys(apps, 0), asyncio.Event()

        async def save(app: Wire) -> None:
            while not done.is_set():
                properties = {"counter": saved[app] + 1, "filler": "x" * random.randrange(20_000)}
                answer = await app.call("User.saveProperties", properties=properties)
                if "result" in answer.body:
                    saved[app] += 1
                else:
                    assert answer.code == -32603
                    refusals[app] += 1
                    found = (await app.call("User.getProperty", name="counter")).result["value"] or 0
                    assert found == saved[app]

        writers = [asyncio.create_task(save(app)) for app in apps]
        for _ in range(10):
            await until_each_grows(saved, writers)
            disk.fill(server)
            await until_each_grows(refusals, writers)
            disk.free(server)
        await until_each_grows(saved, writers)
        done.set()
        await asyncio.gather(*writers)
        for app in apps:
            assert (await app.call("User.getProperty", name="counter")).result["value"] == saved[app]


async def until_each_grows(counts: dict[Wire, int], writers: list[asyncio.Task[None]]) -> None:
    before = dict(counts)
    async with asyncio.timeout(HANG_SECONDS):
        while any(counts[app] <= before[app] for app in counts):
            assert not any(writer.done() for writer in writers)
            await asyncio.sleep(0.005)


# --- what else is written --------------------------------------------------------------------------------


def limited(shell: Shell, *arguments: str, blocks: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs the command line where no file can be larger than this, in blocks of 512 or 1024 bytes."""
    command = ["sh", "-c", f'ulimit -f {blocks} && exec "$0" "$@"', sys.executable, "-m", "jsonrpc_backend", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=shell.folder, check=False)


def test_first_start_on_a_full_disk_leaves_nothing_in_the_way(shell: Shell) -> None:
    failed = limited(shell, "serve", "--port", "0")
    assert failed.returncode == 4
    assert "Error: data: File too large. Choose another folder with --data." in failed.stderr
    assert [path.name for path in shell.folder.rglob("*")] == ["data"]
    server = ServerProcess(shell.folder / "data").start()
    assert len(server.api_key) == 32
    assert server.stop() == 0


def test_init_on_a_full_disk_leaves_no_empty_file(shell: Shell) -> None:
    assert "config.toml cannot be written: File too large" in limited(shell, "init").stderr
    assert list(shell.folder.iterdir()) == []
    shell.ok("init")


def test_backup_on_a_full_disk_leaves_nothing(shell: Shell) -> None:
    shell.ok("user", "add", "anna", "--password-stdin", stdin="secret")
    failed = limited(shell, "backup", "copy", blocks=70)
    assert failed.returncode == 4
    assert "cannot be copied" in failed.stderr
    assert "Nothing was copied." in failed.stderr
    assert [path.name for path in shell.folder.iterdir()] == ["data"]


def test_key_file_is_made_by_one_of_many(tmp_path: Path) -> None:
    file = tmp_path / "key"
    private_file.create(file, "first\n")
    with pytest.raises(FileExistsError):
        private_file.create(file, "second\n")
    assert private_file.keep(file, lambda: "third") == "first"
    assert list(tmp_path.iterdir()) == [file]


async def test_log_on_a_full_disk_stops_nothing(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    with reserved_port() as port, logging_to_a_full_disk(tmp_path, port) as server:
        await until_up(http, server)
        server.api_key = (tmp_path / "data" / "app.api-key").read_text().strip()
        app, disk = Wire(http, server), FileLimit(None)
        await app.register()
        disk.fill(server)
        for _ in range(50):
            await refused(app, "User.logout", {})  # writes a traceback to the log
        disk.free(server)
        assert (await app.call("User.logout")).result == "OK"
        assert (await app.call("User.sendPasswordResetToken", username="me@example.com")).result == "OK"  # is printed


@contextlib.contextmanager
def logging_to_a_full_disk(folder: Path, port: int) -> Iterator[ServerProcess]:
    """Stops it at the end."""
    server = ServerProcess(folder / "data", environment=QUICK_SERVER, url=f"http://127.0.0.1:{port}")
    command = [sys.executable, "-m", "jsonrpc_backend", "serve", "--dev", "--data", "data", "--port", str(port)]
    with Path("/dev/full").open("wb") as full:
        server.process = subprocess.Popen(command, stdout=full, stderr=full, text=True, cwd=folder, env=QUICK_SERVER)
    try:
        yield server
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(HANG_SECONDS) == 0
    finally:
        server.process.kill()


async def until_up(http: aiohttp.ClientSession, server: ServerProcess) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            try:
                async with http.get(f"{server.url}/healthz"):
                    return
            except aiohttp.ClientConnectionError:
                assert server.process is not None
                assert server.process.poll() is None
                await asyncio.sleep(0.02)
