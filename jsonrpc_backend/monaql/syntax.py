"""What a query consists of, and what can be wrong with one."""

import dataclasses
from dataclasses import dataclass

Scalar = str | int | float | bool | None


class QueryError(Exception):
    """The query is wrong at `position` (in characters, from 1); `problem` is the end of a sentence."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(f"is wrong at position {position}: {problem}")
        self.problem = problem
        self.position = position


class BindError(Exception):
    """The bind params do not fit the query; the message is the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field and what it is compared with: a tuple for IN and NIN, else one value."""

    field: str
    operator: str
    value: Scalar | tuple[Scalar, ...]
    position: int = dataclasses.field(compare=False)  # of the field's name


@dataclass(frozen=True, slots=True)
class AllOf:
    """Parts joined by `&&`."""

    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Parts joined by `||`."""

    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """`!()` around a part."""

    part: "Expression"


Expression = Comparison | AllOf | AnyOf | Not
