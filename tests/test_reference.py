"""How the reference and the start page are served, and to whom they tell the API key."""

import re
from pathlib import Path

import aiohttp
import pytest

from jsonrpc_backend.web.reference import FOLDER
from tests.conftest import StartServer
from tests.servers import InProcessServer, ServerProcess, served


async def get(http: aiohttp.ClientSession, server: ServerProcess, path: str, **headers: str) -> str:
    async with http.get(f"{server.url}{path}", headers=headers) as response:
        assert response.status == 200
        assert "Access-Control-Allow-Origin" not in response.headers
        return await response.text()


@pytest.mark.parametrize("path", ["/docs", "/docs/page.mjs", "/docs/page.css", "/docs/icon.svg", "/docs/settings.json"])
async def test_nothing_but_its_own_files_is_let_in(
    http: aiohttp.ClientSession, server: InProcessServer, path: str
) -> None:
    async with http.get(f"{server.url}{path}") as response:
        assert response.status == 200
        policy = response.headers["Content-Security-Policy"]
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in policy
    assert "script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/docs/start.html", "/docs/index.html", "/docs/..%2fapp.py", "/docs/gone"])
async def test_nothing_else_is_served(http: aiohttp.ClientSession, server: InProcessServer, path: str) -> None:
    async with http.get(f"{server.url}{path}") as response:
        assert response.status == 404


def test_pages_have_nothing_inline() -> None:
    for page in FOLDER.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<style" not in text
        assert "style=" not in text
        scripts = re.findall(r"<script.*", text)
        assert len(scripts) == 2  # the page's own, and the Japanese one
        for script in scripts:
            assert re.fullmatch(r'<script type="module" src="(\.\./)?(docs|reset-page)/[a-z]+\.mjs"></script>', script)


# --- the front page ----------------------------------------------------------------------------------------

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def front_page(http: aiohttp.ClientSession, server: InProcessServer) -> str:
    async with http.get(server.url, headers=BROWSER) as response:
        assert (response.status, response.content_type) == (200, "text/html")
        policy = response.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in response.headers
        text = await response.text()
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    return text


async def test_browsers_are_told_what_the_server_is(http: aiohttp.ClientSession, start: StartServer) -> None:
    server = await start()
    text = await front_page(http, server)
    assert f"curl {server.url}/json-rpc/&lt;backend id&gt;" in text
    assert '<a href="docs">' in text
    assert server.api_key not in text
    without = await start({"server": {"docs": False, "data_dir": f"{server.database_path()}.d"}})
    text = await front_page(http, without)
    assert "server.docs" in text
    assert 'href="docs"' not in text


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
async def test_programs_are_told_that_nothing_is_there(
    http: aiohttp.ClientSession, server: InProcessServer, accept: str
) -> None:
    async with http.get(server.url, headers={"Accept": accept}) as response:
        assert response.status == 404
        assert "/json-rpc/<backend id>" in (await response.json())["error"]


async def test_a_name_that_is_called_cannot_put_anything_into_the_page(
    http: aiohttp.ClientSession, server: InProcessServer
) -> None:
    async with http.get(server.url, headers={**BROWSER, "Host": "a<script>b"}) as response:
        assert "<script>" not in await response.text()


async def test_operators_own_address_has_no_front_page(http: aiohttp.ClientSession, start: StartServer) -> None:
    server = await start({"management": {"host": "127.0.0.1", "port": 1}})
    async with http.get(server.management_url, headers=BROWSER) as response:
        assert response.status == 404
        assert "error" in await response.json()


async def test_slash_at_the_end(http: aiohttp.ClientSession, server: InProcessServer) -> None:
    async with http.get(f"{server.url}/docs/") as response:
        assert str(response.url) == f"{server.url}/docs"


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/", "/docs/settings.json"])
async def test_api_key_is_for_this_machine_only(tmp_path: Path, http: aiohttp.ClientSession, path: str) -> None:
    with served(tmp_path / "data", "--dev") as server:
        assert f"Reference   {server.url}/docs\n" in server.output
        assert server.api_key in await get(http, server, path, Host="localhost:8080")
        for headers in ({"Host": "evil.example.com"}, {"X-Forwarded-For": "192.0.2.1"}):
            assert server.api_key not in await get(http, server, path, **headers)
    with served(tmp_path / "data", "--dev", "--host", "0.0.0.0") as server:
        assert server.api_key not in await get(http, server, path)


async def test_outside_development_no_key_is_told(http: aiohttp.ClientSession, start: StartServer) -> None:
    server = await start()
    async with http.get(f"{server.url}/docs/settings.json") as response:
        assert await response.json() == {"backends": [{"id": "app"}], "operators": True}
    server = await start(
        {"backends": {"shop": {"api_key": "k"}}, "server": {"data_dir": f"{server.database_path()}.d"}}
    )
    async with http.get(f"{server.url}/docs/settings.json") as response:
        assert await response.json() == {"backends": [], "operators": True}
