"""What is verified where there is no such user, so that it takes as long as a wrong password.

Stored hashes may have older parameters than today's, until their users sign in. A username that nobody has is
therefore treated like a user drawn by lot: as many of them get each set of parameters as users have it. A name's lot
is always the same, and as users move from one set to the other so do names; asking again tells nothing.
"""

import hashlib
import hmac
import secrets
import sqlite3
from base64 import b64encode

from jsonrpc_backend.store import hash_parameters, users
from jsonrpc_backend.store.users import User


def find_user(db: sqlite3.Connection, username_key: str) -> tuple[User | None, str | None]:
    """The user, and a hash to verify if there is none: of no password, with parameters that users have.

    None for the hash while there are no users at all.
    """
    # The stand-in is made in any case: that too takes time.
    return users.find_by_username(db, username_key), _stand_in(db, username_key)


def _stand_in(db: sqlite3.Connection, username_key: str) -> str | None:
    lot = hmac.digest(hash_parameters.secret(db), username_key.encode(errors="surrogatepass"), hashlib.sha256)
    counts = hash_parameters.counts(db)
    position = int.from_bytes(lot[:8]) * sum(count for _, count in counts) >> 64
    for parameters, count in counts:
        if position < count:
            return hash_of_nothing(parameters)
        position -= count
    return None


def hash_of_nothing(parameters: str) -> str:
    """A PHC string with these parameters that no password has."""
    return f"{parameters}{_unpadded(secrets.token_bytes(16))}${_unpadded(secrets.token_bytes(32))}"


def _unpadded(value: bytes) -> str:
    return b64encode(value).decode().rstrip("=")
