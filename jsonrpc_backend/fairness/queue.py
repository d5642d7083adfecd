"""The order of those that wait."""

import collections
import heapq
import itertools
import time
from typing import Generic, TypeVar

from jsonrpc_backend.fairness import Caller

T = TypeVar("T")

HALF_LIFE_SECONDS = 10.0  # what was used so long ago counts half
FORGOTTEN = 0.25  # who has used no more than that is like one who has never come


class _Branch(Generic[T]):
    """A network, an address or a user: what waits there, and what all below has asked for and got lately."""

    __slots__ = ("branches", "is_listed", "items", "listed", "used", "waiting")

    def __init__(self) -> None:
        self.used = 0.0
        self.waiting = 0
        self.items: collections.deque[T] = collections.deque()
        self.branches: dict[str, _Branch[T]] = {}
        # A heap of those with something waiting. `used` may have grown since, and nothing may be left.
        self.listed: list[tuple[float, int, _Branch[T]]] = []
        self.is_listed = False


class Queue(Generic[T]):
    """What waits for its turn.

    Of what a caller has used count what he asks for, when he does; 1 for each turn that he gets, so that equals take
    turns; and what `charge` adds.
    """

    def __init__(self) -> None:
        self._root: _Branch[T] = _Branch()
        self._numbers = itertools.count()
        self._aged = time.monotonic()

    def __len__(self) -> int:
        return self._root.waiting

    def put(self, caller: Caller, item: T, *, cost: float = 1) -> None:
        """Adds what a caller asks for."""
        self._age()
        path = self._enlist(caller)
        for branch in path:
            branch.used += cost
        path[-1].items.append(item)

    def put_back(self, caller: Caller, item: T) -> None:
        """What has been taken in vain comes before what else the same caller has in the queue."""
        self._enlist(caller)[-1].items.appendleft(item)

    def _enlist(self, caller: Caller) -> list[_Branch[T]]:
        path = self._path(caller)
        for parent, branch in itertools.pairwise(path):
            if not branch.is_listed:
                branch.is_listed = True
                heapq.heappush(parent.listed, (branch.used, next(self._numbers), branch))
        for branch in path:
            branch.waiting += 1
        return path

    def next(self) -> T:
        """What `take` would give. Raises IndexError when nothing waits."""
        return self._path_to_lightest()[-1].items[0]

    def take(self) -> T:
        """Takes what is next. Raises IndexError when nothing waits."""
        path = self._path_to_lightest()
        for branch in path:
            branch.waiting -= 1
            branch.used += 1
        return path[-1].items.popleft()

    def drop(self) -> T:
        """Takes what has to give way: the newest of whoever has most waiting. Raises ValueError when nothing waits.

        It was asked for, and counts: whoever comes again at once does not get ahead of those who wait for once.
        """
        path = [self._root]
        while path[-1].branches:
            path.append(_heaviest(path[-1]))
        for branch in path:
            branch.waiting -= 1
        return path[-1].items.pop()

    def charge(self, caller: Caller, cost: float) -> None:
        """Counts what turned out to cost more than was known before."""
        for branch in self._path(caller):
            branch.used += cost

    def _path(self, caller: Caller) -> list[_Branch[T]]:
        path = [self._root]
        for name in (*caller, ""):  # the last so that a network or an address may have something of its own, too
            path.append(path[-1].branches.get(name) or path[-1].branches.setdefault(name, _Branch()))
        return path

    def _path_to_lightest(self) -> list[_Branch[T]]:
        path = [self._root]
        while path[-1].branches:
            path.append(self._lightest(path[-1]))
        return path

    def _lightest(self, parent: _Branch[T]) -> _Branch[T]:
        while True:
            used, _, branch = parent.listed[0]
            if not branch.waiting:
                branch.is_listed = False
                heapq.heappop(parent.listed)
            elif branch.used > used:  # its turns since then; among equals it comes last
                heapq.heapreplace(parent.listed, (branch.used, next(self._numbers), branch))
            else:
                return branch

    def _age(self) -> None:
        """Now and then lets what was used count less, for everybody alike, and forgets who has used next to nothing."""
        now = time.monotonic()
        if now - self._aged >= HALF_LIFE_SECONDS:
            _fade(self._root, 0.5 ** ((now - self._aged) / HALF_LIFE_SECONDS))
            self._aged = now


def _heaviest(parent: _Branch[T]) -> _Branch[T]:
    waiting = (entry for entry in parent.listed if entry[2].waiting)
    return max(waiting, key=lambda entry: (entry[2].waiting, entry[2].used, entry[1]))[2]


def _fade(branch: _Branch[T], factor: float) -> None:
    branch.used *= factor
    for name, child in list(branch.branches.items()):
        _fade(child, factor)
        child.is_listed = child.waiting > 0
        if not child.is_listed and child.used <= FORGOTTEN:
            del branch.branches[name]
    branch.listed = [(child.used, number, child) for _, number, child in branch.listed if child.is_listed]
    heapq.heapify(branch.listed)
