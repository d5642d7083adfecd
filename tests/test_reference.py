"""How the reference and the start page are served, and to whom they tell the API key."""

from pathlib import Path

import aiohttp
import pytest

from jsonrpc_backend.reference import FOLDER
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


@pytest.mark.parametrize("path", ["/docs/start.html", "/docs/index.html", "/docs/..%2fapp.py", "/docs/gone", "/"])
async def test_nothing_else_is_served(http: aiohttp.ClientSession, server: InProcessServer, path: str) -> None:
    async with http.get(f"{server.url}{path}") as response:
        assert response.status == 404


def test_pages_have_nothing_inline() -> None:
    for page in FOLDER.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<style" not in text
        assert "style=" not in text
        assert text.count("<script") == text.count('<script type="module" src="docs/page.mjs"></script>') == 1


async def test_slash_at_the_end(http: aiohttp.ClientSession, server: InProcessServer) -> None:
    async with http.get(f"{server.url}/docs/") as response:
        assert str(response.url) == f"{server.url}/docs"


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
        assert await response.json() == {"backends": [{"id": "app"}]}
    server = await start(
        {"backends": {"shop": {"api_key": "k"}}, "server": {"data_dir": f"{server.database_path()}.d"}}
    )
    async with http.get(f"{server.url}/docs/settings.json") as response:
        assert await response.json() == {"backends": []}
