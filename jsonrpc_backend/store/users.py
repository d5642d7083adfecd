"""Users and their properties."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.store.engine import Db

MAX_PROPERTIES_BYTES = 512_000

# In the place of a hash: the user was moved in without a password and can sign in once one is set (by a reset).
NO_PASSWORD = "!"  # noqa: S105

# From this size on, work in proportion to a user's properties would be felt by other calls.
LARGE_PROPERTIES_BYTES = 32 * 1024

# So many values SQLite takes out of properties, or puts into them, at once, whatever it was built with.
MOST_AT_ONCE = 60

_NAME = re.compile("[a-zA-Z][a-zA-Z0-9]*")

# In the order of the fields of Account and of User.
ACCOUNT_COLUMNS = (
    "users.key, users.id, users.username, users.password_hash, users.password_version, "
    "users.created_at, users.updated_at, users.disabled_at"
)
COLUMNS = f"{ACCOUNT_COLUMNS}, users.properties"


class UsernameTaken(Exception):
    """Another user has a username that counts as the same."""


class UsernameLooksTaken(UsernameTaken):
    """Another user's name looks the same."""


class PropertiesTooLarge(Exception):
    """The properties would take more than MAX_PROPERTIES_BYTES."""


@dataclass(frozen=True, slots=True)
class Account:
    """A row without the properties. Times: ms since 1970 UTC.

    `id` is the public identifier; `key` never leaves the server. `disabled_at`: since when the user may not sign in.
    """

    key: int
    id: str
    username: str
    password_hash: str
    password_version: int
    created_at: int
    updated_at: int
    disabled_at: int | None


@dataclass(frozen=True, slots=True)
class User(Account):
    """A row."""

    properties_json: str

    @property
    def properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = json.loads(self.properties_json)
        return properties


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # kept: it is asked for each value


def to_json(value: Any) -> str:
    """Compact, as values are stored and answered."""
    return _compact.encode(value)


def encode_properties(properties: Mapping[str, Any]) -> str:
    """Properties as they are stored and measured: compact JSON. Raises PropertiesTooLarge."""
    encoded = to_json(properties)
    if len(encoded.encode()) > MAX_PROPERTIES_BYTES:
        raise PropertiesTooLarge
    return encoded


def encode_values(properties: Mapping[str, Any]) -> dict[str, str]:
    """Each value as compact JSON."""
    return {name: to_json(value) for name, value in properties.items()}


def insert(
    db: Db,
    *,
    id: str,  # noqa: A002 (the documented name)
    username: str,
    username_key: str,
    password_hash: str,
    properties_json: str,
    lot: int,
    now: int,
) -> User:
    """A new user. `lot`: a random number of 64 bits, see stand_ins.py. Raises UsernameTaken."""
    row = db.execute(
        "INSERT INTO users (id, username, username_key, password_hash, created_at, updated_at, properties, lot)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING key",
        (id, username, username_key, password_hash, now, now, properties_json, lot),
    ).fetchone()
    if row is None:
        raise UsernameTaken
    return User(row[0], id, username, password_hash, 1, now, now, None, properties_json)


def get(db: Db, key: int) -> User:
    """A user that is known to be there."""
    return User(*db.execute(f"SELECT {COLUMNS} FROM users WHERE key = ?", (key,)).fetchone())  # noqa: S608


def find_by_username(db: Db, username_key: str) -> User | None:
    row = db.execute(f"SELECT {COLUMNS} FROM users WHERE username_key = ?", (username_key,)).fetchone()  # noqa: S608
    return User(*row) if row else None


def find_by_id(db: Db, id: str) -> User | None:  # noqa: A002
    row = db.execute(f"SELECT {COLUMNS} FROM users WHERE id = ?", (id,)).fetchone()  # noqa: S608
    return User(*row) if row else None


def find_id(db: Db, username_key: str) -> str | None:
    row = db.execute("SELECT id FROM users WHERE username_key = ?", (username_key,)).fetchone()
    return row[0] if row else None


def exists(db: Db, key: int) -> bool:
    return db.execute("SELECT 1 FROM users WHERE key = ?", (key,)).fetchone() is not None


def may_sign_in(db: Db, user: Account) -> bool:
    """Whether the user is there, is not disabled, and still has the password of `user`."""
    found = db.execute("SELECT password_version FROM users WHERE key = ? AND disabled_at IS NULL", (user.key,))
    row = found.fetchone()
    return row is not None and row[0] == user.password_version


def is_username_taken(db: Db, username_key: str) -> bool:
    return db.execute("SELECT 1 FROM users WHERE username_key = ?", (username_key,)).fetchone() is not None


def list_usernames(db: Db) -> Iterator[str]:
    for row in db.execute("SELECT username FROM users"):
        yield row[0]


def list_all(db: Db) -> Iterator[User]:
    """Every user, oldest first."""
    return list_after(db, 0)


def list_after(db: Db, key: int) -> Iterator[User]:
    """The users that were added after the one with this key, oldest first."""
    for row in db.execute(f"SELECT {COLUMNS} FROM users WHERE key > ? ORDER BY key", (key,)):  # noqa: S608
        yield User(*row)


def count_after(db: Db, key: int) -> int:
    return int(db.execute("SELECT count(*) FROM users WHERE key > ?", (key,)).fetchone()[0])


