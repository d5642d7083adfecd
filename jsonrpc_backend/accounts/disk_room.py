"""How much of the disk accounts may take: all of a backend's together, and each one while it is new.

Sign-ins, resets, mails and whatever makes things smaller go on where there is no room: what they write is bounded by
other limits, and is little beside accounts and properties.
"""

import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterator

from jsonrpc_backend.accounts.refusals import NotNow
from jsonrpc_backend.clock import MINUTE
from jsonrpc_backend.config import ThrottleConfig
from jsonrpc_backend.store import users
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import Account

log = logging.getLogger(__name__)

LOG_INTERVAL_SECONDS = 60
RETRY_SECONDS = 3600  # somebody has to do something about a full database

FULL = "The app has no disk space left for this; its operator can make some."
NEW = "A user must not have more than {:,} bytes of properties in the first {} minutes."


class DiskRoom:
    """The limits of one backend."""

    def __init__(
        self, backend_id: str, most_bytes: int, bytes_in_use: Callable[[Db], int], throttle: ThrottleConfig
    ) -> None:
        """`most_bytes` of the database; 0: as many as the disk has."""
        self._bytes_in_use = bytes_in_use
        self._backend_id = backend_id
        self._most = most_bytes
        self._most_of_new = throttle.bytes_of_new_accounts if throttle.enabled else users.MAX_PROPERTIES_BYTES
        self._minutes = throttle.window_minutes
        self._too_much_for_new = NEW.format(self._most_of_new, self._minutes)
        self._next_line = 0.0

    def complaint_of_new(self, properties_json: str) -> str | None:
        """What is wrong with the properties of somebody who registers."""
        return self._too_much_for_new if len(properties_json.encode()) > self._most_of_new else None

    def check(self, db: Db) -> None:
        """In a transaction that adds something, before it does. Raises NotNow."""
        if self._is_full(db):
            self._refuse()

    @contextlib.contextmanager
    def for_properties(self, db: Db, user: Account, *, seconds_new: int = 0) -> Iterator[None]:
        """Around a change of a user's properties, which may make them smaller. Raises NotNow at the end."""
        is_full = self._is_full(db)
        if not is_full and not seconds_new:
            yield
            return
        before = users.bytes_of_properties(db, user.key)
        yield
        after = users.bytes_of_properties(db, user.key)
        if is_full and after > before:
            self._refuse()
        if seconds_new and after > max(before, self._most_of_new):
            raise NotNow(seconds_new, self._too_much_for_new)

    @contextlib.contextmanager
    def unless_larger(self, db: Db, size: Callable[[], int]) -> Iterator[None]:
        """Around a change of something that may become smaller by it. Raises CallLimitExceeded at the end."""
        before = size() if self._is_full(db) else None
        yield
        if before is not None and size() > before:
            self._refuse()

    def seconds_new(self, user: Account, now: int) -> int:
        """How much longer the user may have less than others; 0: no more, or nobody has to."""
        left = user.created_at + self._minutes * MINUTE - now
        return max(0, math.ceil(left / 1000)) if self._most_of_new < users.MAX_PROPERTIES_BYTES else 0

    def _is_full(self, db: Db) -> bool:
        return self._most > 0 and self._bytes_in_use(db) >= self._most

    def _refuse(self) -> None:
        if time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LOG_INTERVAL_SECONDS
            log.warning("backend %s: max_database_bytes is reached; what would add to it is refused", self._backend_id)
        raise NotNow(RETRY_SECONDS, FULL)
