"""`serve`: runs the server until it is told to stop."""

import asyncio
import contextlib
import dataclasses
import logging
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
from aiohttp import web

from jsonrpc_backend.cli import startable
from jsonrpc_backend.cli.greeting import Paste
from jsonrpc_backend.cli.places import places_of, url_of
from jsonrpc_backend.cli.serve_workers import serve_with_workers
from jsonrpc_backend.cli.settings import config_options, config_path, find_config, reported
from jsonrpc_backend.cli.start import (
    Start,
    collect_garbage_less_often,
    is_on_terminal,
    kept_on_one_core,
    output_that_may_fail,
    seed_demo,
    stopped_in,
)
from jsonrpc_backend.cli.stop_signals import Stop, ToldToStop, stop_signals
from jsonrpc_backend.cli.target import printable
from jsonrpc_backend.config import Config, ServerConfig, setting_rule
from jsonrpc_backend.server import open_files
from jsonrpc_backend.server.app import make_app
from jsonrpc_backend.server.metrics_page import METRICS_PORT
from jsonrpc_backend.server.one_core import run_anywhere
from jsonrpc_backend.server.serving import serving
from jsonrpc_backend.server.workers.shares import number_of_workers
from jsonrpc_backend.store.data_dir_lock import locked
from jsonrpc_backend.telemetry.log import Log, logging_to
from jsonrpc_backend.telemetry.output import Output, writing

log = logging.getLogger(__name__)

RESTART = "SIGHUP: a worker alone cannot be replaced; restart the server to have its configuration read anew"


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

    def find() -> Start:
        config = find_config(config_file, data, keep_api_key=True)
        paste, file = Paste(config, config_file, data), config_path(config_file)
        server = dataclasses.replace(
            config.server,
            host=config.server.host if host is None else host,
            port=config.server.port if port is None else port,
        )
        config = dataclasses.replace(config, server=server)
        startable.check(config, str(file or "embedded configuration"))
        return Start(config, file, paste, development, demo)

    # First of all: what comes while the modules are still being loaded, nobody can hear.
    with stop_signals() as stop, reported(), output_that_may_fail():
        start = find()
        if development or number_of_workers(start.config) == 1:
            _serve_alone(start, stop)
        else:
            serve_with_workers(start, find, stop)


def _serve_alone(start: Start, stop: Stop) -> None:
    server = start.config.server
    with (
        logging_to(sys.stderr, server) as lines,
        writing(sys.stdout, lambda lost: f"({lost} texts could not be printed.)\n") as output,
        locked(Path(server.data_dir)),
    ):
        for sentence in startable.exposed(start.config, start.file):
            log.warning(sentence)
        if not is_on_terminal():
            signal.signal(signal.SIGHUP, lambda *_: log.warning(RESTART))
        asyncio.run(_run(start, stop, lines, output))


async def _run(start: Start, stop: Stop, lines: Log, output: Output) -> None:
    def say(text: str) -> None:
        output.put(printable(text, but="\n\t") + "\n")  # mails hold what users have written

    config = start.config
    open_files.raise_limit()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(initializer=run_anywhere))
    app = make_app(
        config,
        development=start.development,
        lines=lines,
        say=say,
        create_line=start.paste.create_line,
        check_start=stop.check,
    )
    async with contextlib.AsyncExitStack() as stack:
        with contextlib.suppress(ToldToStop):
            listen = await stack.enter_async_context(serving(app))
            stop.check()
            told = await seed_demo(app, sends=bool(config.smtp.host)) if start.demo else None
            urls = []
            for place in places_of(config):
                sockets = await asyncio.to_thread(place.bind)
                urls.append(place.url(sockets))
                await stack.enter_async_context(listen.at(sockets, place.audience))
            collect_garbage_less_often()
            if config.server.one_core:
                await stack.enter_async_context(kept_on_one_core(app))
            stop.check()
            await asyncio.to_thread(lines.flush)  # what the greeting refers to stands above it
            say(start.greeting(urls, _metrics_url(config, app), stopped_in(app), told))
            await stop.wait()
        say("Stopping.")


def _metrics_url(config: Config, app: web.Application) -> str | None:
    return f"{url_of(config.metrics.host, app[METRICS_PORT][0])}/metrics" if config.metrics.enabled else None
