"""The metrics themselves. Their labels take few values, whatever clients send."""

import platform
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from math import nan
from typing import cast

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics import disable_created_metrics
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric

from jsonrpc_backend import __version__
from jsonrpc_backend.store.sizes import Sizes
from jsonrpc_backend.telemetry.events import CallEnded, Observer
from jsonrpc_backend.telemetry.metrics import declared
from jsonrpc_backend.telemetry.metrics.declared import CALL_DURATION, CALLS, Declared
from jsonrpc_backend.telemetry.metrics.sums import Summed, figures_in

disable_created_metrics()  # when each series began: as many lines again, for nobody

UNKNOWN = "(unknown)"  # no backend and no method can have this name
UNREADABLE = "(none)"

# By the code of the answer; other codes are of clients that are not admitted at all.
SIGN_IN_OUTCOMES = {0: "success", -32602: "rejected", 9999: "throttled", 13: "unavailable", -32603: "failed"}
NOT_ADMITTED = "not_admitted"

MAIL_OUTCOMES = ("written", "sent", "failed", "given_up")

CALL_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
HASH_SECONDS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5)


class _Calls:
    """Number and time of calls, counted on the event loop only: without locks it takes 1 µs instead of 5."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str, int], int] = {}
        self._buckets: dict[str, list[int]] = {}  # by method; the last one holds what takes longer
        self._seconds: dict[str, float] = {}

    def count(self, backend: str, method: str, code: int, seconds: float) -> None:
        key = (backend, method, code)
        self._numbers[key] = self._numbers.get(key, 0) + 1
        if method not in self._buckets:
            self._buckets[method] = [0] * (len(CALL_SECONDS) + 1)
        self._buckets[method][bisect_left(CALL_SECONDS, seconds)] += 1
        self._seconds[method] = self._seconds.get(method, 0.0) + seconds

    def collect(self) -> Iterator[Metric]:
        """Called by the registry, on another thread."""
        calls = CounterMetricFamily(CALLS.family, CALLS.meaning, labels=CALLS.labels)
        for (backend, method, code), number in list(self._numbers.items()):
            calls.add_metric([backend, method, str(code)], number)
        yield calls
        times = HistogramMetricFamily(CALL_DURATION.family, CALL_DURATION.meaning, labels=CALL_DURATION.labels)
        limits = [*map(str, CALL_SECONDS), "+Inf"]
        for method, seconds in list(self._seconds.items()):
            cumulative = list(accumulate(self._buckets[method]))
            times.add_metric([method], list(zip(limits, cumulative, strict=True)), seconds)
        yield times


class Meters(Observer):
    """All metrics of one server."""

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self, argon2: str, sign_ins: Mapping[str, str]) -> None:
        """`argon2` says which build of it runs; `sign_ins`, with what a method signs in."""
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._means = sign_ins
        self._count()
        self._look(argon2)

    def page(self, others: Sequence[Mapping[str, float]] = ()) -> bytes:
        """Everything, in Prometheus' text format. `others`: the figures of other processes of the server."""
        return generate_latest(cast(CollectorRegistry, Summed(self.registry, others)))

    def counted(self) -> dict[str, float]:
        """What has been counted since the start, for a sum over processes."""
        return figures_in(self.registry, {"counter", "histogram"})

    def figures(self) -> dict[str, float]:
        """The same with what there is at the moment."""
        return figures_in(self.registry, {"counter", "histogram", "gauge"})

    # --- counted when it happens -------------------------------------------------------------------------

    def _count(self) -> None:
        self._calls = _Calls()
        self.registry.register(self._calls)
        self._sign_ins = self._counter(declared.SIGN_INS)
        self._mails = self._counter(declared.MAILS)
        hashes = declared.ARGON2_DURATION
        self._hash_seconds = Histogram(hashes.family, hashes.meaning, buckets=HASH_SECONDS, registry=self.registry)

    def call_ended(self, call: CallEnded) -> None:
        backend = call.backend_id if call.backend_known else UNKNOWN
        method = UNREADABLE if call.method is None else call.method if call.method_known else UNKNOWN
        self._calls.count(backend, method, call.code, call.seconds)
        if method in self._means:
            self._sign_ins.labels(backend, self._means[method], SIGN_IN_OUTCOMES.get(call.code, NOT_ADMITTED)).inc()

    def password_hashed(self, seconds: float) -> None:
        self._hash_seconds.observe(seconds)

    def mail_changed(self, backend_id: str, outcome: str) -> None:
        self._mails.labels(backend_id, outcome).inc()

    # --- looked at when Prometheus asks ------------------------------------------------------------------

    def _look(self, argon2: str) -> None:
        self._up = self._gauge(declared.UP)
        self._users = self._gauge(declared.USERS)
        self._sessions = self._gauge(declared.SESSIONS)
        self._collections = self._gauge(declared.COLLECTIONS)
        self._items = self._gauge(declared.ITEMS)
        self._database = self._gauge(declared.DATABASE)
        self._hashes = self._gauge(declared.ARGON2_HASHES)
        self._connections = self._gauge(declared.CONNECTIONS)
        self._dropped = self._counter(declared.LOG_LINES_DROPPED)
        self._dropped_before = 0
        labels = (__version__, platform.python_version(), argon2)
        build = self._gauge(declared.BUILD)
        build.labels(*labels).set(1)

    def show_backend(self, backend_id: str, sizes: Sizes | None) -> None:
        """None: its database does not answer."""
        self._up.labels(backend_id).set(0 if sizes is None else 1)
        # The last known sizes would look like today's.
        self._users.labels(backend_id).set(sizes.users if sizes else nan)
        self._sessions.labels(backend_id).set(sizes.sessions if sizes else nan)
        self._collections.labels(backend_id).set(sizes.collections if sizes else nan)
        self._items.labels(backend_id).set(sizes.items if sizes else nan)
        self._database.labels(backend_id, "database").set(sizes.file_bytes if sizes else nan)
        self._database.labels(backend_id, "log").set(sizes.log_bytes if sizes else nan)

    def show_hashes(self, running: int, waiting: int) -> None:
        self._hashes.labels("running").set(running)
        self._hashes.labels("waiting").set(waiting)

    def show_connections(self, number: int) -> None:
        self._connections.set(number)

    def show_dropped_log_lines(self, since_start: int) -> None:
        self._dropped.inc(since_start - self._dropped_before)
        self._dropped_before = since_start

    def _counter(self, counter: Declared) -> Counter:
        return Counter(counter.family, counter.meaning, counter.labels, registry=self.registry)

    def _gauge(self, gauge: Declared) -> Gauge:
        return Gauge(gauge.family, gauge.meaning, gauge.labels, registry=self.registry)
