"""MonaQL's text: what it means, and what is said about what means nothing."""

from typing import Any

import pytest

from jsonrpc_backend.monaql import AllOf, AnyOf, BindError, Comparison, Expression, Not, QueryError, parse_query
from jsonrpc_backend.monaql.parser import MAX_COMPARISONS, MAX_DEPTH, MAX_ELEMENTS, MAX_LENGTH, MAX_LEVELS


def shown(expression: Expression) -> str:
    """A tree with all its parentheses."""
    if isinstance(expression, Comparison):
        return f"{expression.field} {expression.operator} {expression.value!r}"
    if isinstance(expression, Not):
        return f"!({shown(expression.part)})"
    word = " && " if isinstance(expression, AllOf) else " || "
    return f"({word.join(map(shown, expression.parts))})"


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        # the documented examples
        ("a == 12 && (b == 34 || c == 56)", "(a == 12 && (b == 34 || c == 56))"),
        ("a == 12 && !(b == 34 || c == 56)", "(a == 12 && !((b == 34 || c == 56)))"),
        ('name IN ["John", "Smith"]', "name IN ('John', 'Smith')"),
        ('name NIN ["John", "Smith"]', "name NIN ('John', 'Smith')"),
        ('country == "US" && age > 20', "(country == 'US' && age > 20)"),
        # precedence and parentheses
        ("a==1 || b==2 && c==3", "(a == 1 || (b == 2 && c == 3))"),
        ("a==1 && b==2 || c==3", "((a == 1 && b == 2) || c == 3)"),
        ("(a==1 || b==2) && c==3", "((a == 1 || b == 2) && c == 3)"),
        ("a==1 && b==2 && c==3", "(a == 1 && b == 2 && c == 3)"),
        ("((a==1))", "a == 1"),
        ("(((a==1)) || ((b==2)))", "(a == 1 || b == 2)"),
        ("!((a==1))", "!(a == 1)"),
        ("!(!(a==1))", "!(!(a == 1))"),
        ("! (a==1)", "!(a == 1)"),
        ("a==1&&!(b==2)", "(a == 1 && !(b == 2))"),
        # blanks
        ("_id==1", "_id == 1"),
        ("\t a\n==\r\n1 ", "a == 1"),
        ('a IN["x"]', "a IN ('x',)"),
        ("a>=1&&b<=2||c!=3", "((a >= 1 && b <= 2) || c != 3)"),
        ("a>-1", "a > -1"),
        # names
        ("_createdAt > 1", "_createdAt > 1"),
        ("a_b_9 == 1", "a_b_9 == 1"),
        ("null == null", "null == None"),
        ("IN IN [1]", "IN IN (1,)"),
        ("nullable == true", "nullable == True"),
        # values
        ("a == -0", "a == 0"),
        ("a == -123", "a == -123"),
        ("a == 1.23", "a == 1.23"),
        ("a == -1.23", "a == -1.23"),
        ("a == 1.0", "a == 1.0"),
        ("a == 1e3", "a == 1000.0"),
        ("a == 2.5E-1", "a == 0.25"),
        ("a == 123456789012345678901", "a == 123456789012345678901"),
        ("a == 1234567890123456789012", "a == 1.2345678901234568e+21"),
        ("a == false", "a == False"),
        ('a == ""', "a == ''"),
        (r'a == "\"\\\/\n\u00e9\ud83d\ude00"', "a == '\"\\\\/\\né😀'"),
        ('a == "it\'s\nhere && there"', 'a == "it\'s\\nhere && there"'),
        ("a IN []", "a IN ()"),
        ('a IN [1, -2.5, "x", true, false, null]', "a IN (1, -2.5, 'x', True, False, None)"),
    ],
)
def test_a_query_is_read_as(query: str, tree: str) -> None:
    assert shown(parse_query(query)) == tree


