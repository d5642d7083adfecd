"""The order of checks: of several things that are wrong in one request, the earliest answers."""

import copy
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.conftest import StartServer
from tests.servers import API_KEY, InProcessServer
from tests.wire import FORM, Wire

Message = dict[str, Any]

UNKNOWN_SESSION = "0123456789abcdef" * 4  # well-formed, but nobody's


def request(method: str, **params: Any) -> Message:
    """A request from a device that is not signed in."""
    reserved = {"__api_key": API_KEY, "__device": "device-1"}
    return {"jsonrpc": "2.0", "method": method, "params": reserved | params, "id": 1}


# --- every pair of flaws ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Flaw:
    """One thing wrong with a request, and the error that it gives when it is the only one."""

    name: str
    spoil: Callable[[Message], None]
    code: int
    data: dict[str, str] | None = None

    @property
    def error(self) -> tuple[int, dict[str, str] | None]:
        return self.code, self.data


def _param(name: str, value: Any) -> Callable[[Message], None]:
    def spoil(message: Message) -> None:
        message["params"][name] = value

    return spoil


def _member(name: str, value: Any) -> Callable[[Message], None]:
    def spoil(message: Message) -> None:
        message[name] = value

    return spoil


def _no_device(message: Message) -> None:
    del message["params"]["__device"]


NOT_JSON = "\N{SYMBOL FOR NULL}"  # becomes something that JSON does not know

# In the order of the checks. They spoil `User.unregister`: it needs a session, has a parameter and asks the database.
FLAWS = [
    Flaw("not JSON", _member("note", NOT_JSON), -32700),
    Flaw("no request object", _member("jsonrpc", "1.0"), -32600),
    Flaw("unknown method", _member("method", "User.unknown"), -32601),
    Flaw("wrong API key", _param("__api_key", "wrong"), 4),
    Flaw("no device", _no_device, 12),
    Flaw("malformed session id", _param("__session", "not a session"), 10),
    Flaw("not signed in", _param("__session", UNKNOWN_SESSION), 11),
    Flaw(
        "unknown parameter",
        _param("colour", "red"),
        -32602,
        {"colour": "There is no such parameter; known here: password."},
    ),
    Flaw("wrong password", _param("password", "wrong"), -32602, {"password": "Password is incorrect."}),
]


async def spoiled_answer(wire: Wire, *flaws: Flaw) -> tuple[int, dict[str, str] | None]:
    await wire.register()
    message = request("User.unregister", password="password", __session=wire.session)
    for flaw in reversed(flaws):  # where two flaws spoil the same part, the earlier check's stands
        flaw.spoil(message)
    answer = await wire.post(json.dumps(message, ensure_ascii=False).replace(f'"{NOT_JSON}"', "NaN").encode())
    return answer.code, answer.data


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw.name)
async def test_a_flaw_alone_gives_its_error(wire: Wire, flaw: Flaw) -> None:
    assert await spoiled_answer(wire, flaw) == flaw.error


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        pytest.param(earlier, later, id=f"{earlier.name} before {later.name}")
        for earlier, later in itertools.combinations(FLAWS, 2)
    ],
)
async def test_of_two_flaws_the_earlier_check_answers(wire: Wire, earlier: Flaw, later: Flaw) -> None:
    assert await spoiled_answer(wire, earlier, later) == earlier.error


async def test_with_every_flaw_at_once_the_first_check_answers_and_so_on_as_they_are_mended(wire: Wire) -> None:
    answers = [await spoiled_answer(wire, *FLAWS[:1])]
    for mended in range(1, len(FLAWS)):
        message = request("User.unregister", password="password", __session=wire.session)
        for flaw in reversed(FLAWS[mended:]):
            flaw.spoil(message)
        answer = await wire.send(message)
        answers.append((answer.code, answer.data))
    assert answers == [flaw.error for flaw in FLAWS]


async def test_the_request_that_the_flaws_spoil_is_right(wire: Wire) -> None:
    await wire.register()
    assert (await wire.call("User.unregister", password="password")).result == "OK"


async def test_a_refused_request_changes_nothing(wire: Wire) -> None:
    await wire.register()
    for flaw in FLAWS[1:]:
        message = request("User.unregister", password="password", __session=wire.session)
        flaw.spoil(message)
        await wire.send(message)
    assert (await wire.call("User.isAuthenticated")).result is True


