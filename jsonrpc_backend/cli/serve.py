"""`serve`: runs the server until it is told to stop."""

import asyncio
import contextlib
import dataclasses
import gc
import logging
import os
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
from aiohttp import web

from jsonrpc_backend.cli import startable
from jsonrpc_backend.cli.audit import act_of
from jsonrpc_backend.cli.greeting import Greeting, Paste
from jsonrpc_backend.cli.settings import (
    config_options,
    config_path,
    find_config,
    reported,
)
from jsonrpc_backend.cli.stop_signals import Stop, ToldToStop, stop_signals
from jsonrpc_backend.cli.target import printable
from jsonrpc_backend.config import Config, ManagementConfig, ServerConfig, setting_rule
from jsonrpc_backend.demo.seed import seed
from jsonrpc_backend.server import open_files
from jsonrpc_backend.server.app import make_app
from jsonrpc_backend.server.backends import BACKENDS
from jsonrpc_backend.server.connections import Audience
from jsonrpc_backend.server.metrics_page import METRICS_PORT
from jsonrpc_backend.server.one_core import on_one_core, run_anywhere
from jsonrpc_backend.server.serving import Listen, serving
from jsonrpc_backend.store.data_dir_lock import locked
from jsonrpc_backend.telemetry.log import Log, logging_to
from jsonrpc_backend.telemetry.output import Output, writing

log = logging.getLogger(__name__)


def _check_host(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    # An empty one, from a variable that is not set, would listen on every address.
    rule = setting_rule(ServerConfig, "host")
    if value is not None and not rule.accepts(value):
        raise click.BadParameter(f"it must be {rule.allowed}.")
    return value


@click.command()
@config_options
@click.option("--host", callback=_check_host, help="Address to listen on.")
@click.option("--dev", "development", is_flag=True, help="For development: example apps; mails are printed and shown.")
@click.option(
    "--demo",
    is_flag=True,
    help="With --dev: puts 50 users, two collections and a mail into a backend that has no users.",
)
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
def serve(
    *, config_file: Path | None, data: Path | None, host: str | None, port: int | None, development: bool, demo: bool
) -> None:
    """Run the server until Ctrl+C or SIGTERM.

    Calls that are under way are answered first, within 10 s; a second signal ends it at once.

    Works without a configuration file: it then keeps a backend "app" and its API key in ./data.
    """
    if demo and not development:
        raise click.UsageError("--demo goes with --dev: its users have a password that everybody knows.")
    # First of all: what comes while the modules are still being loaded, nobody can hear.
    with stop_signals() as stop, reported():
        config = find_config(config_file, data, keep_api_key=True)
        paste = Paste(config, config_file, data)
        server = dataclasses.replace(
            config.server,
            host=config.server.host if host is None else host,
            port=config.server.port if port is None else port,
        )
        config = dataclasses.replace(config, server=server)
        file = config_path(config_file)
        startable.check(config, str(file or "embedded configuration"))
        with (
            _output_that_may_fail(),
            logging_to(sys.stderr, config.server) as lines,
            writing(sys.stdout, lambda lost: f"({lost} texts could not be printed.)\n") as output,
            locked(Path(config.server.data_dir)),
        ):
            for sentence in startable.exposed(config, file):
                log.warning(sentence)
            embedded = file is None
            asyncio.run(_run(config, stop, lines, output, paste, embedded=embedded, development=development, demo=demo))


@contextlib.contextmanager
def _output_that_may_fail() -> Iterator[None]:
    """Lets Python end with our exit code although what it still has to print fits on no disk."""
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)


async def _run(
    config: Config,
    stop: Stop,
    lines: Log,
    output: Output,
    paste: Paste,
    *,
    embedded: bool,
    development: bool,
    demo: bool,
) -> None:
    def say(text: str) -> None:
        output.put(printable(text, but="\n\t") + "\n")  # mails hold what users have written

    open_files.raise_limit()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(initializer=run_anywhere))
    app = make_app(
        config,
        development=development,
        lines=lines,
        say=say,
        create_line=paste.create_line,
        check_start=stop.check,
    )
    async with contextlib.AsyncExitStack() as stack:
        with contextlib.suppress(ToldToStop):
            listen = await stack.enter_async_context(serving(app))
            stop.check()
            told = await _seed(app, sends=bool(config.smtp.host)) if demo else None
            urls = await _listen(listen, config.server, config.management, stack)
            _collect_garbage_less_often()
            if config.server.one_core:
                await stack.enter_async_context(_on_one_core(app))
            stop.check()
            stopped = {backend.id for backend in app[BACKENDS].values() if backend.is_stopped}
            metrics = _metrics_url(config, app)
            greeting = Greeting(config, urls, paste, metrics, embedded, stopped, development, told)
            await asyncio.to_thread(lines.flush)  # what it refers to stands above it
            say("\n".join(greeting.lines()))
            await stop.wait()
        say("Stopping.")


async def _seed(app: web.Application, *, sends: bool) -> str:
    """Into the first backend that runs: the example apps call the first one. What to tell of it."""
    backend = next(backend for backend in app[BACKENDS].values() if not backend.is_stopped)
    return await seed(backend, act_of("serve --demo"), sends=sends)


async def _listen(
    listen: Listen, server: ServerConfig, management: ManagementConfig, stack: contextlib.AsyncExitStack
) -> list[str]:
    """Listens until the stack is left; the URLs, that for operators the last one. Raises ClickException."""
    places = [_Place(server.host, server.port, Audience.EVERYBODY, "with --port or --host")]
    if management.host:
        places.append(_Place(management.host, management.port, Audience.OPERATORS, "for management.port"))
    return [await place.open(stack, listen) for place in places]


@dataclasses.dataclass(frozen=True)
class _Place:
    """An address to listen at, and how to choose another one."""

    host: str
    port: int
    audience: Audience
    setting: str

    async def open(self, stack: contextlib.AsyncExitStack, listen: Listen) -> str:
        """Listens until the stack is left; the URL. Raises ClickException where the address cannot be had."""
        try:
            return _url(self.host, await stack.enter_async_context(listen(self.host, self.port, self.audience)))
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            message = f"cannot listen on {self.host}:{self.port}: {reason}. Choose another one {self.setting}."
            raise click.ClickException(message) from error


def _collect_garbage_less_often() -> None:
    """Calls leave next to nothing in cycles; to look for it as often as Python does takes 5 % of the time of a call."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@contextlib.asynccontextmanager
async def _on_one_core(app: web.Application) -> AsyncIterator[None]:
    threads = [thread for backend in app[BACKENDS].values() for thread in await backend.database.threads()]
    async with on_one_core(threads):
        yield


def _url(host: str, port: int) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104 (compared, not bound)
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _metrics_url(config: Config, app: web.Application) -> str | None:
    return f"{_url(config.metrics.host, app[METRICS_PORT][0])}/metrics" if config.metrics.enabled else None
