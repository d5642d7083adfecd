"""SIGINT and SIGTERM: the first one stops the server in good order, a second one ends the process at once."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class ToldToStop(Exception):
    """The signal came before the server was up."""


class Stop:
    """Whether the first signal has come; there may be no event loop yet."""

    def __init__(self) -> None:
        self.told = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()

    def tell(self) -> None:
        """Called by the signal's handler, on the main thread between any two of its steps."""
        self.told = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._event.set)

    def check(self) -> None:
        """Between two steps of the start. Raises ToldToStop."""
        if self.told:
            raise ToldToStop

    async def wait(self) -> None:
        self._loop = asyncio.get_running_loop()
        if not self.told:
            await self._event.wait()


@contextlib.contextmanager
def stop_signals() -> Iterator[Stop]:
    """Hears the signals from now on. After the first one the process ends as if there were no handler."""
    stop = Stop()

    def hear(*_: object) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        stop.tell()

    before = {number: signal.signal(number, hear) for number in SIGNALS}
    try:
        yield stop
    finally:
        if not stop.told:
            for number, handler in before.items():
                signal.signal(number, handler)