async def test_the_throttle_answers_after_the_sign_in_state_and_before_the_params(
    start: StartServer, http: aiohttp.ClientSession
) -> None:
    server = await start({"throttle": {"enabled": True}})
    wire = Wire(http, server)
    await wire.register()
    for _ in range(5):
        assert (await wire.call("User.unregister", password="wrong")).code == -32602
    assert (await wire.call("User.unregister", password="password")).code == 9999
    for flaw in FLAWS:
        message = request("User.unregister", password="password", __session=wire.session)
        flaw.spoil(message)
        answer = await wire.post(json.dumps(message, ensure_ascii=False).replace(f'"{NOT_JSON}"', "NaN").encode())
        expected = (9999, {"retryAfter": 15 * 60}) if flaw.code == -32602 else flaw.error
        assert (answer.code, answer.data) == expected


@pytest.mark.parametrize("params", [{}, {"username": 5}, {"colour": "red"}], ids=["none", "wrong type", "unknown"])
@pytest.mark.parametrize("method", ["User.register", "User.validate", "User.sendPasswordResetToken"])
async def test_the_throttle_answers_before_the_params_of_calls_that_count_in_any_case(
    method: str, params: dict[str, Any], start: StartServer, http: aiohttp.ClientSession
) -> None:
    tight = {"registrations_per_address": 1, "reset_requests_per_address": 1}
    wire = Wire(http, await start({"throttle": {"enabled": True, **tight}}))
    assert (await wire.call(method, **params)).code == -32602
    assert (await wire.call(method, **params)).code == 9999


async def test_a_feature_that_is_off_answers_before_the_throttle(
    start: StartServer, http: aiohttp.ClientSession
) -> None:
    tight = {"enabled": True, "failed_logins_per_address": 1}
    wire = Wire(http, await start({"throttle": tight, "backends": {"app": {"auto_login": {"enabled": False}}}}))
    await wire.call("User.login", username="nobody", password="password")
    assert (await wire.call("User.login", username="nobody", password="password")).code == 9999
    assert (await wire.call("User.autoLogin", loginToken="0" * 64)).code == 13


# --- body and envelope -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"[" + b"1," * 60 + b"]", -32700, id="not JSON before too many elements"),
        pytest.param(b"[" + b"1," * 60 + b'{"a": 1, "a": 1}]', -32700, id="duplicate key before too many elements"),
        pytest.param(b"[" + b"[" * 33 + b"]" * 33 + b"]", -32700, id="depth before the elements"),
        pytest.param(b'[{"jsonrpc": "2.0", "method": "foobar", "id": 1}, NaN]', -32700, id="NaN before any element"),
        pytest.param(b'{"method": "foobar", "params": [], "id": 1}', -32600, id="version before method and params"),
        pytest.param(b'{"jsonrpc": "2.0", "method": "foobar", "id": {}}', -32600, id="id before method"),
        pytest.param(
            b'{"jsonrpc": "2.0", "method": "foobar", "params": 1, "id": 1}', -32600, id="params before method"
        ),
        pytest.param(
            b'{"jsonrpc": "2.0", "method": "foobar", "params": [], "id": 1}', -32601, id="method before array"
        ),
    ],
)
async def test_body_and_envelope_come_first(wire: Wire, body: bytes, code: int) -> None:
    assert (await wire.post(body)).code == code


async def test_a_body_that_is_encoded_is_refused_before_it_is_read(wire: Wire) -> None:
    assert (await wire.post(b"not JSON", **{"Content-Encoding": "gzip"})).code == -32600


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    start: StartServer, http: aiohttp.ClientSession
) -> None:
    wire = Wire(http, await start({"server": {"max_body_bytes": 1024}}))
    assert (await wire.post(b"\xff" * 1025)).code == -32600


# --- sign-in state, and what is turned off ---------------------------------------------------------------


