"""The form of an item, whoever makes it."""

import re
import uuid

# U+0000 as JSON writes it: not behind a backslash that is itself a character.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def new_item_id() -> str:
    return f"i{uuid.uuid4()}"


def holds_nul(encoded: str) -> bool:
    """Whether U+0000 is anywhere in a value as compact JSON."""
    # Hardly any text has these six characters, which is known in a hundredth of the time.
    return "\\u0000" in encoded and _NUL.search(encoded) is not None
