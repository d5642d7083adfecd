"""What commands that import have in common: options, and the report of what was wrong and what was done."""

import json
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import click

from jsonrpc_backend.cli.progress import progress
from jsonrpc_backend.cli.target import printable
from jsonrpc_backend.cli.wording import counted
from jsonrpc_backend.transfer.intake import Existing
from jsonrpc_backend.transfer.json_text import UnusableFile
from jsonrpc_backend.transfer.source import Bad, Record, Source

SHOWN = 100

Command = Callable[..., None]


def _read_renames(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    if not all(old and new for old, _, new in pairs):
        raise click.BadParameter("say OLD=NEW.")
    return {old: new for old, _, new in pairs}


def naming_options(command: Command) -> Command:
    renamed = click.option(
        "--map", "renamed", multiple=True, metavar="OLD=NEW", callback=_read_renames, help="Rename a field."
    )
    dropped = click.option("--drop", "dropped", multiple=True, metavar="NAME", help="Leave a field out.")
    return renamed(dropped(command))


def caution_options(existing_means: str) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        existing = click.option(
            "--existing",
            type=click.Choice([choice.value for choice in Existing]),
            default=Existing.REFUSE.value,
            show_default=True,
            help=existing_means,
        )
        skip_bad = click.option("--skip-bad", is_flag=True, help="Import the good records even where others are bad.")
        dry_run = click.option("--dry-run", is_flag=True, help="Check everything, change nothing.")
        return existing(skip_bad(dry_run(command)))

    return decorate


def take_all(source: Source, take: Callable[[Record | Bad], None]) -> str | None:
    """Takes every record; why the file ends early, where it does."""
    read = 0
    with progress("Checking", source.size) as advance:
        try:
            for record in source:
                take(record)
                advance(source.position - read)
                read = source.position
        except UnusableFile as error:
            return str(error)
    return None


class ImportReport:
    """Says what was wrong, on standard error, and what was done, on standard output.

    `unusable` says what is wrong with the name of a field, `arrays` are the files of which lines tell little.
    `only_file`: where there is but one; otherwise each bad record tells its own.
    """

    def __init__(
        self,
        bad: list[Bad],
        *,
        unusable: Callable[[str], str],
        arrays: Container[str],
        as_json: bool,
        only_file: str | None = None,
    ) -> None:
        self._bad = bad
        self._unusable = unusable
        self._arrays = arrays
        self._as_json = as_json
        self._only_file = only_file

    def refuse(self, broken: str | None) -> None:
        """Raises the exception that ends the command. `broken`: which file cannot be read, and why."""
        self._print_bad()
        if broken is not None:
            raise click.ClickException(f"{broken}. Nothing was imported.")
        if self._as_json:
            self._print_json({"added": 0})
        raise click.ClickException(f"{self._bad_records()}. Nothing was imported.")

    def finish(self, counts: Mapping[str, str], results: Mapping[str, Any], explanations: Sequence[str] = ()) -> None:
        """`counts`: what is said of each number of `results`. Raises the exception that ends the command where records
        were bad."""
        self._print_bad()
        if self._as_json:
            self._print_json(results)
        else:
            said = [f"{results[name]} {words}" for name, words in counts.items()]
            click.echo(", ".join([*said, f"{self._bad_count()} bad"]) + ".")
            for sentence in explanations:
                click.echo(printable(sentence))
        if self._bad:
            raise click.ClickException(f"{self._bad_records()} and left out.")

    def _bad_count(self) -> int:
        return len({(bad.file, bad.number) for bad in self._bad})

    def _bad_records(self) -> str:
        return counted(self._bad_count(), "record is bad", "records are bad")

    def _print_json(self, results: Mapping[str, Any]) -> None:
        result = {**results, "bad": [self._object(bad) for bad in self._bad]}
        click.echo(json.dumps(result, ensure_ascii=False, indent=2))

    def _object(self, bad: Bad) -> dict[str, Any]:
        where = {"file": bad.file} if self._only_file is None else {}
        return {**where, "line": bad.line, "record": bad.number, "name": bad.name, "reason": bad.reason}

    def _print_bad(self) -> None:
        """A line for each; but what is wrong with the name of a field is said once, however many records have it."""
        names = Counter((self._file(bad), bad.name) for bad in self._bad if self._is_about_its_name(bad))
        shown = [bad for bad in self._bad if not self._is_about_its_name(bad)]
        for (file, name), count in names.items():
            if name is not None:
                click.echo(printable(f"{file}, {counted(count, 'record')}: {name}: {self._unusable(name)}"), err=True)
        for bad in shown[:SHOWN]:
            file = self._file(bad)
            where = f"{file}:{bad.line}" + (f" (record {bad.number})" if file in self._arrays else "")
            click.echo(printable(f"{where}: {bad.name + ': ' if bad.name else ''}{bad.reason}"), err=True)
        if len(shown) > SHOWN:
            click.echo(f"… and {len(shown) - SHOWN} more.", err=True)

    def _file(self, bad: Bad) -> str:
        return self._only_file or bad.file

    def _is_about_its_name(self, bad: Bad) -> bool:
        return bad.name is not None and bad.reason == self._unusable(bad.name)