@pytest.fixture
async def without_auto_login(start: StartServer, http: aiohttp.ClientSession) -> Wire:
    return Wire(http, await start({"backends": {"app": {"auto_login": {"enabled": False}}}}))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({}, 13, id="nothing else wrong"),
        pytest.param({"loginToken": 5}, 13, id="before a parameter of the wrong type"),
        pytest.param({"loginToken": None}, 13, id="before a parameter that is missing"),
        pytest.param({"colour": "red"}, 13, id="before a parameter that does not exist"),
        pytest.param({"__session": UNKNOWN_SESSION}, 13, id="with a stale session"),
        pytest.param({"__session": "not a session"}, 10, id="after a malformed session id"),
        pytest.param({"__device": ""}, 12, id="after a missing device"),
        pytest.param({"__api_key": ""}, 4, id="after a wrong API key"),
    ],
)
async def test_auto_login_is_off(without_auto_login: Wire, changes: dict[str, Any], code: int) -> None:
    answer = await without_auto_login.send(request("User.autoLogin", **{"loginToken": "0" * 64} | changes))
    assert answer.code == code
    if code == 13:
        assert set(answer.data) == {"reason"}
        assert answer.data["reason"].endswith(".")


NEED_SIGN_IN: dict[str, dict[str, Any]] = {
    "User.unregister": {"password": "password"},
    "User.logout": {},
    "User.updatePassword": {"oldPassword": "password", "newPassword": "passw0rd"},
    "User.getProperty": {"name": "a"},
    "User.getProperties": {},
    "User.saveProperty": {"name": "a", "value": 1},
    "User.saveProperties": {"properties": {"a": 1}},
}


@pytest.mark.parametrize("method", NEED_SIGN_IN)
async def test_not_signed_in_comes_before_wrong_parameters(wire: Wire, method: str) -> None:
    for params in [NEED_SIGN_IN[method], {}, {"colour": "red"}, {"name": 5, "password": 5, "properties": 5}]:
        assert (await wire.send(request(method, **params))).code == 11


@pytest.mark.parametrize("method", NEED_SIGN_IN)
async def test_a_malformed_session_id_comes_before_not_signed_in(wire: Wire, method: str) -> None:
    assert (await wire.send(request(method, __session="not a session"))).code == 10


@pytest.mark.parametrize("value", ['"\\ud800"', "1e400", "9" * 22])
async def test_not_signed_in_comes_before_a_value_that_could_not_be_stored(wire: Wire, value: str) -> None:
    body = json.dumps(request("User.saveProperty", name="a", value=NOT_JSON)).replace(json.dumps(NOT_JSON), value)
    assert (await wire.post(body.encode())).code == 11


# --- parameters before the database ----------------------------------------------------------------------

TOO_LARGE = "x" * 600_000


@pytest.mark.parametrize(
    ("method", "params", "names"),
    [
        ("User.register", {"username": "taken", "password": "x"}, {"password"}),
        ("User.register", {"username": "taken", "password": "password", "properties": {"_a": 1}}, {"properties"}),
        ("User.register", {"username": "taken", "password": "password", "colour": "red"}, {"colour"}),
        ("User.register", {"username": "taken"}, {"password"}),
        ("User.validate", {"username": "taken", "properties": []}, {"properties"}),
        ("User.login", {"username": "taken", "password": 5}, {"password"}),
        ("User.login", {"username": 5, "password": "wrong"}, {"username"}),
        ("User.autoLogin", {"loginToken": "0" * 64, "colour": "red"}, {"colour"}),
        ("User.updatePassword", {"oldPassword": "wrong", "newPassword": "x"}, {"newPassword"}),
        ("User.saveProperty", {"name": "_a", "value": TOO_LARGE}, {"name"}),
        ("User.saveProperties", {"properties": {"a": TOO_LARGE}, "colour": "red"}, {"colour"}),
    ],
)
async def test_parameters_are_checked_before_rules_that_need_the_database(
    wire: Wire, method: str, params: dict[str, Any], names: set[str]
) -> None:
    await wire.register("taken")
    answer = await wire.call(method, **params)
    assert (answer.code, {name.split(".")[0] for name in answer.data}) == (-32602, names)


# --- backend id and API key ------------------------------------------------------------------------------


async def raw_answer(wire: Wire, url: URL, message: Message) -> tuple[int, bytes, dict[str, str]]:
    async with wire.http.post(url, data=json.dumps(message), headers={"Content-Type": FORM}) as response:
        headers = {name: value for name, value in response.headers.items() if name != "Date"}
        return response.status, await response.read(), headers


