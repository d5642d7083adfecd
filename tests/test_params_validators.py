"""fastjsonschema decides whether params are right, jsonschema says what is wrong: they must agree on everything."""

import functools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsonrpc_backend.methods import APP_API
from jsonrpc_backend.rpc.parse import parse
from jsonrpc_backend.rpc.schemas import ParamsSchema
from tests.examples import all_params
from tests.servers import make_config

METHODS = sorted(APP_API.methods)

# What rules of the schemas turn on: lengths, spaces, line ends, letters outside ASCII, names, settings.
TELLING: list[Any] = [
    *("", "a", "ab", "abc", "abcd", "a" * 80, "a" * 81, "a" * 255, "a" * 256, "é" * 80, "😀" * 80, "😀" * 256),
    *(
        "pass word",
        "password\n",
        "\npassword",
        "password\u2028",
        "pass\u00a0word",
        "password\x85",
        "\u200babc",
        "abc\n",
    ),
    *("age", "age\n", "_age", "__proto__", "age2", "2age", "Åge", "age\u0660", "a-b", "email", "_username", "phone"),
    *("send_password_token", "other", None, True, False, 0, 1, 1.0, -0.0, 10**20, [], {}, [1], ["age"], ["age", 1]),
]

KEYS = ["emailPropertyName", "templateName", *(text for text in TELLING if isinstance(text, str))]

values = st.recursive(
    st.sampled_from(TELLING) | st.text(max_size=12) | st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner),
    max_leaves=6,
)


@functools.cache
def schema_of(method: str) -> ParamsSchema:
    config = make_config(
        Path("unused"), {"backends": {"app": {"min_username_length": 5, "email_properties": ["email"]}}}
    )
    return ParamsSchema.of(method, config.backends["app"])


def agree(schema: ParamsSchema, params: dict[str, Any]) -> bool:
    return schema.is_valid(params) == (schema.explanations(params) == {})


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_both_validators_agree(method: str) -> None:
    """Whatever one or several parameters are changed into."""
    schema, names = schema_of(method), [*all_params(method), "unknown"]

    @given(st.dictionaries(st.sampled_from(names), values), st.sets(st.sampled_from(names)))
    @settings(max_examples=60)
    def check(changed: dict[str, Any], left_out: set[str]) -> None:
        params = all_params(method) | changed
        assert agree(schema, {name: value for name, value in params.items() if name not in left_out})

    check()


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_both_validators_agree_on_what_rules_turn_on(method: str) -> None:
    schema, accepted, refused = schema_of(method), 0, 0
    for name in (*all_params(method), "unknown"):
        for value in TELLING:
            for inner in (value, [value], {"age": value}, *({key: value} for key in KEYS[:2])):
                params = all_params(method) | {name: inner}
                assert agree(schema, params), (name, inner)
                accepted, refused = accepted + schema.is_valid(params), refused + (not schema.is_valid(params))
        for key in KEYS:
            assert agree(schema, all_params(method) | {name: {key: 1}}), (name, key)
    assert refused
    assert accepted or not all_params(method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("body", [b"[1%s]" % (b"0" * 30), b"[1%s]" % (b"0" * 5000), b'["\\ud800"]', b'["\\u0000"]'])
def test_both_validators_agree_on_values_that_cannot_be_stored(method: str, body: bytes) -> None:
    (value,) = parse(body)
    for name in all_params(method):
        assert agree(schema_of(method), all_params(method) | {name: value})


def test_validating_changes_nothing() -> None:
    """fastjsonschema can write the schema's defaults into what it validates."""
    params: dict[str, Any] = {"username": "me@example.com", "options": {}}
    assert schema_of("User.sendPasswordResetToken").is_valid(params)
    assert params == {"username": "me@example.com", "options": {}}
