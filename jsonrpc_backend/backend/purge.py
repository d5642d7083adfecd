"""Removes what has ended from a backend's database; else the file would grow for ever."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from jsonrpc_backend.accounts.session_window import SessionWindow
from jsonrpc_backend.accounts.throttle import Throttle
from jsonrpc_backend.backend.process import Process
from jsonrpc_backend.clock import DAY, MINUTE
from jsonrpc_backend.clock.steady import SteadyClock
from jsonrpc_backend.collections import chores
from jsonrpc_backend.store import audit, leftovers, login_tokens, mails, sessions
from jsonrpc_backend.store.engine import Database, StoreFailed

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 600
KEEP_MAILS = 7 * DAY
REMOVED_AT_ONCE = 500  # so that calls get their turn at the writer in between


class Purge:
    """Looks for all of it regularly, and for what an account has left as soon as it is told to."""

    def __init__(self, backend_id: str, process: Process, database: Database, throttle: Throttle) -> None:
        self._backend_id = backend_id
        self._config = process.config.backends[backend_id]
        self._database = database
        self._throttle = throttle
        self._on_duty = process.siblings.on_duty
        # What a wrong clock has ended comes back with the right time, unless it has been removed.
        meanwhile = "nothing is removed for what has ended by that"
        self._clock = SteadyClock(process.clock, process.elapsed, patience=DAY, meanwhile=meanwhile)
        self._sweeping: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        regularly = asyncio.create_task(self._run_regularly())
        try:
            yield
        finally:
            ending = [task for task in (regularly, self._sweeping) if task is not None]
            for task in ending:
                task.cancel()
            await asyncio.wait(ending)

    def sweep_soon(self) -> None:
        """Does what an account or a collection has left over beyond what one transaction takes. Not waited for."""
        if self._sweeping is None or self._sweeping.done():
            self._sweeping = asyncio.create_task(self._sweep())

    async def run(self) -> None:
        """Removes what has ended by the clock, old mails and old audit entries, a few at a time."""
        for remove_some in self._kinds(self._clock()):
            while await remove_some():
                pass

    def _kinds(self, now: int) -> Iterator[Callable[[], Awaitable[int]]]:
        """What removes some of a kind and tells how much, for each kind."""
        write, most = self._database.write, REMOVED_AT_ONCE
        ended = SessionWindow.of(self._config).ended(now)
        oldest_token = now - self._config.auto_login.valid_minutes * MINUTE
        oldest_entry = now - self._config.keep_audit_days * DAY
        yield self._sweep_some
        yield lambda: write(sessions.purge, ended, most=most)
        yield lambda: write(login_tokens.purge, renewed_before=oldest_token, most=most)
        yield lambda: self._throttle.purge(most=most)
        yield lambda: write(audit.purge, created_before=oldest_entry, most=most)
        yield lambda: write(mails.purge, created_before=now - KEEP_MAILS, most=most)

    async def _run_regularly(self) -> None:
        await self._on_duty.wait()
        while True:
            try:
                await self.run()
            except Exception:
                log.exception("backend %s: cannot remove ended sessions", self._backend_id)
            await asyncio.sleep(INTERVAL_SECONDS)

    async def _sweep(self) -> None:
        try:
            while await self._sweep_some():
                pass
        except StoreFailed as error:  # the next time goes on
            log.warning("backend %s: cannot remove what ended accounts have left: %s", self._backend_id, error)

    async def _sweep_some(self) -> int:
        write, most = self._database.write, REMOVED_AT_ONCE
        return await write(leftovers.sweep, most=most) or await write(chores.do_slice, most=most)
