"""The shipped nginx and Caddy configurations in front of the real server, with TLS."""

import asyncio
import contextlib
import io
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from yarl import URL

from tests.certificates import self_signed
from tests.conftest import StartServer
from tests.patience import HANG_SECONDS
from tests.proxies import Proxy, caddy_file, nginx_file, proxied, run_caddy, run_nginx
from tests.servers import API_KEY
from tests.wire import Wire

pytestmark = pytest.mark.slow

SERVERS = ("nginx", "caddy")
NewProxy = Callable[..., Awaitable[Proxy]]


@pytest.fixture(params=SERVERS)
async def proxy_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def new_proxy(tmp_path: Path, start: StartServer, proxy_name: str) -> AsyncIterator[NewProxy]:
    """A server with these settings behind the proxy: `await new_proxy({"throttle": {…}})`."""
    self_signed(tmp_path)
    with contextlib.ExitStack() as stack:

        async def new_proxy(
            changes: dict[str, object] | None = None, in_file: dict[str, str] | None = None, **server: object
        ) -> Proxy:
            settings = {"server": {"trusted_proxies": ["127.0.0.1"], **server}, **(changes or {})}
            behind = await start(settings)
            return stack.enter_context(proxied(proxy_name, tmp_path, behind.url, API_KEY, in_file))

        yield new_proxy


