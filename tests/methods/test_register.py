"""`User.register`, and `User.validate` where it says the same."""

# ruff: noqa: RUF001 (usernames that look alike)

import json
import re
from typing import Any

import aiohttp
import pytest

from tests.conftest import NewApp, StartServer
from tests.servers import InProcessServer
from tests.wire import Answer, Wire

TAKEN = {"username": "Username is already taken."}
MOST = 512_000  # bytes of properties as compact UTF-8 JSON

EMOJI = "👍"  # one code point, two UTF-16 units, four bytes


async def register(wire: Wire, **params: Any) -> Answer:
    return await wire.call("User.register", **{"username": "me@example.com", "password": "password", **params})


async def refused(wire: Wire, **params: Any) -> dict[str, str]:
    """What `User.register` complains of; nobody is registered or signed in."""
    answer = await register(wire, **params)
    assert answer.code == -32602
    assert answer.session is None
    assert (await wire.call("User.isAuthenticated")).result is False
    data: dict[str, str] = answer.data
    return data


# --- what it gives ---------------------------------------------------------------------------------------


async def test_gives_the_user_and_signs_in(server: InProcessServer, wire: Wire) -> None:
    answer = await register(wire, properties={"age": 21, "tags": ["a", None]})
    user = answer.result["user"]
    assert re.fullmatch(r"u[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", user.pop("_id"))
    assert user == {
        "_username": "me@example.com",
        "_createdAt": server.clock.now,
        "_updatedAt": server.clock.now,
        "_updateAt": server.clock.now,
        "age": 21,
        "tags": ["a", None],
    }
    assert re.fullmatch("[0-9a-f]{64}", answer.session or "")
    assert re.fullmatch("[0-9a-f]{64}", answer.result["loginToken"])
    assert answer.result.keys() == {"user", "loginToken"}
    assert (await wire.call("User.isAuthenticated")).result is True


async def test_login_token_works(wire: Wire, other: Wire) -> None:
    registered = (await wire.register()).result
    answer = await other.call("User.autoLogin", loginToken=registered["loginToken"])
    assert answer.result["user"] == registered["user"]


async def test_signing_up_while_signed_in_changes_the_user(wire: Wire) -> None:
    await wire.register("one@example.com")
    first_tab = wire.tab()
    await wire.register("two@example.com")
    assert wire.session != first_tab.session
    await wire.call("User.saveProperty", name="name", value="two")
    assert (await wire.call("User.getProperty", name="name")).result == {"value": "two"}
    assert (await first_tab.call("User.getProperty", name="name")).result == {"value": None}


