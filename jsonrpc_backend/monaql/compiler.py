"""A query's tree as a condition, in the SQL of an engine.

Values, and the names of properties too, are bound; the SQL text is put together from phrases and from the columns that
the caller states. Each phrase is true or false and never NULL, so that NOT means what it says.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from jsonrpc_backend.monaql.condition import Column, Condition
from jsonrpc_backend.monaql.dialect import Dialect
from jsonrpc_backend.monaql.syntax import AllOf, Comparison, Expression, Not, QueryError, Scalar

_OPPOSITES = {"!=": "==", "NIN": "IN"}

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
    """A column, which is never null and holds one type."""

    def __init__(self, column: Column, dialect: Dialect) -> None:
        self._sql = column.sql
        self._type = column.type
        self._dialect = dialect

    def _comparable(self, value: Scalar) -> bool:
        # SQLite itself would take "5" for 5 where a column holds integers.
        return isinstance(value, str) if self._type is str else _is_number(value)

    def _bound(self, value: Any) -> Any:
        return value if self._type is str else self._dialect.number(value)

    def equal(self, values: Iterable[Scalar]) -> Condition:
        """Whether it is one of the values."""
        found = Condition.one_of(self._bound(value) for value in values if self._comparable(value))
        return Condition(f"({self._sql} {found.sql})", found.parameters) if found.parameters else _FALSE

    def ordered(self, operator: str, value: Scalar) -> Condition:
        if not self._comparable(value):
            return _FALSE
        return Condition(f"({self._sql} {operator} ?)", (self._bound(value),))


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
