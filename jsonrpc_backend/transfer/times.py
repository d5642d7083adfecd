"""Times as other systems write them."""

import re
from datetime import UTC, datetime
from typing import Any

NO_TIME = "The time must be milliseconds since 1970 UTC or in ISO 8601."

_LATEST = 253_402_300_799_999  # the last millisecond of the year 9999


def milliseconds(value: Any) -> int:
    """A time as other systems write it, in ms since 1970 UTC. Raises ValueError."""
    if isinstance(value, dict):  # MongoDB's and Parse's ways of putting a time into JSON
        value = next((value[key] for key in ("$date", "$numberLong", "iso") if key in value), None)
        return milliseconds(value)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,21}", value):
        value = int(value)
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        value = round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError
    if not 0 <= value <= _LATEST:
        raise ValueError
    return int(value)


def iso_time(value: Any) -> Any:
    """The same as JavaScript writes a time, whose texts are in order of time; what is none stays as it is."""
    try:
        moment = datetime.fromtimestamp(milliseconds(value) / 1000, UTC)
    except ValueError:
        return value
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
