"""JSON-RPC 2.0: the examples of the specification's section 7, ids, batches, notifications."""

import json
import logging
import sqlite3
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.servers import InProcessServer
from tests.wire import FORM, SESSION_HEADER, Answer, Wire

MESSAGES = {
    -32700: "Parse error",
    -32600: "Invalid Request",
    -32601: "Method not found",
    -32602: "Invalid params",
}


def error(code: int, request_id: Any = None, **data: str) -> dict[str, Any]:
    """The whole response object of an error."""
    described = {"code": code, "message": MESSAGES[code]} | ({"data": data} if data else {})
    return {"jsonrpc": "2.0", "error": described, "id": request_id}


def positional(request_id: Any) -> dict[str, Any]:
    return error(-32602, request_id, params="Params must be an object with named parameters.")


def success(result: Any, request_id: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "result": result, "id": request_id}


def request(wire: Wire, method: str, params: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """A request object; a notification where no `id` is given."""
    return {"jsonrpc": "2.0", "method": method, "params": wire.params(params or {}), **members}


async def send_for_no_answer(wire: Wire, message: Any) -> str | None:
    """Sends what must be answered with 204 and no body; returns the session of the header."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    async with wire.http.post(wire.server.endpoint, data=body, headers={"Content-Type": FORM}) as response:
        assert (response.status, await response.read()) == (204, b"")
        assert "Content-Type" not in response.headers
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        return response.headers.get(SESSION_HEADER)


async def is_taken(wire: Wire, username: str) -> bool:
    answer = await wire.call("User.validate", username=username)
    return bool(answer.body.get("result") != "OK")


# --- section 7, example by example; `subtract` becomes a method of ours ----------------------------------


async def test_positional_parameters_are_invalid_params(wire: Wire) -> None:
    answer = await wire.post(b'{"jsonrpc": "2.0", "method": "User.validate", "params": [42, 23], "id": 1}')
    assert answer.body == positional(1)


async def test_positional_parameters_in_another_order_are_invalid_params_too(wire: Wire) -> None:
    answer = await wire.post(b'{"jsonrpc": "2.0", "method": "User.validate", "params": [23, 42], "id": 2}')
    assert answer.body == positional(2)


async def test_empty_positional_parameters_are_invalid_params(wire: Wire) -> None:
    answer = await wire.post(b'{"jsonrpc": "2.0", "method": "User.isAuthenticated", "params": [], "id": 3}')
    assert answer.body == positional(3)


async def test_named_parameters_are_taken_in_any_order(wire: Wire) -> None:
    params = wire.params({"username": "somebody", "properties": {"age": 21}})
    backwards = dict(reversed(params.items()))
    first = await wire.send({"jsonrpc": "2.0", "method": "User.validate", "params": params, "id": 3})
    second = await wire.send({"id": 4, "params": backwards, "method": "User.validate", "jsonrpc": "2.0"})
    assert (first.body, second.body) == (success("OK", 3), success("OK", 4))


async def test_a_notification_is_not_answered(wire: Wire) -> None:
    await send_for_no_answer(wire, request(wire, "User.isAuthenticated"))


async def test_a_notification_with_positional_parameters_is_not_answered(wire: Wire) -> None:
    await send_for_no_answer(wire, b'{"jsonrpc": "2.0", "method": "User.validate", "params": [1,2,3,4,5]}')


async def test_a_notification_of_an_unknown_method_is_not_answered(wire: Wire) -> None:
    await send_for_no_answer(wire, b'{"jsonrpc": "2.0", "method": "foobar"}')


async def test_a_notification_that_breaks_a_rule_is_not_answered(wire: Wire) -> None:
    await send_for_no_answer(wire, request(wire, "User.register", {"username": "x", "password": "y"}))


async def test_an_unknown_method(wire: Wire) -> None:
    answer = await wire.post(b'{"jsonrpc": "2.0", "method": "foobar", "id": "1"}')
    assert answer.body == error(-32601, "1")


async def test_invalid_json(wire: Wire) -> None:
    answer = await wire.post(b'{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]')
    assert answer.body == error(-32700)


async def test_an_invalid_request_object(wire: Wire) -> None:
    answer = await wire.post(b'{"jsonrpc": "2.0", "method": 1, "params": "bar"}')
    assert answer.body == error(-32600)


async def test_a_batch_of_invalid_json(wire: Wire) -> None:
    answer = await wire.post(
        b'[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"}, {"jsonrpc": "2.0", "method"]'
    )
    assert answer.body == error(-32700)


async def test_an_empty_batch_is_one_error(wire: Wire) -> None:
    answer = await wire.post(b"[]")
    assert answer.body == error(-32600)


async def test_an_invalid_but_not_empty_batch_is_a_list_of_one_error(wire: Wire) -> None:
    answer = await wire.post(b"[1]")
    assert answer.body == [error(-32600)]


async def test_an_invalid_batch_gives_one_error_for_each_element(wire: Wire) -> None:
    answer = await wire.post(b"[1,2,3]")
    assert answer.body == [error(-32600), error(-32600), error(-32600)]


async def test_a_mixed_batch_answers_each_element_that_has_an_id(wire: Wire) -> None:
    answer = await wire.send(
        [
            request(wire, "User.validate", {"username": "somebody"}, id="1"),
            request(wire, "User.isAuthenticated"),
            {"jsonrpc": "2.0", "method": "User.validate", "params": [42, 23], "id": "2"},
            {"foo": "boo"},
            {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
            request(wire, "User.isAuthenticated", id="9"),
        ]
    )
    assert answer.body == [
        success("OK", "1"),
        positional("2"),
        error(-32600),
        error(-32601, "5"),
        success(False, "9"),
    ]


async def test_a_batch_of_notifications_is_not_answered(wire: Wire) -> None:
    await send_for_no_answer(
        wire,
        [
            {"jsonrpc": "2.0", "method": "notify_sum", "params": [1, 2, 4]},
            {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
        ],
    )


# --- ids -------------------------------------------------------------------------------------------------

IDS = [
    pytest.param('"1"', id="string"),
    pytest.param('""', id="empty string"),
    pytest.param('"\\u00e9\\ud83d\\ude00\\u2028\\u0000"', id="string beyond ASCII"),
    pytest.param('"' + "x" * 10_000 + '"', id="long string"),
    pytest.param('"\\ud800"', id="string with a lone surrogate"),
    pytest.param('"a\\udc00b\\ud800"', id="string with two lone surrogates"),
    pytest.param("0", id="zero"),
    pytest.param("1", id="integer"),
    pytest.param("-1", id="negative integer"),
    pytest.param("9007199254740993", id="integer past 2^53"),
    pytest.param("18446744073709551616", id="integer past 64 bits"),
    pytest.param("1234567890123456789012", id="integer of 22 digits"),
    pytest.param("-" + "9" * 1000, id="integer of 1,000 digits"),
    pytest.param("1.5", id="fraction"),
    pytest.param("1.0", id="float without a fraction"),
    pytest.param("-0.0", id="minus zero"),
    pytest.param("1e-300", id="tiny float"),
    pytest.param("null", id="null"),
]


@pytest.mark.parametrize("written", IDS)
async def test_an_id_is_echoed_with_its_type_in_a_success(wire: Wire, written: str) -> None:
    body = '{"jsonrpc": "2.0", "method": "User.isAuthenticated", "params": %s, "id": %s}'
    answer = await wire.post((body % (json.dumps(wire.params({})), written)).encode())
    assert answer.result is False
    assert repr(answer.body["id"]) == repr(json.loads(written))


@pytest.mark.parametrize("written", IDS)
async def test_an_id_is_echoed_with_its_type_in_an_error(wire: Wire, written: str) -> None:
    answer = await wire.post(b'{"jsonrpc": "2.0", "method": "foobar", "id": %s}' % written.encode())
    assert answer.code == -32601
    assert repr(answer.body["id"]) == repr(json.loads(written))


@pytest.mark.parametrize("written", IDS)
async def test_an_id_is_echoed_in_an_invalid_request_where_it_can_be_told(wire: Wire, written: str) -> None:
    answer = await wire.post(b'{"jsonrpc": "2.0", "method": 1, "id": %s}' % written.encode())
    assert answer.code == -32600
    assert repr(answer.body["id"]) == repr(json.loads(written))


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("true", id="true"),
        pytest.param("false", id="false"),
        pytest.param("[]", id="empty array"),
        pytest.param("[1]", id="array"),
        pytest.param("{}", id="empty object"),
        pytest.param('{"id": 1}', id="object"),
        pytest.param("1e400", id="number past every double"),
        pytest.param("-1e999", id="number below every double"),
        pytest.param("9" * 5000, id="integer of 5,000 digits"),
    ],
)
async def test_an_id_that_is_no_id_makes_an_invalid_request(wire: Wire, written: str) -> None:
    answer = await wire.post(b'{"jsonrpc": "2.0", "method": "User.isAuthenticated", "id": %s}' % written.encode())
    assert answer.body == error(-32600)


async def test_equal_ids_in_a_batch_are_echoed_each(wire: Wire) -> None:
    call = request(wire, "User.isAuthenticated", id=7)
    answer = await wire.send([call, call])
    assert answer.body == [success(False, 7), success(False, 7)]


async def test_ids_of_different_types_in_a_batch_keep_their_types(wire: Wire) -> None:
    ids: list[Any] = ["1", 1, 1.0, None, -1]
    answer = await wire.send([request(wire, "User.isAuthenticated", id=request_id) for request_id in ids])
    assert repr([response["id"] for response in answer.body]) == repr(ids)


async def test_a_null_id_is_no_notification(wire: Wire) -> None:
    answer = await wire.send(request(wire, "User.isAuthenticated", id=None))
    assert answer.body == success(False, None)


# --- request and response objects ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"jsonrpc": None}, id="version null"),
        pytest.param({"jsonrpc": 2.0}, id="version a number"),
        pytest.param({"jsonrpc": 2}, id="version an integer"),
        pytest.param({"jsonrpc": "1.0"}, id="version 1.0"),
        pytest.param({"jsonrpc": "2"}, id="version 2"),
        pytest.param({"jsonrpc": "2.0 "}, id="version with a space"),
        pytest.param({"jsonrpc": ["2.0"]}, id="version in an array"),
        pytest.param({"method": None}, id="method null"),
        pytest.param({"method": 1}, id="method a number"),
        pytest.param({"method": True}, id="method true"),
        pytest.param({"method": ["User.isAuthenticated"]}, id="method in an array"),
        pytest.param({"method": {}}, id="method an object"),
        pytest.param({"params": None}, id="params null"),
        pytest.param({"params": "bar"}, id="params a string"),
        pytest.param({"params": 1}, id="params a number"),
        pytest.param({"params": 1.5}, id="params a fraction"),
        pytest.param({"params": True}, id="params true"),
        pytest.param({"params": False}, id="params false"),
    ],
)
async def test_a_member_of_the_wrong_type_makes_an_invalid_request(wire: Wire, changes: dict[str, Any]) -> None:
    answer = await wire.send(request(wire, "User.isAuthenticated", id="1") | changes)
    assert answer.body == error(-32600, "1")


@pytest.mark.parametrize("missing", ["jsonrpc", "method"])
async def test_a_member_that_is_missing_makes_an_invalid_request(wire: Wire, missing: str) -> None:
    call = request(wire, "User.isAuthenticated", id=1)
    del call[missing]
    answer = await wire.send(call)
    assert answer.body == error(-32600, 1)


@pytest.mark.parametrize("name", ["jsonrpc", "method"])
async def test_member_names_are_case_sensitive(wire: Wire, name: str) -> None:
    call = request(wire, "User.isAuthenticated", id=1)
    call[name.upper()] = call.pop(name)
    answer = await wire.send(call)
    assert answer.body == error(-32600, 1)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"null", id="null"),
        pytest.param(b"true", id="true"),
        pytest.param(b"0", id="number"),
        pytest.param(b"-1.5e3", id="fraction"),
        pytest.param(b"1e400", id="number past every double"),
        pytest.param(b'"User.login"', id="string"),
        pytest.param(b'"\\ud800"', id="lone surrogate"),
        pytest.param(b"{}", id="empty object"),
    ],
)
async def test_a_body_that_is_no_request_object(wire: Wire, body: bytes) -> None:
    answer = await wire.post(body)
    assert answer.body == error(-32600)


async def test_params_can_be_absent_when_a_key_is_not_asked_for_yet(wire: Wire) -> None:
    answer = await wire.post(b'{"jsonrpc": "2.0", "method": "User.isAuthenticated", "id": 1}')
    assert answer.code == 4


async def test_extra_members_of_a_request_are_ignored(wire: Wire) -> None:
    extra = {"auth": None, "version": "1.1", "result": 1, "error": {}, "context": {"deep": [1, {}]}, "": 0}
    answer = await wire.send(request(wire, "User.isAuthenticated", id=1) | extra)
    assert answer.body == success(False, 1)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("1e400", id="number out of range"),
        pytest.param("9" * 5000, id="integer of 5,000 digits"),
        pytest.param('{"\\ud800": ["\\udfff"]}', id="lone surrogates"),
    ],
)
async def test_an_extra_member_that_could_not_be_stored_does_no_harm(wire: Wire, written: str) -> None:
    call = json.dumps(request(wire, "User.isAuthenticated", id=1))
    answer = await wire.post(f'{call[:-1]}, "extra": {written}}}'.encode())
    assert answer.body == success(False, 1)


@pytest.mark.parametrize(
    "method", ["", "user.login", "User.Login", "User.login ", "User", "__class__", "rpc.", "User.*"]
)
async def test_method_names_are_taken_exactly(wire: Wire, method: str) -> None:
    answer = await wire.send(request(wire, method, id=1))
    assert answer.body == error(-32601, 1)


async def test_a_success_has_no_error_member(wire: Wire) -> None:
    answer = await wire.call("User.validate", username="somebody")
    assert set(answer.body) == {"jsonrpc", "result", "id"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="-32700"),
        pytest.param(b"{}", id="-32600"),
        pytest.param(b'{"jsonrpc": "2.0", "method": "foobar", "id": 1}', id="-32601"),
        pytest.param(b'{"jsonrpc": "2.0", "method": "User.login", "params": [], "id": 1}', id="-32602"),
        pytest.param(b'{"jsonrpc": "2.0", "method": "User.login", "params": {}, "id": 1}', id="4"),
    ],
)
async def test_an_error_has_no_result_member(wire: Wire, body: bytes) -> None:
    answer = await wire.post(body)
    assert set(answer.body) == {"jsonrpc", "error", "id"}


@pytest.mark.parametrize("body", [b"{", b"{}", b'{"jsonrpc": "2.0", "method": "foobar", "id": 1}'])
async def test_an_error_without_data_has_no_data_member(wire: Wire, body: bytes) -> None:
    answer = await wire.post(body)
    assert set(answer.error) == {"code", "message"}


# --- notifications and batches at work -------------------------------------------------------------------


async def test_a_notification_takes_effect(wire: Wire) -> None:
    call = request(wire, "User.register", {"username": "somebody", "password": "password"})
    await send_for_no_answer(wire, call)
    assert await is_taken(wire, "somebody")


async def test_a_session_that_a_notification_opens_is_in_the_header(wire: Wire) -> None:
    call = request(wire, "User.register", {"username": "somebody", "password": "password"})
    for message in (call, [call | {"params": wire.params({"username": "other", "password": "password"})}]):
        wire.session = await send_for_no_answer(wire, message)
        assert (await wire.call("User.isAuthenticated")).result is True


async def test_of_the_sessions_of_a_batch_the_last_is_in_the_header(wire: Wire) -> None:
    names = ("anna", "bert", "")  # the last cannot be registered
    calls = [request(wire, "User.register", {"username": name, "password": "password"}, id=name) for name in names]
    wire.session = (await wire.send(calls)).session
    assert (await wire.call("User.isAuthenticated")).result is True
    assert (await wire.call("User.updatePassword", oldPassword="password", newPassword="another")).result == "OK"
    assert (await wire.elsewhere().call("User.login", username="bert", password="another")).session


async def test_a_batch_of_notifications_takes_effect(wire: Wire) -> None:
    calls = [request(wire, "User.register", {"username": name, "password": "password"}) for name in ("anna", "bert")]
    await send_for_no_answer(wire, calls)
    assert await is_taken(wire, "anna")
    assert await is_taken(wire, "bert")


async def test_a_batch_runs_in_order(wire: Wire) -> None:
    validate = request(wire, "User.validate", {"username": "somebody"})
    register = request(wire, "User.register", {"username": "somebody", "password": "password"})
    answer = await wire.send([validate | {"id": 1}, register | {"id": 2}, validate | {"id": 3}])
    before, registered, after = answer.body
    assert before == success("OK", 1)
    assert registered["result"]["user"]["_username"] == "somebody"
    assert after == error(-32602, 3, username="Username is already taken.")


async def test_a_notification_in_a_batch_runs_in_its_place(wire: Wire) -> None:
    validate = request(wire, "User.validate", {"username": "somebody"})
    register = request(wire, "User.register", {"username": "somebody", "password": "password"})
    answer = await wire.send([validate | {"id": 1}, register, validate | {"id": 3}])
    assert answer.body == [success("OK", 1), error(-32602, 3, username="Username is already taken.")]


async def test_saves_of_a_batch_are_applied_one_after_the_other(wire: Wire) -> None:
    await wire.register()
    saves = [request(wire, "User.saveProperty", {"name": "n", "value": i}, id=i) for i in range(20)]
    answer = await wire.send([*saves, request(wire, "User.getProperty", {"name": "n"}, id=20)])
    assert [response["id"] for response in answer.body] == list(range(21))
    assert answer.body[-1]["result"] == {"value": 19}


async def test_a_batch_of_one_is_answered_with_a_list_of_one(wire: Wire) -> None:
    answer = await wire.send([request(wire, "User.isAuthenticated", id=1)])
    assert answer.body == [success(False, 1)]


BROKEN_ELEMENTS = [
    pytest.param("null", -32600, id="null"),
    pytest.param("[]", -32600, id="empty array"),
    pytest.param("[[]]", -32600, id="batch in the batch"),
    pytest.param('"x"', -32600, id="string"),
    pytest.param('{"jsonrpc": "2.0", "method": "foobar", "id": 0}', -32601, id="unknown method"),
    pytest.param('{"jsonrpc": "2.0", "method": "\\ud800", "id": 0}', -32601, id="method with a lone surrogate"),
    pytest.param('{"jsonrpc": "2.0", "method": "User.login", "id": true}', -32600, id="id of a wrong type"),
    pytest.param('{"jsonrpc": "2.0", "method": "User.login", "id": "\\ud800"}', 4, id="id with a lone surrogate"),
    pytest.param('{"jsonrpc": "2.0", "method": "User.login", "params": [], "id": 0}', -32602, id="positional params"),
    pytest.param('{"jsonrpc": "2.0", "method": "User.login", "params": 1, "id": 0}', -32600, id="params a number"),
    pytest.param('{"jsonrpc": "2.0", "method": "User.login", "params": {}, "id": 0}', 4, id="no API key"),
]


@pytest.mark.parametrize(("element", "code"), BROKEN_ELEMENTS)
async def test_a_broken_element_does_not_touch_the_others(wire: Wire, element: str, code: int) -> None:
    whole = json.dumps(request(wire, "User.validate", {"username": "\u00e9t\u00e9"}, id="whole"))
    answer = await wire.post(f"[{whole},{element},{whole}]".encode())
    before, broken, after = answer.body
    assert before == after == success("OK", "whole")
    assert Answer(broken, answer.headers).code == code


async def test_elements_of_a_batch_can_come_from_different_devices_and_sessions(wire: Wire) -> None:
    await wire.register()
    stranger = Wire(wire.http, wire.server, device="device-2")
    answer = await wire.send(
        [
            request(wire, "User.isAuthenticated", id=1),
            request(stranger, "User.isAuthenticated", id=2),
            request(wire, "User.isAuthenticated", {"__api_key": "wrong"}, id=3),
        ]
    )
    signed_in, not_signed_in, refused = answer.body
    assert (signed_in["result"], not_signed_in["result"], refused["error"]["code"]) == (True, False, 4)


# --- the longest batch -----------------------------------------------------------------------------------


async def test_fifty_requests_in_a_batch_are_answered(wire: Wire) -> None:
    answer = await wire.send([request(wire, "User.isAuthenticated", id=i) for i in range(50)])
    assert answer.body == [success(False, i) for i in range(50)]


async def test_fifty_one_requests_in_a_batch_are_one_error(wire: Wire) -> None:
    answer = await wire.send([request(wire, "User.isAuthenticated", id=i) for i in range(51)])
    assert answer.body == error(-32600)


async def test_fifty_one_notifications_are_one_error(wire: Wire) -> None:
    answer = await wire.send([request(wire, "User.isAuthenticated") for _ in range(51)])
    assert answer.body == error(-32600)


async def test_a_batch_that_is_too_long_runs_nothing(wire: Wire) -> None:
    register = request(wire, "User.register", {"username": "somebody", "password": "password"})
    answer = await wire.send([register, *[1] * 50])
    assert answer.body == error(-32600)
    assert not await is_taken(wire, "somebody")


async def test_a_batch_of_very_many_elements_is_one_error(wire: Wire) -> None:
    answer = await wire.post(b"[" + b"1," * 400_000 + b"1]")
    assert answer.body == error(-32600)


@pytest.mark.parametrize(("elements", "answers"), [(3, 3), (4, None)])
async def test_the_longest_batch_is_a_setting(
    start: StartServer, http: Any, elements: int, answers: int | None
) -> None:
    server: InProcessServer = await start({"server": {"max_batch": 3}})
    wire = Wire(http, server)
    answer = await wire.send([request(wire, "User.isAuthenticated", id=i) for i in range(elements)])
    assert answer.body == (error(-32600) if answers is None else [success(False, i) for i in range(answers)])


# --- faults of the server --------------------------------------------------------------------------------


async def test_an_internal_error_tells_the_client_a_request_id_and_the_log_the_cause(
    wire: Wire, server: InProcessServer, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite3.connect(server.database_path()) as database:
        database.execute("ALTER TABLE users RENAME TO hidden")
    database.close()
    answer = await wire.call("User.validate", username="somebody")
    assert (answer.code, answer.error["message"]) == (-32603, "Internal error")
    assert set(answer.data) == {"requestId"}
    logged = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [answer.data["requestId"] in record.getMessage() for record in logged] == [True]
    assert logged[0].exc_info is not None
    assert "users" in str(logged[0].exc_info[1])
