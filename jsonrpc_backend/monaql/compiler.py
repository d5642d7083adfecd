"""A query's tree as a condition, in the SQL of an engine.

Values, and the names of properties too, are bound; the SQL text is put together from phrases and from the columns that
the caller states. Each phrase is true or false and never NULL, so that NOT means what it says.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeGuard

from jsonrpc_backend.monaql.condition import Column, Condition
from jsonrpc_backend.monaql.dialect import Dialect
from jsonrpc_backend.monaql.syntax import AllOf, Comparison, Expression, Not, QueryError, Scalar

_OPPOSITES = {"!=": "==", "NIN": "IN"}

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_FALSE = Condition("FALSE")


def compile_query(
    expression: Expression, *, columns: Mapping[str, Column], document: str, dialect: Dialect
) -> Condition:
    """The condition for an expression about `columns` by name and the members of the JSON object in SQL `document`.

    Raises QueryError for a name that begins with `_` and is no column.
    """
    return _Compiler(columns, document, dialect).compile(expression)


class _Compiler:
    def __init__(self, columns: Mapping[str, Column], document: str, dialect: Dialect) -> None:
        self._columns = columns
        self._document = document
        self._dialect = dialect

    def compile(self, expression: Expression) -> Condition:
        if isinstance(expression, Comparison):
            return self._comparison(expression)
        if isinstance(expression, Not):
            return _not(self.compile(expression.part))
        word = "AND" if isinstance(expression, AllOf) else "OR"
        return Condition.joined(word, map(self.compile, expression.parts))

    def _comparison(self, comparison: Comparison) -> Condition:
        field = self._field(comparison)
        operator = _OPPOSITES.get(comparison.operator, comparison.operator)
        value = comparison.value
        if isinstance(value, tuple):
            condition = field.equal(value)
        elif operator == "==":
            condition = field.equal([value])
        else:
            condition = field.ordered(operator, value)
        return _not(condition) if comparison.operator in _OPPOSITES else condition

    def _field(self, comparison: Comparison) -> "_ColumnField | _Member":
        if comparison.field in self._columns:
            return _ColumnField(self._columns[comparison.field], self._dialect)
        if comparison.field.startswith("_"):
            known = ", ".join(self._columns)
            raise QueryError(f"there is no field `{comparison.field[:40]}`; known here: {known}", comparison.position)
        return _Member(self._document, comparison.field, self._dialect)


def _not(condition: Condition) -> Condition:
    return Condition(f"(NOT {condition.sql})", condition.parameters)


def _is_number(value: Scalar) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


class _ColumnField:
    """A column, which holds one type, and perhaps NULL."""

    def __init__(self, column: Column, dialect: Dialect) -> None:
        self._column = column
        self._dialect = dialect

    def equal(self, values: Iterable[Scalar]) -> Condition:
        """Whether it is one of the values."""
        values = list(values)
        found = [value for value in map(self._bound, values) if value is not None]
        parts = [self._holds(Condition.one_of(found))] if found else []
        if self._column.nullable and None in values:
            parts.append(Condition(f"({self._column.sql} IS NULL)", self._column.parameters))
        return Condition.joined("OR", parts) if parts else _FALSE

    def ordered(self, operator: str, value: Scalar) -> Condition:
        bound = self._bound(value)
        return _FALSE if bound is None else self._holds(Condition(f"{operator} ?", (bound,)))

    def _bound(self, value: Scalar) -> str | int | float | None:
        """The value as the column holds it; None for one of another type, which it never equals."""
        # SQLite itself would take "5" for 5 where a column holds integers.
        if self._column.type is str:
            return value if isinstance(value, str) else None
        if self._column.is_time and isinstance(value, str):
            return _milliseconds(value)
        return self._dialect.number(value) if _is_number(value) else None

    def _holds(self, rest: Condition) -> Condition:
        sql, parameters = f"{self._column.sql} {rest.sql}", (*self._column.parameters, *rest.parameters)
        return Condition(f"({sql} IS TRUE)" if self._column.nullable else f"({sql})", parameters)


def _milliseconds(text: str) -> int | None:
    """The time of a date as JavaScript's toJSON writes it, in ms since 1970 UTC."""
    if not _DATE.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:  # the 30th of February
        return None
    return (moment - _EPOCH) // timedelta(milliseconds=1)


class _Member:
    """A member of a JSON object, which may be absent or of any type."""

    def __init__(self, document: str, name: str, dialect: Dialect) -> None:
        self._document = document
        self._name = name
        self._dialect = dialect

    def _is_number(self, rest: Condition) -> Condition:
        return self._dialect.number_member(self._document, self._name, rest)

    def _is_string(self, rest: Condition) -> Condition:
        return self._dialect.string_member(self._document, self._name, rest)

    def equal(self, values: Iterable[Scalar]) -> Condition:
        """Whether it is one of the values."""
        values = list(values)
        numbers = [self._dialect.number(value) for value in values if _is_number(value)]
        strings = [value for value in values if isinstance(value, str)]
        words = [value for value in values if value is None or isinstance(value, bool)]
        conditions = []
        if numbers:
            conditions.append(self._is_number(Condition.one_of(numbers)))
        if strings:
            conditions.append(self._is_string(Condition.one_of(strings)))
        if words:
            conditions.append(self._dialect.word_member(self._document, self._name, words))
        return Condition.joined("OR", conditions) if conditions else _FALSE

    def ordered(self, operator: str, value: Scalar) -> Condition:
        if isinstance(value, str):
            return self._is_string(Condition(f"{operator} ?", (value,)))
        if _is_number(value):
            return self._is_number(Condition(f"{operator} ?", (self._dialect.number(value),)))
        return _FALSE
