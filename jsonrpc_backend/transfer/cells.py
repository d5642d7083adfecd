"""Values in the cells of a CSV file.

A cell that reads as JSON is that value: `5`, `true`, `"5"`, `["a"]`. Every other text is a string as it stands:
`hello`, `0123`. An empty cell is no value at all. What is written reads back as the same value of the same type.
"""

import json
import re
from typing import Any

from jsonrpc_backend.errors import ParseError
from jsonrpc_backend.rpc.parse import parse, unportable

# Spreadsheets compute what begins so, some also where the sign has full width; behind the quotes of JSON they leave it
# alone. With line breaks written in JSON's way, a row is one line of the file.
_NOT_PLAIN = re.compile(r'\A[=+\-@"\uff1d\uff0b\uff0d\uff20]|[\x00-\x1f\x7f]')

# Where the comma is part of numbers, spreadsheets split a row at semicolons, and compute what begins behind one.
_SPLIT = re.compile(';(?=[\\s"]*[=+\\-@\uff1d\uff0b\uff0d\uff20])')


def read_value(cell: str) -> Any:
    """The value of a cell that is not empty."""
    try:
        value = parse(cell.encode())
    except (ParseError, UnicodeEncodeError):
        return cell
    return cell if unportable(value) else value


def write_value(value: Any) -> str:
    if isinstance(value, str) and value and _is_plain(value) and read_value(value) == value:
        return value
    return _to_json(value)


def _is_plain(text: str) -> bool:
    return not (_NOT_PLAIN.search(text) or _SPLIT.search(text))


def _to_json(value: Any) -> str:
    encoded = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _SPLIT.sub(r"\\u003b", encoded)  # JSON has no semicolons but in strings


def read_text(cell: str) -> str:
    """The text of a cell that holds no other type, such as a username: JSON only where it is a string in quotes."""
    value = read_value(cell) if cell.startswith('"') else cell
    return value if isinstance(value, str) else cell


def write_text(text: str) -> str:
    return text if _is_plain(text) else _to_json(text)
