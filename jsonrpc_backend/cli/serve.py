"""`serve`: runs the server until it is told to stop."""

import asyncio
import contextlib
import dataclasses
import gc
import json
import logging
import os
import shlex
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
from aiohttp import web

from jsonrpc_backend import __version__
from jsonrpc_backend.accounts import argon2_build
from jsonrpc_backend.cli import program, startable
from jsonrpc_backend.cli.settings import (
    DATA_DIR_VARIABLE,
    DEFAULT_BACKEND,
    config_options,
    config_path,
    find_config,
    reported,
)
from jsonrpc_backend.cli.stop_signals import Stop, ToldToStop, stop_signals
from jsonrpc_backend.config import CONFIG_FILE_VARIABLE, Config, ManagementConfig, ServerConfig, setting_rule
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
from jsonrpc_backend.web.development import is_loopback
from jsonrpc_backend.web.example_apps import APPS

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
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
def serve(config_file: Path | None, data: Path | None, host: str | None, port: int | None, development: bool) -> None:
    """Run the server until Ctrl+C or SIGTERM.

    Calls that are under way are answered first, within 10 s; a second signal ends it at once.

    Works without a configuration file: it then keeps a backend "app" and its API key in ./data.
    """
    # First of all: what comes while the modules are still being loaded, nobody can hear.
    with stop_signals() as stop, reported():
        config = find_config(config_file, data, keep_api_key=True)
        paste = _Paste(config, config_file, data)
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
            asyncio.run(_run(config, stop, lines, output, paste, embedded=file is None, development=development))


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
    config: Config, stop: Stop, lines: Log, output: Output, paste: "_Paste", *, embedded: bool, development: bool
) -> None:
    def say(text: str) -> None:
        output.put(f"{text}\n")

    open_files.raise_limit()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(initializer=run_anywhere))
    app = make_app(config, development=development, lines=lines, say=say, check_start=stop.check)
    async with contextlib.AsyncExitStack() as stack:
        with contextlib.suppress(ToldToStop):
            listen = await stack.enter_async_context(serving(app))
            stop.check()
            urls = await _listen(listen, config.server, config.management, stack)
            _collect_garbage_less_often()
            if config.server.one_core:
                await stack.enter_async_context(_on_one_core(app))
            stop.check()
            stopped = {backend.id for backend in app[BACKENDS].values() if backend.is_stopped}
            metrics = _metrics_url(config, app)
            greeting = _greeting(
                config, urls, paste, metrics=metrics, embedded=embedded, stopped=stopped, development=development
            )
            await asyncio.to_thread(lines.flush)  # what it refers to stands above it
            say("\n".join(greeting))
            await stop.wait()
        say("Stopping.")


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


@dataclasses.dataclass(frozen=True)
class _Paste:
    """Commands to paste that find this server's files, also in another terminal: the settings as `serve` found them."""

    config: Config
    config_file: Path | None
    data: Path | None

    def command(self, *words: str, backend_id: str) -> str:
        file = self.config_file or os.environ.get(CONFIG_FILE_VARIABLE)
        folder = self.data or os.environ.get(DATA_DIR_VARIABLE)
        options = [
            *(["--config", str(file)] if file else []),
            *(["--data", str(folder)] if folder else []),
            *(["--backend", backend_id] if len(self.config.backends) > 1 else []),
        ]
        return program.command([*words, *options])


def _where_mails_are(config: Config, url: str, paste: _Paste, *, development: bool) -> str:
    if development and is_loopback(config.server.host):
        return f"{url}/dev/mail"
    if development:
        return "printed here; the page /dev/mail needs a server bound to 127.0.0.1"
    if config.smtp.host:
        return f"sent through {config.smtp.host}"
    lines = [paste.command("mail", "list", backend_id=backend_id) for backend_id in config.backends]
    kept = "kept; read them with: "
    return kept + f"\n{' ' * len(f'  Mails       {kept}')}".join(lines)


def _which_argon2() -> str:
    processor = argon2_build.processor()
    return f"built for {processor}" if processor else "built for any processor; docs/performance.md has a faster way"


def _greeting(
    config: Config,
    urls: list[str],
    paste: _Paste,
    *,
    metrics: str | None,
    embedded: bool,
    stopped: set[str],
    development: bool,
) -> Iterator[str]:
    """Tells where to call; on the embedded default also with what, ready to paste."""
    url = urls[0]
    yield f"jsonrpc-backend {__version__}\n"
    for backend_id in config.backends:
        yield f"  Endpoint    {url}/json-rpc/{backend_id}" + ("  (stopped: see above)" if backend_id in stopped else "")
        if config.backends[backend_id].management_keys:
            yield f"  Operators   {urls[-1]}/manage/json-rpc/{backend_id}"
    if embedded:
        api_key = config.backends[DEFAULT_BACKEND].api_key
        yield f"  Backend id  {DEFAULT_BACKEND}"
        yield f"  API key     {api_key}"
    yield f"  Data        {Path(config.server.data_dir).absolute()}"
    yield f"  Mails       {_where_mails_are(config, url, paste, development=development)}"
    if metrics:
        yield f"  Metrics     {metrics}"
    yield f"  Argon2      {_which_argon2()}"
    if config.server.docs or development:
        yield f"  Reference   {url}/docs"
    if development:
        yield f"  Start page  {url}/"
    for app in APPS if development else ():
        yield f"  Example     {url}/examples/{app}/"
    yield ""
    if embedded:
        yield "  Register a user:\n"
        yield f"  {_curl_line(f'{url}/json-rpc/{DEFAULT_BACKEND}', api_key)}\n"
    yield "  Press Ctrl+C to stop."


def _curl_line(endpoint: str, api_key: str) -> str:
    call = {
        "jsonrpc": "2.0",
        "method": "User.register",
        "params": {
            "__api_key": api_key,
            "__device": "terminal",
            "username": "me@example.com",
            "password": "password",
            "properties": {"age": 21},
        },
        "id": "1",
    }
    return f"curl {endpoint} -d {shlex.quote(json.dumps(call))}"
