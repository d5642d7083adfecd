"""Where connections come from, and who has the most of them: addresses, in the networks that they are of.

Each question takes a few steps, however many connections and places there are.
"""

import itertools
from collections.abc import Iterator, Sequence

from jsonrpc_backend.fairness.addresses import Network


class Place:
    """An address, or a network with the places in it.

    What it weighs is what its heaviest address has, or its share of what the whole network has if that is more: many
    people may be behind a network, but they do not weigh nothing.
    """

    __slots__ = ("_times", "around", "inside", "name", "number", "weight")

    def __init__(self, network: Network, around: "Place | None") -> None:
        self.name, self._times = network
        self.around = around
        self.inside = _Ranking()
        self.number = 0  # of connections
        self.weight = 0

    def count(self, change: int) -> None:
        """One connection more, or one less."""
        self.number += change
        before, self.weight = self.weight, max(self.inside.most, -(-self.number // self._times))
        if self.around is not None:
            self.around.inside.move(self, before, self.weight)
            self.around.count(change)

    def up(self) -> "Iterator[Place]":
        """The place, and the networks around it."""
        place: Place | None = self
        while place is not None:
            yield place
            place = place.around

    def heaviest(self, newcomer: "Place | None" = None) -> "Place":
        """The address that has the most in the network that weighs most; the newcomer's where it is one of several."""
        place, own = self, list(newcomer.up()) if newcomer else []
        while place.inside.most:
            place = next((each for each in own if _is_heaviest(each, place)), None) or place.inside.first()
        return place


class _Ranking:
    """Places by weight. A weight changes by one at a time, so the heaviest are never far away."""

    __slots__ = ("_by_weight", "most")

    def __init__(self) -> None:
        self._by_weight: dict[int, dict[Place, None]] = {}
        self.most = 0

    def move(self, place: Place, before: int, after: int) -> None:
        if before == after:
            return
        if before:
            del self._by_weight[before][place]
            if not self._by_weight[before]:
                del self._by_weight[before]
        if after:
            self._by_weight.setdefault(after, {})[place] = None
        if after > self.most or (before == self.most and before not in self._by_weight):
            self.most = after

    def __iter__(self) -> Iterator[Place]:
        return itertools.chain(*self._by_weight.values())

    def first(self) -> Place:
        """The one that has been the heaviest for longest. There must be one."""
        return next(iter(self._by_weight[self.most]))


class Places:
    """All of them. What is `everywhere` weighs nothing itself: what is in it does."""

    def __init__(self) -> None:
        self.everywhere = Place(Network("", 1), None)
        self._by_name: dict[str, Place] = {}

    def enter(self, networks: Sequence[Network]) -> Place:
        """A connection more from an address, which comes first, and the networks around it."""
        place = self.everywhere
        for network in reversed(networks):
            if network.name not in self._by_name:
                self._by_name[network.name] = Place(network, place)
            place = self._by_name[network.name]
        place.count(1)
        return place

    def leave(self, address: Place) -> None:
        """A connection less."""
        address.count(-1)
        for place in address.up():
            if not place.number:
                self._by_name.pop(place.name, None)

    def widest(self, address: Place) -> Place:
        """The widest network that an address is of."""
        return next(place for place in address.up() if place.around is self.everywhere)


def _is_heaviest(place: Place, around: Place) -> bool:
    return place.around is around and place.weight == around.inside.most
