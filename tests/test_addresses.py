"""Whose X-Forwarded-For counts, and which addresses are one client.

Where one failure is all that an address may have, the second sign-in shows whether it counts as the same client's.
"""

import logging

import aiohttp
import pytest
from multidict import CIMultiDict

from tests.conftest import StartServer
from tests.servers import API_KEY, InProcessServer

HERE = "127.0.0.1"  # where the tests come from
TRUSTED = [HERE, "10.0.0.0/8", "2001:db8:ffff::/48"]

# Trusted proxies; X-Forwarded-For of the first call and of the second: one value a header.
Case = tuple[list[str], list[str], list[str]]

SAME: dict[str, Case] = {
    "no proxy": ([], [], []),
    "no proxy is trusted": ([], ["192.0.2.1"], ["192.0.2.2"]),
    "another one is trusted": (["127.0.0.2"], ["192.0.2.1"], ["192.0.2.2"]),
    "with and without, nobody is trusted": ([], ["192.0.2.1"], []),
    "one client": (TRUSTED, ["192.0.2.1"], ["192.0.2.1"]),
    "who claims to be a proxy": (TRUSTED, ["198.51.100.1, 192.0.2.1"], ["198.51.100.2, 192.0.2.1"]),
    "who claims to be our proxy's client": (TRUSTED, ["198.51.100.1, 10.0.0.1, 192.0.2.1"], ["192.0.2.1"]),
    "who sends a header of his own": (TRUSTED, ["198.51.100.1", "192.0.2.1"], ["198.51.100.2", "192.0.2.1"]),
    "through two of our proxies or one": (TRUSTED, ["192.0.2.1, 10.0.0.5"], ["192.0.2.1"]),
    "several of them": (TRUSTED, ["192.0.2.1,10.0.0.5 ,10.9.9.9", "2001:db8:ffff::1"], ["192.0.2.1"]),
    "ports": (TRUSTED, ["192.0.2.1:1234"], ["192.0.2.1:4321"]),
    "port or none": (TRUSTED, ["192.0.2.1:1234"], ["192.0.2.1"]),
    "brackets": (TRUSTED, ["[2001:db8::1]"], ["2001:db8::1"]),
    "brackets and port": (TRUSTED, ["[2001:db8::1]:1234"], ["2001:db8::1"]),
    "one network of IPv6": (TRUSTED, ["2001:db8:0:1::1"], ["2001:db8:0:1:ffff:ffff:ffff:ffff"]),
    "IPv4 as IPv6": (TRUSTED, ["::ffff:192.0.2.1"], ["192.0.2.1"]),
    "IPv4 as IPv6 in hexadecimal": (TRUSTED, ["::FFFF:C000:0201"], ["192.0.2.1"]),
    "our proxy as IPv6": (TRUSTED, ["192.0.2.1, ::ffff:10.0.0.5"], ["192.0.2.1"]),
    "zones": (TRUSTED, ["fe80::1%eth0"], ["fe80::1%eth1"]),
    "the proxy knows nothing": (TRUSTED, ["192.0.2.1, unknown"], ["192.0.2.2, unknown"]),
    "nor did it say anything": (TRUSTED, ["unknown"], []),
    "not an address": (TRUSTED, ["192.0.2.1.example.com"], ["300.0.2.1"]),
    "leading zeros": (TRUSTED, ["192.0.2.01"], []),
    "binary": (TRUSTED, ["\x80\xff"], []),
    "empty": (TRUSTED, [""], []),
    "only commas": (TRUSTED, [",,", ", ,"], []),
    "empty elements": (TRUSTED, ["192.0.2.1, ,", ""], ["192.0.2.1"]),
    "nonsense further left": (TRUSTED, ["unknown, 192.0.2.1"], ["192.0.2.1"]),
    "nonsense in between": (TRUSTED, ["192.0.2.1, nonsense, 10.0.0.5"], ["192.0.2.2, nonsense, 10.0.0.5"]),
    "everybody is trusted": (["0.0.0.0/0"], ["192.0.2.1, 198.51.100.1"], ["192.0.2.1"]),
}

OTHER: dict[str, Case] = {
    "clients": (TRUSTED, ["192.0.2.1"], ["192.0.2.2"]),
    "clients of one of our proxies": (TRUSTED, ["192.0.2.1, 10.0.0.5"], ["192.0.2.2, 10.0.0.5"]),
    "in headers of their own": (TRUSTED, ["192.0.2.1", "10.0.0.5"], ["192.0.2.2", "10.0.0.5"]),
    "with one port": (TRUSTED, ["192.0.2.1:80"], ["192.0.2.2:80"]),
    "networks of IPv6": (TRUSTED, ["2001:db8:0:1::1"], ["2001:db8:0:2::1"]),
    "IPv4 as IPv6": (TRUSTED, ["::ffff:192.0.2.1"], ["::ffff:192.0.2.2"]),
    "our proxy itself": (TRUSTED, ["10.0.0.5"], []),
    "everybody is trusted": (["0.0.0.0/0"], ["192.0.2.1, 198.51.100.1"], ["192.0.2.2, 198.51.100.1"]),
}


async def login(http: aiohttp.ClientSession, server: InProcessServer, forwarded: list[str]) -> int:
    """The code of the answer; each time somebody else's password is guessed."""
    params = {"__api_key": API_KEY, "__device": "device", "username": f"user{forwarded}", "password": "wrong"}
    headers = CIMultiDict([("X-Forwarded-For", value) for value in forwarded])
    message = {"jsonrpc": "2.0", "id": 1, "method": "User.login", "params": params}
    async with http.post(server.endpoint, json=message, headers=headers) as response:
        assert response.status == 200
        return int((await response.json())["error"]["code"])


@pytest.mark.parametrize(
    ("case", "second_answer"),
    [
        *[pytest.param(case, 9999, id=f"same: {name}") for name, case in SAME.items()],
        *[pytest.param(case, -32602, id=f"other: {name}") for name, case in OTHER.items()],
    ],
)
async def test_which_addresses_are_one_client(
    case: Case, second_answer: int, start: StartServer, http: aiohttp.ClientSession
) -> None:
    trusted, first, second = case
    tight = {"enabled": True, "failed_logins_per_address": 1}
    server = await start({"server": {"trusted_proxies": trusted}, "throttle": tight})
    assert await login(http, server, first) == -32602
    assert await login(http, server, second) == second_answer


async def test_an_operator_who_forgot_the_setting_is_told_once(
    start: StartServer, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    server = await start({"throttle": {"enabled": True}})
    for _ in range(3):
        await login(http, server, ["192.0.2.1"])
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings == ["127.0.0.1 sends X-Forwarded-For; if it is your proxy, list it in server.trusted_proxies"]


async def test_a_listed_proxy_is_no_reason_to_warn(
    start: StartServer, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    server = await start({"server": {"trusted_proxies": TRUSTED}, "throttle": {"enabled": True}})
    await login(http, server, ["192.0.2.1"])
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
