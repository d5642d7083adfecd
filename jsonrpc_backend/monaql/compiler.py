"""A query's tree as a condition for SQLite.

Values, and the names of properties too, are bound; the SQL text is put together from the phrases below and from the
columns that the caller states. Each phrase is 0 or 1 and never NULL, so that NOT means what it says.

SQLite 3.40 ends a string that it takes out of JSON at U+0000, so what follows that there does not count.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonrpc_backend.monaql.syntax import AllOf, Comparison, Expression, Not, QueryError, Scalar

_OPPOSITES = {"!=": "==", "NIN": "IN"}

# What json_type says.
_NUMBER = "('integer', 'real')"
_STRING = "('text')"
_WORDS = {None: "null", True: "true", False: "false"}


@dataclass(frozen=True, slots=True)
class Column:
    """A field that has a column of its own, never NULL: its SQL, and the type of what it holds, str or int."""

    sql: str
    type: type


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL for a WHERE clause, and the values for its placeholders."""

    sql: str = "1"
    parameters: tuple[Any, ...] = field(default=(), repr=False)

    @staticmethod
    def joined(word: str, parts: "Iterable[Condition]") -> "Condition":
        parts = list(parts)
        sql = f" {word} ".join(part.sql for part in parts)
        return Condition(f"({sql})", tuple(value for part in parts for value in part.parameters))


_FALSE = Condition("0")


def compile_query(expression: Expression, *, columns: Mapping[str, Column], document: str) -> Condition:
    """The condition for an expression about `columns` by name and the members of the JSON object in SQL `document`.

    Raises QueryError for a name that begins with `_` and is no column.
    """
    return _Compiler(columns, document).compile(expression)


class _Compiler:
    def __init__(self, columns: Mapping[str, Column], document: str) -> None:
        self._columns = columns
        self._document = document

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

    def _field(self, comparison: Comparison) -> "_ColumnField | _JsonField":
        if comparison.field in self._columns:
            return _ColumnField(self._columns[comparison.field])
        if comparison.field.startswith("_"):
            known = ", ".join(self._columns)
            raise QueryError(f"there is no field `{comparison.field[:40]}`; known here: {known}", comparison.position)
        return _JsonField(self._document, f"$.{comparison.field}")


def _not(condition: Condition) -> Condition:
    return Condition(f"(NOT {condition.sql})", condition.parameters)


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> int | float:
    """As SQLite holds it: an integer of more than 64 bits is a double there."""
    return value if isinstance(value, float) or -(2**63) <= value < 2**63 else float(value)


def _one_of(values: Iterable[Any]) -> Condition:
    parameters = tuple(values)
    return Condition(f"IN ({', '.join('?' * len(parameters))})", parameters)


class _ColumnField:
    """A column, which is never null and holds one type."""

    def __init__(self, column: Column) -> None:
        self._sql = column.sql
        self._type = column.type

    def _comparable(self, value: Scalar) -> bool:
        # SQLite itself would take "5" for 5 where a column holds integers.
        return isinstance(value, str) if self._type is str else _is_number(value)

    def equal(self, values: Iterable[Scalar]) -> Condition:
        """Whether it is one of the values."""
        found = _one_of(value if self._type is str else _number(value) for value in values if self._comparable(value))
        return Condition(f"({self._sql} {found.sql})", found.parameters) if found.parameters else _FALSE

    def ordered(self, operator: str, value: Scalar) -> Condition:
        if not self._comparable(value):
            return _FALSE
        return Condition(f"({self._sql} {operator} ?)", (value if self._type is str else _number(value),))


class _JsonField:
    """A member of a JSON object, which may be absent or of any type."""

    def __init__(self, document: str, path: str) -> None:
        self._type = f"json_type({document}, ?)"
        self._value = f"json_extract({document}, ?)"
        self._path = path

    def _typed(self, types: str, rest: Condition) -> Condition:
        """Whether it has one of the types and its value is as the rest says."""
        sql = f"({self._type} IN {types} AND {self._value} {rest.sql}) IS TRUE"
        return Condition(f"({sql})", (self._path, self._path, *rest.parameters))

    def equal(self, values: Iterable[Scalar]) -> Condition:
        """Whether it is one of the values."""
        values = list(values)
        numbers = [_number(value) for value in values if _is_number(value)]
        strings = [value for value in values if isinstance(value, str)]
        words = [_WORDS[value] for value in values if value is None or isinstance(value, bool)]
        conditions = []
        if numbers:
            conditions.append(self._typed(_NUMBER, _one_of(numbers)))
        if strings:
            conditions.append(self._typed(_STRING, _one_of(strings)))
        if words:
            found = _one_of(words)
            conditions.append(
                Condition(f"(coalesce({self._type}, 'null') {found.sql})", (self._path, *found.parameters))
            )
        return Condition.joined("OR", conditions) if conditions else _FALSE

    def ordered(self, operator: str, value: Scalar) -> Condition:
        if isinstance(value, str):
            return self._typed(_STRING, Condition(f"{operator} ?", (value,)))
        if _is_number(value):
            return self._typed(_NUMBER, Condition(f"{operator} ?", (_number(value),)))
        return _FALSE
