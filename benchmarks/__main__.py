"""The command: `python -m benchmarks`."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks import plot, population, report, suite
from benchmarks.suite import Plan, Results

FULL = Plan(rounds=5, seconds=2.0, users=1_000, sizes=(1_000, 100_000, 1_000_000), connections=(1, 8, 32, 128, 1_000))
QUICK = Plan(rounds=3, seconds=0.5, users=1_000, sizes=(), connections=())


@click.command()
@click.option("--quick", is_flag=True, help="In a minute: short rounds, no growth.")
@click.option("--rounds", type=click.IntRange(1), help="How often each is measured.")
@click.option("--seconds", type=click.FloatRange(0.01), help="How long each measurement takes.")
@click.option("--users", "sizes", multiple=True, type=click.IntRange(1), help="Sizes to grow to; several times.")
@click.option("--connections", multiple=True, type=click.IntRange(1), help="Connections to grow to; several times.")
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
    )
    machine = report.Machine.this()
    click.echo(f"{machine}\n")
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=folder) as temporary:
        results = _measure(plan, Path(temporary))
    click.echo(f"\n{report.table(results)}")
    figures = report.as_json(results, plan, machine)
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if plot_file is not None:
        plot_file.write_text(plot.draw(figures), encoding="utf-8")


def _measure(plan: Plan, folder: Path) -> Results:
    place = _fill(folder / "operations", plan, plan.users)
    growing = {users: _fill(folder / "growth", plan, users) for users in plan.sizes}
    results = suite.measure_operations(place, plan, click.echo)
    if growing:
        suite.measure_growth(results, growing, plan, click.echo)
    if plan.connections:
        suite.measure_connections(results, place, plan, click.echo)
    return results


def _fill(folder: Path, plan: Plan, users: int) -> Path:
    rows = population.rows_to_fill(users, users + plan.spare_sign_ins)
    with click.progressbar(length=rows, label=f"{users:,} users") as bar:
        return suite.prepare(folder, plan, users, bar.update)


if __name__ == "__main__":
    main()
