"""A query's text as tokens."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from jsonrpc_backend.monaql.syntax import QueryError, Scalar

# 21 digits, as in params: JavaScript writes larger numbers with an exponent.
_TOKEN = re.compile(
    r"""
      (?P<blank> [ \t\r\n]+ )
    | (?P<integer> -? (?: 0 | [1-9][0-9]{0,20} ) (?! [\w.] ) )
    | (?P<double> -? (?: 0 | [1-9][0-9]* ) (?: \. [0-9]+ )? (?: [eE] [+-]? [0-9]+ )? (?! [\w.] ) )
    | (?P<string> " (?: [^"\\] | \\. )* " )
    | (?P<name> [a-zA-Z_] [a-zA-Z0-9_]* )
    | (?P<symbol> == | != | >= | <= | && | \|\| | [><()\[\],!?] )
    """,
    re.VERBOSE | re.DOTALL,
)

_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is a symbol itself, "name", "value" or "end"; `position` counts characters from 1."""

    kind: str
    position: int
    text: str = ""
    value: Scalar = None

    def __str__(self) -> str:
        """As messages show it. They repeat no values, which may be anybody's."""
        shown = {"value": "a value", "end": "the end"}
        return shown.get(self.kind, f"`{self.text[:40]}`")


def tokens(query: str) -> Iterator[Token]:
    """The tokens of a query, the last of them "end". Raises QueryError."""
    offset = 0
    while offset < len(query):
        found = _TOKEN.match(query, offset)
        if found is None:
            raise QueryError(_misfit(query[offset]), offset + 1)
        if found.lastgroup != "blank":
            yield _token(str(found.lastgroup), found[0], offset + 1)
        offset = found.end()
    yield Token("end", len(query) + 1)


def _misfit(character: str) -> str:
    if character == '"':
        return "this string does not end"
    if character == "'":
        return "strings are written in double quotes"
    return "this number cannot be read" if character in "-0123456789" else "this character has no meaning here"


def _token(kind: str, text: str, position: int) -> Token:
    if kind == "symbol":
        return Token(text, position, text)
    if kind == "name":
        return Token("name", position, text)
    if kind == "integer":
        return Token("value", position, text, int(text))
    return Token("value", position, text, _double(text, position) if kind == "double" else _string(text, position))


def _double(text: str, position: int) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise QueryError("this number is out of range", position)
    return value


def _string(text: str, position: int) -> str:
    try:
        value = str(json.loads(text, strict=False))  # not strict: a query in JavaScript may hold line breaks as such
    except ValueError as error:
        raise QueryError("this string has an escape that JSON does not know", position) from error
    if _UNUSABLE.search(value):
        raise QueryError("this string holds U+0000 or a lone surrogate", position)
    return value
