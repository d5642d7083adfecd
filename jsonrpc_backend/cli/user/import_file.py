"""`user import`: users from what another system has exported."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from jsonrpc_backend.cli.audit import act_of
from jsonrpc_backend.cli.importing import ImportReport, caution_options, naming_options, take_all
from jsonrpc_backend.cli.on_either import only_in_file
from jsonrpc_backend.cli.progress import progress
from jsonrpc_backend.cli.target import Target, json_option, on_backend
from jsonrpc_backend.cli.user.mailing import (
    check_mailing,
    check_sending,
    mailing_options,
    reach_object,
    send_mailing,
    yes_option,
)
from jsonrpc_backend.clock import system_clock
from jsonrpc_backend.store.password_resets import Mailing
from jsonrpc_backend.transfer.intake import Existing, Intake
from jsonrpc_backend.transfer.naming import Naming, unusable
from jsonrpc_backend.transfer.record import ImportRules
from jsonrpc_backend.transfer.source import FORMATS, Source, format_of

_WORDS = {
    "ready": "ready to import",
    "withoutAddress": "without a mail address",
    "requested": "to be mailed",
}


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--format", "format_name", type=click.Choice(sorted(set(FORMATS.values()))), help="[default: by FILE]")
@naming_options
@click.option("--keep-ids/--new-ids", default=True, show_default=True, help="Keep ids that are like ours.")
@caution_options("What to do with a username that somebody has. update: merge the properties; passwords stay.")
@click.option("--send-reset", is_flag=True, help="Afterwards do what `user send-reset` does, with its options.")
@mailing_options
@yes_option
@only_in_file("import users")
@on_backend(create=True)
@json_option
def import_users(
    target: Target,
    *,
    file: Path,
    format_name: str | None,
    renamed: dict[str, str],
    dropped: tuple[str, ...],
    keep_ids: bool,
    existing: str,
    skip_bad: bool,
    dry_run: bool,
    send_reset: bool,
    mailing: Mailing,
    yes: bool,
    as_json: bool,
) -> None:
    """Import users from FILE (JSON Lines, JSON or CSV; - is standard input). The server may be running.

    All records are checked first; if one is bad, nothing is imported.
    """
    check_mailing(target, mailing)
    if send_reset and not dry_run:
        check_sending(target, yes=yes)
    format_name = format_name or format_of(file)
    if format_name is None:
        raise click.UsageError("The format cannot be told from the file's name; say --format.")
    naming = Naming(renamed, frozenset(dropped))
    rules = ImportRules(target.backend, now=system_clock(), keep_ids=keep_ids)
    with contextlib.ExitStack() as stack:
        writable = None if dry_run else stack.enter_context(target.writing())
        intake = Intake.begin(writable or stack.enter_context(target.reading()), rules, Existing(existing))
        stream = stack.enter_context(_opened(file))
        source = Source(stream, format_name, naming, file=str(file), size=_size(stream))
        broken = take_all(source, intake.take)
        arrays = {str(file)} if format_name == "json" else ()
        report = ImportReport(intake.bad, unusable=unusable, arrays=arrays, as_json=as_json, only_file=str(file))
        skipped = intake.compare()
        _warn(intake)
        if broken or (intake.bad and not skip_bad):
            report.refuse(f"{file}: {broken}" if broken else None)
        if writable is None:
            _finish(report, {"ready": intake.size, "skipped": skipped})
            return
        with progress("Hashing passwords", len(intake.passwords)) as advance:
            for _ in intake.hash_passwords(target.config.passwords):
                advance(1)
        moved = intake.move(writable, skip_bad=skip_bad, act=act_of("user import"))
        if moved is None:
            report.refuse(None)
            return
    requested = send_mailing(target, mailing, yes=yes) if send_reset else None
    counts = {"added": moved.added, "updated": moved.updated, "skipped": skipped}
    _finish(report, counts | (reach_object(requested) if requested else {}))


def _finish(report: ImportReport, counts: dict[str, int]) -> None:
    report.finish({name: _WORDS.get(name, name) for name in counts}, counts)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if str(file) == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = file.open("rb")
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}.") from error
    with stream:
        yield stream


def _size(stream: BinaryIO) -> int:
    return os.fstat(stream.fileno()).st_size if stream.seekable() else 0


def _warn(intake: Intake) -> None:
    for name in sorted(intake.suspicious):
        click.echo(
            f"Note: {name} becomes a property that everybody reads. If it is the users' password, say --map"
            f" {name}=_password (or _passwordHash).",
            err=True,
        )
