"""How much memory requests under way may take: the bytes of bodies and of answers, together."""

from collections.abc import Callable

from jsonrpc_backend.errors import CallLimitExceeded
from jsonrpc_backend.fairness import Caller
from jsonrpc_backend.fairness.room import Holdings

RETRY_SECONDS = 1

# Small bodies may use all of the budget, and so may others of who holds little. Else a part is left free: who sends
# large ones slowly, from a few addresses or from many, leaves room for the rest.
SMALL_BYTES = 32 * 1024
SHARE_OF_LARGE = 0.75


class Budget:
    """At most `most` bytes, but for one answer of each request. `make_room` is called when they are used up."""

    def __init__(self, most: int, make_room: Callable[[], None]) -> None:
        self._most = most
        self._holdings = Holdings(most)
        self._make_room = make_room

    def hold(self, caller: Caller, size: int) -> None:
        """So much more, or less, whether or not there is room for it."""
        self._holdings.add(caller, size)

    def check_room(self, caller: Caller, size: int, *, held: int) -> None:
        """Raises CallLimitExceeded where a request that has `held` so much finds no room for more."""
        used = self._holdings.total + size
        if used <= self._most * SHARE_OF_LARGE:
            return
        is_little = held + size <= SMALL_BYTES or self._holdings.is_fair(caller, size)
        if used > self._most or not is_little:
            self._refuse()

    def check(self) -> None:
        """Raises CallLimitExceeded when nothing is left."""
        if self._holdings.total >= self._most:
            self._refuse()

    def _refuse(self) -> None:
        self._make_room()
        raise CallLimitExceeded(RETRY_SECONDS)
