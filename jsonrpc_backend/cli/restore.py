"""`restore`: a copy that `backup` has made becomes the data of a server."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from jsonrpc_backend.cli.answer import tell
from jsonrpc_backend.cli.backup import copy_backend
from jsonrpc_backend.cli.settings import DatabaseFailed, api_key_path, config_options, find_config, reported
from jsonrpc_backend.cli.target import json_option
from jsonrpc_backend.config import Config
from jsonrpc_backend.mail.seal import mail_key_path
from jsonrpc_backend.store.data_dir_lock import LOCK_FILE, locked
from jsonrpc_backend.store.engine import Engine
from jsonrpc_backend.store.engines import backends_in, engine_of
from jsonrpc_backend.store.moving import move_all


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--backend", "chosen", multiple=True, help="Backend id; may be repeated. [default: all that SOURCE has]")
@click.option("--force", is_flag=True, help="Replace what is there; it is kept, in a folder within the data folder.")
@config_options
@json_option
def restore(
    config_file: Path | None, data: Path | None, source: Path, chosen: tuple[str, ...], *, force: bool, as_json: bool
) -> None:
    """Put the databases and keys of the folder SOURCE, which `backup` has made, into the data folder.

    The server must not be running. SOURCE is checked and copied completely before anything is replaced, and stays as
    it is. The configuration file is not part of it.
    """
    with reported():
        config = find_config(config_file, data)
    data_dir = Path(config.server.data_dir)
    backend_ids = _choose(config, source, chosen)
    if data_dir.is_dir() and source.samefile(data_dir):
        raise click.UsageError("SOURCE is the data folder itself.")
    with reported(), locked(data_dir), _said(data_dir):
        for path in (engine_of(data_dir, backend_id).files()[-1] for backend_id in backend_ids):
            if os.path.lexists(path) and not force:
                raise click.ClickException(f"{path} exists already and was left as it is; --force replaces it.")
        kept = _replace(source, data_dir, backend_ids)
    result = {"backends": backend_ids, "folder": str(data_dir), "kept": kept and str(kept)}
    where = f" What was there is in {kept}." if kept else ""
    tell(f"Restored {', '.join(backend_ids)} to {data_dir}.{where}", result, as_json=as_json)


def _choose(config: Config, source: Path, chosen: tuple[str, ...]) -> list[str]:
    there = backends_in(source)
    if not there:
        raise click.ClickException(f"{source} has no database. Name a folder that `backup` has made.")
    for backend_id in chosen or there:
        if backend_id not in there:
            raise click.UsageError(f"{source} has no backend {backend_id}; it has {', '.join(there)}.")
        if backend_id not in config.backends:
            known = ", ".join(config.backends)
            raise click.UsageError(f"The configuration has no backend {backend_id}, only {known}; say --backend.")
    return list(dict.fromkeys(chosen or there))


@contextlib.contextmanager
def _said(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{data_dir} cannot be written: {error.strerror}. Nothing was restored.") from error


def _replace(source: Path, data_dir: Path, backend_ids: list[str]) -> Path | None:
    """Returns the folder of what was there. Raises ClickException, DatabaseUnusable, OSError: nothing has changed."""
    unfinished = data_dir / f".restoring-{secrets.token_hex(4)}"
    kept = data_dir / f"before-restore-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    unfinished.mkdir(mode=0o700)
    try:
        for backend_id in backend_ids:
            _check(engine_of(source, backend_id))
            copy_backend(source, backend_id, unfinished)
        old = [file for backend_id in backend_ids for file in _replaced(data_dir, backend_id, unfinished)]
        new = [data_dir / file.name for file in unfinished.iterdir()]
        if old:
            kept.mkdir(mode=0o700)
        _give_to_owner(data_dir, [*unfinished.iterdir(), data_dir / LOCK_FILE, *([kept] if old else [])])
        move_all([*((file, kept / file.name) for file in old), *((unfinished / file.name, file) for file in new)])
    except BaseException:
        with contextlib.suppress(OSError):
            kept.rmdir()
        raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return kept if old else None


def _check(engine: Engine) -> None:
    if engine.is_empty():
        raise DatabaseFailed(f"{engine} is empty. Nothing was restored.")


def _replaced(data_dir: Path, backend_id: str, unfinished: Path) -> Iterator[Path]:
    """What is there of a backend and goes.

    A log that stayed would be written into the new database. Mails that wait can be read with the key of their database
    only. An API key that the copy does not have is in the configuration, or still that of the apps.
    """
    api_key = api_key_path(data_dir, backend_id)
    for file in (*engine_of(data_dir, backend_id).files(), mail_key_path(data_dir, backend_id), api_key):
        if os.path.lexists(file) and (file != api_key or (unfinished / api_key.name).is_file()):
            yield file


def _give_to_owner(data_dir: Path, paths: list[Path]) -> None:
    """Lets a server read what root has restored for it."""
    if os.geteuid() == 0:
        owner = data_dir.stat()
        for path in paths:
            os.chown(path, owner.st_uid, owner.st_gid)
