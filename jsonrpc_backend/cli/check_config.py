"""`check-config`: what is wrong with a configuration, before a server is started with it."""

from pathlib import Path

import click

from jsonrpc_backend.cli import startable
from jsonrpc_backend.cli.settings import config_path, reported
from jsonrpc_backend.config import DEFAULT_CONFIG_FILE, read_config


@click.command("check-config")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path, dir_okay=False), help="The same as FILE, as elsewhere."
)
def check_config(file: Path | None, config_file: Path | None) -> None:
    """Say what is wrong in FILE and the environment, with the path of each key.

    That is what keeps a server from starting with it; and which files with keys or data others can read.

    [default: $JSONRPC_BACKEND_CONFIG, else config.toml]
    """
    if file is not None and config_file is not None:
        raise click.UsageError("Name one file: FILE or --config FILE.")
    path = config_path(file or config_file) or Path(DEFAULT_CONFIG_FILE)
    with reported():
        config = read_config(path)
        startable.check(config, str(path))
    for sentence in startable.exposed(config, path):
        click.echo(f"Note: {sentence}", err=True)
    click.echo(f"{path} is valid. Backends: {', '.join(config.backends)}")
