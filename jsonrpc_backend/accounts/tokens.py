"""Session ids and login tokens: 256 random bits in lower-case hex. The database holds their SHA-256 only."""

import hashlib
import re
import secrets

# What a client may send as `__session`. Old clients keep the characters [a-zA-Z0-9] of what they receive; a
# session id of the service that is gone is well-formed too, it just does not exist any more.
WELL_FORMED = re.compile(r"[a-zA-Z0-9]{1,255}")


def new_token() -> str:
    return secrets.token_hex(32)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
