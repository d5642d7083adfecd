"""How many calls an app may make in a month.

They are counted in memory, and what is new is added to the count in the database within a minute: no call waits for the
disk, a crash loses that minute, and processes that serve the same backend share one count.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from jsonrpc_backend.accounts.refusals import NotNow
from jsonrpc_backend.backend.process import Process
from jsonrpc_backend.clock import MINUTE, SECOND
from jsonrpc_backend.store import call_counts
from jsonrpc_backend.store.engine import Database, StoreFailed

log = logging.getLogger(__name__)

SECONDS_TO_NEXT_LOOK = 1.0
SAVED_AFTER = MINUTE - 2 * SECOND  # so that what is looked at once a second is on the disk within a minute

REASON = "The app has made as many calls in this month as it may."


@dataclass(slots=True)
class Month:
    """A calendar month in UTC, in ms since 1970. `new` calls are not in the database yet, `saved` are."""

    begins: int
    ends: int
    saved: int = 0
    new: int = 0

    @classmethod
    def of(cls, now: int) -> "Month":
        begins = datetime.fromtimestamp(now / SECOND, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        ends = (begins + timedelta(days=31)).replace(day=1)
        return cls(int(begins.timestamp()) * SECOND, int(ends.timestamp()) * SECOND)

    def is_now(self, now: int) -> bool:
        return self.begins <= now < self.ends


class CallLimit:
    """The limit of one backend."""

    def __init__(self, backend_id: str, process: Process, database: Database) -> None:
        self._backend_id = backend_id
        self._most = process.config.backends[backend_id].calls_per_month
        self._database = database
        self._clock, self._elapsed = process.clock, process.elapsed
        self._month = Month.of(self._clock())
        self._before: list[Month] = []  # those with calls that are not in the database yet
        self._saved_at = self._elapsed() - SAVED_AFTER
        self._ending = asyncio.Event()

    def count(self) -> None:
        """Counts a call. Raises NotNow where there have been enough, which does not count."""
        if not self._most:
            return
        now = self._clock()
        if not self._month.is_now(now):
            self._begin_month(now)
        month = self._month
        if month.saved + month.new >= self._most:
            raise NotNow(math.ceil((month.ends - now) / SECOND), REASON)
        month.new += 1
        if month.saved + month.new == self._most:
            log.warning("backend %s: calls_per_month is reached; others are refused", self._backend_id)

    def _begin_month(self, now: int) -> None:
        self._before.append(self._month)
        back = next((month for month in self._before if month.is_now(now)), None)  # the clock was ahead
        if back is not None:
            self._before.remove(back)
        self._month = back or Month.of(now)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Goes on from the count in the database, and keeps that up to date."""
        if not self._most:
            yield
            return
        self._month.saved = await self._database.read(call_counts.find, self._month.begins)
        saving = asyncio.create_task(self._save_regularly())
        try:
            yield
        finally:
            self._ending.set()
            await saving

    async def _save_regularly(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), SECONDS_TO_NEXT_LOOK)
            if self._ending.is_set() or self._elapsed() - self._saved_at >= SAVED_AFTER:
                await self._save()

    async def _save(self) -> None:
        try:
            for month in [*self._before, self._month]:
                if month.new:
                    await self._save_month(month)
            self._before = [month for month in self._before if month.new]
        except StoreFailed as error:  # the next time adds it
            log.warning("backend %s: cannot write how many calls there were: %s", self._backend_id, error)

    async def _save_month(self, month: Month) -> None:
        self._saved_at, new = self._elapsed(), month.new
        month.saved = await self._database.write(call_counts.add, month.begins, new)
        month.new -= new
