"""Tables for terminals."""

import sys
import unicodedata
from collections.abc import Iterable, Iterator

import click

_WIDE = frozenset({"W", "F"})
_ON_TOP = frozenset({"Mn", "Me", "Cf"})  # characters that take no place of their own


def print_table(header: list[str], rows: Iterable[list[str]], *, empty: str) -> None:
    """Prints a table; the header for people only, so that what reads a pipe gets rows and nothing else.

    `empty` is said, on standard error, where there are no rows.
    """
    cells = list(rows)
    if not cells:
        click.echo(empty, err=True)
        return
    for line in table([header, *cells] if sys.stdout.isatty() else cells):
        click.echo(line)


def table(rows: Iterable[list[str]]) -> Iterator[str]:
    """Lines in which the columns stand under each other, Chinese, Japanese and Korean too."""
    cells = list(rows)
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = (cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()


def width(text: str) -> int:
    """How many places of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(each) in _ON_TOP else 2 if unicodedata.east_asian_width(each) in _WIDE else 1
        for each in text
    )
