"""What one request takes of what all requests share: a turn, memory, threads for large work."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import ParamSpec, Self, TypeVar

from jsonrpc_backend.fairness import Caller
from jsonrpc_backend.fairness.large_work import LARGE_BYTES, LargeWork
from jsonrpc_backend.fairness.memory import Budget
from jsonrpc_backend.fairness.turns import Turn, Turns

P = ParamSpec("P")
T = TypeVar("T")

# Of all callers together. More would not be done sooner: each step of a call would wait for steps of so many others.
CALLS_AT_ONCE = 32

MAX_LISTED_BYTES = 32 * 1024 * 1024  # of the lists in the answer to one request: all of it is held in memory


class Shared:
    """What there is for all requests."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.turns = Turns(CALLS_AT_ONCE)
        self.large_work = LargeWork()


class Share:
    """What a caller's request takes of it, until the end of the `with` block. `turn` is to be entered."""

    __slots__ = ("_counted_ahead", "_held", "_shared", "caller", "left_for_lists", "received", "turn")

    def __init__(self, shared: Shared, caller: Caller) -> None:
        self.caller = caller
        self.turn = Turn(shared.turns, caller)
        self.received = 0  # bytes of the body
        self.left_for_lists = MAX_LISTED_BYTES
        self._shared = shared
        self._held = 0
        self._counted_ahead = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._hold(-self._held)

    # --- memory ----------------------------------------------------------------------------------------------

    def take(self, size: int) -> None:
        """For a part of the body. Raises CallLimitExceeded when there is no room for it."""
        self._shared.budget.check_room(self.caller, size, held=self._held)
        self.received += size
        self._hold(size)

    def check(self) -> None:
        """Before something that makes an answer. Raises CallLimitExceeded when nothing is left for one."""
        self._shared.budget.check()

    def add_list(self, size: int) -> None:
        """For a list, before the answer that it becomes a part of: what waits behind it finds it counted."""
        self.left_for_lists -= size
        self._counted_ahead += size
        self._hold(size)

    def add(self, size: int) -> None:
        """For an answer, which is there whether or not there is room for it."""
        self._hold(size - self._counted_ahead)
        self._counted_ahead = 0

    def _hold(self, size: int) -> None:
        self._held += size
        self._shared.budget.hold(self.caller, size)

    # --- large work ------------------------------------------------------------------------------------------

    async def run(self, size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work(…)` returns or raises; what takes long because of a `size` in bytes leaves the event loop."""
        if size < LARGE_BYTES:
            return work(*args, **kwargs)
        return await self._shared.large_work.run(self.turn, size, work, *args, **kwargs)

    def holding(self, size: int) -> AbstractAsyncContextManager[None]:
        """With room for about so many bytes of Python objects, until the end of the block."""
        return self._shared.large_work.holding(self.turn, self.caller, size)
