"""`collection export`: items into a file, from which `collection import` makes them again."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from jsonrpc_backend.cli.answer import tell
from jsonrpc_backend.cli.audit import Note, act_of, noting
from jsonrpc_backend.cli.on_either import only_in_file
from jsonrpc_backend.cli.progress import progress
from jsonrpc_backend.cli.target import Target, json_option, on_backend
from jsonrpc_backend.cli.wording import counted
from jsonrpc_backend.collections.definitions import NO_SUCH_COLLECTION
from jsonrpc_backend.store import audit, collections, items, private_file
from jsonrpc_backend.store.collections import Collection
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.transfer import export
from jsonrpc_backend.transfer.items.export import layout_of, write_all, write_items
from jsonrpc_backend.transfer.source import format_of

STANDARD_OUTPUT = Path("-")


@click.command("export")
@click.argument("name", required=False)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), required=False)
@click.option(
    "--all",
    "archive",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="DEST.zip",
    help="All collections, with how they are set up.",
)
@only_in_file("export all items as they are at one moment")
@on_backend()
@json_option
def export_items(target: Target, *, name: str | None, file: Path | None, archive: Path | None, as_json: bool) -> None:
    """Export all items of the collection NAME to FILE (.jsonl or .csv; - is standard output).

    In the order of their insertion, and as of one moment, even while the server writes. The file appears when it is
    complete; only its owner can read it. One that exists is left as it is.
    """
    destination = _destination(name, file, archive)
    if os.path.lexists(destination):
        raise click.ClickException(_there_already(destination))
    with noting(target) as note, target.reading() as db:
        chosen = collections.list_all(db) if name is None else [_known(db, name)]
        count = _write(db, chosen, destination, note, whole=name is None)
    said = f"Exported {counted(count, 'item')} of {counted(len(chosen), 'collection')} to {destination}."
    result = {"collections": len(chosen), "items": count, "file": str(destination)}
    tell(said, result, as_json=as_json, err=destination == STANDARD_OUTPUT)


def _destination(name: str | None, file: Path | None, archive: Path | None) -> Path:
    if archive is not None and name is None:
        if archive.suffix.lower() != ".zip":
            raise click.UsageError("--all exports to a file that ends in .zip.")
        return archive
    if archive is not None or file is None:
        raise click.UsageError("Say NAME and FILE, or --all DEST.zip.")
    if file != STANDARD_OUTPUT and format_of(file) not in export.FORMATS:
        raise click.UsageError("Export to a file that ends in .jsonl or .csv.")
    return file


def _known(db: Db, name: str) -> Collection:
    found = collections.find(db, name)
    if found is None:
        raise click.ClickException(NO_SUCH_COLLECTION)
    return found


def _write(db: Db, chosen: list[Collection], destination: Path, note: Note, *, whole: bool) -> int:
    """Returns how many items have been written."""
    numbers = [items.count(db, collection) for collection in chosen]
    act = act_of("collection export")

    def noted(db: Db) -> None:
        for collection, number in zip(chosen, numbers, strict=True):
            audit.record_items(db, act, collection.name, items=number)

    note(noted)  # before anything gets out
    try:
        with _created(destination) as stream, progress("Exporting", sum(numbers)) as advance:
            written: Iterator[None]
            if whole:
                written = write_all(db, stream)
            else:
                written = write_items(db, chosen[0], layout_of(db, chosen[0], format_of(destination) or ""), stream)
            for _ in written:
                advance(1)
    except FileExistsError as error:
        raise click.ClickException(_there_already(destination)) from error
    except OSError as error:
        raise click.ClickException(f"{destination} cannot be written: {error.strerror or error}.") from error
    return sum(numbers)


@contextlib.contextmanager
def _created(destination: Path) -> Iterator[BinaryIO]:
    if destination != STANDARD_OUTPUT:
        with private_file.created(destination) as stream:
            yield stream
        return
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


def _there_already(destination: Path) -> str:
    return f"{destination} exists already and was left as it is."
