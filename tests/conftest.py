import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests import operators
from tests.mailbox import Mailbox, listening
from tests.scripted import ScriptedServer, scripted_server
from tests.servers import FakeClock, InProcessServer, ServerProcess, make_config, running
from tests.servers import served as serve_process
from tests.shell import QuickShell, Shell
from tests.wire import Wire

StartServer = Callable[..., Any]
NewApp = Callable[..., Awaitable[Wire]]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[StartServer]:
    """Starts servers with changed settings: `await start({"backends": {"app": {…}}})`."""
    async with contextlib.AsyncExitStack() as stack:

        async def start_server(changes: dict[str, Any] | None = None, clock: FakeClock | None = None) -> Any:
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
        **settings: Any,
    ) -> Wire:
        tables = {"smtp": smtp or {}, "throttle": throttle or {}, "management": management or {}}
        tables["passwords"] = passwords or {}
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
