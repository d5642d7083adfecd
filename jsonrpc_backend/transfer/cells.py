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


def read_value(cell: str) -> Any:
    """The value of a cell that is not empty."""
    try:
        value = parse(cell.encode())
    except (ParseError, UnicodeEncodeError):
        return cell
    return cell if unportable(value) else value


def write_value(value: Any) -> str:
    if isinstance(value, str) and value and not _NOT_PLAIN.search(value) and read_value(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read_text(cell: str) -> str:
    """The text of a cell that holds no other type, such as a username: JSON only where it is a string in quotes."""
    value = read_value(cell) if cell.startswith('"') else cell
    return value if isinstance(value, str) else cell


def write_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if _NOT_PLAIN.search(text) else text
