"""How users and items that were found are shown."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import click

from jsonrpc_backend.cli.target import readable_time
from jsonrpc_backend.cli.wording import counted

Command = TypeVar("Command", bound=Callable[..., Any])


def page_options(things: str, columns: Sequence[str]) -> Callable[[Command], Command]:
    """What a command that lists `things` takes beside its search; in a table it shows `columns` by default."""
    options = [
        click.option(
            "--columns", help=f"What to show, with commas between.  [default: {','.join(columns)}; with --json all]"
        ),
        click.option("--page", type=click.IntRange(1), help="Show this page only, from 1."),
        click.option("--per-page", type=click.IntRange(1), default=100, show_default=True, help=f"{things} on a page."),
    ]

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def print_objects(found: Iterator[dict[str, Any]], names: list[str] | None) -> None:
    """A JSON array with an object on each line, never held as a whole; with `names` these members alone."""
    before = "["
    for each in found:
        chosen = each if names is None else {name: each[name] for name in names if name in each}
        click.echo(before + json.dumps(chosen, ensure_ascii=False))
        before = ","
    click.echo("]" if before == "," else "[]")


def cell(value: Any, *, is_time: bool) -> str:
    """A value in a table; `-` stands for none."""
    if is_time and value is not None:
        return readable_time(value)
    # A text with line breaks or escape sequences could pretend to be other lines, or do tricks with the terminal.
    is_plain = isinstance(value, str) and value.isprintable()
    return str(value) if is_plain else "-" if value is None else json.dumps(value)


def tell_page(page: int, per_page: int, total: int, one: str) -> None:
    """Which page of how many this is."""
    pages = max(1, -(-total // per_page))
    click.echo(f"Page {page} of {pages}, {counted(total, one)} in all.", err=True)
