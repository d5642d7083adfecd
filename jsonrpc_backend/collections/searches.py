"""How many searches for items run at a time, and who waits: a search takes long, and never holds up anything else."""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator

from jsonrpc_backend.config import CollectionsConfig
from jsonrpc_backend.fairness import Caller
from jsonrpc_backend.fairness.turns import Turn, Turns


class TooManySearches(Exception):
    """So many wait already, of all or of this address."""


class Searches:
    """Those of one backend. Callers take turns."""

    def __init__(self, config: CollectionsConfig) -> None:
        self._turns = Turns(config.searches)
        self._most, self._most_per_address = config.searches + config.max_waiting, config.max_waiting_per_address
        self._at_once = config.searches
        self._total = 0
        self._of_address: Counter[Caller] = Counter()

    @contextlib.asynccontextmanager
    async def turn(self, caller: Caller, address: Caller) -> AsyncIterator[None]:
        """Until the end of the block the caller may search. Raises TooManySearches."""
        if self._total >= self._most or self._of_address[address] >= self._at_once + self._most_per_address:
            raise TooManySearches
        self._total += 1
        self._of_address[address] += 1
        try:
            async with Turn(self._turns, caller):
                yield
        finally:
            self._total -= 1
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]
