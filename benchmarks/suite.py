"""What is measured, and in which order: in rounds, so that each operation meets the floors' weather."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks import floors, generator, population
from benchmarks.generator import Outcome
from benchmarks.items import PUBLIC_EVERY
from benchmarks.load import Load
from benchmarks.measured import Cpu, Series, Spread
from benchmarks.operations import OPERATIONS
from benchmarks.server import Server, bare_server, real_server, time_to_first_answer, write_config

CALLERS = 32
LOGOUTS_EACH = 150
READS_PER_SECOND = 200.0  # beside sign-ins: what a reader feels, not how much of the processor reads can take
READERS = 8
STORMS = (8, 64)
NUMBERS_OF_A_ROUND = 1_000_000  # new users are numbered on; so many numbers are kept free for each measurement

BARE, ARGON2, DURABLE = "bare aiohttp", "Argon2 alone", "durable updates alone"

Report = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How long and how large."""

    rounds: int
    seconds: float
    users: int
    sizes: tuple[int, ...]  # users, for growth
    connections: tuple[int, ...]
    workers: tuple[int, ...] = ()  # numbers of them, for servers side by side
    items: tuple[int, ...] = ()  # of a collection, for growth
    collections: tuple[str, ...] = tuple(PUBLIC_EVERY)

    @property
    def spare_sign_ins(self) -> int:
        """What automatic sign-ins and logouts use up: a warm-up and every round."""
        return (self.rounds + 1) * CALLERS * (LOGOUTS_EACH + 2)


@dataclass
class Results:
    """Everything that is reported. Times in seconds, memory in bytes."""

    floors: dict[str, Series] = field(default_factory=dict)
    operations: dict[str, Series] = field(default_factory=dict)
    growth: dict[int, dict[str, Series]] = field(default_factory=dict)  # by number of users
    connections: dict[int, dict[str, Series]] = field(default_factory=dict)  # by number of connections
    beside: dict[str, dict[str, Series]] = field(default_factory=dict)  # by server
    items: dict[str, dict[str, Series]] = field(default_factory=dict)  # by collection
    start: Spread = Spread(0.0, 0.0, 0.0)
    idle_memory: int = 0
    peak_memory: int = 0
    hash_workers: int = os.cpu_count() or 1


class Bench:
    """A server on a database with users, and the processes that put load on it. `about`: more of what a Load says."""

    def __init__(self, server: Server, pool: ProcessPoolExecutor, users: int, **about: Any) -> None:
        self._server = server
        self._pool = pool
        self._users = users
        self._about = about
        self._next_sign_in = users  # those before are for reads and updates
        self._next_user = 0

    def measure(self, series: Series, seconds: float) -> Outcome:
        """Adds one round of the operation that the series is named after."""
        load = self._load(series.name, series.callers, seconds)
        before = self._server.cpu()
        outcome = self._pool.submit(generator.run, load).result()
        series.add(outcome, self._server.cpu() - before)
        return outcome

    def measure_storm(self, reads: Series, sign_ins: Series, seconds: float) -> None:
        """Reads at a steady pace while others sign in without pause; CPU is that of both, so it goes to neither."""
        storm = self._pool.submit(generator.run, self._load("login", sign_ins.callers, seconds))
        paced = Load(self._server.port, "read", reads.callers, seconds, self._users, rate=READS_PER_SECOND)
        nothing = Cpu(0.0, 0.0)
        reads.add(self._pool.submit(generator.run, paced).result(), nothing)
        sign_ins.add(storm.result(), nothing)

    def _load(self, operation: str, callers: int, seconds: float) -> Load:
        first, step, calls_each = 0, 1, None
        if operation == "autoLogin":
            first = self._take_sign_ins(callers)
        elif operation == "logout":
            first, step, calls_each = self._take_sign_ins(callers * (LOGOUTS_EACH + 1)), LOGOUTS_EACH + 1, LOGOUTS_EACH
        elif operation in {"register", "insert item"}:
            first, step = self._next_user, NUMBERS_OF_A_ROUND // callers
            self._next_user += NUMBERS_OF_A_ROUND
        return Load(self._server.port, operation, callers, seconds, self._users, first, step, calls_each, **self._about)

    def _take_sign_ins(self, count: int) -> int:
        self._next_sign_in += count
        return self._next_sign_in - count


