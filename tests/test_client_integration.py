"""The asyncio client against the real server."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jsonrpc_backend.client import AsyncClient, Notification
from jsonrpc_backend.errors import (
    InvalidApiKey,
    InvalidParams,
    InvalidRequest,
    InvalidSessionId,
    InvalidStatus,
    LoginRequired,
    MethodNotFound,
)
from tests.servers import InProcessServer


def client_of(server: InProcessServer, **settings: Any) -> AsyncClient:
    return AsyncClient(server.url, server.backend_id, server.api_key, **settings)


@pytest.fixture
async def client(server: InProcessServer) -> AsyncIterator[AsyncClient]:
    async with client_of(server) as client:
        yield client


async def test_registering_signs_in(server: InProcessServer, client: AsyncClient) -> None:
    await client.user.validate("me@example.com", {"age": 21})
    user = await client.user.register("me@example.com", "secret", {"age": 21})
    assert user.username == "me@example.com"
    assert user.properties == {"age": 21}
    assert user.created_at == user.updated_at == datetime.fromtimestamp(server.clock.now / 1000, UTC)
    assert await client.user.is_authenticated() is True
    with pytest.raises(InvalidParams) as caught:
        await client.user.validate("me@example.com")
    assert caught.value.data is not None
    assert caught.value.data.keys() == {"username"}


async def test_signing_in_and_out(client: AsyncClient) -> None:
    registered = await client.user.register("me@example.com", "secret")
    await client.user.logout()
    assert (client.session, client.login_token) == (None, None)
    assert await client.user.is_authenticated() is False
    with pytest.raises(LoginRequired):
        await client.user.logout()
    with pytest.raises(InvalidParams):
        await client.user.login("me@example.com", "wrong")
    assert await client.user.login("me@example.com", "secret") == registered


async def test_auto_login_hands_on_the_token(client: AsyncClient) -> None:
    registered = await client.user.register("me@example.com", "secret")
    seen = set()
    for _ in range(3):
        seen.add((client.session, client.login_token))
        assert await client.user.auto_login() == registered
    assert len({session for session, _ in seen}) == len({token for _, token in seen}) == 3
    with pytest.raises(InvalidParams) as caught:
        await client.user.auto_login("0" * 64)
    assert caught.value.data is not None
    assert caught.value.data.keys() == {"loginToken"}


async def test_properties(client: AsyncClient) -> None:
    await client.user.register("me@example.com", "secret", {"age": 21})
    await client.user.save_property("height", {"cm": 180.5})
    await client.user.save_properties({"age": None, "text": "漢字 \U0001f600"})
    assert await client.user.get_properties() == {"age": None, "height": {"cm": 180.5}, "text": "漢字 \U0001f600"}
    assert await client.user.get_properties(["age", "none"]) == {"age": None}
    assert await client.user.get_property("text") == "漢字 \U0001f600"


async def test_a_new_password_keeps_the_session_and_its_login_token(client: AsyncClient) -> None:
    await client.user.register("me@example.com", "secret")
    before = client.session
    token = client.login_token
    await client.user.update_password("secret", "secret2")
    assert client.session == before
    assert client.login_token == token
    assert await client.user.is_authenticated() is True
    await client.user.auto_login()
    assert client.login_token not in {None, token}


async def test_unregistering_forgets_everything(client: AsyncClient) -> None:
    await client.user.register("me@example.com", "secret")
    with pytest.raises(InvalidParams):
        await client.user.unregister("wrong")
    assert await client.user.is_authenticated() is True
    await client.user.unregister("secret")
    assert (client.session, client.login_token) == (None, None)
    await client.user.validate("me@example.com")


async def test_a_batch_runs_in_order(client: AsyncClient) -> None:
    await client.user.register("me@example.com", "secret")
    saved, wrong, nothing, value = await client.batch(
        [
            ("User.saveProperty", {"name": "age", "value": 20}),
            ("User.noSuchMethod", None),
            Notification("User.saveProperty", {"name": "age", "value": 21}),
            ("User.getProperty", {"name": "age"}),
        ]
    )
    assert (saved, nothing, value) == ("OK", None, {"value": 21})
    assert isinstance(wrong, MethodNotFound)


async def test_a_sign_in_in_a_batch_counts_after_it(client: AsyncClient) -> None:
    signed_in, too_early = await client.batch(
        [("User.register", {"username": "me@example.com", "password": "secret"}), ("User.getProperties", None)]
    )
    assert isinstance(too_early, LoginRequired)
    assert client.login_token == signed_in["loginToken"]
    assert await client.user.get_properties() == {}


async def test_a_batch_signs_in_and_out(client: AsyncClient) -> None:
    await client.user.register("me@example.com", "secret")
    login = ("User.login", {"username": "me@example.com", "password": "secret"})
    await client.batch([("User.logout", None), login])
    assert await client.user.is_authenticated() is True
    await client.batch([login, ("User.logout", None)])
    assert (client.session, client.login_token) == (None, None)
    assert await client.user.is_authenticated() is False


async def test_a_notification_takes_effect(client: AsyncClient) -> None:
    await client.notify("User.register", username="me@example.com", password="secret")
    await client.user.login("me@example.com", "secret")
    await client.notify("User.saveProperty", name="age", value=21)
    await client.notify("User.noSuchMethod")
    assert await client.user.get_property("age") == 21


async def test_a_batch_that_is_too_long_raises(client: AsyncClient) -> None:
    with pytest.raises(InvalidRequest):
        await client.batch([("User.isAuthenticated", None)] * 51)


async def test_a_call_that_is_too_large_raises(client: AsyncClient) -> None:
    with pytest.raises(InvalidRequest):
        await client.call("User.validate", username="x" * 1_100_000)


async def test_the_largest_properties_go_there_and_back(client: AsyncClient) -> None:
    await client.user.register("me@example.com", "secret")
    text = "д" * 255_000  # 510,000 bytes
    await client.user.save_property("text", text)
    assert await client.user.get_property("text") == text


async def test_a_wrong_key_and_an_unknown_backend_are_one_error(server: InProcessServer) -> None:
    for backend_id, key in (("app", "wrong"), ("unknown", server.api_key), ("a/b", server.api_key)):
        async with AsyncClient(server.url, backend_id, key) as client:
            with pytest.raises(InvalidApiKey):
                await client.user.is_authenticated()


async def test_an_address_beside_the_endpoint_is_an_invalid_status(server: InProcessServer) -> None:
    async with AsyncClient(f"{server.url}/elsewhere", "app", server.api_key) as client:
        with pytest.raises(InvalidStatus) as caught:
            await client.user.is_authenticated()
    assert caught.value.data == {"status": 404}


async def test_a_session_id_that_the_server_refuses_is_forgotten(server: InProcessServer, tmp_path: Path) -> None:
    state_file = tmp_path / "account.json"
    async with client_of(server, state_file=state_file) as client:
        await client.user.register("me@example.com", "secret")
    # As another server at this address may have left it: too long for this one.
    state_file.write_text(json.dumps({**json.loads(state_file.read_text()), "session": "5" * 256}))
    async with client_of(server, state_file=state_file) as client:
        with pytest.raises(InvalidSessionId):
            await client.user.is_authenticated()
        assert client.session is None
        await client.user.auto_login()
        assert await client.user.is_authenticated() is True


async def test_signing_in_works_with_an_expired_session(server: InProcessServer, client: AsyncClient) -> None:
    await client.user.register("me@example.com", "secret")
    server.clock.advance(minutes=60 * 25)
    with pytest.raises(LoginRequired):
        await client.user.get_properties()
    await client.user.auto_login()
    assert await client.user.get_properties() == {}


async def test_two_clients_are_two_devices(server: InProcessServer) -> None:
    async with client_of(server) as phone, client_of(server) as tablet:
        await phone.user.register("me@example.com", "secret")
        await tablet.user.login("me@example.com", "secret")
        await phone.user.logout()
        assert await tablet.user.is_authenticated() is True
        await tablet.user.auto_login()


async def test_overlapping_auto_logins_all_succeed(client: AsyncClient) -> None:
    await client.user.register("me@example.com", "secret")
    users = await asyncio.gather(*(client.user.auto_login() for _ in range(5)))
    assert len({user.id for user in users}) == 1
    assert await client.user.is_authenticated() is True
    await client.user.auto_login()
