"""`backup`: a copy of the data folder that a server can start from. The server may be running meanwhile."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import click

from jsonrpc_backend.cli.answer import tell
from jsonrpc_backend.cli.settings import DatabaseFailed, api_key_path, config_options, find_config, reported
from jsonrpc_backend.cli.target import json_option
from jsonrpc_backend.config import Config
from jsonrpc_backend.mail.seal import mail_key_path
from jsonrpc_backend.store import private_file
from jsonrpc_backend.store.engine import DatabaseUnusable, StoreFailed
from jsonrpc_backend.store.engines import engine_of


@click.command()
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--backend", "chosen", multiple=True, help="Backend id; may be repeated. [default: all]")
@config_options
@json_option
def backup(config_file: Path | None, data: Path | None, chosen: tuple[str, ...], dest: Path, *, as_json: bool) -> None:
    """Copy the databases and keys to the new folder DEST. The server may be running.

    DEST appears when all of it is complete, checked and on the disk. `restore` puts it back; or a server
    is started with it as its data folder. The configuration file is not part of it.
    """
    with reported():
        config = find_config(config_file, data)
    backend_ids = _choose(config, chosen)
    with _said(dest), _appearing(dest) as folder:
        for backend_id in backend_ids:
            copy_backend(Path(config.server.data_dir), backend_id, folder)
    tell(f"Copied {', '.join(backend_ids)} to {dest}.", {"backends": backend_ids, "folder": str(dest)}, as_json=as_json)


def _choose(config: Config, chosen: tuple[str, ...]) -> list[str]:
    for backend_id in chosen:
        if backend_id not in config.backends:
            raise click.UsageError(f"There is no backend {backend_id}; there is {', '.join(config.backends)}.")
    return list(dict.fromkeys(chosen or config.backends))


@contextlib.contextmanager
def _said(dest: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{dest} cannot be written: {error.strerror}. Nothing was copied.") from error


@contextlib.contextmanager
def _appearing(dest: Path) -> Iterator[Path]:
    """A folder beside DEST to write into, which becomes DEST at the end, or goes. Raises OSError."""
    if os.path.lexists(dest) and not (dest.is_dir() and not any(dest.iterdir())):
        raise click.ClickException(f"{dest} exists already and was left as it is. Name a new folder.")
    dest.parent.mkdir(parents=True, exist_ok=True)
    unfinished = dest.absolute().with_name(f".{dest.absolute().name}.{secrets.token_hex(4)}")
    unfinished.mkdir(mode=0o700)
    try:
        yield unfinished
        private_file.sync_folder(unfinished)
        unfinished.rename(dest)  # which is not there, or empty
        private_file.sync_folder(dest.absolute().parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def copy_backend(data_dir: Path, backend_id: str, folder: Path) -> None:
    """Copies a backend's files. Raises ClickException, OSError."""
    source = engine_of(data_dir, backend_id)
    if not source.exists():
        raise DatabaseFailed(f"There is no database {source} yet. Start the server once, or say --data or --backend.")
    try:
        source.copy_to(folder)
    except DatabaseUnusable as error:
        raise DatabaseFailed(str(error)) from error
    except StoreFailed as error:
        raise DatabaseFailed(f"{source} cannot be copied: {error}. Nothing was copied.") from error
    # After the database: a mail that is in the copy was sealed with a key that is there by now.
    for key_file in (mail_key_path(data_dir, backend_id), api_key_path(data_dir, backend_id)):
        if key_file.is_file():
            private_file.create(folder / key_file.name, key_file.read_text(encoding="utf-8"))
