"""Where somebody has signed in as a user before: on which devices, and from where.

A device is known by an id that the app sends. Most ids are random and one installation's own; but there are apps that
send the same one from everywhere ("terminal"). An id as which many users have signed in tells nothing of who holds it:
such a device is known where the user has signed in before only.
"""

import hashlib
from dataclasses import dataclass

from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.store import known_devices, known_places
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import User

USERS_OF_A_DEVICE = 10  # a family's tablet is one; with more, the id is that of an app

# So few bits that many networks have the same: who gets hold of the file cannot tell from where people sign in. A
# stranger's address is one of a user's places by chance, 1 to some thousands; he gains a few guesses by that.
PLACE_BYTES = 2


@dataclass(frozen=True, slots=True)
class Origin:
    """A device and the network that it calls from."""

    device: str
    network: str

    def note(self, db: Db, user: User, now: int) -> None:
        """Somebody has signed in as the user from here."""
        key = username_key(user.username)
        known_devices.note(db, self._digest(key), user.key, now, device=_digest(self.device)[:16])
        known_places.note(db, user.key, self._place(key), now)

    def is_known_device(self, db: Db, username_key: str) -> bool:
        """Whether this is a device of the user's."""
        if not known_devices.is_known(db, self._digest(username_key)):
            return False
        is_shared = known_devices.has_more_users(db, _digest(self.device)[:16], USERS_OF_A_DEVICE)
        return not is_shared or self._is_known_place(db, username_key)

    @property
    def requester(self) -> bytes:
        """Tells apart who asks for something."""
        return _digest(self.network, self.device)[:16]

    def share(self, db: Db, username_key: str) -> bytes | None:
        """Who has a limit of its own, whatever strangers ask for in the user's name; None for a stranger.

        A device of the user's, or the place where the user has signed in on another one: the network as a whole then,
        for it may have other people in it, and device ids are to be had for nothing.
        """
        if self.is_known_device(db, username_key):
            return self.requester
        return _digest(self.network)[:16] if self._is_known_place(db, username_key) else None

    def _is_known_place(self, db: Db, username_key: str) -> bool:
        return known_places.is_known(db, username_key, self._place(username_key))

    def _digest(self, username_key: str) -> bytes:
        return _digest(username_key, self.device)

    def _place(self, username_key: str) -> bytes:
        return _digest(username_key, self.network)[:PLACE_BYTES]


def _digest(*parts: str) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()
