"""Pages in a real browser, against a real server.

One browser serves all tests of a process; each test has a context of its own (storage, nothing cached) and a server of
its own. They share one event loop, for a browser cannot move between loops.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from tests import setup
from tests.mailbox import Mailbox, listening
from tests.patience import HANG_SECONDS
from tests.servers import InProcessServer, TickingClock, make_config, running

# Without these it looks for updates and hosts of its own; the sandbox does not work for root.
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=HANG_SECONDS * 1000)

ORIGINS = ("http", "file")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and isinstance(item, pytest.Function) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    # In another thread, for it runs Playwright in a loop of its own.
    setup.need(setup.CHROMIUM, await asyncio.to_thread(setup.has_browser))
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=setup.system_browser(), args=BROWSER_ARGUMENTS, headless=True
        )
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    opened = await browser.new_context()
    opened.set_default_timeout(HANG_SECONDS * 1000)
    yield opened
    await opened.close()


StartServer = Callable[..., Awaitable[InProcessServer]]


@pytest_asyncio.fixture(loop_scope="session")
async def start(tmp_path: Path) -> AsyncIterator[StartServer]:
    """Starts servers with changed settings: `await start({"backends": {"app": {…}}})`."""
    async with contextlib.AsyncExitStack() as stack:

        async def start_server(changes: dict[str, Any] | None = None, folder: str = "data") -> InProcessServer:
            return await stack.enter_async_context(running(make_config(tmp_path / folder, changes), TickingClock()))

        yield start_server


@pytest_asyncio.fixture(loop_scope="session")
async def mailbox() -> AsyncIterator[Mailbox]:
    async with listening(Mailbox()) as listener:
        yield listener


@pytest_asyncio.fixture(loop_scope="session")
async def server(start: StartServer, mailbox: Mailbox) -> InProcessServer:
    """A server that sends its mails to the mailbox."""
    return await start({"smtp": mailbox.settings})


@dataclass
class Site:
    """A folder of pages, to be opened from a web server on another port than ours, or as files."""

    folder: Path
    url: str
    context: BrowserContext
    console: list[str] = field(default_factory=list)

    async def open(self, origin: str, html: str, *, name: str = "index.html") -> Page:
        """Opens a page with this content."""
        (self.folder / name).write_text(html, encoding="utf-8")
        return await self.visit(origin, name)

    async def visit(self, origin: str, name: str = "index.html") -> Page:
        page = await self.context.new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.console.append(f"uncaught: {error}"))
        await page.goto(self.address(origin, name))
        return page

    def address(self, origin: str, name: str = "index.html") -> str:
        return f"{self.url}/{name}" if origin == "http" else (self.folder / name).as_uri()

    def _note(self, message: ConsoleMessage) -> None:
        self.console.append(f"{message.type}: {message.text}")


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path, context: BrowserContext) -> AsyncIterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    app = web.Application()
    app.router.add_static("/", folder)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield Site(folder, f"http://localhost:{runner.addresses[0][1]}", context)
    await runner.cleanup()


def axe_core() -> str:
    """A script that finds what keeps people from using a page."""
    setup.need(setup.NPM_PACKAGES, setup.npm_packages_are_there())
    return (setup.NODE_MODULES / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def script_tag(server: InProcessServer, name: str = "monaca.cloud.js") -> str:
    """The one tag that an app needs."""
    return (
        f'<script src="{server.url}/js/{name}" data-backend-id="{server.backend_id}"'
        f' data-api-key="{server.api_key}"></script>'
    )
