"""Users found, sorted and counted by their columns and properties, for operators.

A search walks all users: 100,000 with small properties in some 0.1 s. An index helps where it asks for `_id` by `==` or
`IN`, or sorts by `_username` or the time of registration; there is none on properties.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from jsonrpc_backend.monaql import Column, Condition, Dialect, Expression, compile_query
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import COLUMNS, User

FIELDS = {
    "_id": Column("users.id", str),
    "_username": Column("users.username", str),
    "_createdAt": Column("users.created_at", int),
    "_updatedAt": Column("users.updated_at", int),
    "_updateAt": Column("users.updated_at", int),
}
_SORTED_BY = {name: column.sql for name, column in FIELDS.items()} | {"_username": "users.username_key"}
_PROPERTIES = "users.properties"

EVERYBODY = Condition()


@dataclass(frozen=True, slots=True)
class UserOrder:
    """Sorted by a field or property, or by the time of registration; users that do not differ in it by that time."""

    name: str | None = None
    descending: bool = False

    def compile(self, dialect: Dialect) -> Condition:
        """What stands behind ORDER BY."""
        direction = "DESC" if self.descending else "ASC"
        last = f"users.key {direction}"
        if self.name is None:
            return Condition(last)
        if self.name in _SORTED_BY:
            return Condition(f"{_SORTED_BY[self.name]} {direction}, {last}")
        first = dialect.member_order(_PROPERTIES, self.name, direction)
        return Condition(f"{first.sql}, {last}", first.parameters)


def matching(expression: Expression, dialect: Dialect) -> Condition:
    """Users of whom a MonaQL query is true. Raises QueryError for a field that there is not."""
    return compile_query(expression, columns=FIELDS, document=_PROPERTIES, dialect=dialect)


def named(text: str, dialect: Dialect) -> Condition:
    """Users with this text in the key of their username, or in their id."""
    return Condition.joined("OR", [dialect.contains(column, text) for column in ("users.username_key", "users.id")])


def find_keys(db: Db, condition: Condition, sorted_by: Condition) -> list[int]:
    """The keys of all users that the condition is true of, in an order as `Order` compiles it.

    Keys only: whole rows can be many gigabytes.
    """
    rows = db.execute(
        f"SELECT users.key FROM users WHERE {condition.sql} ORDER BY {sorted_by.sql}",  # noqa: S608
        condition.parameters + sorted_by.parameters,
    )
    return [key for (key,) in rows]


def get_in_order(db: Db, keys: list[int]) -> Iterator[User]:
    """Users by their keys, one by one."""
    for key in keys:
        yield User(*db.execute(f"SELECT {COLUMNS} FROM users WHERE key = ?", (key,)).fetchone())  # noqa: S608


def latest_property_names(db: Db, most: int) -> list[str]:
    """The names of the properties of the users who registered last, sorted."""
    rows = db.execute(
        "SELECT DISTINCT member.key FROM (SELECT properties FROM users ORDER BY key DESC LIMIT ?) AS latest,"
        " json_each(latest.properties) AS member ORDER BY member.key",
        (most,),
    )
    return [name for (name,) in rows]
