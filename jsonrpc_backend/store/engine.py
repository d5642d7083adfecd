"""What the store asks of a database engine.

Functions of the store take a `Db`. What `Database.write` runs as one transaction may be run again from the start: it
has no effect outside the database, and what it needs of the outside, such as the time and random values, is handed in.
No statement is meant to fail, for that ends the transaction on some engines.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from jsonrpc_backend.monaql import Dialect
from jsonrpc_backend.store.sizes import Sizes

P = ParamSpec("P")
T = TypeVar("T")

LONG_READ_SECONDS = 20.0


class Rows(Protocol):
    """What a statement has found or changed."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchone(self) -> Any:
        """The next row that was found, as a tuple; None after the last."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def __iter__(self) -> Iterator[Any]: ...


class Db(Protocol):
    """An open connection. Placeholders are `?`."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Rows:
        """Runs a statement."""

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
        """Runs a statement once for each row of parameters."""


class WritableDb(Db, Protocol):
    """One for work in several steps."""

    def write(self, unit: Callable[[Db], T]) -> T:
        """Runs a unit as a transaction of its own."""


# A query or a whole transaction: a function of an open connection that runs on a database thread.
Work = Callable[Concatenate[Db, P], T]

# The same for reads that take long; it calls its second argument now and then, which raises when the time is over.
LongQuery = Callable[[Db, Callable[[], None]], T]


class Database(Protocol):
    """The open database of one backend, from the event loop's side."""

    async def close(self) -> None:
        """Lets the units that were accepted finish, then closes the connections."""

    async def read(self, query: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `query(db, …)` returns. For short queries: those of other calls wait meanwhile."""

    async def read_long(self, query: LongQuery[T], *, seconds: float = LONG_READ_SECONDS) -> T:
        """What `query(db, check)` returns, which may take a while: apart from other calls, one at a time.

        All that it reads is of one moment. Raises TookTooLong after so many seconds, or when the database is closed:
        the engine looks at the time itself, what the query does between two rows has to, by `check()`.
        """

    async def search(self, query: LongQuery[T], *, seconds: float) -> T:
        """The same for calls of apps, apart from those of `read_long`: as many at a time as there are connections."""

    async def write(self, unit: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `unit(db, …)` as one transaction; returns when it is on the disk.

        What the unit raises takes its work back and is raised here. A caller that is cancelled meanwhile does not
        stop the unit: it is done as a whole or not at all.
        """

    async def check(self) -> None:
        """Raises StoreFailed when the database does not answer."""

    async def threads(self) -> list[int]:
        """The native ids of the threads that calls wait for."""


class Engine(Protocol):
    """The database of one backend while nobody works on it. As a string it is what messages call it."""

    @property
    def dialect(self) -> Dialect:
        """What is different in its SQL."""

    def exists(self) -> bool:
        """False until a server or a command has made it."""

    async def open(self) -> Database:
        """For a server; makes or migrates it where needed. Raises DatabaseUnusable."""

    def reading(self) -> AbstractContextManager[Db]:
        """A connection for a command that changes nothing, whose reads are of one moment.

        Where there is no database yet, it finds no users. Refuses one of an older schema. Raises DatabaseUnusable,
        and inside StoreFailed.
        """

    def writing(self, tell: Callable[[str], None]) -> AbstractContextManager[WritableDb]:
        """A connection for a command, beside a server or without one; makes or migrates the database where needed.

        `tell` gets a sentence about the latter. Refuses where a server runs that works on another schema. Raises
        DatabaseUnusable, and inside StoreFailed.
        """

    def measure(self, *, used_after: int, created_after: int) -> Sizes:
        """Beside a server, whose calls wait for none of it. Raises StoreFailed. Blocking.

        Sessions count that were used and created after these times, in ms since 1970 UTC.
        """

    def bytes_in_use(self, db: Db) -> int:
        """How much of the disk the data take, with what the transaction has done so far."""

    def is_copy(self) -> bool:
        """Whether it is a backup on which no server has been started yet."""

    def is_empty(self) -> bool:
        """Whether it has not got its tables. Raises DatabaseUnusable, StoreFailed."""

    def is_writable(self) -> bool:
        """Whether this process has the right to change it."""

    def copy_to(self, folder: Path) -> None:
        """Writes a backup, checked and on the disk. Raises DatabaseUnusable, StoreFailed, OSError."""

    def files(self) -> list[Path]:
        """What a backup replaces; the last one is what a copy consists of."""


class StoreFailed(Exception):
    """The database could not do what it was asked to, as on a full disk. Nothing of it is done."""


class DatabaseUnusable(StoreFailed):
    """A database cannot serve as a backend's; the message names it and says why."""

    def __init__(self, name: object, reason: str) -> None:
        """`name`: what messages call it."""
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class TookTooLong(Exception):
    """A long read was given up."""
