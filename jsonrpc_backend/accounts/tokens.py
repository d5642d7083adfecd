"""Session ids and login tokens: 256 random bits in lower-case hex. The database holds their SHA-256 only.

The first half of a login token is its family's, which all tokens have that descend from one sign-in; the second half is
its own. So a token that has been replaced is known as one of the family without a row of its own.
"""

import hashlib
import re
import secrets

from jsonrpc_backend.store.login_tokens import TokenDigests

# What a client may send as `__session`. Old clients keep the characters [a-zA-Z0-9] of what they receive; a
# session id of the service that is gone is well-formed too, it just does not exist any more.
WELL_FORMED = re.compile(r"[a-zA-Z0-9]{1,255}")

HALF = 32  # hexadecimal digits
_LOGIN_TOKEN = re.compile(r"[0-9a-f]{64}")


def new_token() -> str:
    return secrets.token_hex(HALF)


def successor_of(login_token: str) -> str:
    return login_token[:HALF] + secrets.token_hex(HALF // 2)


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def stored(login_token: str) -> TokenDigests:
    """What the database holds of a login token; what cannot be one has no family."""
    stem = login_token[:HALF] if _LOGIN_TOKEN.fullmatch(login_token) else login_token
    return TokenDigests(digest(login_token), digest(stem))
