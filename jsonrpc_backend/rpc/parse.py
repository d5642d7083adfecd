"""Bytes to JSON, strictly.

Refused as -32700: what is not UTF-8, a byte order mark, duplicate keys, NaN and Infinity, nesting deeper than
32 levels (RFC 8259 leaves these to the reader; readers that differ are how filters get bypassed). Values that
other programs could not read back are let through here, for an `id` may be one, and refused in params by
`unportable`.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from jsonrpc_backend.errors import ParseError

MAX_DEPTH = 32
MAX_INTEGER_DIGITS = 21  # JavaScript writes larger numbers with an exponent

# Python itself refuses to convert longer ones, for that takes quadratic time.
_MAX_CONVERTED_DIGITS = 4300

# Only a body that has one of these can hold a lone surrogate, an overlong integer or a float out of range.
_SUSPICIOUS = re.compile(rb"\\u[dD][89abcdefABCDEF]|[0-9]{22}|[eE][+-]?[0-9]{3}")

_SURROGATE = re.compile("[\ud800-\udfff]")


class LongInteger(int):
    """An integer of more than MAX_INTEGER_DIGITS digits."""


class OutOfRange:
    """Stands for a number that Python cannot hold."""


def parse(body: bytes, *, carefully: bool = True) -> Any:
    """The JSON value of a body; not `carefully` only where it cannot hold anything unportable. Raises ParseError."""
    try:
        text = body.decode()
        value = (_careful if carefully else _quick).decode(text)
    except (ValueError, RecursionError) as error:
        raise ParseError from error
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and is_deeper(value, MAX_DEPTH):
        raise ParseError
    return value


def parsed_size(body: bytes) -> int:
    """About how many bytes the value of a body takes as Python objects; rather too many.

    Measured with CPython: text four bytes a character at worst, and the objects around it.
    """
    containers = 250 * body.count(b"{") + 90 * body.count(b"[")
    return 4 * len(body) + containers + 110 * body.count(b":") + 60 * body.count(b",")


def may_hold_unportable(body: bytes) -> bool:
    """False when `unportable` would find nothing in any part of the body; spares most calls the walk."""
    return _SUSPICIOUS.search(body) is not None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate key")
    return members


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _integer(text: str) -> int | OutOfRange:
    digits = len(text.lstrip("-"))
    if digits > _MAX_CONVERTED_DIGITS:
        return OutOfRange()
    return LongInteger(text) if digits > MAX_INTEGER_DIGITS else int(text)


def _float(text: str) -> float | OutOfRange:
    value = float(text)
    return value if math.isfinite(value) else OutOfRange()


_quick = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
_careful = json.JSONDecoder(
    object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant, parse_int=_integer, parse_float=_float
)


def _children(value: Any) -> Iterator[Any]:
    return iter(value.values() if isinstance(value, dict) else value)


def is_deeper(value: Any, levels: int) -> bool:
    """Whether objects and arrays are nested deeper than this, the value itself counted."""
    containers = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        containers = [child for parent in containers for child in _children(parent) if isinstance(child, dict | list)]
    return bool(containers)


def unportable(value: Any) -> str | None:
    """The complaint, the end of a sentence, about the first part of a value that cannot be stored and given back."""
    if isinstance(value, str):
        return "must not contain a lone surrogate" if _SURROGATE.search(value) else None
    if isinstance(value, OutOfRange | LongInteger):
        return f"must not contain an integer of more than {MAX_INTEGER_DIGITS} digits or a number out of range"
    if isinstance(value, dict):
        return unportable([*value.keys(), *value.values()])
    if isinstance(value, list):
        return next(filter(None, map(unportable, value)), None)
    return None
