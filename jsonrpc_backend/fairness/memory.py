"""How much memory requests under way may take: the bytes of bodies and of answers, together."""

from collections.abc import Callable
from typing import Self

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
        self.most = most
        self.holdings = Holdings(most)
        self.make_room = make_room

    @property
    def used(self) -> int:
        return self.holdings.total

    @property
    def is_used_up(self) -> bool:
        return self.used >= self.most


class Share:
    """What one request of a caller takes of the budget, until the end of the `with` block."""

    def __init__(self, budget: Budget, caller: Caller) -> None:
        self._budget = budget
        self.caller = caller
        self._taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._budget.holdings.add(self.caller, -self._taken)

    def take(self, size: int) -> None:
        """For a part of a body. Raises CallLimitExceeded when there is no room for it."""
        budget = self._budget
        used = budget.used + size
        if used > budget.most * SHARE_OF_LARGE and not (used <= budget.most and self._is_little(size)):
            budget.make_room()
            raise CallLimitExceeded(RETRY_SECONDS)
        self.add(size)

    def _is_little(self, size: int) -> bool:
        return self._taken + size <= SMALL_BYTES or self._budget.holdings.is_fair(self.caller, size)

    def add(self, size: int) -> None:
        """For an answer, which is there whether or not there is room for it."""
        self._taken += size
        self._budget.holdings.add(self.caller, size)

    def check(self) -> None:
        """Before something that makes an answer. Raises CallLimitExceeded when nothing is left for one."""
        if self._budget.is_used_up:
            self._budget.make_room()
            raise CallLimitExceeded(RETRY_SECONDS)
