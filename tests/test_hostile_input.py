"""Whatever is sent, the answer is a documented one, in time, and nothing is logged as a fault.

A few thousand inputs each time; all of the promised hundred thousand with

    HOSTILE_INPUTS=100000 python3 run.py test tests/test_hostile_input.py
"""

import contextlib
import json
import logging
import os
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jsonrpc_backend import errors
from jsonrpc_backend.methods import APP_API, MANAGEMENT_API
from jsonrpc_backend.rpc.registry import Registry
from jsonrpc_backend.rpc.schema_files import load
from tests.operators import KEY, KEY_HEADER, KEYS
from tests.patience import HANG_SECONDS
from tests.servers import API_KEY, make_config
from tests.threaded import Door, served_from_thread

# The server in the other thread makes ids of mails; hypothesis takes that for a strategy that uses `random`.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies"),
]

INPUTS = int(os.environ.get("HOSTILE_INPUTS", "1500"))

MESSAGES = {
    each.code: each.message
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, errors.RpcError) and each.code
}
NEVER_SENT = {-32603, -11, -12, -13}


def inputs(share: float) -> settings:
    """The settings of a test that takes this share of all inputs."""
    return settings(
        max_examples=max(1, int(INPUTS * share)),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A server with two users, that logs no fault until it has stopped."""
    faults: list[str] = []

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            faults.append(self.format(record))

    watch = Watch(logging.WARNING)
    logging.getLogger().addHandler(watch)
    try:
        changes = {"server": {"header_timeout_seconds": 1}, "backends": {"app": KEYS}}
        config = make_config(tmp_path_factory.mktemp("hostile"), changes)
        with served_from_thread(config) as server:
            door = Door(server)
            yield door
            assert door.call("User.validate", username="somebody-else").result == "OK"
            door.close()
    finally:
        logging.getLogger().removeHandler(watch)
    assert faults == []


@pytest.fixture(scope="module")
def session(door: Door) -> str:
    answer = door.call("User.register", username="me@example.com", password="password", properties={"age": 21})
    assert answer.session
    return answer.session


@pytest.fixture(scope="module")
def operators_door(door: Door) -> Iterator[Door]:
    """The operators' API of the same server, for the holder of a management key."""
    operators = Door(door.server, "/manage/json-rpc/app", **{KEY_HEADER: KEY})
    yield operators
    operators.close()


def check(door: Door, body: bytes) -> Any:
    """Sends a body; the answer, which is a JSON-RPC response as documented."""
    status, headers, raw = door.post(body)
    if status == 204:
        assert raw == b""
        return None
    assert status == 200, (status, raw)
    assert headers["Content-Type"] == "application/json"
    answer = json.loads(raw.decode(), parse_constant=pytest.fail)
    assert answer != []
    for element in answer if isinstance(answer, list) else [answer]:
        check_response(element)
    return answer


def check_response(response: dict[str, Any]) -> None:
    assert response["jsonrpc"] == "2.0"
    assert response.keys() in ({"jsonrpc", "result", "id"}, {"jsonrpc", "error", "id"})
    if "result" in response:
        assert response["result"] is not None
        return
    error = response["error"]
    assert error["message"] == MESSAGES[error["code"]]
    assert error["code"] not in NEVER_SENT
    assert error.keys() <= {"code", "message", "data"}
    if error["code"] == -32602:
        assert error["data"]
        assert all(isinstance(sentence, str) and sentence.endswith(".") for sentence in error["data"].values())


# --- what is sent ----------------------------------------------------------------------------------------

characters = st.characters() | st.characters(categories=["Cs", "Cf", "Cc", "Zs", "Mn"])
texts = st.text(characters, max_size=30) | st.sampled_from(
    ["", "__proto__", "_id", "password", "x" * 300, "\0", "\ud800"]
)
numbers = (
    st.integers()
    | st.integers(min_value=-(10**400), max_value=10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([2**63, -(2**63) - 1, 10**21, 10**22, 1e308, -0.0])
)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5), max_leaves=12
)
names = st.sampled_from(sorted(APP_API.methods))

