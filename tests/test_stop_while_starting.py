"""Told to stop before it is up, the server ends as it always does: everything closed, exit code 0."""

import contextlib
import fcntl
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from jsonrpc_backend.store.sqlite.migrations import MIGRATIONS
from tests.patience import HANG_SECONDS

pytestmark = pytest.mark.slow

POLL_SECONDS = 0.001

BACKENDS = ("one", "two", "three")

# Of this process alone: nobody else takes a port there between two tests, or while a server starts.
ADDRESS = f"127.77.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}"
PORT = 8080

Moment = Callable[[Path], bool]


def there_is(name: str) -> Moment:
    return lambda folder: (folder / "data" / name).exists()


def port_answers(_: Path) -> bool:
    with contextlib.suppress(ConnectionError), socket.create_connection((ADDRESS, PORT)):
        return True
    return False


def has_printed(text: str) -> Moment:
    return lambda folder: text in (folder / "output").read_text(encoding="utf-8")


MOMENTS: dict[str, Moment] = {
    "the lock is taken": there_is("server.lock"),
    "the first database is there": there_is("one.sqlite3"),
    "the last database is there": there_is("three.sqlite3"),
    "the port answers": port_answers,
    "it begins to greet": has_printed("jsonrpc-backend "),
    "it has greeted": has_printed("Press Ctrl+C"),
}


@contextlib.contextmanager
def starting(folder: Path, workers: int = 1) -> Iterator["subprocess.Popen[bytes]"]:
    """`serve` with three backends; what it prints goes into the file `output`."""
    tables = "".join(f'[backends.{name}]\napi_key = "key-{name}"\n' for name in BACKENDS)
    (folder / "config.toml").write_text(f"server.workers = {workers}\n{tables}", encoding="utf-8")
    command = [sys.executable, "-m", "jsonrpc_backend", "serve", "--data", "data"]
    command += ["--host", ADDRESS, "--port", str(PORT)]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(process: "subprocess.Popen[bytes]", has_come: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while not has_come():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(POLL_SECONDS)


def is_drained(folder: Path) -> None:
    """Nobody holds the lock, and no database is open or half made."""
    with (folder / "data" / "server.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    for name in BACKENDS:
        assert not (folder / "data" / f"{name}.sqlite3-wal").exists()
    for database in (folder / "data").glob("*.sqlite3"):
        open_for_writing(database).close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
@pytest.mark.parametrize("workers", [1, 2])
def test_at_any_moment(tmp_path: Path, moment: Moment, number: signal.Signals, workers: int) -> None:
    with starting(tmp_path, workers) as process:
        wait_until(process, lambda: moment(tmp_path))
        process.send_signal(number)
        assert process.wait(HANG_SECONDS) == 0
    output = (tmp_path / "output").read_text(encoding="utf-8")
    assert output.endswith("Stopping.\n")
    assert "Traceback" not in output
    is_drained(tmp_path)


@contextlib.contextmanager
def kept_busy(path: Path) -> Iterator[None]:
    """A database that is to be migrated and cannot be until the end of the block: then another program has done it."""
    open_for_writing(path).close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA user_version = 1")
        other.execute("BEGIN IMMEDIATE")
        other.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        yield
        other.execute("COMMIT")


def test_no_other_database_is_opened_then(tmp_path: Path) -> None:
    path = tmp_path / "data" / "two.sqlite3"
    with contextlib.ExitStack() as stack:
        with kept_busy(path):
            process = stack.enter_context(starting(tmp_path))
            tell_when_it_waits_for(path, process)
        assert process.wait(HANG_SECONDS) == 0
    assert not (tmp_path / "data" / "three.sqlite3").exists()
    is_drained(tmp_path)


def test_a_second_signal_ends_the_start_at_once(tmp_path: Path) -> None:
    path = tmp_path / "data" / "one.sqlite3"
    with kept_busy(path), starting(tmp_path) as process:
        tell_when_it_waits_for(path, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANG_SECONDS) == -signal.SIGTERM


def tell_when_it_waits_for(path: Path, process: "subprocess.Popen[bytes]") -> None:
    """Sends a signal and returns when it has been heard."""
    wait_until(process, lambda: has_open(process, path))
    process.send_signal(signal.SIGTERM)
    wait_until(process, lambda: not hears(process, signal.SIGTERM))


def has_open(process: "subprocess.Popen[bytes]", path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):  # one that was closed meanwhile
        return any(link.resolve() == path for link in Path(f"/proc/{process.pid}/fd").iterdir())
    return False


def hears(process: "subprocess.Popen[bytes]", number: signal.Signals) -> bool:
    """Whether there is a handler for a signal. Format: proc_pid_status(5)."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
    (caught,) = (int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:"))
    return bool(caught & 1 << (number - 1))
