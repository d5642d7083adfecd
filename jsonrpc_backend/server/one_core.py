"""Keeps the event loop and the database threads on one processor core, while that is good for them.

Python lets one of them run at a time. On two cores each hand-over wakes the other one up and drags along what the
caches hold: a read then takes a third more of processor time, an update half as much again. Threads that compute
without Python's lock, such as those of Argon2, stay free; and so does everybody while another program wants the core.
"""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

WATCHED_SECONDS = 1.0
# Of the time. Without others a busy event loop waits for a tenth, for a third where many write (transactions take time
# without Python's lock, too); beside one busy program it waits for half.
MOST_WAITING = 0.42
PAUSE_SECONDS = (2.0, 60.0)  # the first, and the longest: each is twice the one before
NANOSECOND = 1e-9

_ALLOWED = os.sched_getaffinity(0) if sys.platform == "linux" else frozenset()


def run_anywhere() -> None:
    """For a new thread: it begins where the thread that made it has to stay."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # as below: then nobody has to stay anywhere
            os.sched_setaffinity(0, _ALLOWED)


@contextlib.asynccontextmanager
async def on_one_core(threads: Iterable[int], number: int | None = None) -> AsyncIterator[None]:
    """Keeps the calling thread and those with these native ids together until the end of the block (Linux only).

    On that core of those allowed which has the `number`, counted from 0 and around; None: where the thread is.
    """
    keeping = asyncio.create_task(_keep({threading.get_native_id(), *threads}, number))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])


async def _keep(threads: set[int], number: int | None) -> None:
    if len(_ALLOWED) < 2:
        return
    with contextlib.suppress(OSError):  # a system that does not allow it, or does not tell how long threads wait
        pause, longest = PAUSE_SECONDS
        while True:
            began = asyncio.get_running_loop().time()
            await _keep_while_alone(threads, number)
            if asyncio.get_running_loop().time() - began > longest:
                pause, _ = PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)


async def _keep_while_alone(threads: set[int], number: int | None) -> None:
    """Returns when others make the event loop wait. Raises OSError."""
    waited = _seconds_waited()
    _bind(threads, {_core() if number is None else sorted(_ALLOWED)[number % len(_ALLOWED)]})
    try:
        share = 0.0
        while share <= MOST_WAITING:
            before, began = waited, asyncio.get_running_loop().time()
            await asyncio.sleep(WATCHED_SECONDS)
            waited = _seconds_waited()
            share = (waited - before) / (asyncio.get_running_loop().time() - began)
    finally:
        _bind(threads, _ALLOWED)


def _bind(threads: set[int], cores: Iterable[int]) -> None:
    for thread in threads:
        os.sched_setaffinity(thread, cores)


# The two files are made in memory when they are read: that does not block.


def _seconds_waited() -> float:
    """How long the calling thread has been ready to run, but something else ran. Format: proc_pid_schedstat(5)."""
    return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) * NANOSECOND


def _core() -> int:
    """Where the calling thread runs. Format: proc_pid_stat(5); the name in parentheses may hold anything."""
    return int(Path("/proc/thread-self/stat").read_text().rpartition(")")[2].split()[36])
