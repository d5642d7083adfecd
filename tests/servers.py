"""Servers for tests: inside the test's event loop, or as a process of its own."""

import contextlib
import dataclasses
import functools
import json
import os
import re
import resource
import select
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from jsonrpc_backend.config import Config, load_config
from jsonrpc_backend.server.app import make_app
from jsonrpc_backend.server.connections import Audience
from jsonrpc_backend.server.serving import Listen, serving
from jsonrpc_backend.store.sqlite.file import SqliteFile
from tests.patience import HANG_SECONDS

API_KEY = "test-api-key"
BACKEND_ID = "app"

# Argon2 in earnest takes most of a test's time; with these it is the same work, less of it.
QUICK_PASSWORDS = {"memory_kib": 64, "iterations": 1}

# It cuts nobody off whom a busy machine holds up; and what waits for that in vain shows as a hang of the test.
PATIENT = {f"{what}_timeout_seconds": 5 * HANG_SECONDS for what in ("header", "body", "answer")}


class FakeClock:
    """A clock that stands still until time passes (`advance`), or it is set (`jump`). Milliseconds since 1970 UTC."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000
        self._set_by = 0

    def __call__(self) -> int:
        return self.now

    def elapsed(self) -> int:
        """How much time has passed, whatever the clock was set to."""
        return self() - self._set_by

    def advance(self, *, seconds: float = 0, minutes: float = 0) -> None:
        self.now += round(seconds * 1000 + minutes * 60_000)

    def jump(self, *, minutes: float) -> None:
        """Sets the clock, forward or back, without any time passing."""
        self._set_by += round(minutes * 60_000)
        self.now += round(minutes * 60_000)


class TickingClock(FakeClock):
    """The same, but it goes by itself, like a real one."""

    def __init__(self) -> None:
        super().__init__()
        self._begin = time.monotonic()

    def __call__(self) -> int:
        return self.now + round((time.monotonic() - self._begin) * 1000)


@dataclass
class InProcessServer:
    """A real server on a real socket, in the event loop of the test."""

    url: str
    config: Config
    clock: FakeClock
    backend_id: str = BACKEND_ID
    api_key: str = API_KEY
    management_url: str = ""

    @property
    def endpoint(self) -> str:
        return f"{self.url}/json-rpc/{self.backend_id}"

    def database_path(self, backend_id: str = BACKEND_ID) -> Path:
        return Path(self.config.server.data_dir) / f"{backend_id}.sqlite3"

    def rows(self, query: str) -> list[Any]:
        """What the database file holds, seen by another program."""
        with contextlib.closing(sqlite3.connect(self.database_path())) as connection:
            return connection.execute(query).fetchall()

    def execute(self, statement: str, *values: Any) -> None:
        """Changes the database file, from another program."""
        with contextlib.closing(sqlite3.connect(self.database_path())) as connection, connection:
            connection.execute(statement, values)


def make_config(data_dir: Path, changes: Mapping[str, Any] | None = None) -> Config:
    """A configuration with one backend, `changes` merged into its tables."""
    return load_config(_config_table(data_dir, changes), environment={})


def _config_table(data_dir: Path, changes: Mapping[str, Any] | None) -> dict[str, Any]:
    table: dict[str, Any] = {
        "server": {"data_dir": str(data_dir), "port": 0, "docs": True, **PATIENT},
        "passwords": dict(QUICK_PASSWORDS),
        "throttle": {"enabled": False},
        "backends": {BACKEND_ID: {"api_key": API_KEY}},
    }
    return _merged(table, changes or {})


def _merged(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(table)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = _merged(result[key], value) if both else value
    return result


@contextlib.asynccontextmanager
async def serving_at(app: web.Application) -> AsyncIterator[int]:
    """Runs an application on a free port."""
    async with serving(app) as listen, listen("127.0.0.1", 0, Audience.EVERYBODY) as port:
        yield port


@contextlib.asynccontextmanager
async def running(
    config: Config, clock: FakeClock | None = None, *, development: bool = False
) -> AsyncIterator[InProcessServer]:
    """Starts the application on a free port."""
    clock = clock or FakeClock()
    _lay_out_databases(config)
    async with (
        serving(make_app(config, clock=clock, elapsed=clock.elapsed, development=development)) as listen,
        listen("127.0.0.1", 0, Audience.EVERYBODY) as port,
        _for_operators(listen, config) as other,
    ):
        url = f"http://127.0.0.1:{port}"
        management_url = f"http://127.0.0.1:{other}" if other else url
        yield InProcessServer(url, config, clock, management_url=management_url)


def _lay_out_databases(config: Config) -> None:
    """Puts a new file where the server would make one: half of the work of its start, in each of thousands of tests."""
    folder = Path(config.server.data_dir)
    if not folder.parent.is_dir():
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    for backend_id in config.backends:
        file = folder / f"{backend_id}.sqlite3"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_bytes(_new_database())


@functools.cache
def _new_database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "new.sqlite3"
        with SqliteFile(file).writing(print):
            pass
        return file.read_bytes()


@contextlib.asynccontextmanager
async def _for_operators(listen: Listen, config: Config) -> AsyncIterator[int | None]:
    """Their API on a free port of its own where the configuration says so."""
    if not config.management.host:
        yield None
        return
    async with listen(config.management.host, 0, Audience.OPERATORS) as port:
        yield port


@dataclass
class ServerProcess:
    """`jsonrpc-backend serve`, as an operator starts it."""

    data_dir: Path
    arguments: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    launcher: list[str] = field(default_factory=list)  # a command that becomes the server
    # A test whose result does not depend on it need not start more than one; None: as many as there are by default.
    number_of_workers: int | None = 1
    program: list[str] = field(default_factory=lambda: [sys.executable, "-m", "jsonrpc_backend"])
    backend_id: str = BACKEND_ID
    url: str = ""
    api_key: str = ""
    output: str = ""
    process: "subprocess.Popen[str] | None" = None
    open_files: int | None = None  # how many the process may have open at a time

    @property
    def endpoint(self) -> str:
        return f"{self.url}/json-rpc/{self.backend_id}"

    def rows(self, query: str) -> list[Any]:
        """What the database file holds."""
        with contextlib.closing(sqlite3.connect(self.data_dir / f"{self.backend_id}.sqlite3")) as connection:
            return connection.execute(query).fetchall()

    def start(self) -> "ServerProcess":
        """Starts the server and waits until it has printed where it listens."""
        command = [*self.program, "serve", "--data", str(self.data_dir), "--port", "0"]
        self.process = subprocess.Popen(
            [*self.launcher, *command, *self.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.data_dir.parent,
            env={**os.environ, **self._pinned(), **self.environment},
            preexec_fn=self._limit_open_files if self.open_files else None,  # noqa: PLW1509 (no threads here)
        )
        self.output = self.read_until("Press Ctrl+C")
        self.url = self._printed(r"(http://[^/\s]+)/json-rpc/")
        self.api_key = self._printed(r"API key\s+(\S+)")  # on the embedded default only
        return self

    def _pinned(self) -> dict[str, str]:
        number = self.number_of_workers
        return {} if number is None else {"JSONRPC_BACKEND_SERVER_WORKERS": str(number)}

    def _limit_open_files(self) -> None:
        assert self.open_files
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.open_files, self.open_files))

    def _printed(self, pattern: str) -> str:
        found = re.search(pattern, self.output)
        return found[1] if found else ""

    def read_until(self, text: str) -> str:
        """What the process prints, up to a text that it will print."""
        assert self.process is not None
        assert self.process.stdout is not None
        descriptor, output, deadline = self.process.stdout.fileno(), b"", time.monotonic() + HANG_SECONDS
        while text.encode() not in output:
            ready, _, _ = select.select([descriptor], [], [], max(0, deadline - time.monotonic()))
            chunk = os.read(descriptor, 65536) if ready else b""
            if not chunk:
                self.kill()
                pytest.fail(f"the server has not printed {text!r}: {output.decode()}")
            output += chunk
        return output.decode()

    def resident_kib(self) -> int:
        """The memory of the process."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1])

    def kill(self) -> None:
        """Ends the process at once, as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Asks the server to stop; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(signal_number)
        output, _ = self.process.communicate(timeout=HANG_SECONDS)
        self.output += output
        return self.process.returncode


@contextlib.contextmanager
def served(
    data_dir: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    open_files: int | None = None,
    workers: int = 1,
) -> Iterator[ServerProcess]:
    """A server process on a free port, stopped at the end."""
    server = ServerProcess(
        data_dir, list(arguments), dict(environment or {}), open_files=open_files, number_of_workers=workers
    )
    try:
        yield server.start()
    finally:
        if server.process is not None and server.process.poll() is None:
            server.stop()


# For tests of what the processes of a server share: once in the test's process, and once with several of its own.
ONE_AND_SEVERAL_WORKERS = pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])


@contextlib.contextmanager
def served_by_workers(folder: Path, workers: int, changes: Mapping[str, Any] | None = None) -> Iterator[ServerProcess]:
    """A server of several processes with the configuration that `make_config` makes."""
    table = _config_table(folder / "data", changes)
    file = folder / "config.toml"
    file.write_text("".join(f"{name} = {_toml(value)}\n" for name, value in table.items()), encoding="utf-8")
    file.chmod(0o600)
    with served(folder / "data", "--config", str(file), workers=workers) as server:
        server.api_key = API_KEY  # which it does not print
        yield server


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(name)} = {_toml(each)}" for name, each in value.items()) + "}"
    return "[" + ", ".join(map(_toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


def with_api_key(server: InProcessServer, backend_id: str, api_key: str) -> InProcessServer:
    """The same server, seen by another app."""
    return dataclasses.replace(server, backend_id=backend_id, api_key=api_key)
