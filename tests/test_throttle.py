"""Limits on guessing and on calls, seen by people at several addresses, some of whom share one."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import StartServer
from tests.mailbox import Mailbox
from tests.patience import HANG_SECONDS
from tests.servers import ONE_AND_SEVERAL_WORKERS, FakeClock, InProcessServer, make_config, running
from tests.wire import Answer, Wire

MILLISECOND = 0.001  # in seconds
WINDOW = 15  # minutes
WRONG = {"password": "Username or password is incorrect."}

# The tests come from 127.0.0.1 and pass for a proxy, so that they can say where each client is.
ON = {"server": {"trusted_proxies": ["127.0.0.1"]}, "throttle": {"enabled": True}}

HOME, OFFICE, AWAY = "192.0.2.1", "198.51.100.7", "203.0.113.9"


class Client(Wire):
    """An app on a device, at an address."""

    def __init__(self, http: aiohttp.ClientSession, server: Any, device: str, address: str) -> None:
        super().__init__(http, server, device)
        self.address = address

    async def post(self, body: Any, **headers: str) -> Answer:
        return await super().post(body, **{"X-Forwarded-For": self.address, **headers})

    def at(self, address: str) -> "Client":
        """The same device with all that it keeps, elsewhere."""
        return Client(self.http, self.server, self.device, address)

    async def login(self, password: Any = "wrong", username: Any = "me@example.com") -> Answer:
        return await self.call("User.login", username=username, password=password)


@pytest.fixture
async def server(start: StartServer) -> InProcessServer:
    server: InProcessServer = await start(ON)
    return server


NewClient = Callable[[str, str], Client]


@pytest.fixture
def client(http: aiohttp.ClientSession, server: InProcessServer) -> NewClient:
    return lambda device, address: Client(http, server, device, address)


@pytest.fixture
async def owner(client: NewClient) -> Client:
    """Has signed up at home."""
    owner = client("owner's phone", HOME)
    await owner.register()
    return owner


@pytest.fixture
def stranger(client: NewClient) -> Client:
    """Knows the owner's username and sits at the same address."""
    return client("stranger's phone", HOME)


async def use_up(client: Client, times: int = 5, **params: Any) -> None:
    for _ in range(times):
        assert (await client.login(**params)).code == -32602
    refused = await client.login(**params)
    assert refused.code == 9999
    assert refused.error["message"] == "Call limit exceeded"
    assert refused.data.keys() == {"retryAfter"}
    assert refused.session is None


# --- wrong passwords -------------------------------------------------------------------------------------


@ONE_AND_SEVERAL_WORKERS
async def test_sixth_guess_is_refused_even_if_right(owner: Client, stranger: Client) -> None:
    await use_up(stranger)
    assert (await stranger.login("password")).code == 9999


async def test_retry_after_is_true(server: InProcessServer, owner: Client, stranger: Client) -> None:
    for _ in range(5):
        await stranger.login()
        server.clock.advance(minutes=1)
    seconds = (await stranger.login()).data["retryAfter"]
    assert seconds == 10 * 60
    server.clock.advance(seconds=seconds - MILLISECOND)
    assert (await stranger.login("password")).data == {"retryAfter": 1}
    server.clock.advance(seconds=MILLISECOND)
    assert (await stranger.login("password")).session


async def test_never_more_than_five_within_any_window(server: InProcessServer, owner: Client, stranger: Client) -> None:
    tried = []
    for minute in range(4 * WINDOW):
        if (await stranger.login()).code == -32602:
            tried.append(minute)
        server.clock.advance(minutes=1)
    assert len(tried) == 4 * 5
    assert all(sum(begin <= each < begin + WINDOW for each in tried) <= 5 for begin in tried)


async def test_refused_guesses_do_not_prolong(server: InProcessServer, owner: Client, stranger: Client) -> None:
    await use_up(stranger)
    for _ in range(WINDOW):
        assert (await stranger.login()).code == 9999
        server.clock.advance(minutes=1)
    assert (await stranger.login("password")).session


@pytest.mark.slow
async def test_fifty_guesses_at_once_pass_no_limit(owner: Client, stranger: Client) -> None:
    answers = await asyncio.gather(*(stranger.tab().login() for _ in range(50)))
    assert sorted(answer.code for answer in answers) == [-32602] * 5 + [9999] * 45
    assert (await stranger.login("password")).code == 9999


