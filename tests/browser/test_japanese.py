"""Pages in Japanese, in a browser that asks for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import StartServer
from tests.patience import HANG_SECONDS
from tests.servers import ServerProcess, served

# Three English words in a row, outside of what is data or only there without scripts.
FIND_ENGLISH = r"""() => {
    const found = [], texts = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const {data, parentElement} = texts.currentNode;
        if (/[A-Za-z']{2,} [a-z']{2,} [a-z]{2,}/.test(data)
            && !parentElement.closest("code, pre, script, noscript, style, textarea, [translate=no]")) {
            found.push(data);
        }
    }
    return found;
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def japanese(browser: Browser) -> AsyncIterator[BrowserContext]:
    opened = await browser.new_context(locale="ja-JP")
    opened.set_default_timeout(HANG_SECONDS * 1000)
    yield opened
    await opened.close()


async def has_no_english(page: Page) -> None:
    await expect(page.locator("html")).to_have_attribute("lang", "ja")
    assert await page.evaluate(FIND_ENGLISH) == []


async def send_a_mail(context: BrowserContext, server: ServerProcess) -> None:
    own = {"username": "anna@example.com"}
    for method, params in {"register": own | {"password": "it's-a-secret"}, "sendPasswordResetToken": own}.items():
        params |= {"__api_key": server.api_key, "__device": "device-1"}
        message = {"jsonrpc": "2.0", "method": f"User.{method}", "params": params, "id": 1}
        answer = await context.request.post(server.endpoint, data=message)
        assert "result" in await answer.json()


async def test_pages_of_development(japanese: BrowserContext, tmp_path: Path) -> None:
    with served(tmp_path / "data", "--dev") as server:
        page = await japanese.new_page()
        await page.goto(f"{server.url}/")
        await expect(page.get_by_role("heading", level=1)).to_have_text("サーバーが動いています")
        await has_no_english(page)

        await page.goto(f"{server.url}/docs#User.login")
        await page.get_by_role("button", name="呼び出す").click()
        await expect(page.locator("#answer li").first).to_contain_text("ユーザー名またはパスワードが違います。")
        await page.goto(f"{server.url}/docs#User.register")
        await page.get_by_role("button", name="呼び出す").click()
        # The sentence is the server's own, for it knows from the same header what the caller reads.
        await expect(page.locator("#answer")).to_contain_text("エラー -32602: Invalid params")
        await expect(page.locator("#answer li").first).to_contain_text("ユーザー名は3文字以上にしてください。")
        await expect(page.get_by_label("メソッドを探す")).to_have_attribute("placeholder", "password、token、…")
        await page.get_by_label("メソッドを探す").fill("autoLogin")
        await expect(page.locator("#found")).to_contain_text("個中1個のメソッド")

        await page.goto(f"{server.url}/dev/mail")
        await expect(page.get_by_role("heading", level=1)).to_have_text("このサーバーのメール")
        await has_no_english(page)
        await send_a_mail(japanese, server)
        await expect(page.locator("article p").first).to_contain_text(
            "宛先 anna@example.com · バックエンド app · 保管 "
        )


async def test_example_apps(japanese: BrowserContext, tmp_path: Path) -> None:
    with served(tmp_path / "data", "--dev") as server:
        page = await japanese.new_page()
        await page.goto(f"{server.url}/examples/monaca-app/")
        await expect(page.locator("#sign-in h1")).to_have_text("ログイン")
        await has_no_english(page)
        await page.get_by_role("button", name="はじめての方は新規登録").click()
        await page.locator("#sign-up-username").fill("anna@example.com")
        await page.locator("#sign-up-password").fill("it's-a-secret")
        await page.locator("#sign-up-nickname").fill("You are signed out.")
        await page.locator("#sign-up-form button").click()
        await expect(page.locator("#profile h1")).to_have_text("プロフィール")
        await expect(page.locator("#profile-nickname")).to_have_value("You are signed out.")
        await page.get_by_role("button", name="ログアウト").click()
        await expect(page.get_by_role("status")).to_have_text("ログアウトしました。")
        await has_no_english(page)

        for app in ("cloudboost-app", "notes-app"):
            await page.goto(f"{server.url}/examples/{app}/")
            await expect(page.locator("#sign-in h1")).to_have_text("ログイン")
            await has_no_english(page)


async def test_front_page(japanese: BrowserContext, start: StartServer) -> None:
    server = await start()
    page = await japanese.new_page()
    await page.goto(f"{server.url}/")
    await expect(page.get_by_role("heading", level=1)).to_have_text("アプリのためのサーバーです")
    await has_no_english(page)
