"""The parent of the workers: starts them, restarts those that die, replaces them, and ends when they have ended.

It serves nothing and has no threads, so that it can fork at any time; and it never waits for a worker.
"""

import collections
import logging
import os
import selectors
import signal
import socket
import sys
import time
from dataclasses import dataclass
from typing import Any, Protocol

from jsonrpc_backend.server.workers.hub import Hub, HubMember
from jsonrpc_backend.server.workers.line import WorkerLine

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 30.0  # before a dead one is replaced; each is twice the one before
LONG_LIFE_SECONDS = 60.0  # after which the pauses begin anew
SECONDS_TO_STOP = 20.0  # then it is killed; it takes 10 by itself
SECONDS_TO_BE_REPLACED = 60.0  # for one that still answers those who are connected to it


@dataclass(frozen=True)
class Birth:
    """What a new worker gets. `life` can be read when the parent has ended."""

    number: int
    parent: socket.socket
    life: int


class Server(Protocol):
    """What the workers are of."""

    def become_worker(self, birth: Birth) -> int:
        """In the worker's process; returns its exit code."""

    def is_told_to_stop(self) -> bool: ...

    def note_ready(self, what: dict[str, Any]) -> None:
        """All answer calls; what the first one has told."""

    def note_end(self) -> None:
        """They are told to stop."""

    def prepare_replacing(self) -> bool:
        """The parent was told to (SIGHUP): whether they are replaced, one by one."""


@dataclass(eq=False)
class _Worker:
    pid: int
    number: int
    line: WorkerLine
    member: HubMember
    born: float
    what: dict[str, Any] | None = None  # that it told when it was ready
    kill_at: float | None = None  # once it has been told to stop


@dataclass
class _Seat:
    """Where a worker belongs; there is always to be one that answers calls."""

    pause: float = FIRST_PAUSE_SECONDS
    restart_at: float | None = None


