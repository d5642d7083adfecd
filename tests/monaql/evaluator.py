"""MonaQL in plain Python: what the SQL must agree with."""

from collections.abc import Mapping
from typing import Any

from jsonrpc_backend.monaql import AllOf, AnyOf, Expression, Not, Scalar


def evaluate(expression: Expression, thing: Mapping[str, Any]) -> bool:
    if isinstance(expression, AllOf):
        return all(evaluate(part, thing) for part in expression.parts)
    if isinstance(expression, AnyOf):
        return any(evaluate(part, thing) for part in expression.parts)
    if isinstance(expression, Not):
        return not evaluate(expression.part, thing)
    actual, value = thing.get(expression.field), expression.value
    elements = value if isinstance(value, tuple) else (value,)
    if expression.operator in {"==", "IN"}:
        return any(is_equal(actual, element) for element in elements)
    if expression.operator in {"!=", "NIN"}:
        return not any(is_equal(actual, element) for element in elements)
    return any(is_ordered(expression.operator, actual, element) for element in elements)


def kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def comparable(value: Any) -> Any:
    """An integer of more than 64 bits counts as a double."""
    is_long = type(value) is int and not -(2**63) <= value < 2**63
    return float(value) if is_long else value


def is_equal(actual: Any, value: Scalar) -> bool:
    return kind(actual) == kind(value) and comparable(actual) == comparable(value)


def is_ordered(operator: str, actual: Any, value: Scalar) -> bool:
    if kind(actual) != kind(value) or kind(value) not in {"number", "str"}:
        return False
    left, right = comparable(actual), comparable(value)
    return bool({">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}[operator])
