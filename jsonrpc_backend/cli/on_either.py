"""The options of commands that work on a database file or, with --url, through the operators' API."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jsonrpc_backend.cli.target import Target, on_backend
from jsonrpc_backend.config import MANAGEMENT_KEY_VARIABLE

if TYPE_CHECKING:
    from jsonrpc_backend.client import ManagementClient

Command = Callable[..., None]


def _url_options(command: Command, *, hidden: bool = False) -> Command:
    file = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
    url = "Work through the management API of the server there, by a management key."
    key = f"With --url: has the key. [default: ${MANAGEMENT_KEY_VARIABLE}]"
    for option in (
        click.option("--key-file", type=file, hidden=hidden, help=key),
        click.option("--url", hidden=hidden, help=url),
    ):
        command = option(command)
    return command


def on_either(
    near: Callable[[Target], Any],
    far: "Callable[[ManagementClient], Any]",
    *,
    create: bool = False,
    writes: bool = False,
) -> Callable[[Command], Command]:
    """Adds the options that say where the data are, and passes what reaches them to the command as first argument.

    `near` makes it of a database file, `far` of a server; each imports by itself what the other does not need.
    `create`, `writes`: as of on_backend.
    """

    def decorate(command: Command) -> Command:
        @on_backend(create=create, writes=writes)
        @functools.wraps(command)
        def in_file(target: Target, **arguments: Any) -> None:
            command(near(target), **arguments)

        @functools.wraps(in_file)
        def run(url: str | None, key_file: Path | None, **arguments: Any) -> None:
            if url is not None:
                at_server(url, key_file, **arguments)
            elif key_file is not None:
                raise click.UsageError("--key-file goes with --url.")
            else:
                in_file(**arguments)

        def at_server(
            url: str,
            key_file: Path | None,
            config_file: Path | None,
            data: Path | None,
            backend_id: str | None,
            **arguments: Any,
        ) -> None:
            from jsonrpc_backend.cli.at_server import connected, read_key  # noqa: PLC0415 (imports aiohttp)

            if config_file is not None or data is not None:
                raise click.UsageError("--config and --data are of the server's machine; they do not go with --url.")
            with connected(url, backend_id, read_key(key_file)) as client:
                command(far(client), **arguments)

        return _url_options(run)

    return decorate


def only_in_file(what: str) -> Callable[[Command], Command]:
    """For a command on a database file: says so where --url is given. `what`: what the API cannot do."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def run(url: str | None, key_file: Path | None, **arguments: Any) -> None:
            if url is not None or key_file is not None:
                where = "Run this command on the server's machine, without --url and --key-file."
                raise click.UsageError(f"The management API cannot {what}. {where}")
            command(**arguments)

        return _url_options(run, hidden=True)

    return decorate
