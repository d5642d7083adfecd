"""An event loop in a thread of its own, for code that has no event loop or may not block the one it has."""

import asyncio
import atexit
import concurrent.futures
import contextlib
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_EXIT_PATIENCE = 2.0  # seconds


class LoopThread:
    """Runs coroutines for any thread. The loop's thread starts with the first of them.

    `last` closes what they have opened; it runs before the loop ends, and must bear running twice. The loop ends
    with `close`, when nothing refers to this object any more, and at the interpreter's exit.
    """

    def __init__(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._last = last
        self._lock = threading.Lock()
        self._closed = False
        self._thread: threading.Thread | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the coroutine's result. RuntimeError: closed before or meanwhile."""
        try:
            future = self._submit(work)
        except BaseException:
            work.close()
            raise
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise RuntimeError("the client was closed during the call") from None
        finally:
            future.cancel()  # does nothing to one that is done; stops the call on Ctrl-C

    def close(self) -> None:
        with self._lock:
            closed, self._closed = self._closed, True
        if closed or self._thread is None or not self._thread.is_alive():
            return
        try:
            asyncio.run_coroutine_threadsafe(self._last(), self._loop).result()
        finally:
            self._stop()
            self._thread.join()

    def abandon(self) -> None:
        """At exit: like `close`, but neither failing nor waiting for long."""
        if self._thread is not None:
            self._stop()
            self._thread.join(_EXIT_PATIENCE)

    def _submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        with self._lock:
            if self._closed:
                raise RuntimeError("the client is closed")
            if self._thread is None:
                self._start()
            elif not self._thread.is_alive():
                raise RuntimeError("the client's thread is gone: make a new client after a fork")
            elif self._thread is threading.current_thread():
                raise RuntimeError("a call cannot be made while the parameters of another one are read")
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _start(self) -> None:
        self._loop = asyncio.new_event_loop()
        stop = asyncio.Event()
        # The thread does not refer to this object: it must end when the object is collected. Collection can
        # happen in any thread, the loop's own too, so `_stop` waits for nothing.
        self._stop = weakref.finalize(self, _ask_to_stop, self._loop, stop)
        self._stop.atexit = False  # `_abandon_all` does it and waits
        self._thread = threading.Thread(
            target=_serve, args=(self._loop, stop, self._last), name="jsonrpc-backend client", daemon=True
        )
        self._thread.start()
        _started.add(self)


_started: weakref.WeakSet[LoopThread] = weakref.WeakSet()


@atexit.register
def _abandon_all() -> None:
    # Otherwise the interpreter's exit would collect open connections, and aiohttp would complain on stderr.
    for thread in list(_started):
        thread.abandon()


def _ask_to_stop(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed already
        loop.call_soon_threadsafe(stop.set)


def _serve(loop: asyncio.AbstractEventLoop, stop: asyncio.Event, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        loop.run_until_complete(_serve_until(stop, last))
    finally:
        loop.close()


async def _serve_until(stop: asyncio.Event, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
    await stop.wait()
    calls = asyncio.all_tasks() - {asyncio.current_task()}
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    with contextlib.suppress(Exception):  # `close` has run and reported it; for the other two nobody listens
        await last()
