"""What was measured, as a table for people and as JSON for programs."""

import datetime as dt
import os
import platform
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import pocketbase, searching
from benchmarks.measured import Series, Spread
from benchmarks.suite import ARGON2, BARE, DURABLE, STORMS, Plan, Results
from jsonrpc_backend import __version__

MIB = 1024 * 1024

# From here on it is not certain that the server was what limited the calls.
GENERATOR_MAY_BE_BUSY = 0.9

# Which floors an operation stands on: the one that its throughput is compared with first.
FLOORS = {
    "read": (BARE,),
    "update": (BARE, DURABLE),
    "autoLogin": (BARE, DURABLE),
    "logout": (BARE, DURABLE),
    "batch of 50": (BARE,),
    "refused": (BARE,),
    "login": (ARGON2, BARE, DURABLE),
    "register": (ARGON2, BARE, DURABLE),
}

HEAD = (
    f"{'':30}{'callers':>8}{'calls/s':>28}{'of floor':>9}{'p50 ms':>9}{'p99 ms':>9}"
    f"{'CPU µs/call':>20}{'floors':>8}{'hash':>8}{'gen.':>6}"
)


def table(results: Results) -> str:
    """Everything, a line each; median of the rounds, and from the least to the most."""
    lines = [HEAD, *_section("floors", results.floors, results), *_section("operations", results.operations, results)]
    for users, series in results.growth.items():
        lines += _section(f"{users:,} users", series, results)
    for count, series in results.connections.items():
        lines += _section(f"{count:,} connections", series, results)
    for server, series in results.beside.items():
        lines += _section(f"side by side: {server}", series, results)
    for collection, series in results.items.items():
        lines += _section(collection, series, results)
    return "\n".join([*lines, "", *_summary(results), ""])


def _section(title: str, series: dict[str, Series], results: Results) -> Iterator[str]:
    yield f"\n{title}"
    for name, each in series.items():
        yield _line(name, each, results)


def _line(name: str, series: Series, results: Results) -> str:
    cpu, ratio, floor = series.spread("cpu"), ratio_to_floor(name, series, results), floor_cpu(name, results)
    measured = cpu.median or series.spread("hash_cpu").median
    return (
        f"  {name:28}{series.callers:8,}{_spread(series.spread('calls_per_second')):>28}"
        f"{'' if ratio is None else f'{ratio:.2f}':>9}"
        f"{series.spread('p50').median:9.2f}{series.spread('p99').median:9.2f}"
        f"{_spread(cpu) if measured else '':>20}{'' if floor is None else f'{floor:.0f}':>8}"
        f"{series.spread('hash_cpu').median if measured else 0:8.0f}"
        f"{_busy(series.spread('generator_busy').median):>6}"
    )


def _spread(spread: Spread) -> str:
    return f"{spread.median:,.0f} ({spread.least:,.0f}-{spread.most:,.0f})"


def _busy(share: float) -> str:
    return f"{share:.0%}" + ("!" if share > GENERATOR_MAY_BE_BUSY else "")


def ratio_to_floor(name: str, series: Series, results: Results) -> float | None:
    """Calls a second, compared with the floor that bounds the operation; a batch's elements with single calls."""
    if name not in FLOORS:
        return None
    floor = results.floors[FLOORS[name][0]]
    return series.spread("calls_per_second").median / floor.spread("calls_per_second").median


def floor_cpu(name: str, results: Results) -> float | None:
    """Microseconds beside the hash that no server can do without: the exchange, and the write where there is one."""
    if name not in FLOORS:
        return None
    share = 50 if name.startswith("batch") else 1
    return sum(results.floors[floor].spread("cpu").median for floor in FLOORS[name]) / share


