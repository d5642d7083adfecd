"""`User.unregister`."""

from typing import Any

import pytest

from tests.servers import InProcessServer
from tests.wire import Wire

WRONG_PASSWORD = {"password": "Password is incorrect."}


async def test_everything_of_the_user_is_gone(server: InProcessServer, wire: Wire, other: Wire) -> None:
    await wire.register(age=21)
    await other.call("User.login", username="me@example.com", password="password")
    answer = await wire.call("User.unregister", password="password")
    assert answer.result == "OK"
    assert answer.session is None
    for table in ("users", "sessions", "login_families", "login_tokens"):
        assert server.rows(f"SELECT * FROM {table}") == []


async def test_nobody_is_signed_in_any_more(wire: Wire, other: Wire) -> None:
    await wire.register()
    await other.call("User.login", username="me@example.com", password="password")
    await wire.call("User.unregister", password="password")
    for device in (wire, other):
        assert (await device.call("User.isAuthenticated")).result is False
        assert (await device.call("User.getProperties")).code == 11
        assert (await device.call("User.saveProperty", name="a", value=1)).code == 11
        answer = await device.call("User.autoLogin", loginToken=device.login_token)
        assert (answer.code, answer.data.keys()) == (-32602, {"loginToken"})
        answer = await device.call("User.login", username="me@example.com", password="password")
        assert answer.data == {"password": "Username or password is incorrect."}


@pytest.mark.parametrize("username", ["me@example.com", "ME@example.com"])
async def test_username_is_free(username: str, wire: Wire, other: Wire) -> None:
    old = (await wire.register(age=21)).result
    await wire.call("User.unregister", password="password")
    assert (await other.call("User.validate", username=username)).result == "OK"
    new = (await other.register(username, "new-password")).result
    assert new["user"]["_id"] != old["user"]["_id"]
    assert "age" not in new["user"]


async def test_successor_under_the_same_name_is_another_user(wire: Wire, other: Wire) -> None:
    await wire.register(age=21)
    await wire.call("User.unregister", password="password")
    await other.register("me@example.com", "new-password", age=30)
    assert (await wire.call("User.isAuthenticated")).result is False
    assert (await wire.call("User.autoLogin", loginToken=wire.login_token)).code == -32602
    assert (await wire.call("User.unregister", password="new-password")).code == 11
    assert (await other.call("User.getProperties")).result == {"properties": {"age": 30}}


@pytest.mark.parametrize("password", ["passw0rd", "Password", "password\n", "", "a" * 80])
async def test_wrong_password(password: str, wire: Wire, other: Wire) -> None:
    await wire.register(age=21)
    answer = await wire.call("User.unregister", password=password)
    assert answer.code == -32602
    assert answer.data == WRONG_PASSWORD
    assert (await wire.call("User.getProperties")).result == {"properties": {"age": 21}}
    assert (await other.call("User.autoLogin", loginToken=wire.login_token)).session


async def test_the_password_of_another_user_is_wrong(wire: Wire, other: Wire) -> None:
    await other.register("you@example.com", "other-password")
    await wire.register()
    assert (await wire.call("User.unregister", password="other-password")).data == WRONG_PASSWORD


async def test_a_password_from_before_is_wrong(wire: Wire) -> None:
    await wire.register()
    await wire.call("User.updatePassword", oldPassword="password", newPassword="passw0rd")
    assert (await wire.call("User.unregister", password="password")).data == WRONG_PASSWORD
    assert (await wire.call("User.unregister", password="passw0rd")).result == "OK"


async def test_other_users_are_left_alone(wire: Wire, other: Wire) -> None:
    await other.register("you@example.com", age=30)
    await wire.register()
    await wire.call("User.unregister", password="password")
    assert (await other.call("User.getProperties")).result == {"properties": {"age": 30}}
    assert (await other.call("User.autoLogin", loginToken=other.login_token)).session


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, {"password"}),
        ({"password": None}, {"password"}),
        ({"password": 1}, {"password"}),
        ({"password": "a" * 1025}, {"password"}),
        ({"password": "password", "username": "you@example.com"}, {"username"}),
    ],
)
async def test_wrong_params(params: dict[str, Any], names: set[str], wire: Wire) -> None:
    await wire.register()
    answer = await wire.call("User.unregister", **params)
    assert answer.code == -32602
    assert answer.data.keys() == names
    assert (await wire.call("User.isAuthenticated")).result is True
