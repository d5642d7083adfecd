"""How much memory requests under way may take: the bytes of bodies and of answers, together."""

from collections.abc import Callable
from typing import Self

from jsonrpc_backend.errors import CallLimitExceeded

RETRY_SECONDS = 1

# Small bodies may use all of the budget, others not: a few callers that send large ones slowly leave room for the rest.
SMALL_BYTES = 32 * 1024
SHARE_OF_LARGE = 0.75


class Budget:
    """At most `most` bytes, but for one answer of each request. `make_room` is called when they are used up."""

    def __init__(self, most: int, make_room: Callable[[], None]) -> None:
        self.most = most
        self.used = 0
        self.make_room = make_room

    @property
    def is_used_up(self) -> bool:
        return self.used >= self.most


class Share:
    """What one request takes of the budget, until the end of the `with` block."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._budget.used -= self._taken

    def take(self, size: int) -> None:
        """For a part of a body. Raises CallLimitExceeded when there is no room for it."""
        is_small = self._taken + size <= SMALL_BYTES
        if self._budget.used + size > self._budget.most * (1 if is_small else SHARE_OF_LARGE):
            self._budget.make_room()
            raise CallLimitExceeded(RETRY_SECONDS)
        self.add(size)

    def add(self, size: int) -> None:
        """For an answer, which is there whether or not there is room for it."""
        self._taken += size
        self._budget.used += size

    def check(self) -> None:
        """Before something that makes an answer. Raises CallLimitExceeded when nothing is left for one."""
        if self._budget.is_used_up:
            self._budget.make_room()
            raise CallLimitExceeded(RETRY_SECONDS)