async def test_guesses_at_once_are_told_to_come_again_soon(owner: Client, stranger: Client) -> None:
    """For they may turn out right: then nothing counts."""
    answers = await asyncio.gather(*(stranger.tab().login("password") for _ in range(20)))
    refused = [answer for answer in answers if "error" in answer.body]
    assert len(answers) - len(refused) >= 5
    assert all(answer.data == {"retryAfter": 1} for answer in refused)
    assert (await stranger.login("password")).session


@ONE_AND_SEVERAL_WORKERS
async def test_a_batch_counts_per_call(owner: Client, stranger: Client) -> None:
    calls = [
        {"jsonrpc": "2.0", "id": number, "method": "User.login"}
        | {"params": stranger.params({"username": "me@example.com", "password": f"guess{number}"})}
        for number in range(10)
    ]
    answers = (await stranger.send(calls)).body
    assert [answer["error"]["code"] for answer in answers] == [-32602] * 5 + [9999] * 5


async def test_notifications_count(owner: Client, stranger: Client) -> None:
    call = {"jsonrpc": "2.0", "method": "User.login"}
    params = stranger.params({"username": "me@example.com", "password": "wrong"})
    for _ in range(5):
        headers = {"X-Forwarded-For": stranger.address}
        async with stranger.http.post(
            stranger.server.endpoint, json=call | {"params": params}, headers=headers
        ) as response:
            assert response.status == 204
    assert (await stranger.login("password")).code == 9999


async def test_limits_survive_a_restart(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    config, clock = make_config(tmp_path, ON), FakeClock()
    async with running(config, clock) as server:
        owner, stranger = Client(http, server, "owner's", HOME), Client(http, server, "stranger's", HOME)
        await owner.register()
        await use_up(stranger)
        await owner.call("User.logout")
    clock.advance(minutes=WINDOW - 1)
    async with running(config, clock) as server:
        owner.server = stranger.server = server
        assert (await stranger.login("password")).data == {"retryAfter": 60}
        assert (await owner.login("password")).session, "known devices are remembered too"


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"password": None}, id="no password"),
        pytest.param({"password": ["wrong"]}, id="no string"),
        pytest.param({"password": "x" * 81}, id="too long"),
        pytest.param({"username": "ME@EXAMPLE.COM"}, id="another spelling of the name"),
        pytest.param({"username": "\uff4de@example.com"}, id="yet another"),
    ],
)
async def test_malformed_guesses_count_too(params: dict[str, Any], owner: Client, stranger: Client) -> None:
    await use_up(stranger, **params)
    assert (await stranger.login("password")).code == 9999


@pytest.mark.parametrize("username", [None, 5, ["me@example.com"], "x" * 300, "\ud800" * 5], ids=ascii)
async def test_what_is_no_username_counts_for_the_address(
    username: Any, start: StartServer, http: aiohttp.ClientSession
) -> None:
    server = await start({**ON, "throttle": {"enabled": True, "failed_logins_per_address": 4}})
    client = Client(http, server, "device", HOME)
    for _ in range(4):
        assert (await client.login("password", username)).code == -32602
    assert (await client.login("password", "nobody")).code == 9999


async def test_a_guess_in_a_full_queue_is_none(http: aiohttp.ClientSession, start: StartServer) -> None:
    real = {"workers": 1, "max_queue": 1, "memory_kib": 19456, "iterations": 10}
    server = await start({**ON, "passwords": real})
    flood = [Client(http, server, "device", f"192.0.2.{number}") for number in range(20)]
    answers = await asyncio.gather(*(client.login() for client in flood))
    assert {answer.code for answer in answers} == {-32602, 9999}
    stored = server.rows("SELECT count(*) FROM attempts")
    scopes = 4  # the user at this address, the user on unknown devices, the address, its network
    assert stored == [(scopes * sum(answer.code == -32602 for answer in answers),)]


# --- who is limited --------------------------------------------------------------------------------------


async def test_other_usernames_and_other_addresses_are_left_alone(
    client: NewClient, owner: Client, stranger: Client
) -> None:
    await owner.at(HOME).call("User.logout")
    await client("other", AWAY).register("you@example.com")
    await use_up(stranger)
    assert (await stranger.login("password", "you@example.com")).session
    assert (await stranger.at(AWAY).login("password")).session


