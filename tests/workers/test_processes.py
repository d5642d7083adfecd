"""The parent and its workers: how they start, how they end, whoever is killed."""

import asyncio
import os
import re
import signal
import socket
from pathlib import Path

import aiohttp
import pytest

from jsonrpc_backend.server.workers.shares import MOST_BY_ITSELF, number_of_workers
from tests.crash import (
    QUICK_SERVER,
    WRITERS,
    Writer,
    check_readiness,
    run_rounds,
    stored_reset_requests,
    until_acknowledged,
    verify_accounts,
)
from tests.servers import ServerProcess, make_config
from tests.wire import Wire
from tests.workers.conftest import WORKERS, ServerOfWorkers, is_there, until

pytestmark = pytest.mark.slow


async def test_one_greeting_of_all_and_an_end_of_all(started: ServerOfWorkers, http: aiohttp.ClientSession) -> None:
    workers = started.workers()
    assert len(workers) == WORKERS
    await Wire(http, started).register()
    assert started.stop(signal.SIGINT) == 0
    assert started.output.count("Press Ctrl+C") == started.output.count("Stopping.") == 1
    assert "Traceback" not in started.output
    assert not any(is_there(pid) for pid in workers)
    # The last one to close the database has taken the log into it.
    assert not (started.data_dir / "app.sqlite3-wal").exists()


async def test_by_default_there_is_one_for_each_core(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    server = ServerOfWorkers(tmp_path / "data", number_of_workers=None)
    ServerProcess.start(server)
    try:
        expected = number_of_workers(make_config(tmp_path))
        assert expected in {os.cpu_count(), MOST_BY_ITSELF, len(os.sched_getaffinity(0))}
        assert len(server.workers()) == (expected if expected > 1 else 0), "one is the program itself"
        await Wire(http, server).register()  # by the key that it has printed
    finally:
        assert server.stop(signal.SIGINT) == 0
    assert server.output.count("API key") == server.output.count("Stopping.") == 1


def test_a_terminal_and_systemd_tell_the_workers_too(started: ServerOfWorkers) -> None:
    for pid in started.workers():
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGTERM)
    assert started.stop() == 0
    assert started.output.count("Stopping.") == 1


def test_what_is_wrong_is_said_once(made: ServerOfWorkers) -> None:
    made.data_dir.mkdir(mode=0o700)
    (made.data_dir / "app.sqlite3").write_bytes(b"not a database" * 100)
    exit_code, output = made.start_in_vain()
    assert exit_code == 4
    assert output.count("Error:") == 1


def test_an_address_that_is_taken(made: ServerOfWorkers) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        made.arguments += ["--port", str(other.getsockname()[1])]
        exit_code, output = made.start_in_vain()
    assert exit_code == 1
    assert "cannot listen on 127.0.0.1:" in output
    assert not list(made.data_dir.glob("*.sqlite3"))


async def test_a_killed_worker_loses_nothing_and_is_replaced(
    started: ServerOfWorkers, http: aiohttp.ClientSession
) -> None:
    apps = [Wire(http, started, f"device-{number}") for number in range(WRITERS)]
    writers = [Writer(app, f"writer-{number}") for number, app in enumerate(apps)]
    running = [asyncio.create_task(writer.run()) for writer in writers]
    await until_acknowledged(writers, WRITERS + 1)
    victim, other = started.workers()
    os.kill(victim, signal.SIGKILL)
    # Whoever was with the other one notices nothing, and there is somebody to whom this is true or the kill hit all.
    await until(lambda: len(started.workers()) == WORKERS and victim not in started.workers())
    await started.read_more_later("was killed by signal 9; another one takes its place")
    cut = [task for task in running if task.done()]
    assert all(isinstance(task.exception(), aiohttp.ClientError) for task in cut)
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    await check_readiness(http, started)
    reset_asked = stored_reset_requests(started.data_dir / "app.sqlite3")
    await asyncio.gather(*(verify_accounts(writer, reset_asked) for writer in writers))
    assert other in started.workers()


async def test_the_parent_takes_all_with_it(started: ServerOfWorkers, http: aiohttp.ClientSession) -> None:
    workers = started.workers()
    await Wire(http, started).register()
    started.kill()
    await until(lambda: not any(is_there(pid) for pid in workers))
    started.start()
    assert (await Wire(http, started).call("User.login", username="me@example.com", password="password")).session


async def test_all_are_killed_again_and_again(tmp_path: Path) -> None:
    environment = QUICK_SERVER | {"JSONRPC_BACKEND_SERVER_WORKERS": str(WORKERS)}
    outcome = await run_rounds(tmp_path, 3, environment=environment)
    assert outcome.acknowledged > 3 * WRITERS


async def test_one_that_dies_as_soon_as_it_is_there_is_started_again_and_again(started: ServerOfWorkers) -> None:
    for _ in range(3):
        before = started.workers()
        os.kill(before[0], signal.SIGKILL)
        await until(lambda: before[0] not in started.workers() and len(started.workers()) == WORKERS)  # noqa: B023
    said = await started.read_more_later("takes its place")
    assert re.search(r"worker \d \(process \d+\) was killed by signal 9", said)
