"""Argon2id, away from the event loop; and the hashes of other systems, until they are replaced."""

import asyncio
import collections
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Generic, TypeVar

import argon2

from jsonrpc_backend.accounts import foreign_hashes
from jsonrpc_backend.accounts.refusals import NotNow
from jsonrpc_backend.accounts.tokens import new_token
from jsonrpc_backend.config import PasswordsConfig
from jsonrpc_backend.fairness import Caller
from jsonrpc_backend.fairness.queue import Queue
from jsonrpc_backend.fairness.tally import Tally
from jsonrpc_backend.store.users import NO_PASSWORD
from jsonrpc_backend.telemetry.events import Observer

log = logging.getLogger(__name__)

K = TypeVar("K")
T = TypeVar("T")

_TALLY = "hash"

# Whether a caller has hung up: then what waits in the queue is done for nobody.
IsGone = Callable[[], bool]


class TooManyHashes(NotNow):
    """The queue is full and the caller has most in it, or its share, or the caller did not wait for its turn.

    `retry_after` is about the time that the queue takes to drain.
    """


def _take_lowest_priority() -> None:
    """Linux schedules threads one by one: hashes then take only the processor time that nobody else wants."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def _begin(begin_thread: Callable[[], None]) -> None:
    begin_thread()
    _take_lowest_priority()


def argon2_hasher(config: PasswordsConfig) -> argon2.PasswordHasher:
    """Argon2id with the configured parameters, for programs that have no event loop to keep free."""
    return argon2.PasswordHasher(config.iterations, config.memory_kib, config.parallelism)


def hash_many(config: PasswordsConfig, passwords: Iterable[tuple[K, str]]) -> Iterator[tuple[K, str]]:
    """New PHC strings in the same order, made by all processors at the lowest priority; for programs without a loop."""
    argon2_hash, workers = argon2_hasher(config).hash, config.workers or os.cpu_count() or 1
    pool = ThreadPoolExecutor(workers, "argon2", initializer=_take_lowest_priority)
    waiting: collections.deque[tuple[K, Future[str]]] = collections.deque()
    try:
        for key, password in passwords:
            waiting.append((key, pool.submit(argon2_hash, password)))
            if len(waiting) > 4 * workers:
                done, future = waiting.popleft()
                yield done, future.result()
        for done, future in waiting:
            yield done, future.result()
    finally:
        pool.shutdown(cancel_futures=True)


class _Hash(Generic[T]):
    """What somebody waits for."""

    __slots__ = ("is_gone", "not_now", "outcome", "work")

    def __init__(self, work: Callable[[], T], not_now: TooManyHashes, is_gone: IsGone) -> None:
        self.work = work
        self.not_now = not_now
        self.is_gone = is_gone
        self.outcome: Future[T] = Future()

    def begin(self) -> bool:
        """False when nobody waits for it any more."""
        if not self.outcome.set_running_or_notify_cancel():
            return False
        if self.is_gone():
            self.outcome.set_exception(self.not_now)
            return False
        return True

    def compute(self, observer: Observer) -> Callable[[], None]:
        """Does the work; what it returns tells the outcome to whoever waits."""
        began = time.perf_counter()
        try:
            try:
                result = self.work()
            finally:
                observer.password_hashed(time.perf_counter() - began)
            return partial(self.outcome.set_result, result)
        except BaseException as error:
            return partial(self.outcome.set_exception, error)

    def give_up(self) -> None:
        """Tells whoever waits, if anybody still does."""
        if self.outcome.set_running_or_notify_cancel():
            self.outcome.set_exception(self.not_now)


class PasswordHasher:
    """Computes and verifies hashes in threads of its own, a few at a time, with a bounded queue before them.

    Callers take turns. When the queue is full, the newest of whoever has most in it is given up, not who comes last.
    By the `tally` the limits hold for all processes of the server together.
    `most_per_caller`: how many of one caller may be in there at the same time; None: no limit but the queue's.
    What had to wait is given up, too, when its turn comes and its caller `is_gone`. Each thread calls `begin_thread`
    before anything else.
    """

    def __init__(
        self,
        config: PasswordsConfig,
        most_per_caller: int | None,
        observer: Observer,
        tally: Tally,
        *,
        begin_thread: Callable[[], None] = lambda: None,
    ) -> None:
        self._argon2 = argon2_hasher(config)
        self._workers = config.workers or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._workers, "argon2", initializer=partial(_begin, begin_thread))
        self._most = self._workers + config.max_queue
        self._most_per_caller = most_per_caller or self._most
        self._tally = tally
        self._under_way = 0  # in this process
        self._queue: Queue[_Hash[Any]] = Queue()
        self._running = 0
        self._lock = threading.Lock()  # around these two: each thread takes what is next as soon as it is free
        self._observer = observer
        self._nobodys_hash = self._argon2.hash(new_token())

    async def hash(self, password: str, *, caller: Caller, is_gone: IsGone = lambda: False) -> str:
        """A new PHC string. Raises TooManyHashes."""
        return await self._run(lambda: self._argon2.hash(password), caller, is_gone)

    async def verify(
        self, stored_hash: str | None, password: str, *, caller: Caller, is_gone: IsGone = lambda: False
    ) -> bool:
        """Whether the password is right; never for None (no user at all) or a user without a password.

        Those cost the work for a hash of today. Raises TooManyHashes.
        """
        if stored_hash is None or stored_hash == NO_PASSWORD:
            await self._run(lambda: self._matches(self._nobodys_hash, password), caller, is_gone)
            return False
        return await self._run(lambda: self._matches(stored_hash, password), caller, is_gone)

    def is_outdated(self, stored_hash: str) -> bool:
        """Whether the hash was made by another system, or with other parameters than today's."""
        try:
            return not _is_argon2(stored_hash) or self._argon2.check_needs_rehash(stored_hash)
        except argon2.exceptions.InvalidHashError:
            return True

    @property
    def running(self) -> int:
        """Hashes that are being computed."""
        return min(self._under_way, self._workers)

    @property
    def waiting(self) -> int:
        """Hashes in the queue."""
        return max(self._under_way - self._workers, 0)

    def close(self) -> None:
        """Waits for the hashes that are being computed, drops those that wait."""
        with self._lock:
            while self._queue:
                self._queue.take().outcome.cancel()
        self._pool.shutdown(cancel_futures=True)

    def _matches(self, expected: str, password: str) -> bool:
        try:
            if not _is_argon2(expected):
                return foreign_hashes.matches(expected, password)
            return self._argon2.verify(expected, password)
        except argon2.exceptions.VerifyMismatchError:
            return False
        except Exception as error:
            if not self.is_outdated(expected):
                raise
            # Whoever made the hash is to blame, or what this machine cannot do; an import does not let such ones in.
            log.error("a password hash of another system cannot be verified: %s: %s", type(error).__name__, error)
            return False

    async def _run(self, work: Callable[[], T], caller: Caller, is_gone: IsGone) -> T:
        names = [_TALLY, f"{_TALLY} {' '.join(caller)}"]
        of_all, of_caller = await self._tally.begin(names)
        under_way = self._under_way
        self._under_way += 1
        try:
            not_now = TooManyHashes(retry_after=1 + under_way // (40 * self._workers))
            if of_caller.everywhere >= self._most_per_caller:
                raise not_now
            has_to_wait = under_way >= self._workers
            asked: _Hash[T] = _Hash(work, not_now, is_gone if has_to_wait else lambda: False)
            self._enqueue(caller, asked, elsewhere=of_all.elsewhere)
            return await asyncio.wrap_future(asked.outcome)
        finally:
            self._under_way -= 1
            self._tally.end(names)

    def _enqueue(self, caller: Caller, asked: "_Hash[T]", *, elsewhere: int) -> None:
        with self._lock:
            self._queue.put(caller, asked)
            is_full = len(self._queue) + self._running + elsewhere > self._most
            gives_way = self._queue.drop() if is_full else None
        if gives_way is not asked:
            self._pool.submit(self._compute_next)
        if gives_way is not None:
            gives_way.give_up()

    def _compute_next(self) -> None:
        """On a thread of the pool, once for each that came in: whatever is next by now, if anything is left."""
        with self._lock:
            if not self._queue:
                return
            asked = self._queue.take()
            self._running += 1
        tell = asked.compute(self._observer) if asked.begin() else None
        # Whoever is told may ask for more before this thread goes on: by then its place has to be free.
        with self._lock:
            self._running -= 1
        if tell is not None:
            tell()


def _is_argon2(stored_hash: str) -> bool:
    return stored_hash.startswith("$argon2")
