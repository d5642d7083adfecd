"""How many searches for items run at a time, and who waits: a search takes long, and never holds up anything else."""

import contextlib
from collections.abc import AsyncIterator

from jsonrpc_backend.config import CollectionsConfig
from jsonrpc_backend.fairness import Caller
from jsonrpc_backend.fairness.tally import Tally
from jsonrpc_backend.fairness.turns import Turn, Turns


class TooManySearches(Exception):
    """So many wait already, of all or of this address."""


class Searches:
    """Those of one backend. Callers take turns."""

    def __init__(self, backend_id: str, config: CollectionsConfig, tally: Tally) -> None:
        self._name, self._tally = f"search {backend_id}", tally
        self._turns = Turns(config.searches)
        self._most, self._most_per_address = config.searches + config.max_waiting, config.max_waiting_per_address
        self._at_once = config.searches

    @contextlib.asynccontextmanager
    async def turn(self, caller: Caller, address: Caller) -> AsyncIterator[None]:
        """Until the end of the block the caller may search. Raises TooManySearches."""
        names = [self._name, f"{self._name} {' '.join(address)}"]
        of_all, of_address = await self._tally.begin(names)
        try:
            most_of_address = self._at_once + self._most_per_address
            if of_all.everywhere >= self._most or of_address.everywhere >= most_of_address:
                raise TooManySearches
            async with Turn(self._turns, caller):
                yield
        finally:
            self._tally.end(names)