@contextlib.asynccontextmanager
async def from_address(folder: Path, address: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that calls from this address and trusts the certificate."""
    trusted = ssl.create_default_context(cafile=folder / "ca.pem")
    connector = aiohttp.TCPConnector(ssl=trusted, local_addr=(address, 0))
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


def test_files_are_valid(tmp_path: Path) -> None:
    self_signed(tmp_path)
    run_nginx(nginx_file(tmp_path, "127.0.0.1:8080", 10443, 10080, {}), "-t")
    assert "[warn]" not in (tmp_path / "output").read_text(encoding="utf-8")
    run_caddy(caddy_file(tmp_path, "127.0.0.1:8080", 10443, 10080, {}), "validate")


async def test_client_address_arrives_and_cannot_be_forged(tmp_path: Path, new_proxy: NewProxy) -> None:
    proxy = await new_proxy({"throttle": {"enabled": True, "failed_logins_per_address": 2}})
    codes: list[int] = []
    for address in ("127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.3"):
        async with from_address(tmp_path, address) as http:
            wire = Wire(http, proxy)
            params = wire.params({"username": f"user{len(codes)}", "password": "wrong"})
            call = {"jsonrpc": "2.0", "id": "1", "method": "User.login", "params": params}
            forged = f"192.0.2.{len(codes)}"
            codes.append((await wire.post(json.dumps(call), **{"X-Forwarded-For": forged})).code)
    assert codes == [-32602, -32602, 9999, -32602]


async def test_calls_sessions_and_scripts_pass(tmp_path: Path, new_proxy: NewProxy) -> None:
    proxy = await new_proxy()
    async with from_address(tmp_path, "127.0.0.2") as http:
        wire = Wire(http, proxy)
        await wire.register(age=21)
        assert (await wire.call("User.getProperty", name="age")).result == {"value": 21}
        async with http.options(proxy.endpoint, headers={"Origin": "null"}) as response:
            assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (204, "*")
            assert response.headers["Strict-Transport-Security"]
        async with http.get(f"{proxy.url}/js/monaca.cloud.js") as response:
            assert response.status == 200
            assert "monaca" in await response.text()


@pytest.mark.parametrize("proxy_name", SERVERS, indirect=True)
async def test_nothing_else_is_reachable(tmp_path: Path, new_proxy: NewProxy) -> None:
    proxy = await new_proxy()
    paths = (
        "/manage/json-rpc/app",
        "//manage/json-rpc/app",
        "/json-rpc/../manage/json-rpc/app",
        "/json-rpc/%2e%2e/manage/json-rpc/app",
        "/json-rpc/..%2fmanage/json-rpc/app",
        "/metrics",
        "/healthz",
        "/dev/mail",
        "/docs",
        "/",
    )
    async with from_address(tmp_path, "127.0.0.2") as http:
        for path in paths:
            async with http.post(URL(f"{proxy.url}{path}", encoded=True), data="{}") as response:
                assert 400 <= response.status < 500, path
                assert "JSON-RPC" not in await response.text(), path  # the server's own answer to unknown paths
    async with aiohttp.ClientSession() as http:
        with contextlib.suppress(aiohttp.ClientConnectionError):  # Caddy does not listen there at all
            async with http.post(f"{proxy.plain_url}/json-rpc/app", data="{}", allow_redirects=False) as response:
                assert response.status == 403


async def test_large_bodies_and_answers(tmp_path: Path, new_proxy: NewProxy, proxy_name: str) -> None:
    proxy = await new_proxy()
    async with from_address(tmp_path, "127.0.0.2") as http:
        wire = Wire(http, proxy)
        await wire.register()
        text = "x" * 500_000
        assert (await wire.call("User.saveProperty", name="text", value=text)).result == "OK"
        assert (await wire.call("User.getProperty", name="text")).result == {"value": text}
        # Over our limit, under the proxy's: an error that apps understand.
        assert (await wire.post(io.BytesIO(b" " * 1_500_000))).code == -32600
        async with http.post(proxy.endpoint, data=io.BytesIO(b" " * 2_500_000)) as response:
            said = await response.text()
        assert response.status == 413 if proxy_name == "nginx" else '"code":-32600' in said


async def test_slow_body_ends_and_holds_nobody_up(tmp_path: Path, new_proxy: NewProxy, proxy_name: str) -> None:
    body_timeout = {"nginx": {"client_body_timeout 15s;": "client_body_timeout 1s;"}, "caddy": {"20s": "2s"}}[
        proxy_name
    ]
    proxy = await new_proxy(None, body_timeout, body_timeout_seconds=1)
    where = urlsplit(proxy.url)
    trusted = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    reader, writer = await asyncio.open_connection("127.0.0.1", where.port, ssl=trusted)
    writer.write(f"POST /json-rpc/app HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: 1000\r\n\r\n{{".encode())
    async with from_address(tmp_path, "127.0.0.2") as http:
        assert (await Wire(http, proxy).call("User.isAuthenticated")).result is False
    async with asyncio.timeout(HANG_SECONDS):
        said = await reader.read()
    # nginx waits for the whole body before it calls; Caddy passes on what it has, and the server's answer if it can.
    assert said == b"" or b" 408 " in said or b'"code":-32600' in said
    writer.transport.abort()


# --- nginx limits what one client may do; Caddy cannot -----------------------------------------------------

# Tests cannot call from addresses of IPv6: nginx believes a header instead.
FROM_HEADER = {
    "    keepalive_timeout 75s;\n": "    keepalive_timeout 75s;\n    set_real_ip_from 127.0.0.1;\n"
    "    real_ip_header X-Test-Address;\n"
}


async def statuses(http: aiohttp.ClientSession, proxy: Proxy, addresses: list[str]) -> list[int]:
    """Of a call from each of these, one after the other."""
    found = []
    for address in addresses:
        async with http.post(proxy.endpoint, data="{}", headers={"X-Test-Address": address}) as response:
            found.append(response.status)
    return found


@pytest.mark.parametrize("proxy_name", ["nginx"], indirect=True)
async def test_a_client_that_calls_too_often_is_refused(tmp_path: Path, new_proxy: NewProxy) -> None:
    proxy = await new_proxy(None, {"rate=100r/s": "rate=1r/m", "burst=500": "burst=1", **FROM_HEADER})
    async with from_address(tmp_path, "127.0.0.1") as http:
        assert await statuses(http, proxy, ["192.0.2.1"] * 3 + ["192.0.2.2"]) == [200, 200, 429, 200]
        same_network = ["2001:db8:0:a::1", "2001:db8:0:a:1::1", "2001:db8:0:a::a0a"]
        assert await statuses(http, proxy, [*same_network, "2001:db8:0:b::1"]) == [200, 200, 429, 200]


@pytest.mark.parametrize("proxy_name", ["nginx"], indirect=True)
async def test_a_client_with_too_many_calls_under_way_is_refused(tmp_path: Path, new_proxy: NewProxy) -> None:
    proxy = await new_proxy(None, {"jsonrpc_backend_calls 100;": "jsonrpc_backend_calls 2;"})
    where = urlsplit(proxy.url)
    trusted = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    half = f"POST /json-rpc/app HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: 9\r\n"
    writers = []
    for _ in range(2):
        reader, writer = await asyncio.open_connection("127.0.0.1", where.port, ssl=trusted)
        writer.write(f"{half}Expect: 100-continue\r\n\r\n".encode())
        assert b" 100 " in await reader.readline()  # from here on it is under way
        writers.append(writer)
    for address, status in (("127.0.0.1", 429), ("127.0.0.2", 200)):
        async with from_address(tmp_path, address) as http:
            assert await statuses(http, proxy, [""]) == [status]
    for writer in writers:
        writer.transport.abort()
