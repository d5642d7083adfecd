"""What is measured: one figure a round, and what is made of the rounds."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.generator import Outcome

MICROSECONDS = 1e6
MILLISECONDS = 1e3


@dataclass(frozen=True)
class Cpu:
    """Processor time of a server, seconds: that of its hash threads apart."""

    hashing: float
    rest: float

    def __sub__(self, other: "Cpu") -> "Cpu":
        return Cpu(self.hashing - other.hashing, self.rest - other.rest)


@dataclass(frozen=True)
class Floor:
    """An outcome of work that has no callers, and the processor time that it took, seconds."""

    outcome: Outcome
    cpu: float


@dataclass(frozen=True)
class Spread:
    """Several rounds of one figure: the middle one, the smallest, the largest."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values))


@dataclass
class Series:
    """The rounds of one operation. CPU in microseconds a call, latencies in milliseconds."""

    name: str
    callers: int
    calls_per_second: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    hash_cpu: list[float] = field(default_factory=list)
    generator_busy: list[float] = field(default_factory=list)

    def add(self, outcome: Outcome, cpu: Cpu) -> None:
        self.calls_per_second.append(outcome.calls_per_second)
        self.p50.append(outcome.percentile(50) * MILLISECONDS)
        self.p99.append(outcome.percentile(99) * MILLISECONDS)
        self.cpu.append(cpu.rest / outcome.calls * MICROSECONDS)
        self.hash_cpu.append(cpu.hashing / outcome.calls * MICROSECONDS)
        self.generator_busy.append(outcome.busy)

    def spread(self, figure: str) -> Spread:
        """Of one of the lists above, by its name."""
        return Spread.of(getattr(self, figure))

    def as_json(self) -> dict[str, Any]:
        figures = ("calls_per_second", "p50", "p99", "cpu", "hash_cpu", "generator_busy")
        return {"callers": self.callers} | {figure: asdict(self.spread(figure)) for figure in figures}
