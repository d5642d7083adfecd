"""What is done for a backend in the background: answers never wait for it.

Whatever there is to do is in the database, so that a restart loses nothing.
"""

import abc
import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from jsonrpc_backend.mail.mailbag import Mailbag

log = logging.getLogger(__name__)

SECONDS_TO_NEXT_LOOK = 10.0  # for what the command line has put in, of which nobody tells
PAUSE_AFTER_FAULT_SECONDS = 5.0
SECONDS_TO_FINISH = 2.0  # for what is under way when the server stops


class Worker(abc.ABC):
    """Works when it is woken, and when the time has come that it has named."""

    name: str  # in the log
    seconds_before_work = 0.0  # after it was woken

    def __init__(self, mailbag: Mailbag) -> None:
        self.mailbag = mailbag
        self.is_stopping = False
        self._is_running = False
        self._woken = asyncio.Event()

    @abc.abstractmethod
    async def work(self) -> float:
        """Does what there is to do, unless it is to stop; returns the seconds until there is more."""

    def wake(self) -> None:
        """There is something new to do, here or in the process that works for all of them."""
        if not self._is_running:
            self.mailbag.tell_others(self.name)
        self.hear()

    def hear(self) -> None:
        """The same, of another process."""
        self._woken.set()

    def stop(self) -> None:
        """Nothing else is begun."""
        self.is_stopping = True
        self.wake()

    async def run(self) -> None:
        """Works until it is stopped."""
        self._is_running = True
        while not self.is_stopping:
            self._woken.clear()
            try:
                pause = await self.work()
            except Exception:
                log.exception("backend %s: the %s failed", self.mailbag.backend_id, self.name)
                pause = PAUSE_AFTER_FAULT_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), min(pause, SECONDS_TO_NEXT_LOOK))
                if not self.is_stopping:
                    await asyncio.sleep(self.seconds_before_work)


@contextlib.asynccontextmanager
async def running(*workers: Worker) -> AsyncIterator[None]:
    """They work in the background; at the end what is under way may finish, for a while."""
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        await asyncio.wait(tasks, timeout=SECONDS_TO_FINISH)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
