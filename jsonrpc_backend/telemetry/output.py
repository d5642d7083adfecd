"""Writes to a terminal, a pipe or a file from a thread of its own.

Whoever does not read what the server prints would otherwise stop it: a write to a pipe that is full waits for its
reader. Here what finds no room is dropped and counted.
"""

import contextlib
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TextIO

MOST_WAITING = 10_000  # texts
WRITTEN_TOGETHER = 200
# Texts that come within this time are written together: waking the thread for each would cost more than the writing.
PAUSE_SECONDS = 0.05
SECONDS_TO_FINISH = 2.0


class Output:
    """One stream."""

    def __init__(
        self,
        stream: TextIO,
        explain_loss: Callable[[int], str],
        most: int = MOST_WAITING,
        alone: AbstractContextManager[None] | None = None,
    ) -> None:
        """`explain_loss` makes the text that tells how many were dropped, once there is room again.

        `alone` keeps other processes off the stream: a pipe takes what is long in pieces.
        """
        self._alone = alone or contextlib.nullcontext()
        self._stream = stream  # or it might be closed when nobody else refers to it
        self._descriptor = stream.fileno()
        self._encoding = stream.encoding or "utf-8"
        self._explain_loss = explain_loss
        self._most = most
        self._waiting: deque[str | threading.Event] = deque()  # an event is set when what comes before is written
        self._has_work, self._closing = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self.dropped = 0  # since the start
        self._dropped_and_told = 0
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)  # it may hang in a write for ever
        self._thread.start()

    def put(self, text: str) -> None:
        """Writes the text soon. Never waits. For any thread."""
        if len(self._waiting) >= self._most:
            self._count_dropped(1)
            return
        self._waiting.append(text)
        if not self._has_work.is_set():
            self._has_work.set()

    def flush(self, seconds: float = SECONDS_TO_FINISH) -> None:
        """Waits until what was put before is written, but not for longer than this."""
        written = threading.Event()
        self._waiting.append(written)
        self._has_work.set()
        written.wait(seconds)

    def close(self) -> None:
        """Writes what waits; gives up on a stream that takes nothing."""
        self._closing.set()
        self._has_work.set()
        self._thread.join(SECONDS_TO_FINISH)

    def _count_dropped(self, number: int) -> None:
        with self._lock:
            self.dropped += number

    def _run(self) -> None:
        while not self._closing.is_set() or self._waiting:
            self._has_work.wait()
            self._closing.wait(PAUSE_SECONDS)
            self._has_work.clear()
            while self._waiting:
                self._write_some()

    def _write_some(self) -> None:
        some = [self._waiting.popleft() for _ in range(min(len(self._waiting), WRITTEN_TOGETHER))]
        texts = [each for each in some if isinstance(each, str)]
        lost = self.dropped - self._dropped_and_told
        text = (self._explain_loss(lost) if lost else "") + "".join(texts)
        try:
            with self._alone:
                self._write(text.encode(self._encoding, "backslashreplace"))
            self._dropped_and_told += lost
        except OSError:  # a full disk, or the reader has gone
            self._count_dropped(len(texts))
        for each in some:
            if isinstance(each, threading.Event):
                each.set()

    def _write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:  # a stream that another program has made so
                select.select([], [self._descriptor], [])


class OutputWithoutThread:
    """One stream, for a process that has no threads: what finds no room at once is dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.dropped = 0

    def put(self, text: str) -> None:
        """Never waits: where there is room at all in a pipe, there is for so much."""
        data = text.encode(self._stream.encoding or "utf-8", "backslashreplace")
        try:
            while data and select.select([], [self._stream], [], 0)[1]:
                data = data[os.write(self._stream.fileno(), data[: select.PIPE_BUF]) :]
        except OSError:
            self.dropped += 1
        else:
            self.dropped += bool(data)

    def flush(self, _seconds: float = 0) -> None:
        """Nothing waits."""


@contextlib.contextmanager
def writing(
    stream: TextIO, explain_loss: Callable[[int], str], alone: AbstractContextManager[None] | None = None
) -> Iterator[Output]:
    """An output that is written to its end when the block ends."""
    output = Output(stream, explain_loss, alone=alone)
    try:
        yield output
    finally:
        output.close()