LEGAL = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "User.login",
        "params": {"__api_key": API_KEY, "__device": "d", "username": "me@example.com", "password": "wrong"},
    }
).encode()
PIECES = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b'"',
    b"\\",
    b"\\ud800",
    b"\\u0000",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 5000,
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xed\xa0\x80",
    b"\0",
    b"null",
    b'"id":1',
    b'"params":[]',
    b"[" * 40,
    b"]" * 40,
]


@st.composite
def damaged(draw: st.DrawFn, intact: bytes, pieces: list[bytes]) -> bytes:
    """Something legal with parts cut out, doubled and replaced."""
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(intact)))
        end = draw(st.integers(begin, min(len(intact), begin + 20)))
        piece = draw(st.sampled_from([*pieces, intact[begin:end] * 2, b""]) | st.binary(max_size=8))
        intact = intact[:begin] + piece + intact[end:]
    return intact


requests = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | values,
        "method": names | texts | values,
        "params": st.fixed_dictionaries({"__api_key": st.just(API_KEY), "__device": texts | values}) | values,
        "id": scalars | values,
        "other": values,
    },
)


QUERY_PIECES = [
    "age",
    "_id",
    "==",
    "!=",
    ">",
    "<=",
    " IN ",
    " NIN ",
    "[",
    "]",
    "(",
    ")",
    "!(",
    "&&",
    "||",
    "?",
    ",",
    "null",
]
queries = st.lists(st.sampled_from([*QUERY_PIECES, "1", "-1.5e3", '"a"', "true", " "]) | texts, max_size=12).map(
    "".join
)
PLAUSIBLE = ["me@example.com", "password", "age", "_username", "0" * 64, {"age": 1}, ["age"], None, 1, 10, "asc"]


@st.composite
def calls(draw: st.DrawFn, registry: Registry) -> tuple[str, dict[str, Any]]:
    """A method, and its parameters by name: some left out, some of a wrong type, some plausible."""
    name = draw(st.sampled_from(sorted(registry)))
    plausible = st.sampled_from(PLAUSIBLE)
    known = dict.fromkeys(load(f"{registry[name].schema}.json")["params"]["properties"], plausible | values)
    if "userQuery" in known:
        known["userQuery"] = queries
    params = draw(st.fixed_dictionaries({}, optional=known))
    return name, params | draw(st.dictionaries(texts, values, max_size=2) if draw(st.booleans()) else st.just({}))


# --- tests -----------------------------------------------------------------------------------------------


@inputs(0.2)
@given(st.binary(max_size=300) | damaged(LEGAL, PIECES))
def test_bytes(door: Door, body: bytes) -> None:
    check(door, body)


@inputs(0.3)
@given(requests | st.lists(requests | values, max_size=6) | values)
def test_json(door: Door, value: Any) -> None:
    check(door, json.dumps(value).encode())


@inputs(0.45)
@given(calls(APP_API.methods), st.booleans())
def test_params(door: Door, session: str, call: tuple[str, dict[str, Any]], signed_in: bool) -> None:
    name, params = call
    reserved = {"__api_key": API_KEY, "__device": "device-1"} | ({"__session": session} if signed_in else {})
    body = {"jsonrpc": "2.0", "id": 1, "method": name, "params": params | reserved}
    answer = check(door, json.dumps(body).encode())
    assert answer["id"] == 1
    never = {-32700, -32600, -32601, 4, 12} | ({10} if signed_in or "__session" not in params else set())
    assert answer.get("error", {}).get("code") not in never


@inputs(0.2)
@given(calls(MANAGEMENT_API.methods))
def test_params_of_operators(operators_door: Door, call: tuple[str, dict[str, Any]]) -> None:
    name, params = call
    if name == "User.list":
        params = {"page": 1, "itemsInPage": 10} | params
    answer = check(operators_door, json.dumps({"jsonrpc": "2.0", "id": 1, "method": name, "params": params}).encode())
    assert answer.get("error", {}).get("code") in {None, -32602} | ({13} if name.startswith("Push.") else set())


