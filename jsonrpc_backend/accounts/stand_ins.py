"""What is verified where there is no such user, so that it takes as long as a wrong password.

Stored hashes may be of other systems, or have older parameters than today's, until their users sign in. For a username
that nobody has, the hash of some user is therefore verified, so that as many of them take so long as users do. It is
always the same user's, and hardly ever another one's after users have come or gone; asking again tells nothing.
"""

import hashlib
import hmac
import secrets

from jsonrpc_backend.store import stand_ins, users
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import User

LOT_BITS = 64


def draw_lot() -> int:
    """A new user's, at random."""
    return secrets.randbits(LOT_BITS) - (1 << LOT_BITS - 1)


def find_user(db: Db, username_key: str) -> tuple[User | None, str | None]:
    """The user, and what to verify: the user's hash, or if there is none that of another one.

    None for the hash while there are no users at all. Who verifies it must not take the right password of another user
    for that of nobody.
    """
    # The stand-in is looked up in any case: that too takes time.
    found, stand_in = users.find_by_username(db, username_key), stand_ins.hash_at(db, _lot(db, username_key))
    return found, found.password_hash if found else stand_in


def _lot(db: Db, username_key: str) -> int:
    """That of a username, the same each time."""
    tag = hmac.digest(stand_ins.secret(db), username_key.encode(errors="surrogatepass"), hashlib.sha256)
    return int.from_bytes(tag[: LOT_BITS // 8], signed=True)
