"""Several processes write to one file: one at a time, each in its turn, and nobody sleeps before he asks again."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jsonrpc_backend.store.engine import StoreFailed
from jsonrpc_backend.store.sqlite import transaction
from jsonrpc_backend.store.sqlite.connection import SqliteConnection, connect
from jsonrpc_backend.store.sqlite.database import SqliteDatabase
from jsonrpc_backend.store.sqlite.transaction import WriterLock
from tests.patience import HANG_SECONDS
from tests.servers import InProcessServer
from tests.shell import Shell
from tests.wire import Wire

TURNS = 10


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "app.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE turns (who TEXT)")
    return path


@pytest.fixture
def connections(file: Path) -> Iterator[tuple[SqliteConnection, SqliteConnection]]:
    """Two of them as two processes have them: what they lock by, each has opened itself."""
    first, second = connect(file), connect(file)
    yield first, second
    first.close()
    second.close()


def waiting(file: Path) -> bool:
    """Whether somebody waits for one of the locks beside a database. Format: proc_locks(5)."""
    inodes = {str(path.stat().st_ino) for path in file.parent.glob(f"{file.name}-*")}
    lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    return any(line.split()[-3].rpartition(":")[2] in inodes for line in lines if "->" in line)


def until_somebody_waits(file: Path) -> None:
    pause = threading.Event()
    while not waiting(file):
        pause.wait(0.001)


def until_nobody_waits(file: Path) -> None:
    pause = threading.Event()
    while waiting(file):
        pause.wait(0.001)


def test_who_has_just_written_lets_the_next_one_write(
    file: Path, connections: tuple[SqliteConnection, SqliteConnection]
) -> None:
    first, second = connections
    order: list[str] = []

    def write_second() -> None:
        with second.lock.held():
            order.append("second")

    for _ in range(TURNS):
        with first.lock.held():
            other = threading.Thread(target=write_second)
            other.start()
            until_somebody_waits(file)
            order.append("first")
        with first.lock.held():
            order.append("first again")
        other.join(HANG_SECONDS)
    assert order == ["first", "second", "first again"] * TURNS


def test_a_failed_transaction_leaves_the_lock_and_nothing_else(
    connections: tuple[SqliteConnection, SqliteConnection],
) -> None:
    first, second = connections

    def fail() -> None:
        with first.transaction():
            first.execute("INSERT INTO turns VALUES ('first')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with second.transaction():
        second.execute("INSERT INTO turns VALUES ('second')")
    assert first.execute("SELECT who FROM turns").fetchall() == [("second",)]


def test_who_only_reads_leaves_no_locks_behind(file: Path) -> None:
    connection = connect(file, read_only=True)
    assert connection.execute("SELECT who FROM turns").fetchall() == []
    connection.close()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


async def test_calls_read_while_another_process_writes_and_write_after_it(server: InProcessServer, wire: Wire) -> None:
    await wire.register()
    lock = WriterLock(server.database_path())
    with lock.held():
        saving = asyncio.create_task(wire.call("User.saveProperty", name="a", value=1))
        await asyncio.to_thread(until_somebody_waits, server.database_path())
        assert (await wire.call("User.getProperties")).result == {"properties": {}}
        assert not saving.done()
    assert (await saving).result == "OK"
    lock.close()


async def test_the_last_connections_of_processes_close_in_turn(tmp_path: Path) -> None:
    """Else two workers may leave the log behind, each because the other one is still there."""
    file = tmp_path / "app.sqlite3"
    database, lock = await SqliteDatabase.open(file), WriterLock(file)
    with lock.held():
        closing = asyncio.create_task(database.close())
        await asyncio.to_thread(until_somebody_waits, file)
        assert not closing.done()
    await closing
    lock.close()
    assert not file.with_name("app.sqlite3-wal").exists()


async def test_the_command_line_writes_in_its_turn(server: InProcessServer, wire: Wire, shell: Shell) -> None:
    await wire.register("me@example.com")
    lock = WriterLock(server.database_path())
    with lock.held():
        command = ("user", "set", "me@example.com", "--properties", '{"age": 1}', "--data", str(shell.folder / "data"))
        changing = asyncio.create_task(asyncio.to_thread(shell.ok, *command))
        await asyncio.to_thread(until_somebody_waits, server.database_path())
        assert not changing.done()
    await changing
    assert (await wire.call("User.getProperties")).result == {"properties": {"age": 1}}
    lock.close()


# --- a process that is stopped while it writes -----------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from jsonrpc_backend.store.sqlite.connection import connect

with connect(Path(sys.argv[1])).transaction():
    print("it writes", flush=True)
    sys.stdin.read()
"""
IN_THE_WAY = "another process has been writing to it for"


@contextlib.contextmanager
def stopped(file: Path) -> Iterator[None]:
    """While it writes to the file; killed at the end."""
    command = [sys.executable, "-c", WRITER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"it writes\n"
        os.kill(process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            process.kill()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "SECONDS_FOR_A_TURN", 0.1)


@pytest.mark.slow
async def test_calls_that_write_fail_beside_a_stopped_process(
    impatient: None, server: InProcessServer, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    await wire.register()
    with stopped(server.database_path()):
        for _ in range(2):
            saving = [wire.tab().call("User.saveProperty", name="a", value=number) for number in range(3)]
            assert {answer.code for answer in await asyncio.gather(*saving)} == {-32603}
        assert (await wire.call("User.getProperties")).result == {"properties": {}}
    assert IN_THE_WAY in caplog.text
    await asyncio.to_thread(until_nobody_waits, server.database_path())
    assert (await wire.call("User.saveProperty", name="b", value=1)).result == "OK"
    assert (await wire.call("User.getProperties")).result == {"properties": {"b": 1}}, "what failed is not done"


@pytest.mark.slow
def test_commands_fail_beside_a_stopped_process(file: Path, impatient: None) -> None:
    with contextlib.closing(connect(file)) as connection:
        with stopped(file), pytest.raises(StoreFailed, match=IN_THE_WAY):
            connection.write(lambda db: db.execute("INSERT INTO turns VALUES ('in vain')"))
        until_nobody_waits(file)
        connection.write(lambda db: db.execute("INSERT INTO turns VALUES ('in turn')"))
        assert connection.execute("SELECT who FROM turns").fetchall() == [("in turn",)]