@pytest.mark.parametrize(
    ("query", "values", "tree"),
    [
        ("name == ? && age > ?", ["John", 20], "(name == 'John' && age > 20)"),
        ("name IN ?", [["John", "Smith"]], "name IN ('John', 'Smith')"),
        ("a==?||b==?||c==?", [None, True, 1.5], "(a == None || b == True || c == 1.5)"),
        ("a IN [?, 2, ?] && b == ?", [1, 3, 4], "(a IN (1, 2, 3) && b == 4)"),
        ("a NIN ?", [[]], "a NIN ()"),
        ('a == "?"', [], "a == '?'"),
        ("a == ?", ['" || b == "'], "a == '\" || b == \"'"),
    ],
)
def test_placeholders_are_filled_in_order(query: str, values: list[Any], tree: str) -> None:
    assert shown(parse_query(query, values)) == tree


@pytest.mark.parametrize(
    ("query", "position", "problem"),
    [
        ("", 1, "expected the name of a field, `(` or `!(`, found the end"),
        ("a", 2, "expected an operator, found the end"),
        ("a ==", 5, "expected a value, found the end"),
        ("a == 1 &&", 10, "expected the name of a field, `(` or `!(`, found the end"),
        ("a == 1 b", 8, "expected `&&`, `||` or the end, found `b`"),
        ("a == && b", 6, "expected a value, found `&&`"),
        ("a == b", 6, "expected a value, found `b`"),
        ("1 == a", 1, "expected the name of a field, `(` or `!(`, found a value"),
        ('"a" == 1', 1, "expected the name of a field, `(` or `!(`, found a value"),
        ("? == 1", 1, "expected the name of a field, `(` or `!(`, found `?`"),
        ("a = 1", 3, "this character has no meaning here"),
        ("a == 1 & b == 1", 8, "this character has no meaning here"),
        ("a == 'x'", 6, "strings are written in double quotes"),
        ('a == "x', 6, "this string does not end"),
        (r'a == "x\"', 6, "this string does not end"),
        (r'a == "\x"', 6, "this string has an escape that JSON does not know"),
        (r'a == "\u12"', 6, "this string has an escape that JSON does not know"),
        (r'a == "\ud800"', 6, "this string holds U+0000 or a lone surrogate"),
        (r'a == "\u0000"', 6, "this string holds U+0000 or a lone surrogate"),
        ("a == 1e999", 6, "this number is out of range"),
        ("a == 01", 6, "this number cannot be read"),
        ("a == 1.", 6, "this number cannot be read"),
        ("a == .5", 6, "this character has no meaning here"),
        ("a == 1x", 6, "this number cannot be read"),
        ("a == 1.2.3", 6, "this number cannot be read"),
        ("a - 1", 3, "this number cannot be read"),
        ("a == NULL", 6, "expected a value, found `NULL`"),
        ("a in [1]", 3, "expected an operator, found `in`"),
        ("a IN 1", 6, "expected an array or `?`, found a value"),
        ("a IN [1", 8, "expected `,` or `]`, found the end"),
        ("a IN [1,]", 9, "expected a value, found `]`"),
        ("a IN [[1]]", 7, "an array can only be compared by IN or NIN"),
        ("a == [1]", 6, "an array can only be compared by IN or NIN"),
        ("(a == 1", 8, "expected `)`, `&&` or `||`, found the end"),
        ("a == 1)", 7, "expected `&&`, `||` or the end, found `)`"),
        ("()", 2, "expected the name of a field, `(` or `!(`, found `)`"),
        ("!a == 1", 2, "expected `(`, found `a`"),
        ("!!(a == 1)", 2, "expected `(`, found `!`"),
        ("a.b == 1", 2, "this character has no meaning here"),
        ("名前 == 1", 1, "this character has no meaning here"),
        ('"é😀" == 1 && ', 1, "expected the name of a field"),
        ('a == "é😀" == 1', 11, "expected `&&`, `||` or the end, found `==`"),
        ("a == ?", 6, "there is no bind param for this `?`, which is number 1"),
        ("a; DROP TABLE users", 2, "this character has no meaning here"),
    ],
)
def test_an_error_has_its_position(query: str, position: int, problem: str) -> None:
    with pytest.raises(QueryError) as raised:
        parse_query(query)
    assert raised.value.position == position
    assert raised.value.problem.startswith(problem)
    assert str(raised.value) == f"is wrong at position {position}: {raised.value.problem}"


