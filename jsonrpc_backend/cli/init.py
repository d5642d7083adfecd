"""`init`: a configuration file to start from."""

import secrets
from pathlib import Path

import click

from jsonrpc_backend.cli.answer import tell
from jsonrpc_backend.cli.target import json_option
from jsonrpc_backend.config import DEFAULT_CONFIG_FILE
from jsonrpc_backend.config.example import render
from jsonrpc_backend.store import private_file


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=DEFAULT_CONFIG_FILE)
@json_option
def init(file: Path, as_json: bool) -> None:
    """Write a commented configuration FILE with a fresh API key.

    [default: config.toml]
    """
    try:
        private_file.create(file, render(api_key=secrets.token_hex(16)))
    except FileExistsError as error:
        raise click.ClickException(f"{file} exists already and was left as it is.") from error
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from error
    start = f"jsonrpc-backend serve --config {file}"
    tell(f"Wrote {file}. Start the server with: {start}", {"file": str(file)}, as_json=as_json)