@contextlib.contextmanager
def load_processes() -> Iterator[ProcessPoolExecutor]:
    """Two processes for generators and floors; spawned, so that they share nothing with this one."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


def prepare(folder: Path, plan: Plan, users: int, progress: population.Progress) -> Path:
    """A folder with a filled database and a configuration."""
    place = folder / str(users)
    population.fill(write_config(place), users=users, sign_ins=users + plan.spare_sign_ins, progress=progress)
    return place


def measure_operations(place: Path, plan: Plan, report: Report) -> Results:
    """The floors and all operations, in turn, round after round."""
    results = Results()
    results.start = Spread.of([time_to_first_answer(place) for _ in range(plan.rounds)])
    series = _all_series()
    with load_processes() as pool, bare_server(place) as bare, real_server(place) as server:
        results.idle_memory = server.memory()
        bench, bare_bench = Bench(server, pool, plan.users), Bench(bare, pool, plan.users)
        warm_up(bench, [series[name] for name in OPERATIONS], plan)
        for number in range(plan.rounds):
            report(f"round {number + 1} of {plan.rounds}")
            _measure_floors(series, bare_bench, pool, plan.seconds, place)
            for operation in OPERATIONS:
                bench.measure(series[operation], plan.seconds)
            for callers in STORMS:
                alone, reads, sign_ins = (series[name] for name in _storm_names(callers))
                bench.measure(alone, plan.seconds)
                bench.measure_storm(reads, sign_ins, plan.seconds)
        results.peak_memory = server.peak_memory()
    results.floors = {name: series.pop(name) for name in (BARE, ARGON2, DURABLE)}
    results.operations = series
    return results


def _all_series() -> dict[str, Series]:
    series = {operation: Series(operation, CALLERS) for operation in OPERATIONS}
    workers = os.cpu_count() or 1
    series[BARE] = Series("read", CALLERS)
    series[ARGON2] = Series(ARGON2, workers)
    series[DURABLE] = Series(DURABLE, floors.WRITERS)
    for callers in STORMS:
        alone, reads, sign_ins = _storm_names(callers)
        series[alone] = Series("login", callers)
        series[reads] = Series("read", READERS)
        series[sign_ins] = Series("login", callers)
    return series


def _storm_names(callers: int) -> tuple[str, str, str]:
    return f"{callers} sign in alone", f"reads while {callers} sign in", f"{callers} sign in beside reads"


def _measure_floors(
    series: dict[str, Series], bare: Bench, pool: ProcessPoolExecutor, seconds: float, folder: Path
) -> None:
    bare.measure(series[BARE], seconds)
    hashing = pool.submit(floors.argon2_verifications, seconds, series[ARGON2].callers).result()
    series[ARGON2].add(hashing.outcome, Cpu(hashing.cpu, 0.0))
    writing = pool.submit(floors.durable_updates, seconds / 2, folder).result()
    series[DURABLE].add(writing.outcome, Cpu(0.0, writing.cpu))


GROWTH_OPERATIONS = tuple(operation for operation in OPERATIONS if operation not in {"batch of 50", "refused"})
CONNECTION_OPERATIONS = ("read", "update")


def measure_growth(results: Results, places: Mapping[int, Path], plan: Plan, report: Report) -> None:
    """The operations on databases of several sizes, whose servers all run, so that each round has them side by side."""
    results.growth = {users: {name: Series(name, CALLERS) for name in GROWTH_OPERATIONS} for users in places}
    with load_processes() as pool, contextlib.ExitStack() as stack:
        benches = {
            users: Bench(stack.enter_context(real_server(place)), pool, users) for users, place in places.items()
        }
        for users, bench in benches.items():
            warm_up(bench, results.growth[users].values(), plan)
        for number in range(plan.rounds):
            report(f"growth, round {number + 1} of {plan.rounds}")
            for name in GROWTH_OPERATIONS:
                for users, bench in benches.items():
                    bench.measure(results.growth[users][name], plan.seconds)


def measure_connections(results: Results, place: Path, plan: Plan, report: Report) -> None:
    """Reads and updates from more and more connections."""
    results.connections = {
        count: {name: Series(name, count) for name in CONNECTION_OPERATIONS} for count in plan.connections
    }
    with load_processes() as pool, real_server(place) as server:
        bench = Bench(server, pool, plan.users)
        warm_up(bench, [Series(name, CALLERS) for name in CONNECTION_OPERATIONS], plan)
        for number in range(plan.rounds):
            report(f"connections, round {number + 1} of {plan.rounds}")
            for series in results.connections.values():
                for each in series.values():
                    bench.measure(each, plan.seconds)


def warm_up(bench: Bench, series: Iterable[Series], plan: Plan) -> None:
    """Does what these will measure, and forgets it."""
    for each in series:
        bench.measure(Series(each.name, each.callers), min(0.5, plan.seconds))
