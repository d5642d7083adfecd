"""`user import`: users from what another system has exported."""

import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

from jsonrpc_backend.cli.audit import act_of
from jsonrpc_backend.cli.on_either import only_in_file
from jsonrpc_backend.cli.progress import progress
from jsonrpc_backend.cli.target import Target, json_option, on_backend, printable
from jsonrpc_backend.cli.user.mailing import (
    check_mailing,
    check_sending,
    mailing_options,
    reach_object,
    send_mailing,
    yes_option,
)
from jsonrpc_backend.cli.wording import counted
from jsonrpc_backend.clock import system_clock
from jsonrpc_backend.store.password_resets import Mailing
from jsonrpc_backend.transfer.intake import Existing, Intake
from jsonrpc_backend.transfer.json_text import UnusableFile
from jsonrpc_backend.transfer.naming import Naming, unusable
from jsonrpc_backend.transfer.record import ImportRules
from jsonrpc_backend.transfer.source import FORMATS, Bad, Source, format_of

SHOWN = 100
_WORDS = {"withoutAddress": "without a mail address", "requested": "to be mailed", "ready": "ready to import"}


def _read_renames(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    if not all(old and new for old, _, new in pairs):
        raise click.BadParameter("say OLD=NEW.")
    return {old: new for old, _, new in pairs}


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--format", "format_name", type=click.Choice(sorted(set(FORMATS.values()))), help="[default: by FILE]")
@click.option("--map", "renamed", multiple=True, metavar="OLD=NEW", callback=_read_renames, help="Rename a field.")
@click.option("--drop", "dropped", multiple=True, metavar="NAME", help="Leave a field out.")
@click.option("--keep-ids/--new-ids", default=True, show_default=True, help="Keep ids that are like ours.")
@click.option(
    "--existing",
    type=click.Choice([choice.value for choice in Existing]),
    default=Existing.REFUSE.value,
    show_default=True,
    help="What to do with a username that somebody has. update: merge the properties; passwords stay.",
)
@click.option("--skip-bad", is_flag=True, help="Import the good records even where others are bad.")
@click.option("--dry-run", is_flag=True, help="Check everything, change nothing.")
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
        broken = _collect(intake, source)
        report = _Report(file, intake.bad, is_array=format_name == "json", as_json=as_json)
        skipped = intake.compare()
        _warn(intake)
        if broken or (intake.bad and not skip_bad):
            report.refuse(broken)
        if writable is None:
            report.finish(ready=intake.size, skipped=skipped)
            return
        with progress("Hashing passwords", len(intake.passwords)) as advance:
            for _ in intake.hash_passwords(target.config.passwords):
                advance(1)
        moved = intake.move(writable, skip_bad=skip_bad, act=act_of("user import"))
        if moved is None:
            report.refuse(None)
            return
    requested = send_mailing(target, mailing, yes=yes) if send_reset else None
    report.finish(
        added=moved.added, updated=moved.updated, skipped=skipped, **reach_object(requested) if requested else {}
    )


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


def _collect(intake: Intake, source: Source) -> str | None:
    """Takes every record; why the file ends early, where it does."""
    read = 0
    with progress("Checking", source.size) as advance:
        try:
            for record in source:
                intake.take(record)
                advance(source.position - read)
                read = source.position
        except UnusableFile as error:
            return str(error)
    return None


def _warn(intake: Intake) -> None:
    for name in sorted(intake.suspicious):
        click.echo(
            f"Note: {name} becomes a property that everybody reads. If it is the users' password, say --map"
            f" {name}=_password (or _passwordHash).",
            err=True,
        )


class _Report:
    """Says what was wrong, on standard error, and what was done, on standard output."""

    def __init__(self, file: Path, bad: list[Bad], *, is_array: bool, as_json: bool) -> None:
        self._file = file
        self._bad = bad
        self._is_array = is_array
        self._as_json = as_json

    def refuse(self, broken: str | None) -> None:
        """Raises the exception that ends the command."""
        self._print_bad()
        if broken is not None:
            raise click.ClickException(f"{self._file}: {broken}. Nothing was imported.")
        if self._as_json:
            self._print_json({"added": 0})
        raise click.ClickException(f"{self._bad_records()}. Nothing was imported.")

    def finish(self, **counts: int) -> None:
        """Raises the exception that ends the command where records were bad."""
        self._print_bad()
        if self._as_json:
            self._print_json(counts)
        else:
            said = [f"{count} {_WORDS.get(name, name)}" for name, count in counts.items()]
            click.echo(", ".join([*said, f"{self._bad_count()} bad"]) + ".")
        if self._bad:
            raise click.ClickException(f"{self._bad_records()} and left out.")

    def _bad_count(self) -> int:
        return len({bad.number for bad in self._bad})

    def _bad_records(self) -> str:
        return counted(self._bad_count(), "record is bad", "records are bad")

    def _print_json(self, counts: dict[str, int]) -> None:
        bad = [{"line": bad.line, "record": bad.number, "name": bad.name, "reason": bad.reason} for bad in self._bad]
        result: dict[str, Any] = {**counts, "bad": bad}
        click.echo(json.dumps(result, ensure_ascii=False, indent=2))

    def _print_bad(self) -> None:
        """A line for each; but what is wrong with the name of a field is said once, however many records have it."""
        names = Counter(bad.name for bad in self._bad if _is_about_its_name(bad))
        shown = [bad for bad in self._bad if not _is_about_its_name(bad)]
        for name, count in names.items():
            if name is not None:
                where = f"{self._file}, {counted(count, 'record')}"
                click.echo(printable(f"{where}: {name}: {unusable(name)}"), err=True)
        for bad in shown[:SHOWN]:
            where = f"{self._file}:{bad.line}" + (f" (record {bad.number})" if self._is_array else "")
            click.echo(printable(f"{where}: {bad.name + ': ' if bad.name else ''}{bad.reason}"), err=True)
        if len(shown) > SHOWN:
            click.echo(f"… and {len(shown) - SHOWN} more.", err=True)


def _is_about_its_name(bad: Bad) -> bool:
    return bad.name is not None and bad.reason == unusable(bad.name)
