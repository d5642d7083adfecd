"""Who may call the operators' API, and from where."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.client import ManagementClient
from jsonrpc_backend.errors import InvalidStatus
from tests.conftest import StartServer
from tests.operators import KEY, KEY_HEADER, KEYS, Operator
from tests.servers import API_KEY, InProcessServer, served
from tests.shell import Shell
from tests.wire import Wire

REFUSAL = {"jsonrpc": "2.0", "error": {"code": 4, "message": "API key invalid"}, "id": 1}

LIST = {"jsonrpc": "2.0", "method": "User.list", "params": {"page": 1, "itemsInPage": 1}, "id": 1}


def keys(*entries: dict[str, Any]) -> dict[str, Any]:
    numbered = [{"label": f"key {number}", **entry} for number, entry in enumerate(entries)]
    return {"server": {"trusted_proxies": ["127.0.0.1"]}, "backends": {"app": {"management_keys": numbered}}}


async def call(operator: Operator, address: str | None = None) -> Any:
    """The answer to a call that a trusted proxy passes on for an address."""
    return (await operator.send(LIST, **({"X-Forwarded-For": address} if address else {}))).body


async def test_right_key_is_let_in(operator: Operator) -> None:
    assert (await call(operator))["result"] == {"items": [], "totalItems": 0}


@pytest.mark.parametrize(
    "key",
    [None, "", "wrong", KEY[:-1], KEY + "1", KEY.upper(), API_KEY, KEY + "\u00e9", "management-key-2"],
    ids=["none", "empty", "wrong", "shorter", "longer", "upper case", "the app's", "not ASCII", "another backend's"],
)
async def test_any_other_key_is_refused_alike(http: aiohttp.ClientSession, start: StartServer, key: str | None) -> None:
    other = {"api_key": "k", "management_keys": [{"label": "x", "key": "management-key-2"}]}
    server = await start({"backends": {"app": KEYS, "other": other}})
    assert await call(Operator(http, server, key)) == REFUSAL


async def test_api_is_off_without_a_key(http: aiohttp.ClientSession, server: InProcessServer) -> None:
    for key in (None, "", KEY, API_KEY):
        assert await call(Operator(http, server, key)) == REFUSAL


async def test_unknown_backend_is_refused_alike(operator: Operator) -> None:
    operator.backend_id = "nobody"
    assert await call(operator) == REFUSAL


@pytest.mark.parametrize(
    ("ranges", "inside", "outside"),
    [
        (["192.0.2.0/24"], ["192.0.2.1", "192.0.2.255", "::ffff:192.0.2.7"], ["192.0.3.1", "2001:db8::1", None]),
        (["192.0.2.7"], ["192.0.2.7"], ["192.0.2.8"]),
        (["2001:db8::/32"], ["2001:db8::1", "2001:DB8:0::2"], ["2001:db9::1", "32.1.13.184"]),
        (["::ffff:192.0.2.0/120"], ["192.0.2.7", "::ffff:c000:207"], ["192.0.3.1"]),
        (["198.51.100.1", "2001:db8::1"], ["198.51.100.1", "2001:db8::1"], ["198.51.100.2", "2001:db8::2"]),
        (["0.0.0.0/0"], ["192.0.2.1", None], ["2001:db8::1"]),
        (["127.0.0.0/8"], [None, "127.0.0.2"], ["192.0.2.1"]),
        ([], ["192.0.2.1", "2001:db8::1", None], []),
    ],
)
async def test_a_key_is_for_its_addresses(
    http: aiohttp.ClientSession,
    start: StartServer,
    ranges: list[str],
    inside: list[str | None],
    outside: list[str | None],
) -> None:
    operator = Operator(http, await start(keys({"key": KEY, "ip_ranges": ranges})))
    for address in inside:
        assert "result" in await call(operator, address), address
    for address in outside:
        assert await call(operator, address) == REFUSAL, address


async def test_each_key_has_addresses_of_its_own(http: aiohttp.ClientSession, start: StartServer) -> None:
    entries = keys({"key": KEY, "ip_ranges": ["192.0.2.1"]}, {"key": "management-key-2", "ip_ranges": ["192.0.2.2"]})
    server = await start(entries)
    first, second = Operator(http, server), Operator(http, server, "management-key-2")
    assert "result" in await call(first, "192.0.2.1")
    assert "result" in await call(second, "192.0.2.2")
    assert await call(first, "192.0.2.2") == await call(second, "192.0.2.1") == REFUSAL


async def test_address_of_a_stranger_is_not_taken_from_a_header(
    http: aiohttp.ClientSession, start: StartServer
) -> None:
    entry = {"label": "x", "key": KEY, "ip_ranges": ["192.0.2.1"]}
    operator = Operator(http, await start({"backends": {"app": {"management_keys": [entry]}}}))
    assert await call(operator, "192.0.2.1") == REFUSAL


async def test_key_is_checked_after_the_method_and_before_the_params(operator: Operator) -> None:
    operator.key = None
    assert (await operator.call("User.nonsense")).code == -32601
    assert (await operator.call("User.list", page="x")).code == 4


async def test_key_counts_in_the_header_only(operator: Operator) -> None:
    operator.key = None
    answer = await operator.call("User.list", page=1, itemsInPage=1, __api_key=KEY)
    assert answer.code == 4


async def test_no_param_is_reserved(operator: Operator) -> None:
    answer = await operator.call("User.getPropertyNames", __api_key=API_KEY, __device="d", __session="s")
    assert answer.code == -32602
    assert answer.data.keys() == {"__api_key", "__device", "__session"}


async def test_the_two_apis_have_methods_of_their_own(http: aiohttp.ClientSession, operator: Operator) -> None:
    app = Wire(http, operator.server)
    for method in ("User.list", "User.create", "User.get", "User.update", "User.delete", "User.getPropertyNames"):
        assert (await app.call(method)).code == -32601
    for method in ("User.register", "User.login", "User.saveProperties"):
        assert (await operator.call(method)).code == -32601


async def test_management_key_is_no_api_key(http: aiohttp.ClientSession, operator: Operator) -> None:
    app = Wire(http, operator.server)
    assert (await app.call("User.isAuthenticated", __api_key=KEY)).code == 4


async def test_batch_is_checked_call_by_call(operator: Operator) -> None:
    batch = [LIST, {**LIST, "id": 2, "method": "User.nonsense"}, {**LIST, "id": 3, "params": [1]}, 5]
    answers = (await operator.send(batch)).body
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32601, -32602, -32600]


# --- wrong keys ------------------------------------------------------------------------------------------


def limited(most: int) -> dict[str, Any]:
    return {**keys({"key": KEY}), "throttle": {"enabled": True, "failed_logins_per_address": most}}


@pytest.mark.parametrize("backend_id", ["app", "nobody"])
async def test_wrong_keys_are_limited_per_address(
    http: aiohttp.ClientSession, start: StartServer, backend_id: str
) -> None:
    """Whether there is such a backend is not told by that either."""
    server = await start(limited(4))
    guesser = Operator(http, server, "wrong", backend_id)
    for _ in range(4):
        assert await call(guesser, "192.0.2.1") == REFUSAL
    for _ in range(3):
        refused = (await call(guesser, "192.0.2.1"))["error"]
        assert (refused["code"], refused["data"]) == (9999, {"retryAfter": 15 * 60})
    assert await call(guesser, "198.51.100.1") == REFUSAL
    server.clock.advance(minutes=15)
    assert await call(guesser, "192.0.2.1") == REFUSAL


async def test_wrong_keys_are_limited_per_network(http: aiohttp.ClientSession, start: StartServer) -> None:
    guesser = Operator(http, await start(limited(1)), "wrong")
    codes = [(await call(guesser, f"192.0.2.{number}"))["error"]["code"] for number in range(18)]
    assert codes == [4] * 16 + [9999] * 2


async def test_nobody_locks_an_operator_out(
    http: aiohttp.ClientSession, start: StartServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor does a right key take from what the wrong ones have used up."""
    server = await start(limited(2))
    guesser, operator = Operator(http, server, "wrong"), Operator(http, server)
    for _ in range(3):
        await call(guesser, "192.0.2.1")
    assert "result" in await call(operator, "192.0.2.1")
    assert (await call(guesser, "192.0.2.1"))["error"]["code"] == 9999
    assert [message for message in caplog.messages if "wrong management keys" in message] == [
        "2 wrong management keys from 192.0.2.1"
    ]


