"""Every snippet of the documentation of `monaca.cloud.User` works: what it prints is right.

Each test sends what the snippet's client sends and reads of the answer what the snippet reads.
"""

import re

import aiohttp
import pytest

from tests.conftest import NewApp
from tests.mailbox import Mailbox
from tests.servers import InProcessServer
from tests.wire import Wire


@pytest.fixture
async def registered(wire: Wire, other: Wire) -> Wire:
    """An app that is not signed in; the documentation's user has registered on another device."""
    await other.register("me@example.com", "password", age=21, icon="face.png")
    return wire


@pytest.fixture
async def signed_in(registered: Wire) -> Wire:
    answer = await registered.call("User.login", username="me@example.com", password="password")
    assert "user" in answer.result
    return registered


async def test_register(wire: Wire) -> None:
    answer = await wire.call("User.register", username="me@example.com", password="password", properties={"age": 21})
    assert "Welcome, " + answer.result["user"]["_username"] == "Welcome, me@example.com"
    assert f"You are {answer.result['user']['age']} years old." == "You are 21 years old."


async def test_validate(wire: Wire) -> None:
    answer = await wire.call("User.validate", username="me@example.com")
    assert answer.result == "OK"  # Validation passed!


async def test_validate_of_a_name_that_exists(registered: Wire) -> None:
    error = (await registered.call("User.validate", username="me@example.com")).error
    assert f"Err#{error['code']}: {error['message']}" == "Err#-32602: Invalid params"


async def test_unregister(signed_in: Wire) -> None:
    answer = await signed_in.call("User.unregister", password="password")
    assert answer.result == "OK"  # You are unregistered


async def test_login(registered: Wire) -> None:
    answer = await registered.call("User.login", username="me@example.com", password="password")
    assert "Hello again, " + answer.result["user"]["_username"] == "Hello again, me@example.com"


async def test_is_authenticated(registered: Wire) -> None:
    assert (await registered.call("User.isAuthenticated")).result is False  # Go to login
    await registered.call("User.login", username="me@example.com", password="password")
    assert (await registered.call("User.isAuthenticated")).result is True


async def test_auto_login(signed_in: Wire) -> None:
    signed_in.session = None  # the app is started again; it has kept the login token
    answer = await signed_in.call("User.autoLogin", loginToken=signed_in.login_token)
    assert "Hello again, " + answer.result["user"]["_username"] == "Hello again, me@example.com"


async def test_logout(signed_in: Wire) -> None:
    answer = await signed_in.call("User.logout")
    assert answer.result == "OK"  # You are successfully logged out
    assert (await signed_in.call("User.isAuthenticated")).result is False


async def test_update_password(wire: Wire) -> None:
    await wire.register("me@example.com", "oldPassword")
    answer = await wire.call("User.updatePassword", oldPassword="oldPassword", newPassword="newPassword")
    assert answer.result == "OK"  # Your password is successfully changed
    assert (await wire.call("User.login", username="me@example.com", password="newPassword")).result["user"]


async def test_get_property(http: aiohttp.ClientSession, server: InProcessServer, wire: Wire) -> None:
    """With the address as the document spells it here, a dot before the @."""
    await Wire(http, server, "device-2").register("me.@example.com", "password", age=21)
    await wire.call("User.login", username="me.@example.com", password="password")
    # The original client asks for one property through the plural method; other clients need not.
    answer = await wire.call("User.getProperties", names=["age"])
    assert answer.result["properties"]["age"] == 21
    assert (await wire.call("User.getProperty", name="age")).result == {"value": 21}


async def test_get_properties(registered: Wire) -> None:
    await registered.call("User.login", username="me@example.com", password="password")
    properties = (await registered.call("User.getProperties", names=["age", "icon"])).result["properties"]
    assert properties["age"] == 21
    assert properties["icon"] == "face.png"


async def test_save_property(registered: Wire) -> None:
    await registered.call("User.login", username="me@example.com", password="password")
    # As with getProperty: the original client, then the method of the same name.
    assert (await registered.call("User.saveProperties", properties={"nickname": "John"})).result == "OK"
    assert (await registered.call("User.getProperty", name="nickname")).result == {"value": "John"}
    assert (await registered.call("User.saveProperty", name="nickname", value="Jack")).result == "OK"
    assert (await registered.call("User.getProperty", name="nickname")).result == {"value": "Jack"}


async def test_save_properties(registered: Wire) -> None:
    await registered.call("User.login", username="me@example.com", password="password")
    changes = {"nickname": "John", "email": "john@example.com"}
    assert (await registered.call("User.saveProperties", properties=changes)).result == "OK"
    properties = (await registered.call("User.getProperties", names=["nickname", "email"])).result["properties"]
    assert properties == changes


async def test_oid(registered: Wire) -> None:
    """`_oid` is the `_id` of the user that signed in: a long string."""
    answer = await registered.call("User.login", username="me@example.com", password="password")
    assert re.fullmatch(r"u[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.result["user"]["_id"])


async def test_dates_that_the_document_lists(registered: Wire) -> None:
    user = (await registered.call("User.login", username="me@example.com", password="password")).result["user"]
    assert isinstance(user["_createdAt"], int)
    assert isinstance(user["_updateAt"], int)


async def test_send_password_reset_token(new_app: NewApp, mailbox: Mailbox) -> None:
    app = await new_app(smtp=mailbox.settings)
    await app.elsewhere().register("username", email="me@example.com")
    answer = await app.call("User.sendPasswordResetToken", username="username", options={"emailPropertyName": "email"})
    assert answer.result == "OK"  # An email was successfully sent.
    assert (await mailbox.next()).envelope.rcpt_tos == ["me@example.com"]


async def test_reset_password_and_login(new_app: NewApp, mailbox: Mailbox) -> None:
    app = await new_app(smtp=mailbox.settings)
    await app.elsewhere().register("username", email="me@example.com")
    wrong = await app.call("User.resetPasswordAndLogin", username="username", newPassword="newPassword", token="000000")
    assert f"Err#{wrong.code}: {wrong.error['message']}" == "Err#-32602: Invalid params"
    await app.call("User.sendPasswordResetToken", username="username", options={"emailPropertyName": "email"})
    token = (await mailbox.next()).token
    answer = await app.call("User.resetPasswordAndLogin", username="username", newPassword="newPassword", token=token)
    text = answer.result["user"]["_username"] + ", your password is successfully changed."
    assert text == "username, your password is successfully changed."