# --- collections -----------------------------------------------------------------------------------------

DIARY, ITEM = "diary", "the id of the item in it"
OF_COLLECTIONS = ("Collection.", "CollectionItem.", "Device.")

item_names = st.sampled_from(["mood", "tag", "then", "constructor", "a_1", "_id", "_permission", "_ownerUserOid"])
properties = st.dictionaries(item_names | texts, values, max_size=4)
permissions = st.dictionaries(
    st.sampled_from(["public", "u1", "a" * 64, "a b"]) | texts,
    st.sampled_from(["r", "w", "rw", "", "x"]) | values,
    max_size=4,
)
orders = st.sampled_from(["mood", "tag DESC", "_createdAt asc", "_ownerDeviceOid", "mood UP", ""])
options = st.fixed_dictionaries(
    {},
    optional={
        "limit": st.sampled_from([1, 2, 10**4, 10**9]) | values,
        "page": st.sampled_from([1, 2, 10**9]) | values,
        "propertyNames": st.just(["mood"]) | values,
        "mine": st.booleans() | values,
        "forceOverwrite": st.booleans() | values,
    },
)
item_queries = st.lists(
    st.sampled_from([*QUERY_PIECES, "mood", "tag", "_ownerDeviceOid", "_createdAt", '"2026-01-31T09:00:00.000Z"', "1"])
    | texts,
    max_size=12,
).map("".join)
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "collectionName": st.just(DIARY),
    "_id": st.sampled_from([ITEM, DIARY]),
    "itemOid": st.just(ITEM),
    "idList": st.just([ITEM]),
    "item": properties,
    "data": properties,
    "properties": properties,
    "permission": permissions,
    "criteria": item_queries,
    "itemQuery": item_queries,
    "bindParams": st.lists(scalars, max_size=3),
    "itemQueryBindParams": st.lists(scalars, max_size=3),
    "orderBy": orders | st.lists(orders, max_size=11),
    "options": options,
    "page": st.just(1),
    "itemsInPage": st.just(10),
    "isInsertable": st.booleans(),
    "defaultPublicPermission": st.sampled_from(["", "r", "w", "rw"]),
    "deleteWithOwner": st.sampled_from(["private", "all", "none"]),
    "indexes": st.lists(item_names, max_size=9),
    "name": item_names,
    "names": st.lists(item_names),
}


@st.composite
def calls_on_items(draw: st.DrawFn, registry: Registry) -> tuple[str, dict[str, Any]]:
    """A method that is about collections or devices, mostly with all that it needs and an item that is there."""
    name = draw(st.sampled_from(sorted(each for each in registry if each.startswith(OF_COLLECTIONS))))
    schema = load(f"{registry[name].schema}.json")["params"]
    known = {
        param: st.one_of(*[LIKELY.get(param, values)] * 4, st.sampled_from(PLAUSIBLE), values)
        for param in schema["properties"]
    }
    needed = [] if draw(st.integers(0, 9)) == 0 else schema.get("required", [])
    needed_ones = {param: known.pop(param) for param in needed}
    return name, draw(st.fixed_dictionaries(needed_ones, optional=known))


