"""The users that a database is filled with before it is measured; everything about them follows from a number.

A sign-in is a session with its login token, on a device of its own. Sign-in `n` belongs to user `n % users`.
"""

import contextlib
import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import argon2

from jsonrpc_backend.accounts.tokens import digest
from jsonrpc_backend.clock import system_clock
from jsonrpc_backend.config import PasswordsConfig
from jsonrpc_backend.store.sqlite.database_file import open_for_writing

PASSWORD = "benchmark-password"
PROPERTIES = '{"nickname":"Anna","age":21,"tags":["a","b"],"address":{"city":"Tokyo","zip":"100-0001"}}'
ROWS_AT_ONCE = 10_000
AN_HOUR = 3_600_000  # milliseconds

Progress = Callable[[int], None]  # is told how many rows have been added


def username(user: int) -> str:
    return f"user-{user}@example.com"


def device(sign_in: int) -> str:
    return f"device-{sign_in}"


def session_id(sign_in: int) -> str:
    return hashlib.sha256(b"session %d" % sign_in).hexdigest()


def login_token(sign_in: int) -> str:
    return hashlib.sha256(b"login token %d" % sign_in).hexdigest()


def fill(path: Path, *, users: int, sign_ins: int, progress: Progress) -> None:
    """Makes a backend's database with this many rows; a million takes about a minute."""
    with filling(path) as connection:
        for table, rows in _tables(users, sign_ins).items():
            insert_rows(connection, table, rows, progress)


@contextlib.contextmanager
def filling(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection for very many rows, which are in the file afterwards, with statistics of them."""
    connection = open_for_writing(path)
    try:
        # An interrupted run is begun anew, so nothing here has to survive a power cut.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -400000")
        yield connection
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("ANALYZE")
    finally:
        connection.close()


def rows_to_fill(users: int, sign_ins: int) -> int:
    return users + 3 * sign_ins


def _tables(users: int, sign_ins: int) -> dict[str, Iterator[tuple[Any, ...]]]:
    now, password_hash = system_clock(), argon2_hash()
    # Ahead, so that no read comes upon a session to be noted as in use: how many would, depends on how many users
    # there are and how long ago they were filled in, not on what a read costs.
    used = now + AN_HOUR
    # Random keys go into a B-tree much faster in its own order.
    by_session = sorted((digest(session_id(number)), number) for number in range(sign_ins))
    by_token = sorted((digest(login_token(number)), number) for number in range(sign_ins))
    return {
        "users (key, id, username, username_key, password_hash, created_at, updated_at, properties)": (
            (number + 1, public_id(number), username(number), username(number), password_hash, now, now, PROPERTIES)
            for number in range(users)
        ),
        "login_families (key, user_key, device, renewed_at)": (
            (number + 1, number % users + 1, device(number), now) for number in range(sign_ins)
        ),
        "login_tokens (digest, family_key, created_at)": ((key, number + 1, now) for key, number in by_token),
        "sessions (digest, user_key, family_key, created_at, used_at)": (
            (key, number % users + 1, number + 1, now, used) for key, number in by_session
        ),
    }


def argon2_hash() -> str:
    """The hash of everybody's password, with the parameters that the server uses."""
    config = PasswordsConfig()
    return argon2.PasswordHasher(config.iterations, config.memory_kib, config.parallelism).hash(PASSWORD)


def public_id(user: int) -> str:
    hexadecimal = hashlib.sha256(b"user %d" % user).hexdigest()
    return f"u{hexadecimal[:8]}-{hexadecimal[8:12]}-{hexadecimal[12:16]}-{hexadecimal[16:20]}-{hexadecimal[20:32]}"


def insert_rows(
    connection: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]], progress: Progress
) -> None:
    """`table`: as INSERT INTO has it, with its columns."""
    rows = iter(rows)
    placeholders = ", ".join("?" * (table.count(",") + 1))
    while group := list(islice(rows, ROWS_AT_ONCE)):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(f"INSERT INTO {table} VALUES ({placeholders})", group)
        connection.execute("COMMIT")
        progress(len(group))