async def test_users_have_different_ids(wire: Wire) -> None:
    ids = {(await wire.register(f"user{number}")).result["user"]["_id"] for number in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize("properties", [{}, None], ids=["empty", "null"])
async def test_without_properties(properties: Any, wire: Wire) -> None:
    assert (await register(wire, properties=properties)).result["user"]["_username"] == "me@example.com"
    assert (await wire.call("User.getProperties")).result == {"properties": {}}


async def test_properties_cannot_pose_as_other_parts_of_the_result(wire: Wire) -> None:
    evil = {"loginToken": "evil", "user": {"_id": "evil"}, "error": 1, "username": "evil", "id": 1, "constructor": {}}
    answer = await register(wire, properties=evil)
    assert answer.body.keys() == {"jsonrpc", "id", "result"}
    assert answer.result.keys() == {"user", "loginToken"}
    assert answer.result["loginToken"] != "evil"
    assert {name: value for name, value in answer.result["user"].items() if not name.startswith("_")} == evil


async def test_properties_cannot_pose_as_a_login_token_where_there_is_none(new_app: NewApp) -> None:
    wire = await new_app(auto_login={"enabled": False})
    answer = await register(wire, properties={"loginToken": "evil"})
    assert answer.result.keys() == {"user"}


# --- lengths ---------------------------------------------------------------------------------------------

LENGTHS = [
    # parameter, value, whether it is accepted by default
    pytest.param("username", "", False, id="empty username"),
    pytest.param("username", "ab", False, id="username of 2"),
    pytest.param("username", "abc", True, id="username of 3"),
    pytest.param("username", EMOJI * 2, False, id="username of 2 emoji"),
    pytest.param("username", EMOJI * 3, True, id="username of 3 emoji"),
    pytest.param("username", "a" * 255, True, id="username of 255"),
    pytest.param("username", "a" * 256, False, id="username of 256"),
    pytest.param("username", EMOJI * 255, True, id="username of 255 emoji"),
    pytest.param("username", EMOJI * 256, False, id="username of 256 emoji"),
    pytest.param("password", "", False, id="empty password"),
    pytest.param("password", "abc", False, id="password of 3"),
    pytest.param("password", "abcd", True, id="password of 4"),
    pytest.param("password", EMOJI * 3, False, id="password of 3 emoji"),
    pytest.param("password", EMOJI * 4, True, id="password of 4 emoji"),
    pytest.param("password", "a" * 80, True, id="password of 80"),
    pytest.param("password", "a" * 81, False, id="password of 81"),
    pytest.param("password", EMOJI * 80, True, id="password of 80 emoji"),
    pytest.param("password", EMOJI * 81, False, id="password of 81 emoji"),
]


@pytest.mark.parametrize(("parameter", "value", "accepted"), LENGTHS)
async def test_lengths(parameter: str, value: str, accepted: bool, wire: Wire) -> None:
    if accepted:
        assert (await register(wire, **{parameter: value})).session
    else:
        assert (await refused(wire, **{parameter: value})).keys() == {parameter}


CONFIGURED = {"min_username_length": 6, "min_password_length": 10}


@pytest.mark.parametrize(
    ("settings", "parameter", "value", "accepted"),
    [
        (CONFIGURED, "username", "a" * 5, False),
        (CONFIGURED, "username", "a" * 6, True),
        (CONFIGURED, "password", "a" * 9, False),
        (CONFIGURED, "password", "a" * 10, True),
        ({"min_username_length": 1}, "username", "a", True),
        ({"min_username_length": 1}, "username", "", False),
        ({"min_username_length": 255}, "username", "a" * 254, False),
        ({"min_username_length": 255}, "username", "a" * 255, True),
        ({"min_password_length": 1}, "password", "a", True),
        ({"min_password_length": 1}, "password", "", False),
        ({"min_password_length": 80}, "password", "a" * 79, False),
        ({"min_password_length": 80}, "password", "a" * 80, True),
    ],
)
async def test_configured_minimum_lengths(
    settings: dict[str, int],
    parameter: str,
    value: str,
    accepted: bool,
    new_app: NewApp,
) -> None:
    wire = await new_app(**settings)
    params = {"username": "a" * 255, "password": "a" * 80, parameter: value}
    if accepted:
        assert (await register(wire, **params)).session
    else:
        complaints = await refused(wire, **params)
        assert complaints.keys() == {parameter}
        shortest = settings[f"min_{parameter}_length"]
        characters = "character" if shortest == 1 else "characters"
        assert complaints[parameter] == f"{parameter.capitalize()} must be at least {shortest} {characters} long."


async def test_minimum_lengths_are_each_backends_own(start: StartServer, http: aiohttp.ClientSession) -> None:
    server: InProcessServer = await start(
        {"backends": {"strict": {"api_key": "test-api-key", "min_username_length": 10}}}
    )
    assert (await register(Wire(http, server), username="abc")).session
    server.backend_id = "strict"
    assert (await refused(Wire(http, server), username="abc")).keys() == {"username"}


# --- passwords -------------------------------------------------------------------------------------------

SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2003\u200a\u2028\u2029\u202f\u205f\u3000"


@pytest.mark.parametrize(
    "password",
    [password for space in SPACES for password in (f"pass{space}word", f"pass{space}")]
    + [" pass", "pass\r\n", "pass\n\n", "\npass", " " * 4, "\n" * 4, "a" * 79 + "\n", "pass\n word"],
    ids=ascii,
)
async def test_spaces_in_a_password_are_refused(password: str, wire: Wire) -> None:
    assert await refused(wire, password=password) == {"password": "Password must not contain spaces."}


@pytest.mark.parametrize(
    ("password", "near_miss"),
    [
        pytest.param("Password", "password", id="case"),
        pytest.param("p\xe4ssword", "pa\u0308ssword", id="not normalised"),
        pytest.param("pass\ufb01sh", "passfish", id="not folded for compatibility"),
        pytest.param("a" * 79 + "b", "a" * 79 + "c", id="not cut before 80"),
        pytest.param("a" * 80, "a" * 79, id="not cut at 80"),
        pytest.param(EMOJI * 80, EMOJI * 79 + "👎", id="not cut after bytes"),
        pytest.param("pass\0word", "pass\0wort", id="not cut at NUL"),
        pytest.param("pass\0", "pass", id="NUL counts"),
        pytest.param("pass\u200bword", "password", id="zero width space is no space"),
        pytest.param("$argon2id$v=19$", "password", id="looks like a hash"),
        pytest.param("パスワード", "ハスワード", id="Japanese"),
    ],
)
async def test_password_is_taken_as_it_is(password: str, near_miss: str, wire: Wire) -> None:
    await register(wire, password=password)
    wrong = await wire.call("User.login", username="me@example.com", password=near_miss)
    right = await wire.call("User.login", username="me@example.com", password=password)
    assert wrong.code == -32602
    assert right.session


async def test_password_with_a_lone_surrogate_is_refused(wire: Wire) -> None:
    assert (await refused(wire, password="pass\ud800word")).keys() == {"password"}


@pytest.mark.parametrize(
    "password",
    ["q7!", "q7!" * 27, "q7! q7!", "q7!q7!\n", "q7!\ud800"],
    ids=["short", "long", "space", "line", "broken"],
)
async def test_complaint_does_not_repeat_the_password(password: str, wire: Wire) -> None:
    answer = await register(wire, password=password)
    assert answer.code == -32602
    assert "q7!" not in json.dumps(answer.body)


# --- several at once -------------------------------------------------------------------------------------


async def test_everything_wrong_is_named_together(wire: Wire) -> None:
    complaints = await refused(wire, username="a b", password="x", properties={"_x": 1, "y": 2, "9": 3}, name="z")
    assert complaints.keys() == {"username", "password", "properties._x", "properties.9", "name"}
    assert all(sentence.endswith(".") for sentence in complaints.values())


async def test_what_the_database_finds_is_named_together(wire: Wire, other: Wire) -> None:
    await other.register("me@example.com")
    complaints = await refused(wire, properties={"text": "x" * MOST})
    assert complaints.keys() == {"username", "properties"}
    assert complaints["username"] == TAKEN["username"]


# --- the name is taken -----------------------------------------------------------------------------------

SAME_NAMES = [
    pytest.param("me@example.com", "me@example.com", id="the same"),
    pytest.param("me@example.com", "Me@Example.COM", id="case"),
    pytest.param("Me@Example.com", "me@example.com", id="registered in capitals"),
    pytest.param("me@example.com", "ＭＥ＠example.com", id="fullwidth"),
    pytest.param("straße", "STRASSE", id="sharp s"),
    pytest.param("Strasse", "straße", id="double s first"),
    pytest.param("Amélie", "Ame\u0301lie", id="decomposed"),
    pytest.param("οδος", "ΟΔΟΣ", id="final sigma"),
]


@pytest.mark.parametrize(("registered", "tried"), SAME_NAMES)
async def test_name_that_counts_as_the_same_is_taken(registered: str, tried: str, wire: Wire, other: Wire) -> None:
    await other.register(registered)
    assert (await wire.call("User.validate", username=tried)).data == TAKEN
    assert await refused(wire, username=tried) == TAKEN


@pytest.mark.parametrize(("registered", "tried"), SAME_NAMES)
async def test_spelling_of_the_registration_is_kept(registered: str, tried: str, wire: Wire) -> None:
    await wire.register(registered)
    answer = await wire.call("User.login", username=tried, password="password")
    assert answer.result["user"]["_username"] == registered


async def test_refused_registration_changes_nothing(wire: Wire, other: Wire) -> None:
    await other.register("me@example.com", "password", age=21)
    await refused(wire, username="ME@example.com", password="another", properties={"age": 22})
    assert (await wire.call("User.login", username="me@example.com", password="another")).code == -32602
    answer = await wire.call("User.login", username="me@example.com", password="password")
    assert answer.result["user"]["age"] == 21


async def test_backends_do_not_share_names(start: StartServer, http: aiohttp.ClientSession) -> None:
    server: InProcessServer = await start({"backends": {"second": {"api_key": "test-api-key"}}})
    wire = Wire(http, server)
    await wire.register()
    server.backend_id = "second"
    assert (await wire.call("User.isAuthenticated")).result is False
    assert (await wire.call("User.login", username="me@example.com", password="password")).code == -32602
    assert (await wire.register()).session


# --- properties ------------------------------------------------------------------------------------------

GOOD_NAMES = ["a", "Z", "a1", "camelCase", "A9z", "a" * 1000, "constructor", "toString", "length", "user", "then"]
BAD_NAMES = [
    "",
    "_x",
    "_id",
    "__proto__",
    "1a",
    "9",
    "a-b",
    "a_b",
    "a.b",
    "a b",
    " a",
    "a ",
    "a\n",
    "\na",
    "a\nb",
    "a\0",
    "é",
    "aé",
    "名前",
    "a１",
    "$a",
    "a\u2028",
]


@pytest.mark.parametrize("name", GOOD_NAMES, ids=lambda name: name[:20])
async def test_property_name_is_allowed(name: str, wire: Wire) -> None:
    assert (await wire.call("User.validate", username="me@example.com", properties={name: 1})).result == "OK"
    assert (await register(wire, properties={name: 1})).result["user"][name] == 1


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
async def test_property_name_is_refused(name: str, wire: Wire) -> None:
    validated = await wire.call("User.validate", username="me@example.com", properties={"fine": 1, name: 1})
    complaints = await refused(wire, properties={"fine": 1, name: 1})
    assert complaints.keys() == {f"properties.{name}"}
    assert complaints[f"properties.{name}"].endswith(".")
    assert validated.data == complaints


@pytest.mark.parametrize("properties", ["age", 21, True, [], [["age", 21]]], ids=json.dumps)
async def test_properties_must_be_an_object(properties: Any, wire: Wire) -> None:
    assert await refused(wire, properties=properties) == {"properties": "Properties must be an object."}


def properties_of(size: int, character: str = "x") -> dict[str, Any]:
    """Properties whose compact UTF-8 JSON takes `size` bytes."""
    overhead = len('{"text":"","n":[1,2]}')
    count, rest = divmod(size - overhead, len(character.encode()))
    properties = {"text": character * count + "x" * rest, "n": [1, 2]}
    assert len(json.dumps(properties, ensure_ascii=False, separators=(",", ":")).encode()) == size
    return properties


@pytest.mark.parametrize("character", ["x", "é", "漢", "👍"])
@pytest.mark.parametrize(("size", "accepted"), [(MOST, True), (MOST + 1, False)])
async def test_size_of_properties(size: int, accepted: bool, character: str, wire: Wire) -> None:
    properties = properties_of(size, character)
    validated = await wire.call("User.validate", username="me@example.com", properties=properties)
    if accepted:
        assert validated.result == "OK"
        assert (await register(wire, properties=properties)).session
        assert (await wire.call("User.getProperties")).result["properties"] == properties
    else:
        complaints = await refused(wire, properties=properties)
        assert complaints == {"properties": "The properties of a user must not take more than 512,000 bytes."}
        assert validated.data == complaints


# --- validate --------------------------------------------------------------------------------------------


async def test_validate_registers_nobody(wire: Wire) -> None:
    for _ in range(2):
        answer = await wire.call("User.validate", username="me@example.com", properties={"age": 21})
        assert answer.result == "OK"
        assert answer.session is None
    assert (await wire.register()).session


@pytest.mark.parametrize(
    ("username", "properties"),
    [
        pytest.param("ab", None, id="short"),
        pytest.param("a" * 256, None, id="long"),
        pytest.param("a b", None, id="space"),
        pytest.param("taken", None, id="taken"),
        pytest.param("taken", {"x": "x" * MOST}, id="taken, too large"),
        pytest.param("a b", {"_x": 1, "9": 2}, id="space, bad names"),
        pytest.param(None, None, id="null"),
        pytest.param(["abc"], "age", id="types"),
    ],
)
async def test_validate_says_what_register_says(username: Any, properties: Any, wire: Wire, other: Wire) -> None:
    await other.register("taken")
    validated = await wire.call("User.validate", username=username, properties=properties)
    assert validated.code == -32602
    assert validated.data == await refused(wire, username=username, properties=properties)


async def test_validate_applies_the_configured_length(new_app: NewApp) -> None:
    wire = await new_app(min_username_length=6)
    assert (await wire.call("User.validate", username="abcde")).data.keys() == {"username"}
    assert (await wire.call("User.validate", username="abcdef")).result == "OK"


async def test_validate_takes_no_password(wire: Wire) -> None:
    answer = await wire.call("User.validate", username="me@example.com", password="password")
    assert answer.data.keys() == {"password"}


async def test_validate_of_ones_own_name_says_taken(wire: Wire) -> None:
    await wire.register()
    assert (await wire.call("User.validate", username="me@example.com")).data == TAKEN
