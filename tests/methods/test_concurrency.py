"""Calls at the same time: whatever their order, the outcome is one that some order of them gives."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from tests.conftest import StartServer
from tests.patience import HANG_SECONDS
from tests.servers import InProcessServer
from tests.wire import Answer, Wire

pytestmark = pytest.mark.slow

WRONG_CREDENTIALS = {"password": "Username or password is incorrect."}


@pytest.fixture
def devices(http: aiohttp.ClientSession, server: InProcessServer) -> list[Wire]:
    return [Wire(http, server, f"device-{number}") for number in range(20)]


async def login(wire: Wire, password: str, username: str = "me@example.com") -> Answer:
    return await wire.call("User.login", username=username, password=password)


async def is_signed_in(wire: Wire) -> bool:
    return bool((await wire.call("User.isAuthenticated")).result)


async def is_taken(wire: Wire, username: str) -> bool:
    return "error" in (await wire.call("User.validate", username=username)).body


# --- registering -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("spellings", [["me@example.com"], ["me@example.com", "ME@EXAMPLE.COM", "Me@example.com"]])
async def test_one_of_many_gets_the_name(spellings: list[str], devices: list[Wire], server: InProcessServer) -> None:
    calls = (
        device.call("User.register", username=spellings[n % len(spellings)], password=f"password{n}")
        for n, device in enumerate(devices)
    )
    answers = await asyncio.gather(*calls)
    winners = [n for n, answer in enumerate(answers) if "result" in answer.body]
    assert len(winners) == 1
    for n, (device, answer) in enumerate(zip(devices, answers, strict=True)):
        if n in winners:
            assert await is_signed_in(device)
            assert (await login(device, f"password{n}")).session
        else:
            assert answer.code == -32602
            assert answer.data == {"username": "Username is already taken."}
            assert answer.session is None
    assert server.rows("SELECT count(*) FROM users") == [(1,)]


async def test_many_register_under_names_of_their_own(devices: list[Wire]) -> None:
    answers = await asyncio.gather(*(device.register(f"user{n}", n=n) for n, device in enumerate(devices)))
    assert len({answer.result["user"]["_id"] for answer in answers}) == len(devices)
    for n, device in enumerate(devices):
        assert (await device.call("User.getProperties")).result == {"properties": {"n": n}}


# --- properties ------------------------------------------------------------------------------------------


async def test_saving_at_once_loses_nothing(wire: Wire) -> None:
    await wire.register()
    saves = [wire.tab().call("User.saveProperties", properties={f"p{n}": n, "last": n}) for n in range(20)]
    saves += [wire.tab().call("User.saveProperty", name=f"q{n}", value=n) for n in range(20)]
    assert {answer.result for answer in await asyncio.gather(*saves)} == {"OK"}
    properties = (await wire.call("User.getProperties")).result["properties"]
    assert properties.pop("last") in range(20)
    assert properties == {f"{letter}{n}": n for letter in "pq" for n in range(20)}


async def test_reading_sees_all_of_a_save_or_nothing(wire: Wire) -> None:
    await wire.register(a=0, b=0)
    writes = (wire.tab().call("User.saveProperties", properties={"a": n, "b": n}) for n in range(1, 20))
    reads = (wire.tab().call("User.getProperties") for _ in range(60))
    for answer in (await asyncio.gather(*writes, *reads))[19:]:
        properties = answer.result["properties"]
        assert properties["a"] == properties["b"]


# --- passwords -------------------------------------------------------------------------------------------


async def test_login_beside_a_change_of_the_password(devices: list[Wire]) -> None:
    """Before the change the session that it opens is ended by it; after it the password is wrong."""
    owner, *others = devices[:6]
    await owner.register("me@example.com", "password-0")
    for number in range(12):
        old, new = f"password-{number}", f"password-{number + 1}"
        change = owner.call("User.updatePassword", oldPassword=old, newPassword=new)
        calls = [login(device, old) for device in others]
        calls.insert(number % len(calls), change)
        answers = await asyncio.gather(*calls)
        assert answers.pop(number % len(others)).result == "OK"
        for device, answer in zip(others, answers, strict=True):
            if "error" in answer.body:
                assert answer.data == WRONG_CREDENTIALS
            assert not await is_signed_in(device)
            if device.login_token:
                assert (await device.tab().call("User.autoLogin", loginToken=device.login_token)).code == -32602
        assert await is_signed_in(owner)


async def test_auto_login_beside_a_change_of_the_password(devices: list[Wire]) -> None:
    owner, *others = devices[:6]
    await owner.register("me@example.com", "password-0")
    for number in range(6):
        old, new = f"password-{number}", f"password-{number + 1}"
        for device in others:
            await login(device, old)
        change = owner.call("User.updatePassword", oldPassword=old, newPassword=new)
        renewals = [device.call("User.autoLogin", loginToken=device.login_token) for device in others]
        await asyncio.gather(*renewals[:3], change, *renewals[3:])
        for device in others:
            assert not await is_signed_in(device)
            assert (await device.tab().call("User.autoLogin", loginToken=device.login_token)).code == -32602


async def test_rehashing_beside_a_change_of_the_password(http: aiohttp.ClientSession, start: StartServer) -> None:
    """The new hash that a login makes of the old password must not overwrite the new password."""
    before: InProcessServer = await start()
    users = [Wire(http, before, f"device-{number}") for number in range(8)]
    for number, user in enumerate(users):
        await user.register(f"user{number}")
    after = await start({"passwords": {"memory_kib": 128}})
    for number, user in enumerate(users):
        user.server = after
        change = user.call("User.updatePassword", oldPassword="password", newPassword="passw0rd")
        logins = [login(user.tab(), "password", f"user{number}") for _ in range(4)]
        answers = await asyncio.gather(*logins[:2], change, *logins[2:])
        assert answers[2].result == "OK"
        assert (await login(user.tab(), "password", f"user{number}")).data == WRONG_CREDENTIALS
        assert (await login(user.tab(), "passw0rd", f"user{number}")).session


async def test_one_of_several_changes_of_the_password_wins(devices: list[Wire]) -> None:
    owners = devices[:8]
    await owners[0].register()
    for owner in owners[1:]:
        await login(owner, "password")
    calls = (
        owner.call("User.updatePassword", oldPassword="password", newPassword=f"password-{n}")
        for n, owner in enumerate(owners)
    )
    answers = await asyncio.gather(*calls)
    (winner,) = (n for n, answer in enumerate(answers) if "result" in answer.body)
    assert {answer.code for answer in answers if "error" in answer.body} <= {-32602, 11}
    for n, owner in enumerate(owners):
        assert await is_signed_in(owner) == (n == winner)
    for n in range(len(owners)):
        assert ((await login(devices[-1], f"password-{n}")).session is not None) == (n == winner)


# --- unregistering ---------------------------------------------------------------------------------------


async def test_one_of_several_unregisters(wire: Wire) -> None:
    await wire.register()
    calls = (wire.tab().call("User.unregister", password="password") for _ in range(8))
    answers = await asyncio.gather(*calls)
    assert [answer.body.get("result") for answer in answers].count("OK") == 1
    assert {answer.code for answer in answers if "error" in answer.body} <= {-32602, 11}


async def test_everything_beside_unregistering(devices: list[Wire]) -> None:
    """Whatever comes too late finds nobody; nothing fails in another way."""
    owner, *others = devices[:9]
    for number in range(6):
        username = f"user{number}"
        await owner.register(username)
        for device in others:
            await login(device, "password", username)
        calls: list[tuple[str, dict[str, Any]]] = [
            ("User.login", {"username": username, "password": "password"}),
            ("User.autoLogin", {"loginToken": others[1].login_token}),
            ("User.saveProperty", {"name": "a", "value": 1}),
            ("User.updatePassword", {"oldPassword": "password", "newPassword": "password"}),
            ("User.logout", {}),
            ("User.getProperties", {}),
            ("User.isAuthenticated", {}),
            ("User.saveProperties", {"properties": {"b": 1}}),
        ]
        pending = [device.call(method, **params) for device, (method, params) in zip(others, calls, strict=True)]
        answers = await asyncio.gather(
            *pending[:number], owner.call("User.unregister", password="password"), *pending[number:]
        )
        gone = answers.pop(number)
        # A password that was changed meanwhile may be refused or, being the same, accepted; the session may be gone.
        assert gone.body.get("result") == "OK" or gone.code in {-32602, 11}
        assert {answer.code for answer in answers if "error" in answer.body} <= {-32602, 11}
        if "result" in gone.body:
            for device in others:
                assert not await is_signed_in(device)
            assert not await is_taken(owner, username)


# --- the account of another user -------------------------------------------------------------------------


class Stage:
    """A server with one hash worker that works calls off in the order in which they are put to it.

    The owner, on two devices, has an account; a stranger will sign up.
    """

    def __init__(self, http: aiohttp.ClientSession, server: InProcessServer) -> None:
        self.owner, self.elsewhere, self.stranger, self.bystander = (
            Wire(http, server, name) for name in ("owner-1", "owner-2", "stranger", "bystander")
        )

    async def play(self, call: Callable[[], Awaitable[Answer]]) -> None:
        """The owner begins `call`; before it is done the owner's account goes and the stranger's comes."""
        steps = [
            *[lambda: login(self.bystander.tab(), "password", "nobody")] * 2,  # so that the others have to wait
            lambda: self.owner.call("User.unregister", password="password"),
            lambda: self.stranger.register("stranger", "another", secret="stranger's"),
            call,
        ]
        tasks = []
        for step in steps:
            tasks.append(asyncio.ensure_future(step()))
            # Answered after the step before has got as far as the queue of the hash worker.
            await self.bystander.call("User.validate", username="nobody")
        *_, registered, _ = await asyncio.gather(*tasks)
        assert not await is_taken(self.bystander, "owner")
        assert registered.session

    async def strangers_account_is_untouched(self) -> bool:
        properties = await self.stranger.call("User.getProperties")
        signed_in = await login(self.bystander, "another", "stranger")
        return properties.result == {"properties": {"secret": "stranger's"}} and signed_in.session is not None


@pytest.fixture
async def stage(http: aiohttp.ClientSession, start: StartServer) -> Stage:
    stage = Stage(http, await start({"passwords": {"workers": 1, "memory_kib": 19456, "iterations": 2}}))
    await stage.owner.register("owner", "password")
    await login(stage.elsewhere, "password", "owner")
    return stage


async def test_login_to_a_deleted_account_is_no_login_to_the_next_one(stage: Stage) -> None:
    await stage.play(lambda: login(stage.elsewhere, "password", "owner"))
    read = await stage.elsewhere.call("User.getProperties")
    assert "stranger's" not in str(read.body)
    assert read.code == 11
    assert await stage.strangers_account_is_untouched()


async def test_login_token_of_a_deleted_account_is_none_for_the_next_one(stage: Stage) -> None:
    await stage.play(lambda: login(stage.elsewhere, "password", "owner"))
    answer = await stage.elsewhere.call("User.autoLogin", loginToken=stage.elsewhere.login_token)
    assert answer.code == -32602


async def test_change_of_a_deleted_accounts_password_changes_no_other_one(stage: Stage) -> None:
    params = {"oldPassword": "password", "newPassword": "password"}
    await stage.play(lambda: stage.elsewhere.call("User.updatePassword", **params))
    assert (await login(stage.elsewhere, "password", "stranger")).data == WRONG_CREDENTIALS
    assert await stage.strangers_account_is_untouched()


async def test_unregistering_twice_deletes_no_other_account(stage: Stage) -> None:
    await stage.play(lambda: stage.elsewhere.call("User.unregister", password="password"))
    assert await stage.strangers_account_is_untouched()


async def test_saving_of_a_deleted_account_writes_to_no_other_one(
    server: InProcessServer, wire: Wire, other: Wire
) -> None:
    """A large body takes its time between the look at the session and the writing."""
    await wire.register()
    many = {f"p{number}": 0 for number in range(30_000)}
    server.clock.advance(minutes=2)
    save = asyncio.create_task(wire.tab().call("User.saveProperties", properties=many))
    # The server has looked at the session as soon as it has noted that it is in use.
    async with asyncio.timeout(HANG_SECONDS):
        while server.rows("SELECT used_at FROM sessions") != [(server.clock.now,)]:
            await other.call("User.isAuthenticated")
    assert (await wire.tab().call("User.unregister", password="password")).result == "OK"
    await other.register("you@example.com", age=30)
    answer = await save
    assert answer.body.get("result") == "OK" or answer.code == 11
    assert (await other.call("User.getProperties")).result == {"properties": {"age": 30}}
