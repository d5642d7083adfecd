"""Tables in Markdown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.documents import tables


@dataclass(frozen=True)
class Table:
    """Rows of cells; the first cell of a row names it. The column `words` is prose, all others are code."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    words: int


def markdown(table: Table) -> str:
    return "".join(map(_line, [table.head, ("---",) * len(table.head), *table.rows]))


def translated(table: Table, text: str) -> str:
    """The table with the head and the words of a translation of it; rows that this one lacks are in English."""
    head, *_ = text.splitlines(keepends=True) or [_line(table.head)]
    known = {row[0]: row[table.words] for rows in tables(text) for row in rows if len(row) == len(table.head)}
    rows = [_with(row, table.words, known.get(row[0], row[table.words])) for row in table.rows]
    return head + "".join(map(_line, [("---",) * len(table.head), *rows]))


def _with(row: tuple[str, ...], column: int, words: str) -> tuple[str, ...]:
    return (*row[:column], words, *row[column + 1 :])


def _line(cells: tuple[str, ...]) -> str:
    return f"|{'|'.join(_cell(cell) for cell in cells)}|\n"


def _cell(text: str) -> str:
    escaped = re.sub(r"(?<!\\)\|", r"\\|", text)
    return text if set(text) == {"-"} else f" {escaped} " if escaped else " "


def coded(text: str) -> str:
    """A sentence of the program as a document shows it: names of methods, settings, members and the like as code."""
    parts = text.split("`")  # every other one is code already
    return "`".join(part if number % 2 else _NAME.sub(r"`\g<0>`", part) for number, part in enumerate(parts))


_NAME = re.compile(
    r"""
      (?<![\w./@])[A-Za-z]\w{2,}(\.[A-Za-z]\w{2,})+(?![\w/])  # User.login, management.search_seconds
    | (?<![\w./])_{1,2}[a-z]\w+                               # _createdAt, __session
    | (?<![\w./])[a-z]+(_[a-z]+)+(?!\w)                       # max_connections
    | (?<!\w)[$%]?[A-Z]+(_[A-Z]+)+%?(?!\w)                    # JSONRPC_BACKEND_SMTP_PASSWORD
    | (?<!\w)X-[A-Z][\w-]+                                    # a header
    | (?<![\w-])--[a-z][a-z-]+                                # --dev
    """,
    re.VERBOSE,
)