@pytest.mark.parametrize(
    "backend_id",
    [
        "unknown",
        "App",
        "app2",
        "ap",
        "app%20",
        "app%00",
        "%FF",
        "app%2F",
        "..%2Fapp",
        "%E3%81%82",
        "x" * 1000,
        "%7B%7D",
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        pytest.param(request("User.validate", username="somebody"), id="right otherwise"),
        pytest.param(request("User.validate", username=5, __device=None), id="wrong otherwise"),
    ],
)
async def test_an_unknown_backend_answers_as_a_wrong_key_does(
    wire: Wire, server: InProcessServer, backend_id: str, call: Message
) -> None:
    wrong_key = copy.deepcopy(call)
    wrong_key["params"]["__api_key"] = "wrong"
    expected = await raw_answer(wire, URL(server.endpoint), wrong_key)
    assert json.loads(expected[1])["error"] == {"code": 4, "message": "API key invalid"}
    url = URL(f"{server.url}/json-rpc/{backend_id}", encoded=True)
    assert await raw_answer(wire, url, call) == expected


@pytest.mark.parametrize(
    "message",
    [
        pytest.param([], id="empty batch"),
        pytest.param({}, id="no request object"),
        pytest.param({"jsonrpc": "2.0", "method": "User.unknown", "id": 1}, id="unknown method"),
        pytest.param({"jsonrpc": "2.0", "method": "User.login", "params": [], "id": 1}, id="positional params"),
        pytest.param({"jsonrpc": "2.0", "method": "User.login", "id": 1}, id="no params"),
    ],
)
async def test_without_a_key_an_unknown_backend_cannot_be_told_from_a_known_one(
    wire: Wire, server: InProcessServer, message: Any
) -> None:
    known = await raw_answer(wire, URL(server.endpoint), message)
    assert await raw_answer(wire, URL(server.endpoint + "-unknown"), message) == known


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(None, id="null"),
        pytest.param("", id="empty"),
        pytest.param("wrong", id="wrong"),
        pytest.param(API_KEY + " ", id="with a space"),
        pytest.param(API_KEY + "\0", id="with a NUL"),
        pytest.param(API_KEY.upper(), id="in capitals"),
        pytest.param(API_KEY[:-1], id="without its last character"),
        pytest.param("\u00e9", id="beyond ASCII"),
        pytest.param("x" * 100_000, id="very long"),
        pytest.param(5, id="number"),
        pytest.param(True, id="true"),
        pytest.param([API_KEY], id="in an array"),
        pytest.param({"key": API_KEY}, id="in an object"),
    ],
)
async def test_an_api_key_that_is_not_the_backends_is_refused(wire: Wire, key: Any) -> None:
    assert (await wire.send(request("User.isAuthenticated", __api_key=key))).code == 4


async def test_an_api_key_that_is_missing_is_refused(wire: Wire) -> None:
    message = request("User.isAuthenticated")
    del message["params"]["__api_key"]
    assert (await wire.send(message)).error == {"code": 4, "message": "API key invalid"}


# --- device ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "device",
    [
        pytest.param(None, id="null"),
        pytest.param("", id="empty"),
        pytest.param("x" * 256, id="256 characters"),
        pytest.param("\U0001f600" * 256, id="256 emoji"),
        pytest.param(5, id="number"),
        pytest.param(False, id="false"),
        pytest.param(["device-1"], id="array"),
        pytest.param({}, id="object"),
    ],
)
async def test_a_device_that_is_none_is_refused(wire: Wire, device: Any) -> None:
    answer = await wire.send(request("User.isAuthenticated", __device=device))
    assert answer.error == {"code": 12, "message": "Device id is required"}


@pytest.mark.parametrize(
    "device",
    [
        pytest.param("x", id="1 character"),
        pytest.param("x" * 255, id="255 characters"),
        pytest.param("\U0001f600" * 255, id="255 emoji"),
        pytest.param(" ", id="space"),
        pytest.param("\0", id="NUL"),
        pytest.param("e8b5a6b2-9c7e-4a2f-8a1d-111111111111", id="UUID"),
    ],
)
async def test_a_device_of_1_to_255_characters_can_sign_in(wire: Wire, device: str) -> None:
    registered = await wire.send(request("User.register", username="somebody", password="password", __device=device))
    check = await wire.send(request("User.isAuthenticated", __device=device, __session=registered.session))
    assert check.result is True


