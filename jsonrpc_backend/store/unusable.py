"""What stands where a database could not be opened."""

from typing import NoReturn

from jsonrpc_backend.store.engine import LONG_READ_SECONDS, DatabaseUnusable, LongQuery, P, T, Work


class UnusableDatabase:
    """A `Database` of which whoever asks it is told why it cannot be used, with DatabaseUnusable."""

    def __init__(self, reason: DatabaseUnusable) -> None:
        self._reason = reason

    async def close(self) -> None:
        """There is nothing to close."""

    async def read(self, query: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:  # noqa: ARG002
        self._refuse()

    async def read_long(self, query: LongQuery[T], *, seconds: float = LONG_READ_SECONDS) -> T:  # noqa: ARG002
        self._refuse()

    async def search(self, query: LongQuery[T], *, seconds: float) -> T:  # noqa: ARG002
        self._refuse()

    async def write(self, unit: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:  # noqa: ARG002
        self._refuse()

    async def check(self) -> None:
        self._refuse()

    async def threads(self) -> list[int]:
        return []

    def _refuse(self) -> NoReturn:
        # Another one each time: the traceback of one exception would grow with every call.
        raise DatabaseUnusable(self._reason.name, self._reason.reason)
