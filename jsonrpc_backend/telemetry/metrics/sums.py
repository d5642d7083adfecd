"""Metrics of several processes of one server, added up."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from jsonrpc_backend.telemetry.metrics import declared


class _Family(Protocol):
    """What prometheus-client calls a metric: its samples, each with a name, labels, and a value."""

    name: str
    type: str
    samples: list[Any]


class _Registry(Protocol):
    def collect(self) -> Iterable[Any]: ...


# What all processes see alike, or what makes no sum.
_OF_ONE = {
    *(each.family for each in declared.METRICS if each.alike),
    *("python_info", "process_start_time_seconds", "process_max_fds"),
}


def figures_in(registry: _Registry, kinds: set[str]) -> dict[str, float]:
    """Each sample of such metrics by its key, but for what makes no sum."""
    families = (family for family in registry.collect() if family.type in kinds and family.name not in _OF_ONE)
    return {_key(family, sample): sample.value for family in families for sample in family.samples}


class Summed:
    """A registry whose figures are those of this process and of others."""

    def __init__(self, registry: _Registry, others: Sequence[Mapping[str, float]]) -> None:
        self._registry = registry
        self._others = others

    def collect(self) -> Iterator[Any]:
        found: dict[str, dict[str, float]] = {}
        for figures in self._others:
            for key, value in figures.items():
                of_family = found.setdefault(json.loads(key)[0], {})
                of_family[key] = of_family.get(key, 0) + value
        for family in self._registry.collect():
            yield _added(family, found.get(family.name, {}))


def _added(family: Any, found: dict[str, float]) -> Any:
    own = {_key(family, sample): sample for sample in family.samples}
    family.samples = [sample._replace(value=sample.value + found.get(key, 0)) for key, sample in own.items()]
    for key, value in found.items():
        if key not in own:
            _, name, labels = json.loads(key)
            family.add_sample(name, labels, value)
    return family


def _key(family: _Family, sample: Any) -> str:
    return json.dumps([family.name, sample.name, sample.labels])