def property_names(db: Db) -> list[str]:
    """The name of every property that some user has, in alphabetical order."""
    rows = db.execute("SELECT DISTINCT entry.key FROM users, json_each(users.properties) AS entry ORDER BY entry.key")
    return [row[0] for row in rows]


def merge_properties(db: Db, key: int, changes: Mapping[str, Any], now: int) -> bool:
    """Adds and updates properties, removes none. False when the user is gone. Raises PropertiesTooLarge."""
    return merge_encoded(db, key, encode_values(changes), now)


def merge_encoded(db: Db, key: int, changes: Mapping[str, str], now: int) -> bool:
    """The same with values that are JSON already."""
    if not 0 < len(changes) <= MOST_AT_ONCE:
        return _merge_many(db, key, changes, now)
    # SQLite does it in half the time that decoding and encoding take, a fifth of it where there is much, and lets
    # Python run meanwhile.
    values = [part for name, value in changes.items() for part in (f"$.{name}", value)]
    row = db.execute(
        f"UPDATE users SET properties = json_set(properties{', ?, json(?)' * len(changes)}),"  # noqa: S608
        " updated_at = max(updated_at, ?) WHERE key = ? RETURNING length(CAST(properties AS BLOB))",
        (*values, now, key),
    ).fetchone()
    if row is not None and row[0] > MAX_PROPERTIES_BYTES:
        raise PropertiesTooLarge
    return row is not None


def _merge_many(db: Db, key: int, changes: Mapping[str, str], now: int) -> bool:
    stored = find_properties(db, key)
    if stored is None:
        return False
    merged = encode_properties(json.loads(stored) | {name: json.loads(value) for name, value in changes.items()})
    db.execute("UPDATE users SET properties = ?, updated_at = max(updated_at, ?) WHERE key = ?", (merged, now, key))
    return True


def bytes_of_properties(db: Db, key: int) -> int:
    """0 when the user is gone."""
    row = db.execute("SELECT length(CAST(properties AS BLOB)) FROM users WHERE key = ?", (key,)).fetchone()
    return row[0] if row else 0


def find_properties(db: Db, key: int) -> str | None:
    row = db.execute("SELECT properties FROM users WHERE key = ?", (key,)).fetchone()
    return row[0] if row else None


def find_values(db: Db, key: int, names: Iterable[str]) -> dict[str, str] | None:
    """Some properties, at most MOST_AT_ONCE, each as JSON. None when the user is gone."""
    possible = [name for name in dict.fromkeys(names) if _NAME.fullmatch(name)]
    taken_out = ", ".join(["1", *["properties -> ?"] * len(possible)])
    row = db.execute(
        f"SELECT {taken_out} FROM users WHERE key = ?",  # noqa: S608
        (*(f"$.{name}" for name in possible), key),
    ).fetchone()
    if row is None:
        return None
    return {name: value for name, value in zip(possible, row[1:], strict=True) if value is not None}


def rename(db: Db, key: int, *, username: str, username_key: str, now: int) -> None:
    """Another username for a user that is there. Raises UsernameTaken."""
    others = db.execute("SELECT 1 FROM users WHERE username_key = ? AND key <> ?", (username_key, key))
    if others.fetchone() is not None:
        raise UsernameTaken
    db.execute(
        "UPDATE users SET username = ?, username_key = ?, updated_at = max(updated_at, ?) WHERE key = ?",
        (username, username_key, now, key),
    )
    db.execute("DELETE FROM look_alikes WHERE user_key = ?", (key,))


def replace_password(db: Db, user: Account, password_hash: str, now: int) -> bool:
    """Another password. False when the user is gone or the password has changed since `user` was read."""
    cursor = db.execute(
        "UPDATE users SET password_hash = ?, password_version = password_version + 1, updated_at = max(updated_at, ?)"
        " WHERE key = ? AND password_version = ?",
        (password_hash, now, user.key, user.password_version),
    )
    return cursor.rowcount == 1


def replace_hash(db: Db, user: Account, password_hash: str) -> None:
    """Another hash of the same password, unless the password has changed since `user` was read."""
    db.execute(
        "UPDATE users SET password_hash = ? WHERE key = ? AND password_version = ?",
        (password_hash, user.key, user.password_version),
    )


def set_disabled(db: Db, key: int, since: int | None) -> None:
    """Whether the user may sign in (None), or since when not."""
    db.execute("UPDATE users SET disabled_at = ? WHERE key = ?", (since, key))


def is_any_disabled(db: Db) -> bool:
    return db.execute("SELECT 1 FROM users WHERE disabled_at IS NOT NULL LIMIT 1").fetchone() is not None


def end_sign_ins(db: Db, key: int) -> None:
    """Ends what counts for this version of the password only: sessions, login tokens, passwords verified just now."""
    db.execute("UPDATE users SET password_version = password_version + 1 WHERE key = ?", (key,))


def delete(db: Db, user: Account) -> bool:
    """Removes the user. False when gone or the password has changed since it was read."""
    cursor = db.execute("DELETE FROM users WHERE key = ? AND password_version = ?", (user.key, user.password_version))
    return cursor.rowcount == 1


def delete_by_id(db: Db, id: str) -> tuple[int, int] | None:  # noqa: A002
    """Removes a user; returns the key and the length of the properties, None where there is no such user."""
    deleted: tuple[int, int] | None = db.execute(
        "DELETE FROM users WHERE id = ? RETURNING key, length(properties)", (id,)
    ).fetchone()
    return deleted
