"""Records in an array of JSON, one after the other: of the file no more is in memory than one of them takes."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Protocol

from jsonrpc_backend.rpc.parse import MAX_DEPTH

MAX_RECORD_BYTES = 4 << 20  # as written: 512,000 bytes of properties, every character of them an escape, take less
TOO_LONG = f"the record takes more than {MAX_RECORD_BYTES >> 20} MiB"
CHUNK_BYTES = 1 << 16

_BLANKS = re.compile(r"[ \t\r\n]*")
_OF_NUMBERS = frozenset("0123456789.eE+-")

# Finds where values end; what they are is read strictly afterwards.
_skim = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=len)


class UnusableFile(Exception):
    """The file as a whole cannot be read; the message says where and why."""


class Stream(Protocol):
    """A file that is read from its beginning to its end."""

    def read(self, size: int, /) -> bytes: ...

    def readline(self, limit: int, /) -> bytes: ...


class JsonText:
    """The text of a file, from where it has been taken to. `seen` is all that has been read, until `forget`."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text, self._at = "", 0
        self._column = 1  # of the beginning of the text
        self._line, self._counted = 1, 0  # of the place up to which line breaks have been counted
        self.seen: bytes | None = b""

    @property
    def line(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def forget(self) -> None:
        self.seen = None

    def starts(self, character: str) -> bool:
        """Whether this comes next; takes the blanks before it."""
        while True:
            found = _BLANKS.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or not self._read_on():
                return self._text.startswith(character, self._at)

    def takes(self, character: str) -> bool:
        """Takes blanks, and the character where it comes next."""
        found = self.starts(character)
        self._at += found
        return found

    def value(self) -> str:
        """Takes the next value. Raises UnusableFile."""
        self.starts("")
        while True:
            try:
                end = _skim.raw_decode(self._text, self._at)[1]
            except json.JSONDecodeError as error:
                if not self._read_on():
                    raise self._invalid(error.pos) from error
            except RecursionError as error:
                raise UnusableFile(f"line {self.line}: the record is nested deeper than {MAX_DEPTH} levels") from error
            else:
                if not self._may_be_cut(end) or not self._read_on():
                    text, self._at = self._text[self._at : end], end
                    return text

    def _may_be_cut(self, end: int) -> bool:
        """Whether the file may go on with the same number behind what has been read."""
        return self._text[end - 1] in _OF_NUMBERS and (end == len(self._text) or self._text[end] in _OF_NUMBERS)

    def _read_on(self) -> bool:
        """False at the end of the file."""
        rest = len(self._text) - self._at
        if max(rest, len(self.seen or b"")) > MAX_RECORD_BYTES:
            raise UnusableFile(f"line {self.line}: {TOO_LONG}")
        chunk = self._stream.read(max(CHUNK_BYTES, rest))
        try:
            text = self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line = self.line + self._text.count("\n", self._at) + error.object.count(b"\n", 0, error.start)
            raise UnusableFile(f"line {line}: the file is not UTF-8") from error
        if chunk:
            self._drop_taken()
            self._text += text
            self.seen = None if self.seen is None else self.seen + chunk
        return bool(chunk)

    def _drop_taken(self) -> None:
        self._line, self._counted = self.line, 0
        line_break = self._text.rfind("\n", 0, self._at)
        self._column = self._at - line_break if line_break >= 0 else self._column + self._at
        self._text, self._at = self._text[self._at :], 0

    def _invalid(self, position: int) -> UnusableFile:
        line_break = self._text.rfind("\n", 0, position)
        column = position - line_break if line_break >= 0 else self._column + position
        line = self.line + self._text.count("\n", self._at, position)
        return UnusableFile(f"line {line}, column {column}: the file is not valid JSON")


def find_array(text: JsonText) -> bool:
    """Goes to the first element of `[…]`, `{"results": […]}`, `{"items": […]}`, or that as the result of a call.

    False where the text is none of them: then it has been taken in vain.
    """
    return text.takes("[") or (text.takes("{") and _find_member(text, within_result=False))


def _find_member(text: JsonText, *, within_result: bool) -> bool:
    before: set[str] = set()
    while text.starts('"'):
        name = json.loads(text.value())
        if not text.takes(":"):
            return False
        is_list = name == "results" or (name == "items" and before <= {"totalItems"})
        if is_list and text.takes("["):
            return True
        if name == "result" and before <= {"jsonrpc", "id"} and not within_result and text.takes("{"):
            return _find_member(text, within_result=True)
        text.value()
        before.add(name)
        if not text.takes(","):
            return False
    return False


def elements(text: JsonText) -> Iterator[tuple[int, str]]:
    """Line and text of each element of an array, up to its closing bracket; the opening one has been taken."""
    while not text.takes("]"):
        text.starts("")
        line = text.line
        yield line, text.value()
        if not text.takes(","):
            if text.takes("]"):
                return
            raise UnusableFile(f"line {text.line}: the file is not valid JSON: a comma or a closing bracket is missing")
