"""MonaQL, the query language of Monaca Backend: from text to a tree (`parse_query`) and on to SQL (`compile_query`).

    age >= 20 && !(country IN ["US", "JP"] || plan == ?)

Operators are `==`, `!=`, `>`, `>=`, `<`, `<=`, `IN`, `NIN`, `&&` (binds tighter), `||`, `()` and `!()`. Values are
integers, doubles, "strings" with the escapes of JSON, `true`, `false`, `null`, arrays of these for `IN` and `NIN`, and
`?`, which is filled from the bind params in their order. What stands on the left is a field's name.

A query is true or false of a thing, never unknown:

- `null` equals a field that is null or absent. Nothing else equals an absent field.
- Values of different types are never equal, and none of them is the greater one. An integer and a double are both
  numbers; a boolean is not a number.
- Only numbers with numbers and strings with strings (by code point) have an order; `>=` with anything else is false.
- `!=` and `NIN` are the opposites of `==` and `IN`: true where the field is absent or of another type.
- An array or object equals nothing but is not null.
"""

from jsonrpc_backend.monaql.compiler import compile_query
from jsonrpc_backend.monaql.condition import Column, Condition
from jsonrpc_backend.monaql.dialect import Dialect
from jsonrpc_backend.monaql.parser import parse_query
from jsonrpc_backend.monaql.syntax import AllOf, AnyOf, BindError, Comparison, Expression, Not, QueryError, Scalar

__all__ = [
    "AllOf",
    "AnyOf",
    "BindError",
    "Column",
    "Comparison",
    "Condition",
    "Dialect",
    "Expression",
    "Not",
    "QueryError",
    "Scalar",
    "compile_query",
    "parse_query",
]
