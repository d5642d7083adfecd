"""`serve`: runs the server until it is told to stop."""

import asyncio
import contextlib
import dataclasses
import json
import logging
import os
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import click
from aiohttp import web

from jsonrpc_backend import __version__
from jsonrpc_backend.app import make_app, make_management_app, make_runner
from jsonrpc_backend.cli.settings import DEFAULT_BACKEND, config_options, config_path, find_config, reported
from jsonrpc_backend.config import Config, ServerConfig, setting_rule
from jsonrpc_backend.dev import is_loopback


def _check_host(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    # An empty one, from a variable that is not set, would listen on every address.
    rule = setting_rule(ServerConfig, "host")
    if value is not None and not rule.accepts(value):
        raise click.BadParameter(f"it must be {rule.allowed}.")
    return value


@click.command()
@config_options
@click.option("--host", callback=_check_host, help="Address to listen on.")
@click.option("--dev", "development", is_flag=True, help="For development: print mails, and show them at /dev/mail.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
def serve(config_file: Path | None, data: Path | None, host: str | None, port: int | None, development: bool) -> None:
    """Run the server until SIGINT or SIGTERM.

    Works without a configuration file: it then keeps a backend "app" and its API key in ./data.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with reported():
        config = find_config(config_file, data, keep_api_key=True)
        server = dataclasses.replace(
            config.server,
            host=config.server.host if host is None else host,
            port=config.server.port if port is None else port,
        )
        config = dataclasses.replace(config, server=server)
        asyncio.run(_run(config, embedded=config_path(config_file) is None, development=development))


async def _run(config: Config, *, embedded: bool, development: bool) -> None:
    app, server, management = make_app(config, development=development), config.server, config.management
    async with contextlib.AsyncExitStack() as stack:
        url = management_url = await _listen(stack, app, server.host, server.port, "with --port or --host")
        if management.host:
            separate, setting = make_management_app(app, config), "for management.port"
            management_url = await _listen(stack, separate, management.host, management.port, setting)
        with _told_to_stop() as stop:
            mails = _where_mails_are(config, url, development=development)
            _greet(config, url, management_url, embedded=embedded, mails=mails)
            await stop.wait()
        click.echo("Stopping.")


async def _listen(stack: contextlib.AsyncExitStack, app: web.Application, host: str, port: int, setting: str) -> str:
    """Serves the application until the stack is left; its URL. Raises ClickException where the address is taken."""
    runner = make_runner(app)
    stack.push_async_callback(runner.cleanup)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        message = f"cannot listen on {host}:{port}: {reason}. Choose another one {setting}."
        raise click.ClickException(message) from error
    return _url(host, runner.addresses[0][1])


@contextlib.contextmanager
def _told_to_stop() -> Iterator[asyncio.Event]:
    """An event that the first SIGINT or SIGTERM sets; a second one ends the process as if there were no handler."""
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop() -> None:
        for number in signals:
            signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(event.set)

    for number in signals:
        signal.signal(number, lambda *_: stop())
    yield event


def _url(host: str, port: int) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104 (compared, not bound)
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _where_mails_are(config: Config, url: str, *, development: bool) -> str:
    if development and is_loopback(config.server.host):
        return f"{url}/dev/mail"
    if development:
        return "printed here; the page /dev/mail needs a server bound to 127.0.0.1"
    return f"sent through {config.smtp.host}" if config.smtp.host else "kept; read them with: jsonrpc-backend mail list"


def _greet(config: Config, url: str, management_url: str, *, embedded: bool, mails: str) -> None:
    """Tells where to call; on the embedded default also with what, ready to paste."""
    click.echo(f"jsonrpc-backend {__version__}\n")
    for backend_id in config.backends:
        click.echo(f"  Endpoint    {url}/json-rpc/{backend_id}")
        if config.backends[backend_id].management_keys:
            click.echo(f"  Operators   {management_url}/manage/json-rpc/{backend_id}")
    if embedded:
        api_key = config.backends[DEFAULT_BACKEND].api_key
        click.echo(f"  Backend id  {DEFAULT_BACKEND}")
        click.echo(f"  API key     {api_key}")
    click.echo(f"  Data        {Path(config.server.data_dir).absolute()}")
    click.echo(f"  Mails       {mails}\n")
    if embedded:
        click.echo("  Register a user:\n")
        click.echo(f"  {_curl_line(f'{url}/json-rpc/{DEFAULT_BACKEND}', api_key)}\n")
    click.echo("  Press Ctrl+C to stop.")


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
