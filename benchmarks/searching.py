"""Collections: what finds, inserts and updates cost, with more and more items."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

from benchmarks import items
from benchmarks.measured import Series
from benchmarks.server import real_server
from benchmarks.suite import CALLERS, Bench, Plan, Report, Results, load_processes, warm_up

SEARCHERS = 2  # as many as the server lets search at a time: what is measured is not how long they wait
COMPARED_WITH = "update"  # of a user's properties: how many changes of items there should be

OPERATIONS = (*items.OPERATIONS, COMPARED_WITH)


def measure_items(results: Results, places: Mapping[int, Path], plan: Plan, report: Report) -> None:
    """`places`: folders of databases with collections of so many items."""
    with load_processes() as pool, contextlib.ExitStack() as stack:
        benches: list[tuple[Bench, dict[str, Series]]] = []
        for count, place in places.items():
            server = stack.enter_context(real_server(place))
            for collection in collections_of(plan, count):
                bench = Bench(server, pool, plan.users, collection=collection, items=count)
                series = results.items[f"{count:,} items, {collection}"] = _series()
                warm_up(bench, series.values(), plan)
                benches.append((bench, series))
        for number in range(plan.rounds):
            report(f"collections, round {number + 1} of {plan.rounds}")
            for name in OPERATIONS:
                for bench, series in benches:
                    bench.measure(series[name], plan.seconds)


def collections_of(plan: Plan, count: int) -> list[str]:
    """All of them; of the largest sizes one, for they fill the disk."""
    return [*plan.collections] if count <= MOST_OF_ALL else ["10 % public"]


MOST_OF_ALL = 100_000


def _series() -> dict[str, Series]:
    in_turn = {name for name, each in items.OPERATIONS.items() if each.searches}
    return {name: Series(name, SEARCHERS if name in in_turn else CALLERS) for name in OPERATIONS}
