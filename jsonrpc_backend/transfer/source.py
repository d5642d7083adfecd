"""Records of users from a file: JSON Lines, JSON (`[…]` or `{"results": […]}`) or CSV with a header row."""

import csv
import itertools
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from jsonrpc_backend.errors import ParseError
from jsonrpc_backend.rpc.parse import MAX_DEPTH, parse
from jsonrpc_backend.transfer import cells
from jsonrpc_backend.transfer.naming import PASSWORD, PASSWORD_HASH, SYSTEM_FIELDS, Naming

FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv"}

_BOM = b"\xef\xbb\xbf"
_BLANK = re.compile(r"[ \t\r\n]*")
_DELIMITERS = ",;\t"  # spreadsheets write a semicolon where the comma is part of numbers


class UnusableFile(Exception):
    """The file as a whole cannot be read; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Bad:
    """Why a record cannot be used: the field or None for all of it, a sentence.

    `number` counts records from 1, `line` is where the record begins.
    """

    number: int
    line: int
    name: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """Values by the names of `transfer.naming`. `number` counts records from 1, `line` is where it begins."""

    number: int
    line: int
    fields: Mapping[str, Any]


class Source:
    """The records of one file, in order. `position` of `size` bytes have been read (size 0: nobody knows)."""

    def __init__(self, file: BinaryIO, format_name: str, naming: Naming) -> None:
        self._file = file
        self._format = format_name
        self._naming = naming
        self.size = os.fstat(file.fileno()).st_size if file.seekable() else 0
        self.position = 0

    def __iter__(self) -> Iterator[Record | Bad]:
        """Raises UnusableFile."""
        csv.field_size_limit(1 << 30)  # the limit of properties is ours to tell
        if self._format == "csv":
            return self._csv()
        return self._json() if self._format == "json" else self._json_lines(self._lines())

    def _lines(self) -> Iterator[bytes]:
        for number, line in enumerate(self._file):
            self.position += len(line)
            yield line.removeprefix(_BOM) if number == 0 else line

    # --- JSON --------------------------------------------------------------------------------------------

    def _json_lines(self, lines: Iterator[bytes]) -> Iterator[Record | Bad]:
        number = 0
        for line, text in enumerate(lines, 1):
            if text.strip():
                number += 1
                yield self._object(number, line, text.rstrip())

    def _object(self, number: int, line: int, text: bytes) -> Record | Bad:
        try:
            value = parse(text)
        except ParseError as error:
            return Bad(number, line, None, f"The record {_why(error)}.")
        if not isinstance(value, dict):
            return Bad(number, line, None, "The record is not a JSON object.")
        return _renamed(number, line, value, self._naming)

    def _json(self) -> Iterator[Record | Bad]:
        """All of the file at once: it is one value."""
        content = self._file.read().removeprefix(_BOM)
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise UnusableFile(f"line {line}: the file is not UTF-8") from error
        start = _array_start(text)
        if start is None:  # what mongoexport writes into files of this name
            yield from self._json_lines(iter(content.splitlines(keepends=True)))
            return
        for number, (line, begin, end) in enumerate(_elements(text, start), 1):
            self.position = end
            yield self._object(number, line, text[begin:end].encode())

    # --- CSV ---------------------------------------------------------------------------------------------

    def _csv(self) -> Iterator[Record | Bad]:
        lines = (line.decode(errors="surrogateescape") for line in self._lines())
        first = next(lines, "")
        delimiter = max(_DELIMITERS, key=first.count)
        columns = self._columns(next(csv.reader([first], delimiter=delimiter), []))
        rows = csv.reader(lines, delimiter=delimiter, strict=True)
        for number in itertools.count(1):
            line = rows.line_num + 2  # the header is line 1, and line_num counts what has been read after it
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield Bad(number, line, None, f"The row is not CSV: {error}.")
                continue
            if row:
                yield _row(number, line, row, columns)

    def _columns(self, header: list[str]) -> list[str | None]:
        """What each column stands for; None for one that is dropped."""
        names = [name.strip() for name in header]
        fields = dict(self._naming.fields(names))
        columns = [fields.get(name) for name in names]
        twice = sorted({name for name in columns if name is not None and columns.count(name) > 1})
        if not names or not all(names):
            raise UnusableFile("line 1: the header must give every column a name")
        if twice:
            raise UnusableFile(f"line 1: there are several columns for {twice[0]}; leave some out with --drop")
        return columns


def _renamed(number: int, line: int, value: Mapping[str, Any], naming: Naming) -> Record | Bad:
    fields: dict[str, Any] = {}
    for original, name in naming.fields(value):
        if name in fields and fields[name] != value[original]:
            return Bad(number, line, original, f"There are several values for {name}; leave some out with --drop.")
        fields[name] = value[original]
    return Record(number, line, fields)


def _row(number: int, line: int, row: list[str], columns: list[str | None]) -> Record | Bad:
    if len(row) != len(columns):
        return Bad(number, line, None, f"The row has {len(row)} cells, the header {len(columns)}.")
    if any("\udc80" <= character <= "\udcff" for cell in row for character in cell if character > "\ud7ff"):
        return Bad(number, line, None, "The row is not UTF-8.")
    values = zip(columns, row, strict=True)
    return Record(number, line, {name: _cell(name, cell) for name, cell in values if name and cell})


def _cell(name: str, cell: str) -> Any:
    if name in {PASSWORD, PASSWORD_HASH}:
        return cell
    return cells.read_text(cell) if name in SYSTEM_FIELDS else cells.read_value(cell)


# --- an array, element by element ------------------------------------------------------------------------

# Finds where values end; what they are is read strictly afterwards.
_skim = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=len)


def _skip_blank(text: str, index: int) -> int:
    found = _BLANK.match(text, index)
    return found.end() if found else index


def _skip_value(text: str, index: int) -> int:
    try:
        return _skip_blank(text, _skim.raw_decode(text, index)[1])
    except json.JSONDecodeError as error:
        raise UnusableFile(f"line {error.lineno}, column {error.colno}: the file is not valid JSON") from error
    except RecursionError as error:
        line = text.count("\n", 0, index) + 1
        raise UnusableFile(f"line {line}: the record is nested deeper than {MAX_DEPTH} levels") from error


def _array_start(text: str) -> int | None:
    """The index of the first element of `[…]` or `{"results": […]}`; None when the text is neither."""
    index = _skip_blank(text, 0)
    if text.startswith("[", index):
        return _skip_blank(text, index + 1)
    while text[index : index + 1] in {"{", ","}:
        begin = _skip_blank(text, index + 1)
        if text.startswith("}", begin):
            return None
        colon = _skip_value(text, begin)
        value = _skip_blank(text, colon + 1)
        if text[begin:colon].strip() == '"results"' and text.startswith("[", value):
            return _skip_blank(text, value + 1)
        index = _skip_value(text, value)
    return None


def _elements(text: str, index: int) -> Iterator[tuple[int, int, int]]:
    """Line, begin and end of each element of an array, up to its closing bracket."""
    line, counted = 1, 0
    while not text.startswith("]", index):
        line, counted = line + text.count("\n", counted, index), index
        end = _skip_value(text, index)
        yield line, index, end
        if text.startswith(",", end):
            index = _skip_blank(text, end + 1)
        elif text.startswith("]", end):
            return
        else:
            line += text.count("\n", counted, end)
            raise UnusableFile(f"line {line}: the file is not valid JSON: a comma or a closing bracket is missing")


def _why(error: ParseError) -> str:
    cause = error.__cause__
    if isinstance(cause, UnicodeDecodeError):
        return "is not UTF-8"
    if isinstance(cause, json.JSONDecodeError):
        return f"is not valid JSON (column {cause.colno}: {cause.msg})"
    if cause is None or isinstance(cause, RecursionError):
        return f"is nested deeper than {MAX_DEPTH} levels"
    return "has the same key twice" if str(cause) == "duplicate key" else f"holds {cause}, which is not JSON"


def format_of(path: Path) -> str | None:
    """The format that a file's name tells."""
    return FORMATS.get(path.suffix.lower())
