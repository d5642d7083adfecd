"""The load generator: keep-alive connections in one epoll loop, in a process of its own.

It speaks as little HTTP as it needs, for on two cores its own work must not be what limits the server.
"""

import collections
import select
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks import items, operations, pocketbase
from benchmarks.load import Load
from benchmarks.operations import Operation

OPERATIONS: dict[str, type[Operation]] = {
    **operations.OPERATIONS,
    "mixed": operations.Mixed,
    **items.OPERATIONS,
    **pocketbase.OPERATIONS,
}

GIVE_UP_SECONDS = 30.0
UNLIMITED = 1 << 62


@dataclass(frozen=True)
class Outcome:
    """What came of it. Latencies: seconds, one a request, sorted. `busy` is the generator's own share of a core.

    `by_kind`: the same latencies, where callers did several kinds of things.
    """

    calls: int
    seconds: float
    busy: float
    latencies: list[float] = field(repr=False)
    by_kind: Mapping[str, list[float]] = field(default_factory=dict, repr=False)

    def of_kind(self, kind: str) -> "Outcome":
        return Outcome(len(self.by_kind[kind]), self.seconds, self.busy, self.by_kind[kind])

    def percentile(self, percent: float) -> float:
        """A latency in seconds."""
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * percent / 100))]

    @property
    def calls_per_second(self) -> float:
        return self.calls / self.seconds


class UnexpectedAnswer(Exception):
    """The server has answered something else than the benchmark is about."""


class _Connection:
    def __init__(self, port: int, operation: Operation, calls: int | None) -> None:
        self.operation = operation
        self.calls_left = UNLIMITED if calls is None else calls
        self.due = 0.0
        self._received = b""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(GIVE_UP_SECONDS)

    def send(self, due: float) -> None:
        self.due = due
        self.calls_left -= 1
        self.socket.sendall(self.operation.request())

    def receive(self) -> bool:
        """Takes what has come; whether the answer is complete. Raises UnexpectedAnswer."""
        chunk = self.socket.recv(1 << 18)
        if not chunk:
            raise UnexpectedAnswer("the server has closed a connection")
        self._received += chunk
        head = self._received.find(b"\r\n\r\n")
        if head < 0 or len(self._received) < head + 4 + _content_length(self._received):
            return False
        answer, self._received = self._received, b""
        if not answer.startswith(b"HTTP/1.1 200") or self.operation.expected not in answer:
            raise UnexpectedAnswer(answer.decode(errors="replace")[:2000])
        self.operation.take(answer)
        return True


def _content_length(response: bytes) -> int:
    begin = response.index(b"Content-Length: ") + 16
    return int(response[begin : response.index(b"\r\n", begin)])


def run(load: Load) -> Outcome:
    """Puts the load on the server and measures it from the callers' side. Raises UnexpectedAnswer, TimeoutError."""
    operation = OPERATIONS[load.operation]
    connections = [
        _Connection(load.port, operation(load.first + number * load.step, load), load.calls_each)
        for number in range(load.callers)
    ]
    try:
        return _drive(load, connections)
    finally:
        for connection in connections:
            connection.socket.close()


def _drive(load: Load, connections: list[_Connection]) -> Outcome:
    waiting = {connection.socket.fileno(): connection for connection in connections}
    poll = select.epoll()
    for descriptor in waiting:
        poll.register(descriptor, select.EPOLLIN)
    idle, latencies = collections.deque(connections), list[float]()
    by_kind: dict[str, list[float]] = collections.defaultdict(list)
    begin, cpu_begin, sent = time.perf_counter(), time.process_time(), 0
    now, end = begin, begin + load.seconds
    while (idle and now < end) or sent > len(latencies):
        while idle and now < end and (due := _due(load, begin, sent, now)) <= now:
            idle.popleft().send(due)
            sent += 1
        for descriptor, _ in poll.poll(_until_next(load, begin, sent, now) if idle and now < end else GIVE_UP_SECONDS):
            connection = waiting[descriptor]
            if connection.receive():
                latencies.append(time.perf_counter() - connection.due)
                if connection.operation.kind:
                    by_kind[connection.operation.kind].append(latencies[-1])
                if connection.calls_left:
                    idle.append(connection)
        now = time.perf_counter()
        if now > end + GIVE_UP_SECONDS:
            raise TimeoutError(f"{sent - len(latencies)} calls of {load.operation} are not answered")
    poll.close()
    busy = (time.process_time() - cpu_begin) / (now - begin)
    calls = len(latencies) * OPERATIONS[load.operation].calls_per_request
    sorted_kinds = {kind: sorted(some) for kind, some in by_kind.items()}
    return Outcome(calls, now - begin, busy, sorted(latencies), sorted_kinds)


def _due(load: Load, begin: float, sent: int, now: float) -> float:
    """When the next request is to go. A paced one counts from then, even if no connection was free for it."""
    return now if load.rate is None else begin + sent / load.rate


def _until_next(load: Load, begin: float, sent: int, now: float) -> float:
    # epoll rounds up to whole milliseconds, so paced latencies are up to 1 ms too long, never too short.
    return max(0.0, _due(load, begin, sent, now) - now)
