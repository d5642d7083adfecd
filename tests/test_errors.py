"""The exception classes: there and back over the wire, and between processes."""

import pickle
from collections.abc import Iterator

import pytest

from jsonrpc_backend import errors
from jsonrpc_backend.errors import RpcError

DOCUMENTED = {
    -32700: "Parse error",
    -32600: "Invalid Request",
    -32601: "Method not found",
    -32602: "Invalid params",
    -32603: "Internal error",
    4: "API key invalid",
    10: "Session id invalid",
    11: "User login is required",
    12: "Device id is required",
    13: "Invalid operation",
    14: "Permission denied",
    9999: "Call limit exceeded",
}


def examples() -> Iterator[RpcError]:
    yield errors.InvalidParams({"username": "Username is already taken."})
    yield errors.InternalError("4711")
    yield errors.InvalidOperation("Auto-login is off.")
    yield errors.CallLimitExceeded(30)
    yield errors.LoginRequired()
    yield errors.ConnectionFailed({"reason": "refused"})
    yield RpcError({"x": 1}, code=10001, message="Out of stock")


def test_codes_and_messages_are_the_documented_ones() -> None:
    server_side = {cls.code: cls.message for cls in RpcError.__subclasses__() if cls.code not in {-11, -12, -13}}
    assert server_side == DOCUMENTED


@pytest.mark.parametrize("error", list(examples()), ids=lambda error: type(error).__name__)
def test_error_survives_pickling_and_the_wire(error: RpcError) -> None:
    for copy in (pickle.loads(pickle.dumps(error)), RpcError.from_object(error.to_object())):
        assert (copy.code, copy.message, copy.data, str(copy)) == (error.code, error.message, error.data, str(error))
    assert type(pickle.loads(pickle.dumps(error))) is type(error)


def test_unknown_code_and_odd_data_are_kept() -> None:
    error = RpcError.from_object({"code": 12345, "message": "Odd", "data": [1]})
    assert (type(error), error.code, error.message, error.data) == (RpcError, 12345, "Odd", {"data": [1]})
