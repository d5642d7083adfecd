"""A query's text and bind params as a tree.

any        = all { "||" all }
all        = part { "&&" part }
part       = "(" any ")" | "!" "(" any ")" | comparison
comparison = name ( "==" | "!=" | ">" | ">=" | "<" | "<=" ) scalar | name ( "IN" | "NIN" ) array
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from jsonrpc_backend.monaql.lexer import Token, tokens
from jsonrpc_backend.monaql.syntax import AllOf, AnyOf, BindError, Comparison, Expression, Not, QueryError, Scalar

MAX_LENGTH = 100_000  # characters

# Parentheses within parentheses. Old clients add a pair, and a term that is there already, at each search with the same
# criteria object.
MAX_DEPTH = 250

# `&&`, `||` and `!()` within each other, once parentheses that change nothing are gone. Each takes up to three of the
# 100 places on the stack of SQLite's parser.
MAX_LEVELS = 24

# SQLite allows expressions 1,000 deep, and a chain of conditions is as deep as it is long; and 32,766 variables.
MAX_COMPARISONS = 500
MAX_ELEMENTS = 10_000

_COMPARING = frozenset({"==", "!=", ">", ">=", "<", "<="})
_CONTAINING = frozenset({"IN", "NIN"})
_WORDS = {"null": None, "true": True, "false": False}


def parse_query(query: str, bind_params: Sequence[Any] = ()) -> Expression:
    """The tree of a query. Raises QueryError, or BindError where the bind params do not fit."""
    if len(query) > MAX_LENGTH:
        raise QueryError(f"a query cannot be longer than {MAX_LENGTH} characters", MAX_LENGTH + 1)
    return _Parser(tokens(query), bind_params).parse()


class _Parser:
    def __init__(self, source: Iterator[Token], bind_params: Sequence[Any]) -> None:
        self._source = source
        self._token = next(source)
        self._bind_params = bind_params
        self._placeholders = itertools.count()
        self._comparisons = 0
        self._elements = 0

    def parse(self) -> Expression:
        expression = self._expression()
        if (beyond := _first_beyond(expression, MAX_LEVELS)) is not None:
            raise QueryError(f"conditions are more than {MAX_LEVELS} levels deep", beyond.position)
        if (used := next(self._placeholders)) != len(self._bind_params):
            raise BindError(f"must have one value for each `?` of the query: {used}, not {len(self._bind_params)}")
        return expression

    # --- expressions ---------------------------------------------------------------------------------------

    def _expression(self) -> Expression:
        """The whole query. Without recursion: Python's stack would not take parentheses so deep."""
        open_groups = [_Group()]
        while True:
            if (group := self._opened(len(open_groups))) is not None:
                open_groups.append(group)
                continue
            part: Expression = self._comparison()
            while not self._goes_on(open_groups[-1], part):
                if len(open_groups) == 1:
                    if self._token.kind != "end":
                        raise self._unexpected("`&&`, `||` or the end")
                    return open_groups[0].expression
                self._expect(")", "`)`, `&&` or `||`")
                part = open_groups.pop().expression

    def _opened(self, depth: int) -> "_Group | None":
        """The group whose parenthesis stands here, if one does."""
        is_negated = self._accept("!") is not None
        if not is_negated and self._token.kind != "(":
            return None
        opening = self._expect("(", "`(`")
        if depth > MAX_DEPTH:
            raise QueryError(f"parentheses are more than {MAX_DEPTH} deep", opening.position)
        return _Group(is_negated)

    def _goes_on(self, group: "_Group", part: Expression) -> bool:
        """Adds a part to its group; whether another one follows."""
        group.alternatives[-1].append(part)
        if self._accept("&&"):
            return True
        if self._accept("||"):
            group.alternatives.append([])
            return True
        return False

    def _comparison(self) -> Comparison:
        field = self._expect("name", "the name of a field, `(` or `!(`")
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise QueryError(f"there are more than {MAX_COMPARISONS} comparisons", field.position)
        operator = self._next()
        if operator.kind in _COMPARING:
            return Comparison(field.text, operator.kind, self._scalar(), field.position)
        if operator.kind == "name" and operator.text in _CONTAINING:
            return Comparison(field.text, operator.text, self._array(), field.position)
        raise _wrong(operator, "an operator")

    # --- values --------------------------------------------------------------------------------------------

    def _scalar(self) -> Scalar:
        token = self._next()
        if token.kind == "?":
            return self._as_scalar(*self._bound(token))
        if token.kind == "value":
            return token.value
        if token.kind == "name" and token.text in _WORDS:
            return _WORDS[token.text]
        if token.kind == "[":
            raise QueryError("an array can only be compared by IN or NIN", token.position)
        raise _wrong(token, "a value")

    def _array(self) -> tuple[Scalar, ...]:
        if (token := self._accept("?")) is not None:
            return self._bound_array(token)
        self._expect("[", "an array or `?`")
        if self._accept("]"):
            return ()
        elements = [self._element(self._scalar())]
        while self._accept(","):
            elements.append(self._element(self._scalar()))
        self._expect("]", "`,` or `]`")
        return tuple(elements)

    def _element(self, value: Scalar) -> Scalar:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise QueryError(f"arrays have more than {MAX_ELEMENTS} elements", self._token.position)
        return value

    def _bound_array(self, token: Token) -> tuple[Scalar, ...]:
        value, number = self._bound(token)
        if not isinstance(value, list):
            raise BindError(f"must have an array as value {number}, which stands for what IN or NIN compares with")
        return tuple(self._element(self._as_scalar(element, number)) for element in value)

    def _bound(self, token: Token) -> tuple[Any, int]:
        """The value for a placeholder, and which one it is, from 1."""
        index = next(self._placeholders)
        if index >= len(self._bind_params):
            raise QueryError(f"there is no bind param for this `?`, which is number {index + 1}", token.position)
        return self._bind_params[index], index + 1

    @staticmethod
    def _as_scalar(value: Any, number: int) -> Scalar:
        if isinstance(value, list | dict):
            raise BindError(
                f"must not have an array or object as (or inside) value {number}, but for IN or NIN an array"
            )
        if isinstance(value, str) and "\x00" in value:
            raise BindError(f"must not have U+0000 in value {number}")
        scalar: Scalar = value
        return scalar

    # --- tokens --------------------------------------------------------------------------------------------

    def _next(self) -> Token:
        token = self._token
        if token.kind != "end":
            self._token = next(self._source)
        return token

    def _accept(self, kind: str) -> Token | None:
        return self._next() if self._token.kind == kind else None

    def _expect(self, kind: str, wanted: str) -> Token:
        if self._token.kind != kind:
            raise self._unexpected(wanted)
        return self._next()

    def _unexpected(self, wanted: str) -> QueryError:
        return _wrong(self._token, wanted)


