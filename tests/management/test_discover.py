"""The OpenRPC document of the operators' API is for them alone, by `rpc.discover` and by GET."""

from typing import Any

import aiohttp
import pytest

from tests.conftest import StartServer
from tests.operators import KEY, KEY_HEADER, KEYS, Operator
from tests.servers import API_KEY, InProcessServer


async def get(operator: Operator, query: str = "", **headers: str) -> tuple[int, Any]:
    """The status and the answer."""
    if operator.key is not None:
        headers[KEY_HEADER] = operator.key
    url = f"{operator.server.management_url}/manage/openrpc.json{query}"
    async with operator.http.get(url, headers={"Origin": "https://example.com", **headers}) as response:
        assert response.content_type == "application/json"
        assert response.headers["Cache-Control"] == "no-store"
        assert not [name for name in response.headers if name.lower().startswith("access-control-")]
        return response.status, await response.json()


async def discover(operator: Operator, **headers: str) -> Any:
    return (await operator.send({"jsonrpc": "2.0", "method": "rpc.discover", "id": 1}, **headers)).body


async def is_let_in(operator: Operator, query: str = "", **headers: str) -> bool:
    """Whether it gets the document; checks that both ways say the same, and how they refuse."""
    (status, got), answer = await get(operator, query, **headers), await discover(operator, **headers)
    if status == 200:
        del got["servers"]
        assert answer["result"] == got
        return True
    assert status == 403
    assert got.keys() == {"error"}
    assert "/manage/openrpc.json?backend=" in got["error"]
    assert answer["error"] == {"code": 4, "message": "API key invalid"}
    return False


async def test_both_ways_give_the_same(operator: Operator) -> None:
    assert await is_let_in(operator)


@pytest.mark.parametrize("key", [None, "", "wrong", API_KEY, "management-key-2", KEY + "\u00e9"])
async def test_other_keys_are_refused(http: aiohttp.ClientSession, start: StartServer, key: str | None) -> None:
    other = {"api_key": "k", "management_keys": [{"label": "x", "key": "management-key-2"}]}
    server = await start({"backends": {"app": KEYS, "other": other}})
    assert not await is_let_in(Operator(http, server, key), "?backend=app")
    assert await is_let_in(Operator(http, server), "?backend=app")


async def test_off_without_a_key(http: aiohttp.ClientSession, start: StartServer) -> None:
    server = await start()
    assert [await is_let_in(Operator(http, server, key)) for key in (None, "", KEY, API_KEY)] == [False] * 4


async def test_a_key_is_for_its_addresses(http: aiohttp.ClientSession, start: StartServer) -> None:
    entry = {"label": "x", "key": KEY, "ip_ranges": ["192.0.2.0/24"]}
    trusting = {"trusted_proxies": ["127.0.0.1"]}
    operator = Operator(http, await start({"server": trusting, "backends": {"app": {"management_keys": [entry]}}}))
    assert await is_let_in(operator, **{"X-Forwarded-For": "192.0.2.7"})
    assert not await is_let_in(operator, **{"X-Forwarded-For": "192.0.3.7"})
    assert not await is_let_in(operator)


async def test_which_backend(http: aiohttp.ClientSession, start: StartServer) -> None:
    operator = Operator(http, await start({"backends": {"app": KEYS, "shop": {"api_key": "k"}}}))
    statuses = [(await get(operator, query))[0] for query in ("", "?backend=", "?backend=gone", "?backend=shop")]
    assert statuses == [403] * 4
    assert (await get(operator, "?backend=app"))[0] == 200


@pytest.mark.parametrize("docs", [True, False])
async def test_what_everybody_is_shown_is_another_matter(
    http: aiohttp.ClientSession, start: StartServer, *, docs: bool
) -> None:
    server = await start({"server": {"docs": docs}, "backends": {"app": KEYS}})
    assert await is_let_in(Operator(http, server))
    async with http.get(f"{server.url}/openrpc.json", headers={KEY_HEADER: KEY}) as response:
        assert response.status == (200 if docs else 404)


async def test_it_is_where_the_rest_of_the_api_is(http: aiohttp.ClientSession, start: StartServer) -> None:
    server: InProcessServer = await start({"management": {"host": "127.0.0.1", "port": 0}, "backends": {"app": KEYS}})
    assert await is_let_in(Operator(http, server))
    for url in (f"{server.url}/manage/openrpc.json", f"{server.management_url}/openrpc.json"):
        async with http.get(url, headers={KEY_HEADER: KEY}) as response:
            assert response.status == 404


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
async def test_it_is_got_only(http: aiohttp.ClientSession, operator: Operator, method: str) -> None:
    """Pages of other sites ask with OPTIONS before they send a key."""
    url = f"{operator.server.management_url}/manage/openrpc.json"
    async with http.request(method, url, headers={"Origin": "https://example.com", KEY_HEADER: KEY}) as response:
        assert response.status == 405
        assert not [name for name in response.headers if name.lower().startswith("access-control-")]


async def test_reading_it_is_not_remembered(operator: Operator) -> None:
    assert await is_let_in(operator)
    assert operator.server.rows("SELECT method FROM audit") == []