class Parent:
    def __init__(self, workers: int, server: Server) -> None:
        self._seats = [_Seat() for _ in range(workers)]
        self._server = server
        self._workers: dict[int, _Worker] = {}
        self._hub = Hub()
        self._selector = selectors.DefaultSelector()
        self._life, self._our_life = os.pipe()
        self._wakeups, self._wakeup = socket.socketpair()
        self._told_to_replace = False
        self._to_be_replaced: collections.deque[int] = collections.deque()
        self._has_first = self._has_begun = False  # the first one has been ready, all have
        self._is_ending = False
        self._exit_code = 0

    def run(self, *, hears_hup: bool) -> int:
        """Returns the exit code when all have ended. `hears_hup`: whether SIGHUP replaces the workers."""
        self._listen_to_signals()
        if hears_hup:
            signal.signal(signal.SIGHUP, self._tell_to_replace)
        self._start(0)
        while self._workers or not self._is_ending:
            self._wait()
            if self._server.is_told_to_stop() and not self._is_ending:
                self._end()
            self._bury_the_dead()
            self._begin_replacing()
            self._keep_time()
            if not self._has_begun and self._are_all_ready():
                self._has_begun = True
                self._server.note_ready(next(worker.what or {} for worker in self._workers.values()))
        return self._exit_code

    # --- signals and time --------------------------------------------------------------------------------

    def _listen_to_signals(self) -> None:
        self._wakeups.setblocking(False)
        self._wakeup.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(self._wakeups, selectors.EVENT_READ)

    def _tell_to_replace(self, *_: object) -> None:
        self._told_to_replace = True

    def _wait(self) -> None:
        """Until something happens, and hears what workers say."""
        times = [worker.kill_at for worker in self._workers.values()] + [seat.restart_at for seat in self._seats]
        planned = [at for at in times if at is not None]
        timeout = max(0.0, min(planned) - time.monotonic()) if planned else None
        for worker in self._workers.values():
            self._watch(worker)
        for key, _ in self._selector.select(timeout):
            if key.data is None:
                self._drain_wakeups()
            else:
                key.data.line.send_rest()
                self._hear(key.data)

    def _watch(self, worker: _Worker) -> None:
        writes = selectors.EVENT_WRITE if worker.line.has_unsent else 0
        if not worker.line.has_ended:
            self._selector.modify(worker.line.socket, selectors.EVENT_READ | writes, worker)
        elif worker.line.socket in self._selector.get_map():
            self._selector.unregister(worker.line.socket)

    def _drain_wakeups(self) -> None:
        try:
            while self._wakeups.recv(4096):
                pass
        except BlockingIOError:
            pass

    def _keep_time(self) -> None:
        now = time.monotonic()
        for worker in self._workers.values():
            if worker.kill_at is not None and worker.kill_at <= now:
                log.error("worker %d (process %d) does not stop and is killed", worker.number, worker.pid)
                os.kill(worker.pid, signal.SIGKILL)
                worker.kill_at = now + SECONDS_TO_STOP
        for number, seat in enumerate(self._seats):
            if seat.restart_at is not None and seat.restart_at <= now:
                self._start(number)

    # --- births ------------------------------------------------------------------------------------------

    def _start(self, number: int) -> None:
        self._seats[number].restart_at = None
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if not pid:
            self._be_born(Birth(number, theirs, self._life), ours)
        theirs.close()
        line = WorkerLine(ours)
        self._workers[pid] = _Worker(pid, number, line, self._hub.join(line.send), time.monotonic())
        self._selector.register(ours, selectors.EVENT_READ, self._workers[pid])

    def _be_born(self, birth: Birth, ours: socket.socket) -> None:
        """In the new process, which never comes back from here."""
        exit_code = 1
        try:
            # What is the parent's would keep alive what ends with it, or be heard twice.
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGINT, signal.SIGHUP):  # a terminal sends them to all: the parent tells its workers
                signal.signal(number, signal.SIG_IGN)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self._our_life)
            for end in (ours, self._wakeups, self._wakeup, *(each.line.socket for each in self._workers.values())):
                end.close()
            self._selector.close()
            exit_code = self._server.become_worker(birth)
        finally:
            os._exit(exit_code)

    def _hear(self, worker: _Worker) -> None:
        for message in worker.line.received():
            if message[0] == "ready":
                self._note_ready(worker, message[1])
            else:
                self._hub.hear(worker.member, message)

    def _note_ready(self, worker: _Worker, what: dict[str, Any]) -> None:
        worker.what = what
        self._hub.note_ready(worker.member)
        if self._is_ending:
            return
        if not self._has_first:
            # It has made or migrated what is there, and has told what is wrong: the others need not do it again.
            self._has_first = True
            for number in range(1, len(self._seats)):
                self._start(number)
        if self._to_be_replaced and self._to_be_replaced[0] == worker.number:
            self._to_be_replaced.popleft()
            for other in self._serving(worker.number):
                if other is not worker:
                    self._stop(other, is_replaced=True)
            self._replace_next()

    def _are_all_ready(self) -> bool:
        ready = {worker.number for worker in self._workers.values() if worker.what is not None}
        return len(ready) == len(self._seats)

    def _serving(self, number: int) -> list[_Worker]:
        """Those of a seat that answer calls, or are about to."""
        return [worker for worker in self._workers.values() if worker.number == number and worker.kill_at is None]

    # --- replacing ---------------------------------------------------------------------------------------

    def _begin_replacing(self) -> None:
        if self._told_to_replace and self._has_begun and not self._to_be_replaced:
            self._told_to_replace = False
            if not self._is_ending and self._server.prepare_replacing():
                self._to_be_replaced.extend(range(len(self._seats)))
                self._replace_next()

    def _replace_next(self) -> None:
        if self._to_be_replaced:
            self._start(self._to_be_replaced[0])
        else:
            log.info("all workers are new")

    # --- deaths ------------------------------------------------------------------------------------------

    def _stop(self, worker: _Worker, *, is_replaced: bool) -> None:
        """Has it answer what is under way, and end."""
        worker.line.send(["stop", is_replaced])
        worker.kill_at = time.monotonic() + (SECONDS_TO_BE_REPLACED if is_replaced else SECONDS_TO_STOP)

    def _end(self) -> None:
        self._is_ending = True
        self._to_be_replaced.clear()
        for seat in self._seats:
            seat.restart_at = None
        self._server.note_end()
        for worker in self._workers.values():
            self._stop(worker, is_replaced=False)

    def _bury_the_dead(self) -> None:
        for pid in list(self._workers):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                worker = self._workers[pid]
                self._hear(worker)  # what it has said at last
                if worker.line.socket in self._selector.get_map():
                    self._selector.unregister(worker.line.socket)
                del self._workers[pid]
                self._hub.leave(worker.member)
                worker.line.close()
                self._note_death(worker, os.waitstatus_to_exitcode(status))

    def _note_death(self, worker: _Worker, code: int) -> None:
        if worker.kill_at is not None or self._is_ending:
            return
        if not self._has_begun and worker.what is None:
            self._exit_code = code if code > 0 else 1  # it has said why
            self._end()
            return
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        if self._serving(worker.number) and worker.what is None:
            log.error("worker %d is not replaced: the new one %s before it was ready", worker.number, how)
            self._to_be_replaced.clear()
            return
        log.error("worker %d (process %d) %s; another one takes its place", worker.number, worker.pid, how)
        if not self._serving(worker.number):
            self._plan_restart(worker)

    def _plan_restart(self, worker: _Worker) -> None:
        seat, now = self._seats[worker.number], time.monotonic()
        if now - worker.born >= LONG_LIFE_SECONDS:
            seat.pause = FIRST_PAUSE_SECONDS
        seat.restart_at, seat.pause = now + seat.pause, min(2 * seat.pause, LONGEST_PAUSE_SECONDS)