def _wrong(token: Token, wanted: str) -> QueryError:
    return QueryError(f"expected {wanted}, found {token}", token.position)


class _Group:
    """What stands in one pair of parentheses: alternatives of parts."""

    def __init__(self, is_negated: bool = False) -> None:
        self._is_negated = is_negated
        self.alternatives: list[list[Expression]] = [[]]

    @property
    def expression(self) -> Expression:
        alternatives = tuple(_all_of(parts) for parts in self.alternatives)
        inner = alternatives[0] if len(alternatives) == 1 else AnyOf(alternatives)
        return Not(inner) if self._is_negated else inner


def _all_of(parts: list[Expression]) -> Expression:
    """The parts joined by `&&`; those of inner ones are its own, and equal comparisons count once."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, AllOf) else (part,))]
    unique = tuple({_identity(part): part for part in flat}.values())
    return unique[0] if len(unique) == 1 else AllOf(unique)


def _identity(part: Expression) -> Any:
    """Equal for equal comparisons; 1 and true, which Python takes for equal, are not."""
    return (part, repr(part.value)) if isinstance(part, Comparison) else id(part)


def _first_beyond(expression: Expression, levels: int) -> Comparison | None:
    """The first comparison that lies deeper."""
    if isinstance(expression, Comparison):
        return expression if levels < 0 else None
    parts = (expression.part,) if isinstance(expression, Not) else expression.parts
    return next(filter(None, (_first_beyond(part, levels - 1) for part in parts)), None)