# --- session id ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "session",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="space"),
        pytest.param("not-hex", id="hyphen"),
        pytest.param("a b", id="space inside"),
        pytest.param("abc\n", id="line feed at the end"),
        pytest.param("abc\0", id="NUL at the end"),
        pytest.param("\u00e9", id="letter beyond ASCII"),
        pytest.param("\uff11", id="wide digit"),
        pytest.param("' OR 1=1 --", id="SQL"),
        pytest.param(5, id="number"),
        pytest.param(0, id="zero"),
        pytest.param(True, id="true"),
        pytest.param(False, id="false"),
        pytest.param([], id="array"),
        pytest.param({}, id="object"),
    ],
)
@pytest.mark.parametrize("method", ["User.isAuthenticated", "User.validate", "User.login", "User.getProperties"])
async def test_a_malformed_session_id_is_refused_by_every_method(wire: Wire, method: str, session: Any) -> None:
    answer = await wire.send(request(method, __session=session))
    assert answer.error == {"code": 10, "message": "Session id invalid"}


STALE = [
    pytest.param(None, id="null"),
    pytest.param("a", id="one letter"),
    pytest.param("ABCxyz0123456789", id="letters and digits"),
    pytest.param(UNKNOWN_SESSION, id="like one of ours"),
    pytest.param(UNKNOWN_SESSION.upper(), id="in capitals"),
    pytest.param("ended", id="ended"),
    pytest.param("expired", id="expired"),
]


async def stale_session(wire: Wire, server: InProcessServer, session: str | None) -> str | None:
    """Registers somebody; gives the session id of the row, or one of somebody's that is over."""
    await wire.register("somebody")
    if session == "ended":
        await wire.call("User.logout")
        return wire.session
    if session == "expired":
        server.clock.advance(minutes=1441)
        return wire.session
    return session


@pytest.mark.parametrize("session", STALE)
async def test_a_stale_session_only_means_not_signed_in(
    wire: Wire, server: InProcessServer, session: str | None
) -> None:
    stale = await stale_session(wire, server, session)
    assert (await wire.send(request("User.isAuthenticated", __session=stale))).result is False
    assert (await wire.send(request("User.validate", username="anybody", __session=stale))).result == "OK"
    assert (await wire.send(request("User.getProperties", __session=stale))).code == 11


@pytest.mark.parametrize("session", STALE)
@pytest.mark.parametrize("method", ["User.register", "User.login", "User.autoLogin"])
async def test_signing_in_works_with_a_stale_session_which_is_not_adopted(
    wire: Wire, server: InProcessServer, method: str, session: str | None
) -> None:
    stale = await stale_session(wire, server, session)
    if session == "ended":  # logging out has ended the login token too
        login = await wire.send(request("User.login", username="somebody", password="password"))
        wire.login_token = login.result["loginToken"]
    params: dict[str, dict[str, Any]] = {
        "User.register": {"username": "somebody-else", "password": "password"},
        "User.login": {"username": "somebody", "password": "password"},
        "User.autoLogin": {"loginToken": wire.login_token},
    }
    answer = await wire.send(request(method, __session=stale, **params[method]))
    assert answer.result["user"]
    assert answer.session not in {None, stale}
    assert (await wire.send(request("User.isAuthenticated", __session=answer.session))).result is True
    assert (await wire.send(request("User.isAuthenticated", __session=stale))).result is False


async def test_signing_in_while_signed_in_opens_another_session(wire: Wire) -> None:
    await wire.register("somebody")
    first = wire.session
    second = (await wire.call("User.login", username="somebody", password="password")).session
    assert second not in {None, first}
    for session in (first, second):
        assert (await wire.send(request("User.isAuthenticated", __session=session))).result is True


# --- the reserved keys are these three -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["__apikey", "__api_Key", "__sessionId", "__device_id", "__", "_session", "__proto__"])
async def test_another_key_with_underscores_is_an_unknown_parameter(wire: Wire, name: str) -> None:
    answer = await wire.send(request("User.isAuthenticated", **{name: "x"}))
    assert (answer.code, set(answer.data)) == (-32602, {name})


@pytest.mark.parametrize("name", ["__api_key", "__device", "__session"])
async def test_a_reserved_key_beside_params_is_not_looked_at(wire: Wire, name: str) -> None:
    assert (await wire.send(request("User.isAuthenticated") | {name: 5})).result is False


@pytest.mark.parametrize("name", ["__api_key", "__device", "__session"])
async def test_a_reserved_key_is_no_property(wire: Wire, name: str) -> None:
    answer = await wire.send(request("User.validate", username="somebody", properties={name: "x"}))
    assert (answer.code, {each.split(".")[0] for each in answer.data}) == (-32602, {"properties"})
