"""The benchmarks run, and what they report is whole. How fast anything is depends on the machine."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from benchmarks import beside, items
from benchmarks.operations import MIXED, OPERATIONS
from benchmarks.report import FLOORS
from benchmarks.suite import ARGON2, BARE, DURABLE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent

SHORT = ["--quick", "--rounds", "1", "--seconds", "0.05", "--users", "60", "--users", "1000", "--connections", "2"]
SHORT += ["--items", "1000", "--workers", "2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a run, as short as can be, has left what it writes."""
    folder = tmp_path_factory.mktemp("benchmarks")
    command = [sys.executable, "-m", "benchmarks", *SHORT, "--folder", str(folder)]
    command += ["--json", str(folder / "figures.json"), "--plot", str(folder / "figures.svg")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (folder / "table.txt").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def figures(folder: Path) -> Any:
    return json.loads((folder / "figures.json").read_text())


def test_every_operation_and_floor_is_measured(figures: Any) -> None:
    assert figures["floors"].keys() == {BARE, ARGON2, DURABLE}
    assert figures["operations"].keys() > OPERATIONS.keys() == FLOORS.keys()
    for series in (*figures["floors"].values(), *figures["operations"].values()):
        assert 0 < series["calls_per_second"]["least"] <= series["calls_per_second"]["most"]
        assert 0 < series["p50"]["median"] <= series["p99"]["median"]


def test_hashing_is_told_apart_from_the_rest_of_a_call(figures: Any) -> None:
    for name in OPERATIONS:
        cost = figures["operations"][name]
        assert cost["cpu"]["median"] > 0
        assert (cost["hash_cpu"]["median"] > 1000) == (name in {"login", "register"})
        assert cost["floor_cpu"] > 0


def test_growth_is_measured_at_each_size(figures: Any) -> None:
    assert figures["growth"].keys() == {"60", "1000"}
    assert figures["connections"].keys() == {"2"}
    assert figures["connections"]["2"]["read"]["callers"] == 2


def test_collections_are_measured_beside_updates_of_properties(figures: Any) -> None:
    (cost,) = figures["items"].values()
    assert cost.keys() == {*items.OPERATIONS, "update"}
    for series in cost.values():
        assert 0 < series["p50"]["median"] <= series["p99"]["median"]
    assert len(figures["of_updates"]) == 2
    assert all(ratio > 0 for ratio in figures["of_updates"].values())


def test_workers_are_measured_with_mixed_load(figures: Any) -> None:
    assert figures["beside"].keys() == {"2 workers"}
    cost = figures["beside"]["2 workers"]
    assert cost.keys() == {*beside.OPERATIONS, *(f"mixed: {kind}" for kind in MIXED)}
    assert all(series["calls_per_second"]["least"] > 0 for series in cost.values())
    assert all(cost[name]["cpu"]["median"] > 0 for name in beside.OPERATIONS), "that of the workers counts"


def test_start_and_memory_are_measured(figures: Any) -> None:
    assert figures["start"]["median"] > 0
    assert 0 < figures["memory"]["idle"] <= figures["memory"]["peak"]


def test_table_names_everything(folder: Path, figures: Any) -> None:
    table = (folder / "table.txt").read_text()
    for name in (
        *figures["floors"],
        *figures["operations"],
        *figures["items"],
        *items.OPERATIONS,
        "start to first answer",
        "memory",
        "load generator",
    ):
        assert name in table


def test_plot_is_a_drawing(folder: Path) -> None:
    drawing = ET.parse(folder / "figures.svg").getroot()
    texts = {"".join(text.itertext()) for text in drawing.iter("{http://www.w3.org/2000/svg}text")}
    assert texts > OPERATIONS.keys()
    assert len(list(drawing.iter("{http://www.w3.org/2000/svg}polyline"))) >= 2


def test_nothing_is_left_behind(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {"figures.json", "figures.svg", "table.txt"}


def test_what_a_stranger_feels_is_printed() -> None:
    command = [sys.executable, "-m", "benchmarks.fairness", "--seconds", "0.1", "--only", "40 KB saved"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    head, attack = done.stdout.splitlines()
    assert head.split() == ["the", "attacker;", "the", "stranger", "alone", "1", "addr.", "5", "addr.", "50", "addr."]
    assert len(re.findall(r"\d+ / \d+", attack)) == 4