@pytest.mark.parametrize(
    ("query", "values", "problem"),
    [
        ("a == 1", [1], "must have one value for each `?` of the query: 0, not 1"),
        ("a == ?", [1, 2], "must have one value for each `?` of the query: 1, not 2"),
        ("a == ?", [[1]], "must not have an array or object as (or inside) value 1"),
        ("a > 1 && a == ?", [{}], "must not have an array or object as (or inside) value 1"),
        ("a IN ?", [1], "must have an array as value 1"),
        ("a == ? && b IN ?", [1, [[2]]], "must not have an array or object as (or inside) value 2"),
        ("a == ?", ["x\x00y"], "must not have U+0000 in value 1"),
    ],
)
def test_bind_params_have_to_fit(query: str, values: list[Any], problem: str) -> None:
    with pytest.raises(BindError) as raised:
        parse_query(query, values)
    assert str(raised.value).startswith(problem)


def test_messages_repeat_no_values() -> None:
    for query in ('"secret" == 1', 'a == 1 "secret"', 'a "secret"', 'a == "secret', 'a == "secret\\x"'):
        with pytest.raises(QueryError) as raised:
            parse_query(query)
        assert "secret" not in str(raised.value)


DEEP = "(" * MAX_DEPTH + "a==1" + ")" * MAX_DEPTH
LONG = "||".join(["a==1"] * MAX_COMPARISONS)
FULL = f"a IN [{','.join('1' * MAX_ELEMENTS)}]"


@pytest.mark.parametrize(
    ("query", "values", "beyond", "problem"),
    [
        (
            "a==0||b==0&&(" * (MAX_LEVELS // 2) + "a==1" + ")" * (MAX_LEVELS // 2),
            [],
            "a==0||b==0&&(" * (MAX_LEVELS // 2) + "(a==1||a==2)" + ")" * (MAX_LEVELS // 2),
            f"conditions are more than {MAX_LEVELS} levels deep",
        ),
        (DEEP, [], f"({DEEP})", f"parentheses are more than {MAX_DEPTH} deep"),
        (LONG, [], LONG + "||a==1", "more than 500 comparisons"),
        (FULL, [], FULL + "||a IN [1]", "arrays have more than 10000 elements"),
        ("a IN ?", [[1] * MAX_ELEMENTS], "a IN ? || b IN [1]", "arrays have more than 10000 elements"),
        ("a==1".ljust(MAX_LENGTH), [], "a==1".ljust(MAX_LENGTH + 1), "longer than 100000 characters"),
    ],
)
def test_limits(query: str, values: list[Any], beyond: str, problem: str) -> None:
    parse_query(query, values)
    with pytest.raises(QueryError, match=problem):
        parse_query(beyond, values)


@pytest.mark.parametrize("query", ["(" * 50_000, "!(" * 50_000, "a==1||(" * 10_000, '"\\' * 40_000, "[" * 90_000])
def test_no_query_is_too_much_for_the_parser(query: str) -> None:
    with pytest.raises(QueryError):
        parse_query(query)


def test_tree_of_both_words() -> None:
    """What the trees above leave out: which class each word makes."""
    assert isinstance(parse_query("a==1&&b==2"), AllOf)
    assert isinstance(parse_query("a==1||b==2"), AnyOf)
    assert parse_query("a==1||b==2") == AnyOf((Comparison("a", "==", 1, 1), Comparison("b", "==", 2, 7)))


def test_terms_of_inner_conjunctions_count_once() -> None:
    """As old clients nest them: each search adds a pair of parentheses and the same term."""
    query = "(n > 1 || n == null)"
    for _ in range(200):
        query = f"({query} && _ownerUserOid == ?)"
    expression = parse_query(query, ["u1"] * 200)
    assert isinstance(expression, AllOf)
    assert expression == parse_query("(n > 1 || n == null) && _ownerUserOid == ?", ["u1"])
    assert len(expression.parts) == 2


def test_terms_that_python_takes_for_equal_are_not() -> None:
    expression = parse_query('a == 1 && a == true && a == 1.0 && a == "1" && a == 1', [])
    assert isinstance(expression, AllOf)
    assert [repr(part.value) for part in expression.parts if isinstance(part, Comparison)] == [
        "1",
        "True",
        "1.0",
        "'1'",
    ]
