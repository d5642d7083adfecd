"""Documents of CloudBoost's tables, as mongoexport writes them, in the form that our script gives to its objects.

A relation is the text `@cb:Table/id`, a point `{"_type": "point", "longitude": …, "latitude": …}`, a time ISO 8601.
"""

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from jsonrpc_backend.transfer.times import iso_time

_TABLE = "_tableName"
_OWN = frozenset({_TABLE, "_type", "_version", "_isModified", "_modifiedColumns", "_isSearchable", "expires"})
_LIKE_A_RELATION = re.compile("@+cb:")


def is_document(fields: Mapping[str, Any]) -> bool:
    return isinstance(fields.get(_TABLE), str)


def property_of(column: str) -> str:
    """Columns may begin with an underscore, properties may not."""
    return f"cb{column}" if column.startswith("_") else column


def columns(fields: Mapping[str, Any], system: frozenset[str]) -> dict[str, Any]:
    """The fields of an item; `system` are those that are no columns."""
    kept = {name: value for name, value in fields.items() if name not in _OWN}
    own = {name: value for name, value in kept.items() if name in system}
    return own | {property_of(name): _value(value) for name, value in kept.items() if name not in system}


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return [_value(each) for each in value]
    if isinstance(value, str):
        return f"@{value}" if _LIKE_A_RELATION.match(value) else value
    return _of_object(value) if isinstance(value, dict) else value


def _of_object(value: dict[str, Any]) -> Any:
    if is_document(value) and isinstance(value.get("_id"), str) and value.get("_type") in _RELATED:
        return f"@cb:{value[_TABLE]}/{value['_id']}"
    point = value.get("coordinates")
    if isinstance(point, list) and len(point) == 2 and (value.get("type"), value.get("_type")) in _POINTS:
        return {"_type": "point", "longitude": point[0], "latitude": point[1]}
    if len(value) == 1:
        ((kind, content),) = value.items()
        if kind in _OF_MONGO:
            return _OF_MONGO[kind](content)
    return {name: _value(each) for name, each in value.items()}


def _number(text: Any) -> Any:
    """JSON knows no others than finite numbers; what is none stays as it is."""
    try:
        number = float(text)
        return int(text) if number.is_integer() and "." not in str(text) else number if isfinite(number) else text
    except (TypeError, ValueError, OverflowError):
        return text


_RELATED = frozenset({None, "custom", "user"})
_POINTS = frozenset({("Point", None), (None, "point"), ("Point", "point")})
_OF_MONGO: Mapping[str, Callable[[Any], Any]] = {
    "$date": iso_time,
    "$oid": str,
    "$numberInt": _number,
    "$numberLong": _number,
    "$numberDouble": _number,
}
