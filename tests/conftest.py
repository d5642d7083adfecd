import contextlib
import gc
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, settings

from jsonrpc_backend.server.open_files import raise_limit
from jsonrpc_backend.store.sqlite import units
from tests import operators, setup
from tests.mailbox import Mailbox, listening
from tests.scripted import ScriptedServer, scripted_server
from tests.servers import FakeClock, InProcessServer, ServerProcess, make_config, running, served_by_workers
from tests.servers import served as serve_process
from tests.shell import QuickShell, Shell
from tests.wire import Wire

StartServer = Callable[..., Any]
SLOW_FIXTURES = {"browser", "served", "shell"}

# The same inputs in each run, however busy the machine: what is found by chance is in nobody's way who has changed
# something else. For other inputs: --hypothesis-profile=explore
EXPLORE = settings(deadline=None, database=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", EXPLORE)
settings.register_profile("same inputs", EXPLORE, derandomize=True)
settings.load_profile("same inputs")

NewApp = Callable[..., Awaitable[Wire]]


# Servers of tests wait for the disk four fifths of their time; where there is room, memory is their disk.
MEMORY, ROOM = Path("/dev/shm"), 1 << 30


def pytest_configure() -> None:
    raise_limit()  # as servers do: clients come by the thousand from here
    if _is_memory_free():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def _is_memory_free() -> bool:
    """Whether there is any, for us, with room, and programs in it may be run."""
    if not os.access(MEMORY, os.R_OK | os.W_OK | os.X_OK):
        return False
    return shutil.disk_usage(MEMORY).free > ROOM and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nothing-skipped", action="store_true", help="fail where a test is skipped")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks as fast what is not slow: by its own mark, or because a fixture starts a process."""
    for item in items:
        slow = item.get_closest_marker("slow") or SLOW_FIXTURES.intersection(getattr(item, "fixturenames", ()))
        item.add_marker(pytest.mark.slow if slow else pytest.mark.fast)


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: the garbage collector need not look at them after each."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--nothing-skipped") and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line about all that this machine has not got."""
    skipped = _skipped(config)
    missing = {reason.removeprefix(setup.MISSING) for reason in skipped if reason.startswith(setup.MISSING)}
    for reason in set(skipped) - {setup.MISSING + name for name in missing}:
        terminalreporter.write_line(f"{skipped.count(reason)} skipped: {reason}", yellow=True)
    if missing:
        many = sum(reason.startswith(setup.MISSING) for reason in skipped)
        terminalreporter.write_line(f"{many} skipped, which need {setup.what_to_install(missing)}", yellow=True)


def _skipped(config: pytest.Config) -> list[str]:
    """The reasons for which tests were skipped, one of each test."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []  # a worker has none
    return [report.longrepr[2].removeprefix("Skipped: ") for report in reports]


@pytest.fixture(autouse=True)
def units_run_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every unit of work of a writer in this process runs twice, first in vain: it may have no effect elsewhere."""
    run = units.run_in_savepoint

    def run_twice(connection: sqlite3.Connection, unit: units.Run[Any]) -> Any:
        connection.execute("SAVEPOINT in_vain")
        with contextlib.suppress(Exception):
            unit(connection)
        connection.execute("ROLLBACK TO in_vain")
        connection.execute("RELEASE in_vain")
        return run(connection, unit)

    monkeypatch.setattr(units, "run_in_savepoint", run_twice)


@pytest.fixture
def workers() -> int:
    """1: the server is in the test's process; otherwise it has so many of its own (ONE_AND_SEVERAL_WORKERS)."""
    return 1


@pytest.fixture
async def http(workers: int) -> AsyncIterator[aiohttp.ClientSession]:
    """Beside several workers a connection for each request, so that all of them get some."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=workers > 1)) as session:
        yield session


@pytest.fixture
async def start(tmp_path: Path, workers: int) -> AsyncIterator[StartServer]:
    """Starts servers with changed settings: `await start({"backends": {"app": {…}}})`."""
    async with contextlib.AsyncExitStack() as stack:

        async def start_server(changes: dict[str, Any] | None = None, clock: FakeClock | None = None) -> Any:
            if workers > 1:
                return stack.enter_context(served_by_workers(tmp_path, workers, changes))
            return await stack.enter_async_context(running(make_config(tmp_path / "data", changes), clock))

        yield start_server


@pytest.fixture
async def server(start: StartServer) -> InProcessServer:
    """A server in this event loop, with its clock in the test's hand."""
    started: InProcessServer = await start()
    return started


@pytest.fixture
def wire(http: aiohttp.ClientSession, server: InProcessServer) -> Wire:
    """An app on a device, not signed in."""
    return Wire(http, server)


@pytest.fixture
def other(http: aiohttp.ClientSession, server: InProcessServer) -> Wire:
    """The same app on another device."""
    return Wire(http, server, "device-2")


@pytest.fixture
def new_app(http: aiohttp.ClientSession, start: StartServer) -> NewApp:
    """An app, and a server with these settings for its backend: `await new_app(min_username_length=5)`."""

    async def new_app(
        smtp: dict[str, Any] | None = None,
        throttle: dict[str, Any] | None = None,
        management: dict[str, Any] | None = None,
        passwords: dict[str, Any] | None = None,
        collections: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Wire:
        tables = {"smtp": smtp or {}, "throttle": throttle or {}, "management": management or {}}
        tables |= {"passwords": passwords or {}, "collections": collections or {}}
        return Wire(http, await start({"backends": {"app": settings}, **tables}))

    return new_app


@pytest.fixture
async def operator(http: aiohttp.ClientSession, start: StartServer) -> operators.Operator:
    """The holder of a management key, and a server."""
    return operators.Operator(http, await start({"backends": {"app": operators.KEYS}}))


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """An SMTP listener that takes every mail."""
    async with listening(Mailbox()) as listener:
        yield listener


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServerProcess]:
    """`jsonrpc-backend serve` on its embedded default, as a process."""
    with serve_process(tmp_path / "data") as process:
        yield process


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """The command line, in a folder of its own."""
    return Shell(tmp_path)


@pytest.fixture
def quick(tmp_path: Path) -> QuickShell:
    """The command line inside the test's process, in the same folder as `shell`."""
    return QuickShell(tmp_path)


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedServer]:
    """A server that answers the client what the test says."""
    async with scripted_server() as server:
        yield server
