"""Servers side by side in each round: with more and more workers, and one of somebody else's."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks import pocketbase
from benchmarks.measured import Cpu, Series
from benchmarks.operations import MIXED
from benchmarks.server import Server, real_server
from benchmarks.suite import CALLERS, Bench, Plan, Report, Results, load_processes, warm_up

OPERATIONS = ("read", "update", "login", "mixed")
AS_CONFIGURED = "as it comes"


def title(workers: int | None) -> str:
    if workers is None:
        return AS_CONFIGURED
    return f"{workers} {'worker' if workers == 1 else 'workers'}"


def measure_beside(
    results: Results, places: dict[int | None, Path], other: Path | None, plan: Plan, report: Report
) -> None:
    """`places`: a folder for each number of workers. `other`: PocketBase's, if it is measured too."""
    with load_processes() as pool, contextlib.ExitStack() as stack:
        benches: dict[str, tuple[Bench, dict[str, Series]]] = {}
        for workers, place in places.items():
            server = stack.enter_context(real_server(place, workers=workers))
            benches[title(workers)] = Bench(server, pool, plan.users), _series()
        if other is not None:
            bench = stack.enter_context(_pocketbase(other, pool, plan.users))
            benches[pocketbase.TITLE] = bench, {name: Series(f"{pocketbase.TITLE} {name}", CALLERS) for name in COMMON}
        for bench, series in benches.values():
            warm_up(bench, [each for name, each in series.items() if name in OPERATIONS], plan)
        for number in range(plan.rounds):
            report(f"side by side, round {number + 1} of {plan.rounds}")
            for name in OPERATIONS:
                for bench, series in benches.values():
                    if name in series:
                        _measure(bench, name, series, plan.seconds)
        results.beside = {name: series for name, (_, series) in benches.items()}


COMMON = ("read", "update")  # what the other one can do as well


def _series() -> dict[str, Series]:
    names = [*OPERATIONS, *(f"mixed: {kind}" for kind in MIXED)]
    return {name: Series(name, CALLERS) for name in names}


def _measure(bench: Bench, name: str, series: dict[str, Series], seconds: float) -> None:
    outcome = bench.measure(series[name], seconds)
    for kind in outcome.by_kind:  # whose share of the processor nobody can tell
        series[f"{name}: {kind}"].add(outcome.of_kind(kind), Cpu(0.0, 0.0))


@contextlib.contextmanager
def _pocketbase(folder: Path, pool: ProcessPoolExecutor, users: int) -> Iterator[Bench]:
    with pocketbase.running(folder) as (port, process):
        tokens = pocketbase.sign_in_all(port, users)
        yield Bench(Server(port, process), pool, users, tokens=tokens)
