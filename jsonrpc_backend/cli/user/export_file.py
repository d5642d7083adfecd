"""`user export`: all users into a file, from which `user import` makes them again."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from jsonrpc_backend.cli.audit import Note, act_of, noting
from jsonrpc_backend.cli.on_either import only_in_file
from jsonrpc_backend.cli.progress import progress
from jsonrpc_backend.cli.target import Target, json_option, on_backend
from jsonrpc_backend.cli.wording import counted
from jsonrpc_backend.store import audit, users
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.transfer import export
from jsonrpc_backend.transfer.export import Csv, JsonLines, Layout, NothingToContinue
from jsonrpc_backend.transfer.source import format_of

STANDARD_OUTPUT = Path("-")


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--format", "format_name", type=click.Choice(export.FORMATS), help="[default: by FILE; - gets jsonl]")
@click.option("--with-hashes", is_flag=True, help="Export the password hashes too. Keep such a file secret.")
@click.option("--after", "after_id", metavar="ID", help="Only the users that were added after this one.")
@click.option("--continue", "continued", is_flag=True, help="Go on with an export that was interrupted.")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@only_in_file("export all users as they are at one moment")
@on_backend()
@json_option
def export_users(
    target: Target,
    *,
    file: Path,
    format_name: str | None,
    with_hashes: bool,
    after_id: str | None,
    continued: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Export all users, oldest first, to FILE (JSON Lines or CSV; - is standard output).

    The state of one moment, even while the server writes. The file appears when it is complete; until then it is
    FILE.part. Only its owner can read it.
    """
    to_stdout = file == STANDARD_OUTPUT
    format_name = format_name or ("jsonl" if to_stdout else format_of(file))
    if format_name not in export.FORMATS:
        raise click.UsageError("Export to a file that ends in .jsonl or .csv, or say --format.")
    if continued and (to_stdout or after_id):
        raise click.UsageError("--continue goes with a file, and without --after.")
    if not to_stdout and file.exists() and not force:
        raise click.ClickException(f"{file} exists already and was left as it is; --force replaces it.")
    with noting(target) as note, target.reading() as db:
        layout = _layout(db, format_name, with_hashes=with_hashes)
        part = None if to_stdout else export.unfinished(file, with_hashes=with_hashes)
        with _opened(part, layout, continued=continued) as (stream, last_id):
            count = _write(note, db, stream, layout, after_id or last_id)
            if part is not None:
                export.complete(stream, part, file)
    if as_json:
        click.echo(json.dumps({"users": count, "file": str(file)}, indent=2), err=to_stdout)
    else:
        click.echo(f"Exported {counted(count, 'user')}" + ("." if to_stdout else f" to {file}."), err=to_stdout)


def _layout(db: Db, format_name: str, *, with_hashes: bool) -> Layout:
    if format_name == "csv":
        names, with_disabled = users.property_names(db), users.is_any_disabled(db)
        return Csv(names, with_hashes=with_hashes, with_disabled=with_disabled)
    return JsonLines(with_hashes=with_hashes)


@contextlib.contextmanager
def _opened(part: Path | None, layout: Layout, *, continued: bool) -> Iterator[tuple[BinaryIO, str | None]]:
    """Where to write, and the id of the last user that is there already."""
    if part is None:
        sys.stdout.buffer.write(layout.header)
        yield sys.stdout.buffer, None
        sys.stdout.buffer.flush()
        return
    try:
        stream, last_id = export.resume(part, layout) if continued else (export.begin(part, layout), None)
        with stream:
            yield stream, last_id
    except NothingToContinue as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise click.ClickException(f"{part} cannot be written: {reason}.") from error


def _write(note: Note, db: Db, stream: BinaryIO, layout: Layout, after_id: str | None) -> int:
    """Writes the users after this one; returns how many."""
    last = users.find_by_id(db, after_id) if after_id is not None else None
    if after_id is not None and last is None:
        raise click.ClickException(f"There is no user {after_id} any more to go on after.")
    key, count = last.key if last else 0, 0
    expected = users.count_after(db, key)
    note(lambda db: audit.record(db, act_of("user export"), [], users=expected))  # before anything gets out
    with progress("Exporting", expected) as advance:
        for _ in export.write(stream, layout, users.list_after(db, key)):
            count += 1
            advance(1)
    return count
