"""The event loop and the database threads share a core, unless somebody else needs it; Argon2 has all of them."""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from jsonrpc_backend.client import Client
from jsonrpc_backend.server import one_core
from tests.patience import HANG_SECONDS
from tests.servers import ServerProcess, served

pytestmark = pytest.mark.slow

ALL = os.sched_getaffinity(0)


def cores_of(server: ServerProcess) -> tuple[set[int], list[set[int]]]:
    """Of the event loop's thread, and of the others."""
    assert server.process is not None
    loop = str(server.process.pid)
    others = [task.name for task in Path(f"/proc/{loop}/task").iterdir() if task.name != loop]
    return os.sched_getaffinity(int(loop)), [os.sched_getaffinity(int(thread)) for thread in others]


def are_together(loop: set[int], others: list[set[int]]) -> bool:
    """The loop and two more on one core, the rest anywhere."""
    return len(loop) == 1 and others.count(loop) == 2 and others.count(ALL) == len(others) - 2 > 0


def test_the_loop_and_two_threads_of_the_backend_come_together(tmp_path: Path) -> None:
    with served(tmp_path / "data") as server, Client(server.url, server.backend_id, server.api_key) as client:
        client.user.register("me@example.com", "secret")  # the threads of Argon2 begin here
        deadline = time.monotonic() + HANG_SECONDS
        while len(ALL) > 1 and not are_together(*cores_of(server)):  # for seconds not where the machine is busy
            assert time.monotonic() < deadline
            client.user.is_authenticated()


def test_it_can_be_turned_off(tmp_path: Path) -> None:
    with served(tmp_path / "data", environment={"JSONRPC_BACKEND_SERVER_ONE_CORE": "false"}) as server:
        loop, others = cores_of(server)
    assert loop == ALL
    assert others == [ALL] * len(others)


# In this process: in a thread of its own, which ends with its cores


def in_a_thread(run: Callable[[], Awaitable[None]]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(asyncio.wait_for(run(), HANG_SECONDS))).result()


async def until(condition: Callable[[], bool]) -> None:
    """Keeps the event loop busy until then."""
    while not condition():  # noqa: ASYNC110 (it is what makes the loop wait for the core)
        await asyncio.sleep(0)


def bound_to() -> set[int]:
    return os.sched_getaffinity(0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_core, "WATCHED_SECONDS", 0.05)
    monkeypatch.setattr(one_core, "PAUSE_SECONDS", (0.01, 0.05))


@contextlib.contextmanager
def busy_program(core: int) -> Iterator[None]:
    script = f"import os; os.sched_setaffinity(0, {{{core}}})\nwhile True: pass"
    process = subprocess.Popen([sys.executable, "-c", script])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_threads_are_bound_and_free_again_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_core, "MOST_WAITING", 1.0)  # whatever else is running here

    async def run() -> None:
        hold = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            other = await asyncio.get_running_loop().run_in_executor(pool, threading.get_native_id)
            pool.submit(hold.wait)
            try:
                async with one_core.on_one_core([other]):
                    await until(lambda: bound_to() != ALL)
                    assert len(bound_to()) == 1
                    assert os.sched_getaffinity(other) == bound_to()
                    with ThreadPoolExecutor(1, initializer=one_core.run_anywhere) as free:
                        assert await asyncio.get_running_loop().run_in_executor(free, bound_to) == ALL
                assert bound_to() == os.sched_getaffinity(other) == ALL
            finally:
                hold.set()

    if len(ALL) > 1:
        in_a_thread(run)


@pytest.mark.usefixtures("quick")
def test_another_program_on_the_core_lets_it_go_until_the_core_is_free_again() -> None:
    async def run() -> None:
        async with one_core.on_one_core([]):
            await until(lambda: len(bound_to()) == 1)
            (core,) = bound_to()
            with busy_program(core):
                await until(lambda: bound_to() == ALL)
            await until(lambda: len(bound_to()) == 1)

    if len(ALL) > 1:
        in_a_thread(run)


@pytest.mark.parametrize("refused", ["_bind", "_seconds_waited"])
def test_a_system_that_does_not_allow_it_changes_nothing(monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    asked: list[Any] = []

    def refuse(*arguments: Any) -> None:
        asked.append(arguments)
        raise PermissionError

    monkeypatch.setattr(one_core, refused, refuse)
    monkeypatch.setattr(one_core, "_ALLOWED", {0, 1})

    async def run() -> None:
        async with one_core.on_one_core([]):
            await until(lambda: bool(asked))
        assert bound_to() == ALL

    in_a_thread(run)


def test_one_core_is_enough_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_core, "_ALLOWED", {0})

    async def run() -> None:
        async with one_core.on_one_core([]):
            await asyncio.sleep(0)
            assert bound_to() == ALL

    in_a_thread(run)