def _summary(results: Results) -> Iterator[str]:
    yield f"start to first answer  {results.start.median:.2f} s ({results.start.least:.2f}-{results.start.most:.2f})"
    idle, peak = results.idle_memory / MIB, results.peak_memory / MIB
    yield f"memory                 {idle:.0f} MiB idle, {peak:.0f} MiB at most"
    for callers in STORMS:
        alone, beside = f"{callers} sign in alone", f"{callers} sign in beside reads"
        kept = _rate(results, beside) / _rate(results, alone)
        yield f"{callers:2} sign in beside reads  {kept:.2f} of the sign-ins without the reads"
    for server, name, ratio in ratios_to_other(results):
        yield f"{name}, {server:16} {ratio:.2f} of {pocketbase.TITLE}'s calls a second"
    for collection, name, ratio in ratios_to_updates(results):
        yield f"{name}, {collection:24} {ratio:.2f} of the updates of properties a second"
    busy = [name for name, share in generator_shares(results) if share > GENERATOR_MAY_BE_BUSY]
    if busy:
        yield f"! the load generator may have been the limit of: {', '.join(busy)}"
    else:
        yield f"the load generator was never busier than {max(share for _, share in generator_shares(results)):.0%}"


def _rate(results: Results, name: str) -> float:
    return results.operations[name].spread("calls_per_second").median


def ratios_to_other(results: Results) -> Iterator[tuple[str, str, float]]:
    """Calls a second of each of our servers, compared with the other one's in the same rounds."""
    for server, series in results.beside.items():
        for name, other in results.beside.get(pocketbase.TITLE, {}).items():
            if server != pocketbase.TITLE:
                yield server, name, _ratio(series[name], other)


def ratios_to_updates(results: Results) -> Iterator[tuple[str, str, float]]:
    """Changes of items a second, compared with those of users' properties."""
    for collection, series in results.items.items():
        for name in ("insert item", "update item"):
            yield collection, name, _ratio(series[name], series[searching.COMPARED_WITH])


def _ratio(series: Series, other: Series) -> float:
    return series.spread("calls_per_second").median / other.spread("calls_per_second").median


def generator_shares(results: Results) -> Iterator[tuple[str, float]]:
    """How much of a core the load generator took in each measurement."""
    for title, series in _sections(results):
        for name, each in series.items():
            yield f"{name}{title}", each.spread("generator_busy").median


def _sections(results: Results) -> Iterator[tuple[str, dict[str, Series]]]:
    yield "", results.floors
    yield "", results.operations
    for users, series in results.growth.items():
        yield f", {users:,} users", series
    for count, series in results.connections.items():
        yield f", {count:,} connections", series
    for server, series in results.beside.items():
        yield f", {server}", series
    for collection, series in results.items.items():
        yield f", {collection}", series


# --- for programs ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Machine:
    """Where and when."""

    date: str
    processor: str
    cores: int
    python: str
    sqlite: str
    server: str

    @classmethod
    def this(cls) -> "Machine":
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        return cls(
            dt.datetime.now(dt.UTC).date().isoformat(),
            found[1] if found else platform.machine(),
            os.cpu_count() or 1,
            platform.python_version(),
            sqlite3.sqlite_version,
            __version__,
        )

    def __str__(self) -> str:
        return (
            f"jsonrpc-backend {self.server}, {self.date}, {self.cores} cores {self.processor}, "
            f"Python {self.python}, SQLite {self.sqlite}"
        )


def as_json(results: Results, plan: Plan, machine: Machine) -> dict[str, Any]:
    """All figures. CPU in microseconds a call, latencies in milliseconds, memory in bytes, start in seconds."""
    return {
        "machine": asdict(machine),
        "plan": asdict(plan),
        "floors": {name: series.as_json() for name, series in results.floors.items()},
        "operations": {
            name: series.as_json()
            | {"of_floor": ratio_to_floor(name, series, results), "floor_cpu": floor_cpu(name, results)}
            for name, series in results.operations.items()
        },
        "growth": {
            users: {name: each.as_json() for name, each in all_.items()} for users, all_ in results.growth.items()
        },
        "connections": {
            count: {name: each.as_json() for name, each in all_.items()} for count, all_ in results.connections.items()
        },
        "beside": {
            server: {name: each.as_json() for name, each in all_.items()} for server, all_ in results.beside.items()
        },
        "of_other": {f"{name}, {server}": ratio for server, name, ratio in ratios_to_other(results)},
        "items": {
            collection: {name: each.as_json() for name, each in all_.items()}
            for collection, all_ in results.items.items()
        },
        "of_updates": {f"{name}, {collection}": ratio for collection, name, ratio in ratios_to_updates(results)},
        "start": asdict(results.start),
        "memory": {"idle": results.idle_memory, "peak": results.peak_memory},
    }
