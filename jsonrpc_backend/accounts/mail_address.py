"""Which strings are mail addresses that we send to."""

import re
from email.headerregistry import Address

MAX_LENGTH = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets

# RFC 5321's local part without the quoted form, but with dots anywhere: Japanese mobile carriers have given out
# addresses such as foo..bar.@ for years. The domain may be an internationalised one.
_ADDRESS = re.compile(r"([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+)@([^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)*)")


def parse_address(value: object) -> Address | None:
    """The address, fit for a header and an envelope, if the value is exactly one; else None."""
    match = _ADDRESS.fullmatch(value) if isinstance(value, str) and len(value) <= MAX_LENGTH else None
    if match is None:
        return None
    try:
        return Address(username=match[1], domain=match[2].encode("idna").decode())
    except UnicodeError:
        return None
