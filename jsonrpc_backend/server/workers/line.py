"""What a parent and one of its workers say to each other: messages over a socket, as lines of JSON."""

import json
import socket
from collections.abc import Iterator
from typing import Any

RECEIVED_AT_ONCE = 1 << 16


class WorkerLine:
    """The parent's end of it, which never waits."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self.socket.setblocking(False)
        self.has_ended = False  # at the other end
        self._received = b""
        self._unsent = bytearray()

    def fileno(self) -> int:
        return self.socket.fileno()

    @property
    def has_unsent(self) -> bool:
        """Whether the worker has to read before it can be told the rest."""
        return bool(self._unsent)

    def send(self, message: Any) -> None:
        """Sends it as soon as the other end reads."""
        self._unsent += json.dumps(message).encode() + b"\n"
        self.send_rest()

    def send_rest(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: self.socket.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError:  # it has ended
            self._unsent.clear()

    def received(self) -> Iterator[Any]:
        """The messages that have come."""
        try:
            while data := self.socket.recv(RECEIVED_AT_ONCE):
                self._received += data
            self.has_ended = True
        except BlockingIOError:  # nothing else has come
            pass
        except OSError:
            self.has_ended = True
        *lines, self._received = self._received.split(b"\n")
        yield from map(json.loads, lines)

    def close(self) -> None:
        self.socket.close()
