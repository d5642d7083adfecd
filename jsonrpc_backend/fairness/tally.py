"""How often something is under way at the moment: limits hold for all processes of a server together."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Before(NamedTuple):
    """How often it was under way before: in all processes, and elsewhere than in this one."""

    everywhere: int
    elsewhere: int


class Tally(Protocol):
    async def begin(self, names: Sequence[str]) -> list[Before]:
        """Counts something under each of these names, until `end`."""

    def end(self, names: Sequence[str]) -> None:
        """It is over."""


class OwnTally:
    """Of a server that is one process."""

    def __init__(self) -> None:
        self._under_way: Counter[str] = Counter()

    async def begin(self, names: Sequence[str]) -> list[Before]:
        before = [Before(self._under_way[name], 0) for name in names]
        self._under_way.update(names)
        return before

    def end(self, names: Sequence[str]) -> None:
        for name in names:
            self._under_way[name] -= 1
            if not self._under_way[name]:
                del self._under_way[name]