async def test_the_document_of_operators_is_limited_too(http: aiohttp.ClientSession, start: StartServer) -> None:
    server = await start(limited(1))
    statuses = []
    for _ in range(2):
        async with http.get(f"{server.management_url}/manage/openrpc.json", headers={KEY_HEADER: "wrong"}) as response:
            statuses.append((response.status, response.headers.get("Retry-After")))
    assert statuses == [(403, None), (429, "900")]


# --- pages of other sites --------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "PUT"])
async def test_only_post_is_allowed(http: aiohttp.ClientSession, operator: Operator, method: str) -> None:
    asked = {"Origin": "https://example.com", "Access-Control-Request-Headers": KEY_HEADER.lower()}
    async with http.request(method, operator.endpoint, headers=asked) as response:
        assert response.status == 405
        assert response.headers["Allow"] == "POST"
        assert not [name for name in response.headers if name.lower().startswith("access-control-")]


# --- an address of its own -------------------------------------------------------------------------------


async def test_separate_address_serves_the_operators_alone(http: aiohttp.ClientSession, start: StartServer) -> None:
    server = await start({"management": {"host": "127.0.0.1", "port": 0}, "backends": {"app": KEYS}})
    assert server.management_url != server.url
    assert "result" in await call(Operator(http, server))
    for url in (f"{server.url}/manage/json-rpc/app", f"{server.management_url}/json-rpc/app"):
        async with http.post(url, data=json.dumps(LIST), headers={KEY_HEADER: KEY}) as response:
            assert response.status == 404
    await Wire(http, server).register()
    assert (await call(Operator(http, server)))["result"]["totalItems"] == 1


SEPARATE = f"""\
[management]
host = "127.0.0.1"
port = PORT
[backends.app]
api_key = "k"
[[backends.app.management_keys]]
label = "tests"
key = "{KEY}"
"""


@pytest.mark.slow
def test_command_serves_the_separate_address_and_prints_it(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(SEPARATE.replace("PORT", "0"))
    with served(tmp_path / "data", "--config", str(file)) as server:
        (url,) = re.findall(r"Operators   (http://\S+)/manage/json-rpc/app\n", server.output)
        assert url != server.url
        with ManagementClient(url, "app", KEY) as client:
            assert client.user.list().total == 0
        with ManagementClient(server.url, "app", KEY) as client, pytest.raises(InvalidStatus):
            client.user.list()


def test_taken_separate_address_is_said(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (shell.folder / "config.toml").write_text(SEPARATE.replace("PORT", str(port)))
        error = shell.fails(1, "serve", "--port", "0")
    assert f"cannot listen on 127.0.0.1:{port}" in error
    assert "Choose another one for management.port." in error
