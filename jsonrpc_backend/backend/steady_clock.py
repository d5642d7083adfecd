"""A wall clock that does not follow a jump at once.

What counts for a time, as sessions and limits do, would end or last for ever by the minute in which the clock of the
machine was a day away: a wrong time server, a typing error, a machine that comes out of a snapshot. So a jump is
believed only after it has lasted. Ordinary corrections are followed at once.
"""

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

Milliseconds = Callable[[], int]

SECOND = 1000
MINUTE = 60 * SECOND
FOLLOWED = 2 * MINUTE  # a larger difference is a jump
PATIENCE = 5 * MINUTE  # long enough for somebody to see a typing error, or for a time server to be asked again


def since_boot() -> int:
    """Milliseconds that have passed, whatever is done to the clock; also while the machine is suspended."""
    boot_time: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))  # Windows has none
    nanoseconds = time.monotonic_ns() if boot_time is None else time.clock_gettime_ns(boot_time)
    return nanoseconds // 1_000_000


class SteadyClock:
    """Milliseconds since 1970 UTC, by a wall clock whose jumps are believed after `patience` (ms).

    `meanwhile` says in the log what a jump does until then.
    """

    def __init__(
        self,
        wall: Milliseconds,
        elapsed: Milliseconds = since_boot,
        *,
        patience: int = PATIENCE,
        meanwhile: str = "time goes on as before",
    ) -> None:
        self._wall, self._elapsed, self._patience, self._meanwhile = wall, elapsed, patience, meanwhile
        self._offset = wall() - elapsed()  # from what has elapsed to the time that is believed
        self._jump: tuple[int, int] | None = None  # the offset since a jump, and when that was first seen

    def __call__(self) -> int:
        elapsed = self._elapsed()
        self._follow(self._wall() - elapsed, elapsed)
        return elapsed + self._offset

    def _follow(self, offset: int, elapsed: int) -> None:
        if abs(offset - self._offset) <= FOLLOWED:
            self._offset, self._jump = offset, None
        elif self._jump is None or abs(offset - self._jump[0]) > FOLLOWED:
            self._jump = offset, elapsed
            away, minutes = (offset - self._offset) // SECOND, self._patience // MINUTE
            log.warning("the clock has jumped by %+d s; %s for %d minutes", away, self._meanwhile, minutes)
        elif elapsed - self._jump[1] >= self._patience:
            log.warning("the clock still is where it has jumped to %d minutes ago: believed", self._patience // MINUTE)
            self._offset, self._jump = offset, None
