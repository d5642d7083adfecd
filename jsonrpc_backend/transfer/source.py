"""Records from a file: JSON Lines, JSON (`[…]`, `{"results": […]}` or an answer) or CSV with a header row.

However large it is, no more of it is in memory than one record takes.
"""

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Protocol

from jsonrpc_backend.errors import ParseError
from jsonrpc_backend.rpc.parse import MAX_DEPTH, parse
from jsonrpc_backend.transfer.json_text import (
    MAX_RECORD_BYTES,
    TOO_LONG,
    JsonText,
    Stream,
    UnusableFile,
    elements,
    find_array,
)

FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv"}

_BOM = b"\xef\xbb\xbf"
_DELIMITERS = ",;\t"  # spreadsheets write a semicolon where the comma is part of numbers


@dataclass(frozen=True, slots=True)
class Bad:
    """Why a record cannot be used: the field or None for all of it, a sentence.

    `number` counts records from 1, `line` is where the record begins. `file`: as messages call it.
    """

    number: int
    line: int
    name: str | None
    reason: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """Values by the names that `Fields` gives. `number`, `line`, `file`: as of Bad."""

    number: int
    line: int
    fields: Mapping[str, Any]
    file: str = ""


class Fields(Protocol):
    """What is meant by the names that a file gives to its fields."""

    def fields(self, names: Iterable[str]) -> Iterable[tuple[str, str]]:
        """Each name of a record that counts, with the name of the field or property that it stands for."""

    def cell(self, name: str, cell: str) -> Any:
        """The value of a cell of CSV that is not empty, of the field of this name."""


class Source:
    """The records of one file, in order. `position` of `size` bytes have been read (size 0: nobody knows)."""

    def __init__(self, stream: Stream, format_name: str, fields: Fields, *, file: str, size: int) -> None:
        self._stream = stream
        self._format = format_name
        self._fields = fields
        self._file = file
        self.size = size
        self.position = 0
        self._row_bytes = 0  # of the row of CSV that is being read

    def __iter__(self) -> Iterator[Record | Bad]:
        """Raises UnusableFile."""
        csv.field_size_limit(MAX_RECORD_BYTES)
        if self._format == "csv":
            return self._csv()
        return self._json() if self._format == "json" else self._json_lines()

    def read(self, size: int) -> bytes:
        return self._counted(self._stream.read(size))

    def readline(self, limit: int) -> bytes:
        return self._counted(self._stream.readline(limit))

    def _counted(self, some: bytes) -> bytes:
        self.position += len(some)
        return some

    def _lines(self, seen: bytes = b"") -> Iterator[bytes]:
        """Of what has been seen and of the rest. One that is too long is cut off behind MAX_RECORD_BYTES."""
        before = io.BytesIO(seen.removeprefix(_BOM))
        for number in itertools.count():
            line = before.readline()
            if not line.endswith(b"\n"):
                line += self.readline(MAX_RECORD_BYTES + 1)
            if not line:
                return
            end = line
            while len(line) > MAX_RECORD_BYTES and end and not end.endswith(b"\n"):
                end = self.readline(MAX_RECORD_BYTES)
            yield line if number or seen else line.removeprefix(_BOM)

    # --- JSON --------------------------------------------------------------------------------------------

    def _json_lines(self, seen: bytes = b"") -> Iterator[Record | Bad]:
        number = 0
        for line, text in enumerate(self._lines(seen), 1):
            if text.strip():
                number += 1
                yield self._object(number, line, text.rstrip())

    def _object(self, number: int, line: int, text: bytes) -> Record | Bad:
        if len(text) > MAX_RECORD_BYTES:
            return self._bad(number, line, TOO_LONG[0].upper() + TOO_LONG[1:] + ".")
        try:
            value = parse(text)
        except ParseError as error:
            return self._bad(number, line, f"The record {_why(error)}.")
        if not isinstance(value, dict):
            return self._bad(number, line, "The record is not a JSON object.")
        return self._renamed(number, line, value)

    def _renamed(self, number: int, line: int, value: Mapping[str, Any]) -> Record | Bad:
        fields: dict[str, Any] = {}
        for original, name in self._fields.fields(value):
            if name in fields and fields[name] != value[original]:
                reason = f"There are several values for {name}; leave some out with --drop."
                return Bad(number, line, original, reason, self._file)
            fields[name] = value[original]
        return Record(number, line, fields, self._file)

    def _json(self) -> Iterator[Record | Bad]:
        text = JsonText(self)
        if not find_array(text):  # what mongoexport writes into files of this name
            self.position = 0
            yield from self._json_lines(text.seen or b"")
            return
        text.forget()
        for number, (line, element) in enumerate(elements(text), 1):
            yield self._object(number, line, element.encode())

    def _bad(self, number: int, line: int, reason: str) -> Bad:
        return Bad(number, line, None, reason, self._file)

    # --- CSV ---------------------------------------------------------------------------------------------

    def _csv(self) -> Iterator[Record | Bad]:
        lines = self._lines_of_rows()
        first = next(lines, "")
        delimiter = max(_DELIMITERS, key=first.count)
        columns = self._columns(next(csv.reader([first], delimiter=delimiter), []))
        rows = csv.reader(lines, delimiter=delimiter, strict=True)
        for number in itertools.count(1):
            line = rows.line_num + 2  # the header is line 1, and line_num counts what has been read after it
            self._row_bytes = 0
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._bad(number, line, f"The row is not CSV: {error}.")
                continue
            if row:
                yield self._row(number, line, row, columns)

    def _lines_of_rows(self) -> Iterator[str]:
        for number, line in enumerate(self._lines(), 1):
            self._row_bytes += len(line)
            if self._row_bytes > MAX_RECORD_BYTES:  # a quotation mark may be missing, and everything be one row
                raise UnusableFile(f"line {number}: {TOO_LONG}")
            yield line.decode(errors="surrogateescape")

    def _columns(self, header: list[str]) -> list[str | None]:
        """What each column stands for; None for one that is dropped."""
        names = [name.strip() for name in header]
        fields = dict(self._fields.fields(names))
        columns = [fields.get(name) for name in names]
        twice = sorted({name for name in columns if name is not None and columns.count(name) > 1})
        if not names or not all(names):
            raise UnusableFile("line 1: the header must give every column a name")
        if twice:
            raise UnusableFile(f"line 1: there are several columns for {twice[0]}; leave some out with --drop")
        return columns

    def _row(self, number: int, line: int, row: list[str], columns: list[str | None]) -> Record | Bad:
        if len(row) != len(columns):
            return self._bad(number, line, f"The row has {len(row)} cells, the header {len(columns)}.")
        if any("\udc80" <= character <= "\udcff" for cell in row for character in cell if character > "\ud7ff"):
            return self._bad(number, line, "The row is not UTF-8.")
        named = zip(columns, row, strict=True)
        values = {name: self._fields.cell(name, cell) for name, cell in named if name and cell}
        return Record(number, line, values, self._file)


def _why(error: ParseError) -> str:
    cause = error.__cause__
    if isinstance(cause, UnicodeDecodeError):
        return "is not UTF-8"
    if isinstance(cause, json.JSONDecodeError):
        return f"is not valid JSON (column {cause.colno}: {cause.msg})"
    if cause is None or isinstance(cause, RecursionError):
        return f"is nested deeper than {MAX_DEPTH} levels"
    return "has the same key twice" if str(cause) == "duplicate key" else f"holds {cause}, which is not JSON"


def format_of(path: PurePath) -> str | None:
    """The format that a file's name tells."""
    return FORMATS.get(path.suffix.lower())