def request(method: str, params: dict[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


class Diary:
    """A collection with an item, which are there before each call."""

    def __init__(self, operators: Door) -> None:
        self._operators = operators
        self._item_id = ""
        self.put_back()

    def put_back(self) -> None:
        self._call("Collection.create", _id=DIARY)
        self._call("Collection.setConfig", _id=DIARY, isInsertable=True)
        if "result" not in self._call("CollectionItem.get", collectionName=DIARY, _id=self._item_id):
            made = self._call("CollectionItem.create", collectionName=DIARY, item={"mood": 3, "tag": "a"})
            self._item_id = made["result"]["item"]["_id"]
        everybody = {"public": "rw"}
        self._call("CollectionItem.setPermission", collectionName=DIARY, _id=self._item_id, permission=everybody)

    def _call(self, method: str, **params: Any) -> Any:
        return check(self._operators, request(method, params))

    def check(self, door: Door, name: str, params: dict[str, Any]) -> None:
        own = {param: self._item_id if value == ITEM else value for param, value in params.items()}
        own |= {"idList": [self._item_id]} if params.get("idList") == [ITEM] else {}
        answer = check(door, request(name, own))
        assert answer.get("error", {}).get("code") in {None, -32602, 13, 14}
        if name.endswith((".delete", ".drop", ".setConfig", "Permission")):
            self.put_back()


@pytest.fixture(scope="module")
def diary(operators_door: Door) -> Diary:
    return Diary(operators_door)


@pytest.fixture(scope="module")
def writer(door: Door) -> str:
    """The session of a user whom no other test signs out."""
    session = door.call("User.register", username="writer@example.com", password="password").session
    assert session
    return session


@inputs(0.5)
@given(calls_on_items(APP_API.methods), st.booleans())
def test_params_of_collections(
    door: Door, diary: Diary, writer: str, call: tuple[str, dict[str, Any]], signed_in: bool
) -> None:
    name, params = call
    reserved = {"__api_key": API_KEY, "__device": "device-1"} | ({"__session": writer} if signed_in else {})
    diary.check(door, name, params | reserved)


@inputs(0.5)
@given(calls_on_items(MANAGEMENT_API.methods))
def test_params_of_operators_collections(operators_door: Door, diary: Diary, call: tuple[str, dict[str, Any]]) -> None:
    diary.check(operators_door, *call)


HTTP = b"POST /json-rpc/app HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(LEGAL), LEGAL)
CHUNKED = b"POST /json-rpc/app HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{ }\r\n0\r\n\r\n"
HTTP_PIECES = [
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b":",
    b"\t",
    b"\0",
    b"Content-Length: -1\r\n",
    b"Content-Length: 1\r\n",
    b"%zz",
    b"/../",
    b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n",
    b"Expect: x\r\n",
    b"Connection: close\r\n",
    b"HTTP/9.9",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
    b"GET ",
    b"OPTIONS * ",
    b"CONNECT ",
    b"http://[::1",
    b"\xff",
    b"x" * 9000,
    b"Content-Encoding: gzip\r\n",
    b"Content-Type: multipart/form-data; boundary=\r\n",
    b"ffffffffffffffffff\r\n",
]


@inputs(0.05)
@given(st.binary(max_size=200) | damaged(HTTP, HTTP_PIECES) | damaged(CHUNKED, HTTP_PIECES))
def test_bytes_on_the_socket(door: Door, sent: bytes) -> None:
    """Where HTTP itself is broken the answer is a 4xx or the end of the connection."""
    host, port = door.server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=HANG_SECONDS) as client:
        received = exchange(client, sent)
    assert not received or received.startswith(b"HTTP/"), received
    assert not any(re.match(rb"HTTP/[0-9.]+ 5", line) for line in received.split(b"\r\n")), received


def exchange(client: socket.socket, sent: bytes) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionError):
        client.sendall(sent)
        received = read_for_a_moment(client)
        client.shutdown(socket.SHUT_WR)
        while chunk := client.recv(65536):
            received += chunk
    return received


def read_for_a_moment(client: socket.socket) -> bytes:
    """What is answered at once. (The end of what we send would end the connection.)"""
    client.settimeout(0.01)
    try:
        return client.recv(65536)
    except TimeoutError:
        return b""
    finally:
        client.settimeout(HANG_SECONDS)


def test_these_tests_see_what_is_wrong() -> None:
    for wrong in (
        {"jsonrpc": "2.0", "id": 1, "result": None},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "Internal error"}},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "Invalid params", "data": {}}},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": -32600, "message": "Other"}},
    ):
        with pytest.raises((AssertionError, KeyError)):
            check_response(wrong)
