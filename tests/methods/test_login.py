"""`User.login`."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.config import PasswordsConfig
from tests.conftest import NewApp
from tests.servers import QUICK_PASSWORDS, FakeClock, InProcessServer, make_config, running
from tests.wire import FORM, Wire

WRONG = {"password": "Username or password is incorrect."}


async def login(wire: Wire, username: Any = "me@example.com", password: Any = "password") -> Any:
    return await wire.call("User.login", username=username, password=password)


async def test_gives_the_user_and_a_session(server: InProcessServer, wire: Wire, other: Wire) -> None:
    registered = (await other.register(age=21)).result
    server.clock.advance(minutes=5)
    answer = await login(wire)
    assert answer.result["user"] == registered["user"]
    assert answer.result["loginToken"] != registered["loginToken"]
    assert answer.session
    assert answer.session != other.session
    assert (await wire.call("User.isAuthenticated")).result is True


async def test_dates_tell_what_changed_when(server: InProcessServer, wire: Wire) -> None:
    created = server.clock.now
    await wire.register()
    server.clock.advance(minutes=5)
    await wire.call("User.saveProperty", name="age", value=21)
    server.clock.advance(minutes=5)
    user = (await login(wire)).result["user"]
    assert user["_createdAt"] == created
    assert user["_updatedAt"] == user["_updateAt"] == created + 5 * 60_000


async def test_other_devices_stay_signed_in(wire: Wire, other: Wire) -> None:
    await other.register()
    await login(wire)
    for device in (wire, other):
        assert (await device.call("User.isAuthenticated")).result is True


async def test_signing_in_while_signed_in_changes_the_user(wire: Wire, other: Wire) -> None:
    await other.register("two@example.com", "password", number=2)
    await wire.register("one@example.com", "password", number=1)
    before = wire.session
    assert (await login(wire, "two@example.com")).session != before
    assert (await wire.call("User.getProperty", name="number")).result == {"value": 2}


@pytest.mark.parametrize(
    ("username", "password"),
    [
        pytest.param("me@example.com", "passw0rd", id="wrong password"),
        pytest.param("me@example.com", "Password", id="case of the password"),
        pytest.param("me@example.com", "password ", id="space after the password"),
        pytest.param("me@example.com", "password\n", id="line feed after the password"),
        pytest.param("me@example.com", "", id="empty password"),
        pytest.param("you@example.com", "password", id="unknown user"),
        pytest.param("me@example.com ", "password", id="space after the name"),
        pytest.param("me@example.com\n", "password", id="line feed after the name"),
        pytest.param("", "password", id="empty name"),
        pytest.param("%", "password", id="wildcard of SQL"),
        pytest.param("' OR 1=1 --", "password", id="SQL"),
        pytest.param("me@example.com\0", "password", id="NUL after the name"),
        pytest.param("me\u200b@example.com", "password", id="invisible character"),
    ],
)
async def test_wrong_name_and_wrong_password_are_one_answer(username: str, password: str, wire: Wire) -> None:
    await wire.register()
    wire.session = None
    answer = await login(wire, username, password)
    assert answer.code == -32602
    assert answer.error == {"code": -32602, "message": "Invalid params", "data": WRONG}
    assert answer.session is None
    assert (await wire.call("User.isAuthenticated")).result is False


async def test_unknown_user_and_wrong_password_are_the_same_bytes(
    http: aiohttp.ClientSession, server: InProcessServer, wire: Wire
) -> None:
    await wire.register()

    async def answered(username: str) -> tuple[bytes, dict[str, str]]:
        params = wire.params({"username": username, "password": "passw0rd"})
        message = {"jsonrpc": "2.0", "method": "User.login", "params": params, "id": "1"}
        async with http.post(server.endpoint, json=message, headers={"Content-Type": FORM}) as response:
            return await response.read(), {k: v for k, v in response.headers.items() if k != "Date"}

    assert await answered("me@example.com") == await answered("you@example.com")


@pytest.mark.parametrize(
    ("params", "names"),
    [
        pytest.param({"username": "a" * 256, "password": "password"}, {"username"}, id="long name"),
        pytest.param({"username": "me@example.com", "password": "a" * 1025}, {"password"}, id="long password"),
        pytest.param({"username": 1, "password": ["x"]}, {"username", "password"}, id="types"),
        pytest.param({"username": None, "password": None}, {"username", "password"}, id="null"),
        pytest.param({}, {"username", "password"}, id="nothing"),
        pytest.param(
            {"user": "me@example.com", "pass": "password"}, {"username", "password", "user", "pass"}, id="names"
        ),
    ],
)
async def test_wrong_params(params: dict[str, Any], names: set[str], wire: Wire) -> None:
    await wire.register()
    answer = await wire.call("User.login", **params)
    assert answer.code == -32602
    assert answer.data.keys() == names


@pytest.mark.parametrize("tried", ["me@example.com", "ME@EXAMPLE.COM", "Me@example.com", "\uff4de@example.com"])
async def test_spelling_of_the_name_does_not_matter(tried: str, wire: Wire) -> None:
    await wire.register("Me@Example.com")
    assert (await login(wire, tried)).result["user"]["_username"] == "Me@Example.com"


async def test_minimum_lengths_do_not_lock_out_users_from_before(http: aiohttp.ClientSession, tmp_path: Any) -> None:
    async with running(make_config(tmp_path)) as server:
        await Wire(http, server).register("abc", "pass")
    stricter = {"min_username_length": 10, "min_password_length": 10}
    async with running(make_config(tmp_path, {"backends": {"app": stricter}})) as server:
        wire = Wire(http, server)
        assert (await login(wire, "abc", "pass")).session
        update = {"oldPassword": "pass", "newPassword": "password10"}
        assert (await wire.call("User.updatePassword", **update)).result == "OK"
        assert (await wire.call("User.unregister", password="password10")).result == "OK"


async def test_properties_cannot_pose_as_other_parts_of_the_result(new_app: NewApp) -> None:
    wire = await new_app(auto_login={"enabled": False})
    await wire.register(loginToken="evil", user="evil", result="evil")
    answer = await login(wire)
    assert answer.result.keys() == {"user"}
    assert answer.result["user"]["loginToken"] == "evil"


# --- hashes ----------------------------------------------------------------------------------------------


def stored_hash(server: InProcessServer) -> str:
    ((stored,),) = server.rows("SELECT password_hash FROM users")
    return str(stored)


async def test_login_rehashes_when_parameters_have_changed(http: aiohttp.ClientSession, tmp_path: Any) -> None:
    clock = FakeClock()
    async with running(make_config(tmp_path), clock) as server:
        wire = Wire(http, server)
        await wire.register()
        elsewhere = wire.tab()
        before = stored_hash(server)
        assert before.startswith("$argon2id$v=19$m=64,t=1,p=1$")
        await login(wire)
        assert stored_hash(server) == before, "nothing has changed"

    async with running(make_config(tmp_path, {"passwords": {**QUICK_PASSWORDS, "memory_kib": 128}}), clock) as server:
        wire = Wire(http, server)
        elsewhere.server = server
        assert (await login(wire, password="passw0rd")).data == WRONG
        assert stored_hash(server) == before, "a wrong password is not to be kept"
        user = (await login(wire)).result["user"]
        after = stored_hash(server)
        assert after.startswith("$argon2id$v=19$m=128,t=1,p=1$")
        assert user["_updatedAt"] == user["_createdAt"]
        assert (await login(wire)).session
        assert stored_hash(server) == after, "once is enough"
        # It is the same password: nobody is signed out.
        assert (await elsewhere.call("User.isAuthenticated")).result is True
        assert (await elsewhere.call("User.autoLogin", loginToken=elsewhere.login_token)).session
        assert (await elsewhere.call("User.updatePassword", oldPassword="password", newPassword="new1")).result == "OK"


async def test_hashes_of_one_password_differ(wire: Wire, server: InProcessServer) -> None:
    for number in range(3):
        await wire.register(f"user{number}", "password")
    assert len({row[0] for row in server.rows("SELECT password_hash FROM users")}) == 3


async def test_default_parameters(http: aiohttp.ClientSession, tmp_path: Any) -> None:
    defaults = {"memory_kib": 19456, "iterations": 2, "parallelism": 1}
    assert PasswordsConfig() == PasswordsConfig(**defaults)
    async with running(make_config(tmp_path, {"passwords": defaults})) as server:
        await Wire(http, server).register()
        assert stored_hash(server).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_complaint_does_not_repeat_the_password(wire: Wire) -> None:
    for password in ("q7!" * 27, ["q7!"], "q7!\ud800", "q7!"):
        answer = await login(wire, password=password)
        assert answer.code == -32602
        assert "q7!" not in json.dumps(answer.body)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("username", "password"),
    [
        pytest.param("me@example.com", "password", id="right"),
        pytest.param("me@example.com", "passw0rd", id="wrong password"),
        pytest.param("you@example.com", "password", id="unknown user: the same work, else the time would tell"),
    ],
)
async def test_full_queue_is_an_answer(
    username: str, password: str, http: aiohttp.ClientSession, tmp_path: Any
) -> None:
    """Rather than a time-out: one hash is being computed, two wait, the others are told to come again."""
    # Dear, so that all have come before the first hash is done.
    settings = {"workers": 1, "max_queue": 2, "memory_kib": 19456, "iterations": 10}
    async with running(make_config(tmp_path, {"passwords": settings})) as server:
        wire = Wire(http, server)
        await wire.register()
        answers = await asyncio.gather(*(login(wire.tab(), username, password) for _ in range(20)))
        refused = [answer for answer in answers if "error" in answer.body and answer.code != -32602]
        assert 3 <= len(answers) - len(refused) < 20
        for answer in refused:
            assert answer.error["message"] == "Call limit exceeded"
            assert answer.code == 9999
            assert answer.data.keys() == {"retryAfter"}
            assert answer.data["retryAfter"] >= 1
            assert answer.session is None
        assert (await login(wire)).session, "the queue has emptied"
