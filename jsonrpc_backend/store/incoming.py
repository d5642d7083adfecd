"""Users on their way in: collected in a temporary table, then moved into the table in one transaction.

The server's writes wait for that transaction alone: about half a second for 100,000 new users, two or three for as
many that are changed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jsonrpc_backend.store import users
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import User

_COLUMNS = (
    "number, line, id, username, username_key, password_hash, created_at, updated_at, properties, lot, disabled_at"
)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A user to be, and the record of a file that says so, by number and line. Times: ms since 1970 UTC."""

    number: int
    line: int
    id: str
    username: str
    username_key: str
    password_hash: str
    created_at: int
    updated_at: int
    properties_json: str
    lot: int
    disabled_at: int | None = None


@dataclass(frozen=True, slots=True)
class Clash:
    """A record whose `field` (`id` or `username`) somebody has already."""

    number: int
    line: int
    field: str


def open_collection(db: Db) -> None:
    """Makes an empty collection: a temporary table, which is gone with the connection."""
    db.execute(
        """
        CREATE TEMPORARY TABLE arrivals (
            number        INTEGER PRIMARY KEY,
            line          INTEGER NOT NULL,
            id            TEXT    NOT NULL UNIQUE,
            username      TEXT    NOT NULL,
            username_key  TEXT    NOT NULL UNIQUE,
            password_hash TEXT    NOT NULL,
            created_at    INTEGER NOT NULL,
            updated_at    INTEGER NOT NULL,
            properties    TEXT    NOT NULL,
            lot           INTEGER NOT NULL,
            disabled_at   INTEGER
        ) STRICT
        """
    )
    db.execute("SAVEPOINT collecting")  # touches the collection only; ended by finish


def finish(db: Db) -> None:
    """Nothing more is collected."""
    db.execute("RELEASE collecting")


def collect(db: Db, arrival: Incoming) -> Clash | None:
    """Adds a user; the earlier line that has the same username or id, where there is one."""
    collected = db.execute(
        f"INSERT INTO arrivals ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",  # noqa: S608
        (
            arrival.number,
            arrival.line,
            arrival.id,
            arrival.username,
            arrival.username_key,
            arrival.password_hash,
            arrival.created_at,
            arrival.updated_at,
            arrival.properties_json,
            arrival.lot,
            arrival.disabled_at,
        ),
    )
    if collected.rowcount:
        return None
    number, line, same_name = db.execute(
        "SELECT number, line, username_key = ? FROM arrivals WHERE username_key = ? OR id = ? ORDER BY 3 DESC",
        (arrival.username_key, arrival.username_key, arrival.id),
    ).fetchone()
    return Clash(number, line, "username" if same_name else "id")


def set_hash(db: Db, number: int, password_hash: str) -> None:
    db.execute("UPDATE arrivals SET password_hash = ? WHERE number = ?", (password_hash, number))


def remove(db: Db, number: int) -> None:
    db.execute("DELETE FROM arrivals WHERE number = ?", (number,))


def remove_known(db: Db) -> int:
    """Leaves out those whose username somebody has already; returns how many."""
    return db.execute("DELETE FROM arrivals WHERE username_key IN (SELECT username_key FROM users)").rowcount


def count(db: Db) -> int:
    return int(db.execute("SELECT count(*) FROM arrivals").fetchone()[0])


def list_clashes(db: Db, *, updating: bool) -> list[Clash]:
    """The records that cannot be moved, in order. `updating`: a known username is none of them."""
    names: Iterable[tuple[int, int]] = ()
    if not updating:
        names = db.execute("SELECT number, line FROM arrivals JOIN users USING (username_key)")
    ids = db.execute(
        "SELECT number, line FROM arrivals JOIN users USING (id)"
        " WHERE arrivals.username_key NOT IN (SELECT username_key FROM users)"
    )
    found = [Clash(number, line, "username") for number, line in names]
    found += [Clash(number, line, "id") for number, line in ids]
    return sorted(found, key=lambda clash: clash.number)


def list_newcomers(db: Db) -> list[tuple[Clash, str]]:
    """The records of users who are not there yet, in order, as clashes of a username, and that name."""
    rows = db.execute(
        "SELECT number, line, username FROM arrivals"
        " WHERE username_key NOT IN (SELECT username_key FROM users) ORDER BY number"
    )
    return [(Clash(number, line, "username"), username) for number, line, username in rows]


def list_known(db: Db) -> Iterator[tuple[User, Incoming]]:
    """The users whose names are in the collection, each with what it says of them."""
    width = users.COLUMNS.count(",") + 1
    rows = db.execute(
        f"SELECT {users.COLUMNS}, arrivals.* FROM arrivals JOIN users USING (username_key)"  # noqa: S608
        " ORDER BY number"
    )
    for row in rows:
        yield User(*row[:width]), Incoming(*row[width:])


def insert_new(db: Db) -> list[str]:
    """Moves all who are not there yet into the table; returns their ids."""
    last = db.execute("SELECT max(key) FROM users").fetchone()[0] or 0
    db.execute(
        "INSERT INTO users"
        " (id, username, username_key, password_hash, created_at, updated_at, properties, disabled_at, lot)"
        " SELECT id, username, username_key, password_hash, created_at, updated_at, properties, disabled_at, lot"
        " FROM arrivals"
        " WHERE username_key NOT IN (SELECT username_key FROM users) ORDER BY number"
    )
    return [row[0] for row in db.execute("SELECT id FROM users WHERE key > ? ORDER BY key", (last,))]