@ONE_AND_SEVERAL_WORKERS
async def test_an_address_may_fail_so_often_for_all_usernames(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await start({**ON, "throttle": {"enabled": True, "failed_logins_per_address": 12}})
    client = Client(http, server, "device", HOME)
    for number in range(12):
        assert (await client.login(username=f"user{number}")).code == -32602
    assert (await client.login(username="user13")).code == 9999
    assert (await client.at(AWAY).login(username="user13")).code == -32602


async def test_signing_in_as_oneself_in_between_gains_nothing(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await start({**ON, "throttle": {"enabled": True, "failed_logins_per_address": 12}})
    thief = Client(http, server, "thief's phone", HOME)
    await thief.register("thief")
    codes = []
    for number in range(14):
        await thief.login("password", "thief")
        codes.append((await thief.login(username=f"user{number}")).code)
    assert codes == [-32602] * 12 + [9999] * 2


async def test_success_gives_back_no_failures(client: NewClient, owner: Client, stranger: Client) -> None:
    for _ in range(4):
        await stranger.login()
    assert (await client("third phone", HOME).login("password")).session
    assert (await stranger.login()).code == -32602
    assert (await stranger.login()).code == 9999


@pytest.mark.parametrize("ended", [False, True], ids=["signed in", "signed out"])
async def test_the_owner_cannot_be_locked_out(ended: bool, start: StartServer, http: aiohttp.ClientSession) -> None:
    """By guesses at the account, nor by any number of guesses from the same address."""
    server = await start({**ON, "throttle": {"enabled": True, "failed_logins_per_address": 8}})
    owner, stranger = Client(http, server, "owner's", HOME), Client(http, server, "stranger's", HOME)
    await owner.register()
    if ended:
        await owner.call("User.logout")
    await use_up(stranger)
    for number in range(3):
        await stranger.login(username=f"user{number}")
    assert (await stranger.login(username="user4")).code == 9999
    assert (await owner.login("password")).session
    assert (await owner.call("User.autoLogin", loginToken=owner.login_token)).session
    changed = await owner.call("User.updatePassword", oldPassword="password", newPassword="passw0rd")
    assert changed.result == "OK"
    assert (await stranger.login("passw0rd")).code == 9999


async def test_the_owners_device_has_a_limit_too(owner: Client) -> None:
    await use_up(owner)
    assert (await owner.login("password")).code == 9999


@ONE_AND_SEVERAL_WORKERS
async def test_other_device_ids_do_not_help_a_stranger(client: NewClient, owner: Client, stranger: Client) -> None:
    await use_up(stranger)
    for device in ("another", "owner's phone ", "OWNER'S PHONE"):
        assert (await client(device, HOME).login("password")).code == 9999


async def test_a_device_is_known_as_the_users_who_signed_in_there_only(
    client: NewClient, owner: Client, stranger: Client
) -> None:
    await stranger.register("stranger")
    await use_up(stranger)
    assert (await stranger.login("password")).code == 9999
    assert (await stranger.login("password", "stranger")).session


async def test_whoever_has_the_devices_id_cannot_use_it_up_elsewhere(owner: Client) -> None:
    await use_up(owner.at(AWAY))
    assert (await owner.login("password")).session


async def test_a_failed_sign_in_makes_no_device_known(server: InProcessServer, owner: Client, stranger: Client) -> None:
    before = server.rows("SELECT digest FROM known_devices")
    await use_up(stranger)
    assert server.rows("SELECT digest FROM known_devices") == before


@pytest.mark.parametrize("device", ["owner's phone", "stranger's phone"])
async def test_what_is_refused_does_not_tell_who_exists(device: str, client: NewClient, owner: Client) -> None:
    """Also on the device that is known: it is so as its users only, and another one must not learn their names."""
    app = client(device, OFFICE)
    answers = {name: [(await app.login(username=name)).body for _ in range(8)] for name in ("me@example.com", "nobody")}
    assert answers["me@example.com"] == answers["nobody"]


# --- devices and networks --------------------------------------------------------------------------------


async def test_failures_on_a_known_device_count_for_the_address(
    start: StartServer, http: aiohttp.ClientSession
) -> None:
    """It is not held up by those of others itself."""
    server = await start({**ON, "throttle": {"enabled": True, "failed_logins_per_address": 6}})
    owner, stranger = Client(http, server, "owner's", HOME), Client(http, server, "stranger's", HOME)
    await owner.register()
    for _ in range(3):
        assert (await owner.login()).code == -32602
    for number in range(3):
        assert (await stranger.login(username=f"user{number}")).code == -32602
    assert (await stranger.login(username="user4")).code == 9999
    assert (await owner.login("password")).session


async def test_a_device_id_that_all_users_have_guesses_no_more_than_an_address_may(
    start: StartServer, http: aiohttp.ClientSession
) -> None:
    """Nor does it take that away from others."""
    server = await start({**ON, "throttle": {"enabled": True, "failed_logins_per_address": 8}})
    terminal, owner = Client(http, server, "terminal", HOME), Client(http, server, "owner's", HOME)
    await owner.register()
    for number in range(5):
        await terminal.tab().register(f"user{number}")
    codes = [(await terminal.login(username=f"user{number % 5}")).code for number in range(10)]
    assert codes == [-32602] * 8 + [9999] * 2
    assert (await Client(http, server, "another", HOME).login(username="user0")).code == 9999
    assert (await owner.login("password")).session
    assert (await terminal.at(AWAY).login("password", "user0")).session


async def test_unknown_devices_share_a_budget_at_all_addresses(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await start({**ON, "throttle": {"enabled": True, "failed_logins_per_user_unknown_devices": 12}})
    owner = Client(http, server, "owner's", HOME)
    await owner.register()
    strangers = [Client(http, server, f"device{number}", f"203.0.{number}.1") for number in range(20)]
    assert [(await each.login()).code for each in strangers] == [-32602] * 12 + [9999] * 8
    assert (await strangers[-1].login(username="somebody")).code == -32602, "other users have their own"
    assert (await owner.login("password")).session
    assert (await owner.at(AWAY).login("password")).session
    server.clock.advance(minutes=WINDOW)
    assert (await strangers[-1].login("password")).session


async def test_guesses_at_once_from_many_addresses_pass_no_limit(
    start: StartServer, http: aiohttp.ClientSession
) -> None:
    server = await start({**ON, "throttle": {"enabled": True, "failed_logins_per_user_unknown_devices": 12}})
    await Client(http, server, "owner's", HOME).register()
    strangers = [Client(http, server, f"device{number}", f"203.0.{number}.1") for number in range(30)]
    answers = await asyncio.gather(*(each.login() for each in strangers))
    assert sorted(answer.code for answer in answers) == [-32602] * 12 + [9999] * 18


async def test_a_device_id_that_all_users_have_is_known_only_where_they_have_signed_in(
    start: StartServer, http: aiohttp.ClientSession
) -> None:
    """Else a network of addresses would guess as many times as much, and nobody could keep it from the users."""
    server = await start({**ON, "throttle": {"enabled": True, "failed_logins_per_user_unknown_devices": 7}})
    for number in range(11):
        await Client(http, server, "terminal", f"192.0.2.{number}").register(f"user{number}")
    strangers = [Client(http, server, "terminal", f"203.0.{number}.1") for number in range(10)]
    assert [(await each.login(username="user3")).code for each in strangers] == [-32602] * 7 + [9999] * 3
    user = Client(http, server, "terminal", "192.0.2.3")
    assert (await user.login("password", "user3")).session


# Where one failure is all that an address may have: one address after the other, and who is still let in then.
NETWORKS = {
    "/56 of IPv6": ([f"2001:db8:0:{number:x}::1" for number in range(4)], "2001:db8:0:ff::1", "2001:db8:0:100::1"),
    "/48 of IPv6": ([f"2001:db8:0:{number:x}00::1" for number in range(16)], "2001:db8:0:ffff::1", "2001:db8:1::1"),
    "/24 of IPv4": ([f"192.0.2.{number}" for number in range(16)], "192.0.2.255", "192.0.3.0"),
}
CALLS: dict[str, Callable[[Client, int], Awaitable[Answer]]] = {
    "sign-ins": lambda client, number: client.login(username=f"user{number}"),
    "registrations": lambda client, number: client.call("User.validate", username=f"user{number}"),
    "reset requests": lambda client, number: client.call("User.sendPasswordResetToken", username=f"user{number}"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize(("addresses", "inside", "outside"), NETWORKS.values(), ids=NETWORKS.keys())
async def test_networks_have_a_few_times_the_limit_of_an_address(
    *,
    call: Callable[[Client, int], Awaitable[Answer]],
    addresses: list[str],
    inside: str,
    outside: str,
    start: StartServer,
    http: aiohttp.ClientSession,
) -> None:
    tight = ("failed_logins_per_address", "registrations_per_address", "reset_requests_per_address")
    server = await start({**ON, "throttle": {"enabled": True, **dict.fromkeys(tight, 1)}})
    clients = [Client(http, server, "device", address) for address in [*addresses, inside, outside]]
    limited = [(await call(client, number)).body.get("error", {}).get("code") for number, client in enumerate(clients)]
    assert limited == [limited[0]] * len(addresses) + [9999, limited[0]]
    assert limited[0] != 9999


# --- other ways to guess ---------------------------------------------------------------------------------


async def test_a_stolen_session_is_no_way_to_guess_the_password(owner: Client, client: NewClient) -> None:
    thief = client("thief's phone", AWAY)
    thief.session = owner.session
    codes = [
        (await thief.call("User.updatePassword", oldPassword="wrong", newPassword="passw0rd")).code,
        (await thief.call("User.unregister", password="wrong")).code,
        (await thief.login()).code,
        (await thief.call("User.unregister", password="wrong")).code,
        (await thief.call("User.updatePassword", oldPassword="wrong", newPassword="passw0rd")).code,
    ]
    assert codes == [-32602] * 5
    assert (await thief.call("User.unregister", password="password")).code == 9999
    assert (await thief.call("User.updatePassword", oldPassword="password", newPassword="passw0rd")).code == 9999
    assert (await thief.call("User.getProperties")).result == {"properties": {}}
    assert (await owner.call("User.unregister", password="password")).result == "OK"


async def test_a_username_in_the_params_of_a_signed_in_call_changes_nothing(owner: Client, client: NewClient) -> None:
    thief = client("thief's phone", AWAY)
    thief.session = owner.session
    for number in range(5):
        answer = await thief.call("User.unregister", password="wrong", username=f"user{number}")
        assert answer.code == -32602
    assert (await thief.call("User.unregister", password="wrong", username="user6")).code == 9999


async def test_a_new_password_that_will_not_do_is_no_guess(owner: Client) -> None:
    for _ in range(10):
        answer = await owner.call("User.updatePassword", oldPassword="wrong", newPassword="x")
        assert answer.data.keys() == {"newPassword"}, "or it would tell whether the old one was right"
    assert (await owner.call("User.updatePassword", oldPassword="password", newPassword="passw0rd")).result == "OK"


async def reset(client: Client, token: str) -> Answer:
    return await client.call(
        "User.resetPasswordAndLogin", username="me@example.com", newPassword="newPassword", token=token
    )


async def test_reset_tokens_cannot_be_guessed(
    start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox
) -> None:
    server = await start({**ON, "smtp": mailbox.settings})
    owner, stranger = Client(http, server, "owner's", HOME), Client(http, server, "stranger's", HOME)
    await owner.register()
    await owner.call("User.logout")
    await owner.call("User.sendPasswordResetToken", username="me@example.com")
    token = (await mailbox.next()).token
    for _ in range(5):
        assert (await reset(stranger, "wrong")).code == -32602
    assert (await reset(stranger, token)).code == 9999
    assert (await reset(owner, token)).session, "one address alone neither spends the token nor locks the owner out"


async def test_who_has_forgotten_the_password_can_still_reset_it(
    start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox
) -> None:
    server = await start({**ON, "smtp": mailbox.settings})
    await Client(http, server, "owner's", HOME).register()
    new_phone = Client(http, server, "new phone", OFFICE)
    await use_up(new_phone)
    await new_phone.call("User.sendPasswordResetToken", username="me@example.com")
    assert (await reset(new_phone, (await mailbox.next()).token)).session
    assert (await new_phone.login("newPassword")).session, "now that device is known"


async def test_the_right_reset_token_passes_whatever_others_have_tried(
    start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox
) -> None:
    """Also at the address of those who have, on a phone that is new."""
    server = await start({**ON, "smtp": mailbox.settings, "throttle": {"enabled": True}})
    await Client(http, server, "owner's", HOME).register()
    new_phone = Client(http, server, "new phone", OFFICE)
    await new_phone.call("User.sendPasswordResetToken", username="me@example.com")
    token = (await mailbox.next()).token
    for number in range(30):
        stranger = Client(http, server, f"device{number}", f"203.0.{number}.1")
        assert (await reset(stranger, "wrong")).code == -32602
        await reset(stranger.at(OFFICE), "wrong")
    assert (await reset(Client(http, server, "device", OFFICE), "wrong")).code == 9999
    server.clock.advance(minutes=WINDOW - 1)
    assert (await reset(new_phone, token)).session


async def test_wrong_login_tokens_count_for_the_address_and_right_ones_are_no_guesses(
    start: StartServer, http: aiohttp.ClientSession
) -> None:
    server = await start({**ON, "throttle": {"enabled": True, "failed_logins_per_address": 6}})
    owner, stranger = Client(http, server, "owner's", HOME), Client(http, server, "stranger's", HOME)
    await owner.register()
    tokens = ["0" * 64, "f" * 64, "", None, ["0" * 64], "\ud800"]
    for token in tokens:
        assert (await stranger.call("User.autoLogin", loginToken=token)).code == -32602
    assert (await stranger.call("User.autoLogin", loginToken="0" * 64)).code == 9999
    assert (await stranger.login(username="somebody")).code == 9999
    stolen = owner.login_token
    for _ in range(2):
        assert (await owner.call("User.autoLogin", loginToken=owner.login_token)).session
    assert (await stranger.call("User.autoLogin", loginToken=stolen)).code == -32602, "theft is noticed all the same"
    assert (await owner.call("User.isAuthenticated")).result is False


# --- calls that count in any case ------------------------------------------------------------------------


async def test_registrations_and_validations_per_address(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await start({**ON, "throttle": {"enabled": True, "registrations_per_address": 6}})
    client = Client(http, server, "device", HOME)
    for number in range(2):
        await client.register(f"user{number}")
        assert (await client.call("User.validate", username=f"user{number}")).code == -32602
        assert (await client.call("User.validate", username=None)).code == -32602
    for method, params in [("User.validate", {}), ("User.register", {"password": "password"})]:
        refused = await client.call(method, username="somebody", **params)
        assert (refused.code, refused.data) == (9999, {"retryAfter": WINDOW * 60})
    await client.at(AWAY).register("somebody")
    assert (await client.login("password", "user0")).session, "signing in is another matter"
    server.clock.advance(minutes=WINDOW)
    await client.register("somebody-else")


@ONE_AND_SEVERAL_WORKERS
async def test_registrations_at_once_pass_no_limit(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await start({**ON, "throttle": {"enabled": True, "registrations_per_address": 6}})
    clients = [Client(http, server, "device", HOME) for _ in range(30)]
    answers = await asyncio.gather(
        *(each.call("User.register", username=f"user{i}", password="password") for i, each in enumerate(clients))
    )
    assert sum("result" in answer.body for answer in answers) == 6
    assert server.rows("SELECT count(*) FROM users") == [(6,)]


@ONE_AND_SEVERAL_WORKERS
async def test_reset_requests_per_address(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await start({**ON, "throttle": {"enabled": True, "reset_requests_per_address": 3}})
    client = Client(http, server, "device", HOME)
    for number in range(3):
        answer = await client.call("User.sendPasswordResetToken", username=f"user{number}")
        assert answer.result == "OK"
    assert (await client.call("User.sendPasswordResetToken", username="user4")).code == 9999
    assert (await client.at(AWAY).call("User.sendPasswordResetToken", username="user4")).result == "OK"


async def test_reset_mails_per_user(start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox) -> None:
    """From however many addresses they are asked for; and the newest one that was sent can be used."""
    server = await start({**ON, "smtp": mailbox.settings, "throttle": {"enabled": True, "reset_mails_per_user": 3}})
    owner = Client(http, server, "owner's", HOME)
    await owner.register()
    await owner.at(HOME).register("you@example.com")
    newest = ""
    for number in range(5):
        asking = Client(http, server, "stranger's", f"203.0.113.{number}")
        for name in ("me@example.com", "you@example.com")[: 1 if number < 3 else 2]:
            assert (await asking.call("User.sendPasswordResetToken", username=name)).result == "OK"
        mail = await mailbox.next()  # requests are worked off in order: after the third the other user's alone
        assert mail.envelope.rcpt_tos == ["me@example.com" if number < 3 else "you@example.com"]
        newest = mail.token if number < 3 else newest
        server.clock.advance(minutes=2)
    assert (await reset(Client(http, server, "owner's", HOME), newest)).session
    server.clock.advance(minutes=WINDOW)
    await Client(http, server, "owner's", AWAY).call("User.sendPasswordResetToken", username="me@example.com")
    assert (await mailbox.next()).token != newest


async def ask(client: Client, name: str = "me@example.com", **options: str) -> Answer:
    return await client.call("User.sendPasswordResetToken", username=name, **({"options": options} if options else {}))


async def recipients(mailbox: Mailbox, last: str) -> list[str]:
    """To whom mails have come, up to one that is known to be the last: requests are worked off in order."""
    found: list[str] = []
    while last not in found:
        found += (await mailbox.next()).envelope.rcpt_tos
    return found


Forgetful = Callable[[Client], Client]
PHONES: dict[str, Forgetful] = {
    "the known phone": lambda owner: owner.at(AWAY),
    "a new phone at home": lambda owner: Client(owner.http, owner.server, "new phone", HOME),
}


@pytest.mark.slow
@pytest.mark.parametrize("phone", PHONES.values(), ids=PHONES.keys())
async def test_requests_of_strangers_take_nothing_from_the_owner(
    phone: Forgetful, start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox
) -> None:
    """The owner gets a mail, and nobody makes its token useless while it is being typed."""
    server = await start({**ON, "smtp": mailbox.settings})
    owner = Client(http, server, "owner's", HOME)
    await owner.register()
    await owner.at(AWAY).register("you@example.com")
    server.clock.advance(minutes=WINDOW)  # accounts that are minutes old get fewer mails
    strangers = [Client(http, server, f"device{number}", f"203.0.{number}.1") for number in range(30)]
    for stranger in strangers:
        assert (await ask(stranger)).result == "OK"
    await ask(strangers[0], "you@example.com")
    assert await recipients(mailbox, "you@example.com") == ["me@example.com"] * 5 + ["you@example.com"]

    new = phone(owner)
    new.session = None
    assert (await ask(new)).result == "OK"
    token = (await mailbox.next()).token
    for _ in range(WINDOW - 1):
        server.clock.advance(minutes=1)
        for stranger in strangers:
            assert (await ask(stranger)).result == "OK"
            await reset(stranger, "wrong")
    assert (await reset(new, token)).session


async def test_an_owner_whom_nothing_is_known_of_can_use_the_newest_mail(
    start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox
) -> None:
    """On a new phone at a new place nobody can tell him from the strangers who have used up what they may have."""
    server = await start({**ON, "smtp": mailbox.settings})
    owner = Client(http, server, "owner's", HOME)
    await owner.register()
    server.clock.advance(minutes=WINDOW)
    mails = []
    for number in range(5):
        await ask(Client(http, server, "device", f"203.0.{number}.1"))
        mails.append(await mailbox.next())
        server.clock.advance(minutes=2)
    new_phone = Client(http, server, "new phone", AWAY)
    for _ in range(4):
        assert (await ask(new_phone)).result == "OK"
        server.clock.advance(minutes=1)
    assert (await reset(new_phone, mails[-1].token)).session
    assert mailbox.is_empty


async def test_mails_to_another_address_of_the_user_take_nothing_from_this_one(
    start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox
) -> None:
    server = await start({**ON, "smtp": mailbox.settings})
    await Client(http, server, "owner's", HOME).register(email="me@example.org")
    server.clock.advance(minutes=WINDOW)
    for number in range(8):
        await ask(Client(http, server, "device", f"203.0.{number}.1"))
    new_phone = Client(http, server, "new phone", AWAY)
    await ask(new_phone, emailPropertyName="email")
    assert await recipients(mailbox, "me@example.org") == ["me@example.com"] * 5 + ["me@example.org"]


async def test_the_owner_can_ask_at_an_address_from_where_others_have_asked_too_often(
    start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox
) -> None:
    limits = {"enabled": True, "reset_requests_per_address": 3}
    server = await start({**ON, "smtp": mailbox.settings, "throttle": limits})
    owner, stranger = Client(http, server, "owner's", HOME), Client(http, server, "stranger's", HOME)
    await owner.register()
    owner.session = None
    assert [(await ask(stranger, f"user{number}")).result for number in range(3)] == ["OK"] * 3
    assert (await ask(stranger)).code == 9999
    assert [(await ask(owner)).result for _ in range(3)] == ["OK"] * 3
    assert (await ask(owner)).code == 9999
    assert (await mailbox.next()).envelope.rcpt_tos == ["me@example.com"]


# --- what is not limited ---------------------------------------------------------------------------------


async def test_nothing_is_limited_when_it_is_turned_off(start: StartServer, http: aiohttp.ClientSession) -> None:
    tight = {"failed_logins_per_user": 1, "failed_logins_per_address": 1, "registrations_per_address": 1}
    more = {"reset_requests_per_address": 1, "hashes_per_address": 1}
    server = await start({"throttle": {"enabled": False, **tight, **more}})
    client = Client(http, server, "device", HOME)
    guesses = await asyncio.gather(*(client.tab().login() for _ in range(10)))
    assert {answer.code for answer in guesses} == {-32602}
    for number in range(3):
        await client.register(f"user{number}")
        stranger = client.at(AWAY)
        assert (await stranger.call("User.sendPasswordResetToken", username="me@example.com")).result == "OK"
    assert server.rows("SELECT * FROM attempts") == []


CHEAP: list[Callable[[Client], Awaitable[Answer]]] = [
    lambda app: app.call("User.isAuthenticated"),
    lambda app: app.call("User.getProperties"),
    lambda app: app.call("User.saveProperty", name="age", value=1),
    lambda app: app.call("User.logout"),
]


async def test_other_calls_go_on_past_every_limit(start: StartServer, http: aiohttp.ClientSession) -> None:
    tight = {"failed_logins_per_user": 1, "failed_logins_per_address": 1, "registrations_per_address": 1}
    server = await start({**ON, "throttle": {"enabled": True, **tight}})
    client = Client(http, server, "device", HOME)
    await client.register()
    await client.login()
    await client.login(username="nobody")
    stored = server.rows("SELECT * FROM attempts")
    for call in CHEAP:
        assert "result" in (await call(client)).body
    assert server.rows("SELECT * FROM attempts") == stored


# --- the queue of hashes ---------------------------------------------------------------------------------

SLOW = {"workers": 1, "max_queue": 50, "memory_kib": 19456, "iterations": 2}


@ONE_AND_SEVERAL_WORKERS
@pytest.mark.slow
async def test_one_address_does_not_own_the_queue_of_hashes(start: StartServer, http: aiohttp.ClientSession) -> None:
    changes = {"enabled": True, "hashes_per_address": 4}
    server = await start({**ON, "passwords": SLOW, "throttle": changes})
    flood = [Client(http, server, "device", HOME).login(username=f"user{number}") for number in range(40)]
    others = [Client(http, server, "device", f"203.0.113.{number}").login() for number in range(20)]
    codes = [answer.code for answer in await asyncio.gather(*flood, *others)]
    assert codes[:40].count(9999) > 20
    assert codes[40:] == [-32602] * 20


async def test_a_batch_has_one_hash_computed_at_a_time(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await start({**ON, "passwords": SLOW, "throttle": {"enabled": True, "hashes_per_address": 1}})
    client = Client(http, server, "device", HOME)
    calls = [
        {"jsonrpc": "2.0", "id": number, "method": "User.login"}
        | {"params": client.params({"username": f"user{number}", "password": "wrong"})}
        for number in range(10)
    ]
    assert [answer["error"]["code"] for answer in (await client.send(calls)).body] == [-32602] * 10


# --- rows ------------------------------------------------------------------------------------------------


async def test_attempts_are_removed_when_they_count_no_more(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    config, clock = make_config(tmp_path, ON), FakeClock()
    async with running(config, clock) as server:
        client = Client(http, server, "device", HOME)
        await use_up(client)
        clock.advance(minutes=WINDOW - 1)
        await client.register()
        assert server.rows("SELECT count(*) FROM attempts") == [(5 * 4 + 2,)]
    clock.advance(minutes=1)
    async with running(config, clock) as server:  # cleans up as it starts
        async with asyncio.timeout(HANG_SECONDS):
            while server.rows("SELECT count(*) FROM attempts") != [(2,)]:
                await Client(http, server, "device", HOME).call("User.isAuthenticated")


async def test_neither_names_nor_addresses_nor_devices_are_stored(
    server: InProcessServer, owner: Client, stranger: Client
) -> None:
    """People type their passwords into the wrong field."""
    await use_up(stranger, username="my-password-4711")
    stored = b"".join(file.read_bytes() for file in server.database_path().parent.glob("app.sqlite3*"))
    assert b"me@example.com" in stored
    for absent in (b"4711", b"stranger's phone", HOME.encode()):
        assert absent not in stored
