"""The page for the code of a reset mail: from the link in the mail to another password, in a browser."""

import logging
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, BrowserContext, expect

from tests.browser.conftest import StartServer, axe_core
from tests.browser.test_example_apps import FIND_VIOLATIONS
from tests.browser.test_japanese import has_no_english
from tests.mailbox import Mailbox, listening
from tests.servers import API_KEY
from tests.wire import Wire

ME = "me+you@example.com"
MAIL = {
    "subject": "Your code",
    "from": "no-reply@example.com",
    "body": "https://api.example.com/reset/app#code=%PASSWORD_RESET_TOKEN%\n",
}
WITH_PAGE: dict[str, Any] = {
    "backends": {"app": {"password_reset": {"page": True}, "mail_templates": {"send_password_token": MAIL}}},
}


async def code_for(wire: Wire, mailbox: Mailbox) -> str:
    await wire.register(ME)
    await wire.elsewhere().call("User.sendPasswordResetToken", username=ME)
    mail = await mailbox.next()
    assert mail.text == f"https://api.example.com/reset/app#code={mail.token}\n"
    return mail.token


async def test_from_the_link_to_another_password(
    context: BrowserContext, start: StartServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "jsonrpc_backend")
    mailbox = Mailbox()
    async with listening(mailbox), aiohttp.ClientSession() as http:
        server = await start({**WITH_PAGE, "smtp": mailbox.settings})
        wire = Wire(http, server)
        code = await code_for(wire, mailbox)
        page = await context.new_page()
        await page.set_viewport_size({"width": 320, "height": 600})
        await page.goto(f"{server.url}/reset/app#code={code}")
        await expect(page.get_by_label("Code from the mail")).to_have_value(code)
        assert page.url == f"{server.url}/reset/app"
        assert API_KEY not in await page.content()
        await page.evaluate(axe_core())
        assert await page.evaluate(FIND_VIOLATIONS) == []
        assert await page.evaluate("document.documentElement.scrollWidth") == 320

        await page.get_by_label("Username").fill(ME)
        await page.get_by_label("New password").fill("abc")
        await page.get_by_role("button").click()
        await expect(page.locator("#newPassword-error")).not_to_be_empty()
        await page.get_by_label("New password").fill("another-one")
        await page.get_by_role("button").click()
        await expect(page.get_by_role("status")).to_contain_text("Your password is changed.")

        assert (await wire.elsewhere().call("User.login", username=ME, password="another-one")).session
        assert len(server.rows("SELECT * FROM sessions")) == 1  # of the log-in: that of the reset is gone
        assert len(server.rows("SELECT * FROM login_tokens")) == 1
        for secret in (code, "another-one", API_KEY):
            assert secret not in caplog.text


async def test_in_japanese_with_a_username_from_the_link(browser: Browser, start: StartServer) -> None:
    server = await start(WITH_PAGE)
    japanese = await browser.new_context(locale="ja-JP", color_scheme="dark")
    page = await japanese.new_page()
    await page.goto(f"{server.url}/reset/app#username=a%26b%2B%23%25&code=3333-3333-3333")
    await expect(page.get_by_label("ユーザー名")).to_have_value("a&b+#%")
    await page.get_by_label("新しいパスワード").fill("another-one")
    await page.get_by_role("button").click()
    await expect(page.locator("#token-error")).to_contain_text("トークン")
    await has_no_english(page)
    await page.evaluate(axe_core())
    assert await page.evaluate(FIND_VIOLATIONS) == []
    await japanese.close()
