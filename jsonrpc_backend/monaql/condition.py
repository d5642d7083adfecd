"""SQL for a WHERE clause, and what its parts are made of."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    """A field that has a column of its own: its SQL, and the type of what it holds, str or int.

    `nullable`: it may be NULL. `is_time`: it holds ms since 1970 UTC, and a string in a query that is a date as
    JavaScript writes it (`2026-01-31T09:00:00.000Z`) stands for that.
    """

    sql: str
    type: type
    nullable: bool = False
    is_time: bool = False
    parameters: tuple[Any, ...] = field(default=(), repr=False)  # of the SQL


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL, and the values for its placeholders."""

    sql: str = "TRUE"
    parameters: tuple[Any, ...] = field(default=(), repr=False)

    @staticmethod
    def joined(word: str, parts: "Iterable[Condition]") -> "Condition":
        parts = list(parts)
        sql = f" {word} ".join(part.sql for part in parts)
        return Condition(f"({sql})", tuple(value for part in parts for value in part.parameters))

    @staticmethod
    def one_of(values: Iterable[Any]) -> "Condition":
        """What follows an expression that is one of these values, of which there is one at least."""
        parameters = tuple(values)
        return Condition(f"IN ({', '.join('?' * len(parameters))})", parameters)
