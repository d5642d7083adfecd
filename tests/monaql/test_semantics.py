"""What a query finds: the SQL and a plain Python evaluator agree, in a table of cases and in any other."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsonrpc_backend.monaql import Column, Condition, QueryError, compile_query, parse_query
from jsonrpc_backend.monaql.parser import MAX_DEPTH, MAX_LEVELS
from jsonrpc_backend.store.sqlite.dialect import SqliteDialect
from tests.monaql.evaluator import evaluate

COLUMNS = {
    "_id": Column("things.id", str),
    "_createdAt": Column("things.created_at", int),
    "_owner": Column("things.owner", str, nullable=True),
    "_device": Column("CASE WHEN things.owner = ? THEN ? END", str, nullable=True, parameters=("u1", "mine")),
    "_at": Column("things.created_at", int, is_time=True),
}

Thing = Mapping[str, Any]


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(
            "CREATE TABLE things (id TEXT NOT NULL, created_at INTEGER NOT NULL, data TEXT NOT NULL, owner TEXT) STRICT"
        )
        yield connection


def compiled(query: str, values: list[Any]) -> Condition:
    return compile_query(parse_query(query, values), columns=COLUMNS, document="things.data", dialect=SqliteDialect())


def found(db: sqlite3.Connection, thing: Thing, query: str, values: list[Any]) -> list[Any]:
    """What the condition is of one thing: [1], [0], or [None], which would be wrong."""
    condition = compiled(query, values)
    db.execute("DELETE FROM things")
    data = {name: value for name, value in thing.items() if not name.startswith("_")}
    db.execute(
        "INSERT INTO things VALUES (?, ?, ?, ?)",
        (thing.get("_id", "u1"), thing.get("_createdAt", 0), json.dumps(data, ensure_ascii=False), thing.get("_owner")),
    )
    # The placeholders of a SELECT list are filled like those of a WHERE clause.
    return [row[0] for row in db.execute(f"SELECT {condition.sql} FROM things", condition.parameters)]


def check(db: sqlite3.Connection, thing: Thing, query: str, values: list[Any], expected: bool | None = None) -> None:
    wanted = evaluate(parse_query(query, values), {"_id": "u1", "_createdAt": 0, **thing})
    assert expected is None or wanted == expected
    assert found(db, thing, query, values) == [wanted]


@pytest.mark.parametrize(
    ("query", "matching", "others"),
    [
        ("a == 1", [1, 1.0], [2, True, "1", None, [1], {"a": 1}, ...]),
        ("a == 1.5", [1.5], [1, "1.5", ...]),
        ("a != 1", [2, True, "1", None, [1], ...], [1, 1.0]),
        ("a == 0", [0, 0.0, -0.0], [False, None, "", ...]),
        ("a == true", [True], [1, 1.0, "true", False, None, [True], ...]),
        ("a == false", [False], [0, "false", None, "", ...]),
        ("a != true", [False, 1, None, "true", ...], [True]),
        ("a == null", [None, ...], [0, False, "", "null", [], {}]),
        ("a != null", [0, False, "", "null", [], {}, [None]], [None, ...]),
        ('a == "x"', ["x"], ["X", "x ", "", ["x"], 1, None, ...]),
        ('a == "[1]"', ["[1]"], [[1]]),
        ('a == "1"', ["1"], [1, True]),
        ('a == ""', [""], [None, False, 0, ...]),
        ('a != "x"', ["X", 1, None, ["x"], ...], ["x"]),
        ("a > 1", [2, 1.5, 1e300], [1, 0, True, "2", None, [2], ...]),
        ("a >= 1", [1, 1.0, 2], [0.5, True, "1", ...]),
        ("a < 1", [0, -5, 0.5], [1, False, "0", None, ...]),
        ("a <= 1", [1, 0], [1.5, False, None, ...]),
        ('a > "b"', ["c", "ba", "é", "😀"], ["b", "a", "B", "", 5, True, None, ["c"], ...]),
        ('a < "b"', ["a", "B", "", "1"], ["b", 1, False, None, ...]),
        ('a > "\ue000"', ["😀"], ["z"]),
        # nothing else has an order
        ("a > null", [], [None, 1, "x", ...]),
        ("a >= null", [], [None, ...]),
        ("a >= true", [], [True, 1]),
        ("a <= false", [], [False, 0]),
        ("!(a > 1)", [1, "2", None, True, ...], [2]),
        # arrays
        ('a IN [1, "x", true, null]', [1, "x", True, None, ...], [2, "1", False, [1], {}]),
        ('a NIN [1, "x", true, null]', [2, "1", False, [1], {}], [1, "x", True, None, ...]),
        ("a IN [1, 2]", [1, 2, 2.0], [True, "1", None, ...]),
        ("a IN [true]", [True], [1]),
        ("a IN []", [], [1, None, ...]),
        ("a NIN []", [1, None, ...], []),
        ("a NIN [1]", [2, None, "1", ...], [1]),
        # numbers
        ("a == 9007199254740993", [9007199254740993], [9007199254740992, 9007199254740992.0]),
        ("a > 9007199254740992.0", [9007199254740993], [9007199254740992]),
        ("a == 9223372036854775807", [9223372036854775807], [9223372036854775806]),
        ("a == 123456789012345678901", [123456789012345678901, 1.2345678901234568e20], [123456789012345]),
        ("a == 0.1", [0.1], [0.30000000000000004]),
        # both words and both parentheses
        ("!(a == 1 || a == 2)", [3, None, ...], [1, 2]),
        ("!(a > 1 && a < 3)", [1, 3, "2", ...], [2]),
        ("a == 1 || a == 2 && a == 3", [1], [2, 3]),
        ("(a == 1 || a == 2) && a == 2", [2], [1]),
        ("!(!(a == null))", [None, ...], [0]),
        # a name with an underscore is nobody's
        ("a_b == null", [1], []),
    ],
)
def test_a_query_finds(db: sqlite3.Connection, query: str, matching: list[Any], others: list[Any]) -> None:
    """`...` stands for an absent property."""
    for expected, values in ((True, matching), (False, others)):
        for value in values:
            check(db, {} if value is ... else {"a": value}, query, [], expected)


@pytest.mark.parametrize(
    ("query", "values", "expected"),
    [
        ("_id == ?", ["u1"], True),
        ("_id==?", ["u2"], False),
        ("_id != ?", ["u2"], True),
        ("_id == null", [], False),
        ("_id != null", [], True),
        ("_id == 1", [], False),
        ("_id IN ?", [["u1", 5, None]], True),
        ("_id IN ?", [[5, None]], False),
        ("_id NIN ?", [["u1"]], False),
        ("_id > ?", ["u0"], True),
        ("_id > 0", [], False),
        ("_createdAt == 5", [], True),
        ("_createdAt == 5.0", [], True),
        ("_createdAt == ?", ["5"], False),
        ("_createdAt != ?", ["5"], True),
        ("_createdAt == true", [], False),
        ("_createdAt > 4 && _createdAt < 5.5", [], True),
        ("_createdAt > ?", ["4"], False),
        ("_createdAt < 123456789012345678901", [], True),
        ("_createdAt IN [4, 5]", [], True),
        ("!(_createdAt > null)", [], True),
    ],
)
def test_a_column_has_its_type(db: sqlite3.Connection, query: str, values: list[Any], expected: bool) -> None:
    check(db, {"_id": "u1", "_createdAt": 5}, query, values, expected)


@pytest.mark.parametrize(
    ("query", "values", "owner", "expected"),
    [
        ("_owner == null", [], None, True),
        ("_owner == null", [], "u1", False),
        ("_owner != null", [], None, False),
        ("_owner == ?", ["u1"], None, False),
        ("_owner != ?", ["u1"], None, True),
        ("!(_owner == ?)", ["u1"], None, True),
        ("_owner NIN ?", [["u1"]], None, True),
        ("_owner NIN ?", [["u1", None]], None, False),
        ("_owner IN ?", [["u1", None]], None, True),
        ("_owner IN ?", [["u1", None]], "u1", True),
        ("_owner > ?", ["a"], None, False),
        ("!(_owner > ?)", ["a"], None, True),
        ("_owner > ?", ["a"], "u1", True),
        ("_owner == 1", [], "1", False),
        ("_device == ?", ["mine"], "u1", True),
        ("_device == ?", ["mine"], "u2", False),
        ("_device == null", [], "u2", True),
        ("_device != ? && _device IN [null]", ["mine"], None, True),
    ],
)
def test_a_column_may_be_null(
    db: sqlite3.Connection, query: str, values: list[Any], owner: str | None, expected: bool
) -> None:
    assert found(db, {"_owner": owner}, query, values) == [expected]


NEW_YEAR = 1_767_225_600_000


@pytest.mark.parametrize(
    ("query", "values", "expected"),
    [
        ("_at == ?", ["2026-01-01T00:00:00.000Z"], True),
        ('_at == "2026-01-01T00:00:00.000Z"', [], True),
        ("_at != ?", ["2026-01-01T00:00:00.000Z"], False),
        ("_at > ?", ["2025-12-31T23:59:59.999Z"], True),
        ("_at <= ?", ["2025-12-31T23:59:59.999Z"], False),
        ("_at IN ?", [["x", "2026-01-01T00:00:00.000Z"]], True),
        ("_at == ?", [NEW_YEAR], True),
        ("_at > ?", ["2025-02-30T00:00:00.000Z"], False),
        ("_at > ?", ["2025-12-31"], False),
        ("_at > ?", ["2025-12-31T23:59:59Z"], False),
        ("_createdAt > ?", ["2025-12-31T23:59:59.999Z"], False),
    ],
)
def test_a_time_is_compared_with_dates(db: sqlite3.Connection, query: str, values: list[Any], expected: bool) -> None:
    assert found(db, {"_createdAt": NEW_YEAR}, query, values) == [expected]


def test_a_field_that_is_none_has_its_position() -> None:
    with pytest.raises(QueryError) as raised:
        compiled("a == 1 && _nonsense == 2", [])
    assert (
        str(raised.value) == f"is wrong at position 11: there is no field `_nonsense`; known here: {', '.join(COLUMNS)}"
    )


HOSTILE = ["'; DROP TABLE things; --", '" OR 1=1 --', "?1", ":a", "$.b", "x' || 'y", "%", "\\"]


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_and_no_name_reaches_the_sql(db: sqlite3.Connection, value: str) -> None:
    check(db, {"a": value}, "a == ?", [value], True)
    check(db, {"a": value}, f"a IN [{json.dumps(value)}]", [], True)
    harmless = compiled("a == ? && b IN [?] && _id > ?", ["x", "y", "z"]).sql
    assert compiled("verySpecial == ? && c IN [?] && _id > ?", [value, value, value]).sql == harmless


def test_largest_queries_run(db: sqlite3.Connection) -> None:
    """The parser's limits keep within those of SQLite."""
    check(db, {"a": 7}, "||".join(f"a=={number}" for number in range(500)), [], True)
    check(db, {"a": 7}, "&&".join(f"a!={number}" for number in range(500, 1000)), [], True)
    check(db, {"a": "9999"}, "a IN ?", [[str(number) for number in range(10_000)]], True)
    check(db, {"a": 1}, "!(" * MAX_LEVELS + "a==1" + ")" * MAX_LEVELS, [], True)
    check(db, {"a": 1}, "(" * MAX_DEPTH + "&&".join(["a==1"] * 500) + ")" * MAX_DEPTH, [], True)
    check(db, {"a": 7}, "a==0 || b==0 && (" * (MAX_LEVELS // 2) + "a==7" + ")" * (MAX_LEVELS // 2), [], False)
    check(db, {"a": 7}, "a==0 || b==null && (" * (MAX_LEVELS // 2) + "a==7" + ")" * (MAX_LEVELS // 2), [], True)


# --- any query and any thing -----------------------------------------------------------------------------

NAMES = ["a", "b", "c", "_id", "_createdAt", "_owner"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=4)
NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.integers(-(10**21) + 1, 10**21 - 1),
    st.sampled_from([2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.5, 1.0, -0.0, float(2**53), float(2**63)]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.sampled_from(["a", "b", "1", "true", "[]"]))
STORED = st.one_of(SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(TEXTS, SCALARS, max_size=2))
THINGS = st.builds(
    lambda data, key, time, owner: {**data, "_id": key, "_createdAt": time, "_owner": owner},
    st.dictionaries(st.sampled_from(["a", "b", "c"]), STORED),
    st.sampled_from(["a", "b", "1"]),
    st.integers(-3, 3),
    st.sampled_from([None, "a", "1"]),
)


def spelled(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# Queries as pairs: text, and values for its placeholders.
COMPARISONS = st.one_of(
    st.builds(
        lambda name, operator, value, is_bound: (
            f"{name}{operator}{'?' if is_bound else spelled(value)}",
            [value] * is_bound,
        ),
        st.sampled_from(NAMES),
        st.sampled_from(["==", "!=", ">", ">=", "<", "<="]),
        SCALARS,
        st.booleans(),
    ),
    st.builds(
        lambda name, operator, value, is_bound: (
            f"{name} {operator} {'?' if is_bound else spelled(value)}",
            [value] * is_bound,
        ),
        st.sampled_from(NAMES),
        st.sampled_from(["IN", "NIN"]),
        st.lists(SCALARS, max_size=4),
        st.booleans(),
    ),
)
QUERIES = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds(lambda query: (f"({query[0]})", query[1]), inner),
        st.builds(lambda query: (f"!({query[0]})", query[1]), inner),
        st.builds(
            lambda word, queries: (
                word.join(query[0] for query in queries),
                [value for query in queries for value in query[1]],
            ),
            st.sampled_from(["&&", " || "]),
            st.lists(inner, min_size=2, max_size=3),
        ),
    ),
    max_leaves=6,
)


@pytest.mark.slow
@settings(max_examples=1500)
@given(thing=THINGS, query=QUERIES)
def test_sql_and_evaluator_agree(db: sqlite3.Connection, thing: Thing, query: tuple[str, list[Any]]) -> None:
    check(db, thing, *query)


@pytest.mark.slow
@settings(max_examples=1000)
@given(st.text(st.sampled_from('ab_1.-e"\\ []()!&|=<>?,INu0null'), max_size=30))
def test_any_text_is_a_query_or_has_a_position(text: str) -> None:
    assert 1 <= position_of_error(text) <= len(text) + 1


def position_of_error(query: str) -> int:
    """Where the error is; 1 if there is none."""
    try:
        parse_query(query)
    except QueryError as error:
        return error.position
    return 1
