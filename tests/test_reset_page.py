"""What the page for reset codes posts: who may, what it costs, and what it tells."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import StartServer
from tests.prometheus import watched
from tests.servers import API_KEY, InProcessServer
from tests.wire import Wire

PAGE = {"backends": {"app": {"password_reset": {"page": True}}}}
TYPED = {"username": "me@example.com", "token": "3333-3333-3333", "newPassword": "another-one"}
OWN = {"Sec-Fetch-Site": "same-origin"}


async def posted(
    http: aiohttp.ClientSession, server: InProcessServer, typed: Any = TYPED, headers: dict[str, str] = OWN
) -> tuple[int, Any]:
    async with http.post(f"{server.url}/reset/app", json=typed, headers=headers) as response:
        assert "Access-Control-Allow-Origin" not in response.headers
        assert response.headers["Cache-Control"] == "no-store"
        return response.status, await response.json() if response.status == 200 else None


async def test_there_is_none_unless_the_settings_say_so(start: StartServer, http: aiohttp.ClientSession) -> None:
    for server, path in ((await start(), "/reset/app"), (await start(PAGE), "/reset/other")):
        for method in ("GET", "POST"):
            async with http.request(method, server.url + path, json=TYPED, headers=OWN) as response:
                assert response.status == 404


async def test_page_is_kept_nowhere_and_shown_in_no_frame(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await start(PAGE)
    async with http.get(f"{server.url}/reset/app") as response:
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=str,
)
async def test_other_origins_are_refused(
    start: StartServer, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    assert await posted(http, await start(PAGE), headers=headers) == (403, None)


async def test_own_origin_of_a_browser_that_says_no_more(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await start(PAGE)
    status, answer = await posted(http, server, headers={"Origin": server.url})
    assert (status, answer["ok"]) == (200, False)
    assert answer["sentences"] == {"token": "Token is wrong, used or expired; ask for another one."}


async def test_wrong_codes_count_as_in_any_call(start: StartServer, http: aiohttp.ClientSession) -> None:
    server = await start({**PAGE, "throttle": {"enabled": True, "failed_logins_per_user": 2}})
    await Wire(http, server).register()
    for _ in range(2):
        assert "token" in (await posted(http, server))[1]["sentences"]
    assert "token" not in (await posted(http, server))[1]["sentences"]
    answer = await Wire(http, server).elsewhere().call("User.resetPasswordAndLogin", **TYPED)
    assert answer.code == 9999


@pytest.mark.parametrize(
    "typed", [[], "text", {"username": "a" * 5000}, [TYPED]], ids=["list", "text", "large", "batch"]
)
async def test_what_is_no_form_is_refused(start: StartServer, http: aiohttp.ClientSession, typed: Any) -> None:
    assert await posted(http, await start(PAGE), typed) == (200, {"ok": False, "sentences": {}})


async def test_reserved_params_and_others_are_left_out(start: StartServer, http: aiohttp.ClientSession) -> None:
    answer = (await posted(http, await start(PAGE), TYPED | {"__session": "x", "more": 1}))[1]
    assert list(answer["sentences"]) == ["token"]


async def test_metrics_count_it_and_hold_nothing_of_it(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    async with watched(tmp_path, http, PAGE) as server:
        await posted(http, server)
        labels = {"backend": "app", "method": "User.resetPasswordAndLogin", "code": "-32602"}
        await server.until("calls_total", 1, **labels)
        told = await server.text()
    assert not [secret for secret in (*TYPED.values(), API_KEY) if secret in told]
