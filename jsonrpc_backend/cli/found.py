"""How users and items that were found are shown."""

import json
from collections.abc import Iterator
from typing import Any

import click

from jsonrpc_backend.cli.target import readable_time
from jsonrpc_backend.cli.wording import counted


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
