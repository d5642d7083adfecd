"""What SQLite raises, as the rest of the program knows it."""

import contextlib
import sqlite3
from collections.abc import Iterator

from jsonrpc_backend.store.engine import StoreFailed


def translated(error: Exception) -> Exception:
    """StoreFailed for an exception of SQLite; any other one as it is."""
    if not isinstance(error, sqlite3.Error):
        return error
    failed = StoreFailed(str(error))
    failed.__cause__ = error
    return failed


@contextlib.contextmanager
def translating() -> Iterator[None]:
    """Raises StoreFailed for what SQLite raises inside."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreFailed(str(error)) from error
