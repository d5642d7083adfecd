"""How `serve --dev` gives out the example apps, and to whom it tells the API key."""

import re
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from jsonrpc_backend.web.example_apps import APPS, examples_folder
from tests.servers import ServerProcess, served

pytestmark = pytest.mark.slow

Answer = tuple[int, str]

# What proxies, tunnels and content delivery networks add to a request.
ADDED_ON_THE_WAY = [
    *["X-Forwarded-For", "x-forwarded-for", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded"],
    *["Forwarded", "Via", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "CF-Connecting-IP"],
    *["CF-Ray", "CDN-Loop", "Fastly-Client-IP", "Fly-Client-IP", "X-Envoy-External-Address", "X-Original-Host"],
]


async def get(http: aiohttp.ClientSession, server: ServerProcess, path: str, **headers: str) -> Answer:
    async with http.get(URL(f"{server.url}{path}", encoded=True), headers=headers) as response:
        assert response.status == 404 or "Access-Control-Allow-Origin" not in response.headers
        return response.status, await response.text()


async def test_apps_are_served_in_development(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    with served(tmp_path / "data", "--dev") as server:
        for app in APPS:
            assert f"Example     {server.url}/examples/{app}/\n" in server.output
            index = (examples_folder() / app / "index.html").read_text(encoding="utf-8")
            assert await get(http, server, f"/examples/{app}/") == (200, index)
            async with http.get(f"{server.url}/examples/{app}", allow_redirects=False) as response:
                assert (response.status, response.headers["Location"]) == (302, f"/examples/{app}/")
            async with http.get(f"{server.url}/examples/{app}/app.js") as response:
                assert response.content_type in {"text/javascript", "application/javascript"}
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["/monaca-app/gone.js", "/other/", "/other", "/quickstart.py", "/monaca-app/..%2fquickstart.py", "/%2e%2e/app.js"],
)
async def test_nothing_else_is_served(tmp_path: Path, http: aiohttp.ClientSession, path: str) -> None:
    with served(tmp_path / "data", "--dev") as server:
        assert (await get(http, server, f"/examples{path}"))[0] == 404


async def test_apps_load_from_this_server_alone_and_in_no_frame(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    with served(tmp_path / "data", "--dev") as server:
        async with http.get(f"{server.url}/docs") as response:
            policy = response.headers["Content-Security-Policy"]
        for app, file in [(app, file) for app in APPS for file in ("", "app.js", "settings.js", "style.css")]:
            async with http.get(f"{server.url}/examples/{app}/{file}") as response:
                assert response.headers["Content-Security-Policy"].replace(" data:;", ";") == policy
                assert response.headers["Referrer-Policy"] == "no-referrer"
                assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_apps_have_nothing_inline() -> None:
    for app in APPS:
        text = (examples_folder() / app / "index.html").read_text(encoding="utf-8")
        assert not re.search(r"<style|style=|\son[a-z]+=|<script>|javascript:", text)


async def test_settings_are_those_of_the_server(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    with served(tmp_path / "data", "--dev") as server, served(tmp_path / "other", "--dev") as other:
        for app in APPS:
            status, text = await get(http, server, f"/examples/{app}/settings.js")
            assert status == 200
            for value in (server.url, server.backend_id, server.api_key, f"{server.url}/dev/mail"):
                assert f'"{value}"' in text
        async with http.get(f"{other.url}/examples/{APPS[0]}/settings.js") as response:
            assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert response.headers["Cache-Control"] == "no-store"
            assert other.api_key in await response.text()


async def test_api_key_is_for_this_machine_only(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    path = f"/examples/{APPS[0]}/settings.js"
    plain = (examples_folder() / APPS[0] / "settings.js").read_text(encoding="utf-8")
    with served(tmp_path / "data", "--dev") as server:
        assert server.api_key in (await get(http, server, path, Host="localhost:8080"))[1]
        for headers in ({"Host": "evil.example.com"}, *({name: "192.0.2.1"} for name in ADDED_ON_THE_WAY)):
            assert await get(http, server, path, **headers) == (200, plain)
            assert (await get(http, server, "/dev/mail", **headers))[0] == 404
        assert (await get(http, server, "/dev/mail"))[0] == 200
    with served(tmp_path / "data", "--dev", "--host", "0.0.0.0") as server:
        assert await get(http, server, path) == (200, plain)
    with served(tmp_path / "data") as server:
        assert "Example" not in server.output
        assert (await get(http, server, path))[0] == 404
