"""A wall clock that does not follow a jump at once.

What counts for a time, as sessions and limits do, would end or last for ever by the minute in which the clock of the
machine was a day away: a wrong time server, a typing error, a machine that comes out of a snapshot. So a jump is
believed only after it has lasted. Ordinary corrections are followed at once.
"""

import logging

from jsonrpc_backend.clock import MINUTE, SECOND, Clock, since_boot

log = logging.getLogger(__name__)

FOLLOWED = 2 * MINUTE  # a larger difference is a jump
PATIENCE = 5 * MINUTE  # long enough for somebody to see a typing error, or for a time server to be asked again


class SteadyClock:
    """Milliseconds since 1970 UTC, by a wall clock whose jumps are believed after `patience` (ms).

    `meanwhile` says in the log what a jump does until then.
    """

    def __init__(
        self,
        wall: Clock,
        elapsed: Clock = since_boot,
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
