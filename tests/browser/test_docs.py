"""The reference page and the start page in a browser, from `serve --dev` and from a server with `docs = true`."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from jsonrpc_backend.client.blocking import UserMethods
from jsonrpc_backend.client.user_management import UserManagement
from jsonrpc_backend.rpc.schema_files import COMMON, schema_folder
from tests.browser.conftest import Site, StartServer, axe_core
from tests.browser.test_example_apps import FIND_VIOLATIONS, MEASURE, MIN_TARGET
from tests.operators import KEY, KEY_HEADER, KEYS
from tests.patience import HANG_SECONDS
from tests.servers import API_KEY, ServerProcess, served
from tests.setup import program
from tests.wire import Wire

METHODS = len([path for path in schema_folder().glob("*.json") if path.name != COMMON])  # of apps
ME, PASSWORD = "anna@example.com", "it's-a-secret"


@pytest.fixture
def dev_server(tmp_path: Path) -> Iterator[ServerProcess]:
    with served(tmp_path / "data", "--dev") as process:
        yield process


@dataclass
class Docs:
    """The reference in a tab."""

    page: Page
    site: Site

    @property
    def answer(self) -> Locator:
        return self.page.locator("#answer")

    @property
    def code(self) -> Locator:
        return self.page.locator("#code code")

    def field(self, name: str) -> Locator:
        return self.page.locator(f'[id="param-{name}"]')

    async def open(self, method: str) -> None:
        await self.page.goto(f"{self.page.url.partition('#')[0]}#{method}")
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(method)

    async def call(self, **values: str) -> None:
        for name, value in values.items():
            await self.field(name).fill(value)
        await self.page.get_by_role("button", name="Call it").click()

    async def gives(self, title: str, text: str) -> None:
        await expect(self.answer.get_by_role("heading")).to_have_text(title)
        await expect(self.answer).to_contain_text(text)

    async def snippet(self, language: str) -> str:
        await self.page.get_by_role("tab", name=language).click()
        return await self.code.inner_text()

    async def passes_axe(self) -> None:
        # The page's policy lets no script in by a tag; this comes by the debugger.
        if await self.page.evaluate("typeof axe") == "undefined":
            await self.page.evaluate(axe_core())
        assert await self.page.evaluate(FIND_VIOLATIONS) == []


async def opened(context: BrowserContext, url: str) -> Docs:
    site = Site(Path(), url, context)
    return Docs(await site.visit("http", "docs"), site)


async def test_from_finding_a_method_to_reading_properties(context: BrowserContext, dev_server: ServerProcess) -> None:
    docs = await opened(context, dev_server.url)
    page = docs.page
    await expect(page.locator("#list a")).to_have_count(METHODS)
    await page.get_by_label("Find a method").fill("ACCOUNT makes")
    await expect(page.get_by_text(f"1 of {METHODS} methods")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("User.register")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()

    await docs.call(username="a b", password=PASSWORD)
    await docs.gives("Error -32602: Invalid params", "A parameter breaks its rule, the username is taken")
    sentence = "Username must not contain spaces, line breaks or invisible characters."
    await expect(docs.answer).to_contain_text(sentence)
    await expect(docs.field("username")).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#param-username-error")).to_have_text(sentence)

    await docs.call(username=ME, properties="{age: 21}")
    await expect(page.locator("#param-properties-error")).to_contain_text("This is not JSON")
    await expect(docs.field("properties")).to_be_focused()
    await docs.call(properties='{"age": 21}')
    await docs.gives("Result", '"loginToken"')
    await expect(page.locator("#who")).to_contain_text(f"signed in as {ME} · session ")
    await docs.passes_axe()

    await docs.open("User.getProperties")
    await docs.call()
    await docs.gives("Result", '"age": 21')
    await docs.call(names='["city"]')
    await docs.gives("Result", '"properties": {}')
    await page.get_by_label("How names is sent").select_option("null")
    await docs.call()
    await docs.gives("Result", '"age": 21')
    assert '"names": null' in await docs.code.inner_text()

    await page.reload()  # the tab keeps who is signed in
    await docs.call()
    await docs.gives("Result", '"age": 21')
    assert docs.site.console == []


async def test_signing_in_and_out(context: BrowserContext, dev_server: ServerProcess, http_register: Any) -> None:
    docs = await opened(context, dev_server.url)
    await docs.open("User.getProperties")
    await docs.call()
    await docs.gives("Error 11: User login is required", "The method needs a signed-in user.")
    await docs.answer.get_by_role("link", name="Sign in with User.login").click()
    await docs.call(username=ME, password="wrong")
    await docs.gives("Error -32602: Invalid params", "Username or password is incorrect.")
    await docs.call(password=PASSWORD)
    await docs.gives("Result", f'"_username": "{ME}"')

    await docs.open("User.autoLogin")
    await docs.page.get_by_role("button", name="Fill in the example").click()  # with the token of this tab
    await docs.call()
    await docs.gives("Result", f'"_username": "{ME}"')

    kept = json.loads(await docs.page.evaluate("sessionStorage.getItem('jsonrpc-backend reference')"))
    assert kept["session"]
    assert kept["loginToken"]
    assert await docs.page.evaluate("localStorage.length") == 0
    await docs.page.locator("summary").click()
    await expect(docs.page.get_by_label("Session")).to_have_value(kept["session"])
    await docs.page.get_by_role("button", name="Sign out and forget").click()
    await expect(docs.page.locator("#who")).to_contain_text("not signed in")
    await expect(docs.page.get_by_label("Login token")).to_have_value("")
    await docs.page.get_by_label("Session").fill(kept["session"])
    await docs.open("User.isAuthenticated")
    await docs.call()
    await docs.gives("Result", '"result": false')
    assert docs.site.console == []


@pytest.fixture
async def http_register(dev_server: ServerProcess) -> None:
    params = {"__api_key": dev_server.api_key, "__device": "d", "username": ME, "password": PASSWORD}
    message = {"jsonrpc": "2.0", "method": "User.register", "params": params, "id": 1}
    async with aiohttp.ClientSession() as http, http.post(dev_server.endpoint, json=message) as response:
        assert "result" in await response.json()


async def test_fields_of_other_kinds(context: BrowserContext, dev_server: ServerProcess, http_register: Any) -> None:
    docs = await opened(context, dev_server.url)
    await docs.open("User.sendPasswordResetToken")
    assert '"options"' not in await docs.code.inner_text()
    await docs.field("options.emailPropertyName").select_option("email")
    await docs.call(username=ME)
    await docs.gives("Result", '"OK"')
    assert '"options": {\n      "emailPropertyName": "email"\n    }' in await docs.code.inner_text()
    await docs.open("User.login")
    await docs.call(username=ME, password=PASSWORD)
    await docs.gives("Result", '"user"')

    await docs.open("User.saveProperty")
    await docs.call(name="tags", value="")
    await expect(docs.page.locator("#param-value-error")).to_contain_text("Enter JSON")
    await expect(docs.page.locator("#left-out")).to_contain_text("value")
    await docs.call(value='["a", null]')
    await docs.gives("Result", '"OK"')
    await docs.open("User.getProperty")
    await docs.call(name="tags")
    await docs.gives("Result", '"value": [')

    await docs.open("rpc.discover")
    await docs.call()
    await docs.gives("Result", '"openrpc": "1.3.2"')
    assert "__api_key" not in await docs.snippet("curl")
    assert docs.site.console == []


# --- the same call elsewhere ------------------------------------------------------------------------------


async def run(*command: str) -> str:
    if "curl " in command[-1]:
        program("curl")
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, errors = await asyncio.wait_for(process.communicate(), HANG_SECONDS)
    assert process.returncode == 0, errors.decode()
    return output.decode()


async def logged(context: BrowserContext, site: Site, code: str) -> str:
    """What a page with this module writes to the console. That it has no icon, the browser says as an error."""
    async with context.expect_console_message(lambda message: message.type == "log") as written:
        await site.open("http", f'<script type="module">\n{code}\n</script>')
    return (await written.value).text


async def test_snippets_are_calls_that_work(context: BrowserContext, dev_server: ServerProcess, site: Site) -> None:
    docs = await opened(context, dev_server.url)
    await docs.open("User.register")
    await docs.field("password").fill(PASSWORD)
    await docs.field("properties").fill(
        '{"motto": "it\'s \\"ok\\" \\\\ 日本", "ok": true, "none": null, "list": [1.5]}'
    )
    results = {}
    for language in ("curl", "Python", "JavaScript"):
        await docs.field("username").fill(f"{language}@example.com")
        code = await docs.snippet(language)
        await docs.page.locator("#code").get_by_role("button", name="Copy").click()
        await expect(docs.page.locator("#said")).to_have_text("Copied.")
        if language == "curl":
            results[language] = await run("sh", "-c", code.replace("curl -i", "curl -s"))
        elif language == "Python":
            results[language] = await run(sys.executable, "-c", code)
        else:
            results[language] = await logged(context, site, code)
    motto = 'it\'s "ok" \\ 日本'
    assert json.loads(results["curl"])["result"]["user"]["motto"] == motto
    assert "username='Python@example.com'" in results["Python"]
    assert "'ok': True, 'none': None, 'list': [1.5]" in results["Python"]
    assert "loginToken" in results["JavaScript"]


async def test_snippets_of_a_signed_in_user(
    context: BrowserContext, dev_server: ServerProcess, site: Site, http_register: Any
) -> None:
    """A client signs in first; curl has the session of the tab, or a place for it."""
    docs = await opened(context, dev_server.url)
    await docs.open("User.saveProperties")
    await docs.field("properties").fill('{"age": 22}')
    assert '"__session": "<session id>"' in await docs.snippet("curl")
    await docs.open("User.login")
    await docs.call(username=ME, password=PASSWORD)
    await docs.gives("Result", '"user"')
    await docs.open("User.getProperty")
    await docs.field("name").fill("age")
    assert '"value": null' in (await run("sh", "-c", await docs.snippet("curl"))).replace(":null", ": null")
    python = (await docs.snippet("Python")).replace("<password>", PASSWORD)
    assert await run(sys.executable, "-c", python) == "None\n"
    javascript = (await docs.snippet("JavaScript")).replace("<password>", PASSWORD)
    assert await logged(context, site, javascript) == "undefined"


async def test_snippets_call_what_the_clients_have(context: BrowserContext, dev_server: ServerProcess) -> None:
    """Every method by its function, as docs/methods.md calls it."""
    docs = await opened(context, dev_server.url)
    await expect(docs.page.locator("#list a")).to_have_count(METHODS)
    names = await docs.page.locator("#list code").all_inner_texts()
    lines = {}
    for name in names:
        await docs.open(name)
        if await docs.page.get_by_role("button", name="Fill in the example").count():
            await docs.page.get_by_role("button", name="Fill in the example").click()
        lines[name] = [
            (await docs.snippet(language)).strip().splitlines()[-1].strip() for language in ("Python", "JavaScript")
        ]
    for name in names:
        function = re.match(r"print\(client\.(?:user\.)?(\w+)\(", lines[name][0])
        assert function, lines[name]
        assert hasattr(UserMethods, function[1]) if name.startswith("User.") else function[1] == "call"
    assert lines["User.register"] == [
        'print(client.user.register("anna@example.com", "blue-whale-31", {"nickname": "Anna", "age": 21}))',
        'console.log(await cloud.User.register("anna@example.com", "blue-whale-31", { nickname: "Anna", age: 21 }));',
    ]
    python, javascript = lines["User.sendPasswordResetToken"]
    assert python == (
        'print(client.user.send_password_reset_token("anna@example.com", template_name="send_password_token"))'
    )
    assert javascript.endswith('sendPasswordResetToken("anna@example.com", { templateName: "send_password_token" }));')
    assert lines["User.isAuthenticated"][1] == 'console.log(await cloud.call("User.isAuthenticated"));'
    assert lines["rpc.discover"][0] == 'print(client.call("rpc.discover"))'


# --- operators' methods -----------------------------------------------------------------------------------


async def test_operators_methods_are_behind_their_key(context: BrowserContext, start: StartServer) -> None:
    server = await start({"backends": {"app": KEYS}})
    docs = await opened(context, server.url)
    links = docs.page.locator("#list a")
    await expect(links).to_have_count(METHODS)
    key = docs.page.get_by_label("Management key")
    await expect(key).to_have_attribute("type", "password")
    await key.fill("wrong")
    await key.press("Enter")
    await expect(docs.page.get_by_text("The server refuses the management key")).to_be_visible()
    await expect(links).to_have_count(METHODS)
    await key.fill(KEY)
    await key.press("Tab")
    await expect(docs.page.get_by_role("heading", name="For operators: Finding users")).to_be_visible()
    await expect(docs.page.get_by_text(f"{server.url}/manage/json-rpc/app")).to_be_visible()

    await docs.page.locator('#list a[href="#manage/User.create"]').click()
    await docs.call(username=ME, password=PASSWORD, properties='{"age": 21}')
    await docs.gives("Result", f'"_username": "{ME}"')
    await docs.page.locator('#list a[href="#manage/User.list"]').click()
    await docs.call(page="1", itemsInPage="10", userQuery="age > ?", userQueryBindParams="[20]")
    await docs.gives("Result", '"totalItems": 1')
    await docs.passes_axe()
    assert f'"{KEY_HEADER}: <management key>"' in await docs.snippet("curl")
    await expect(docs.page.get_by_role("tab", name="JavaScript")).to_have_count(0)
    python = (await docs.snippet("Python")).replace("<management key>", KEY)
    assert 'client.user.list(page=1, items_in_page=10, query="age > ?", bind=[20])' in python
    assert ME in await run(sys.executable, "-c", python)
    curl = (await docs.snippet("curl")).replace("<management key>", KEY)
    assert json.loads(await run("sh", "-c", curl.replace("curl ", "curl -s ", 1)))["result"]["totalItems"] == 1

    kept = json.loads(await docs.page.evaluate("sessionStorage.getItem('jsonrpc-backend reference')"))
    assert kept["managementKey"] == KEY
    assert await docs.page.evaluate("localStorage.length") == 0
    assert KEY not in docs.page.url
    await docs.page.get_by_role("button", name="Forget").click()
    await expect(links).to_have_count(METHODS)
    await expect(docs.page.get_by_role("heading", level=1)).to_have_text("There is no such method")
    assert [line for line in docs.site.console if "403" not in line] == []


async def test_operators_calls_of_python(context: BrowserContext, start: StartServer) -> None:
    docs = await opened(context, (await start({"backends": {"app": KEYS}})).url)
    await docs.page.get_by_label("Management key").fill(KEY)
    await docs.page.keyboard.press("Tab")
    lines = {}
    await expect(docs.page.locator('#list a[href="#manage/User.list"]')).to_be_visible()
    for link in await docs.page.locator('#list a[href^="#manage/User"]').all():
        name = await link.locator("code").inner_text()
        await link.click()
        await expect(docs.page.get_by_role("heading", level=1)).to_have_text(name)
        if await docs.page.get_by_role("button", name="Fill in the example").count():
            await docs.page.get_by_role("button", name="Fill in the example").click()
        lines[name] = (await docs.snippet("Python")).splitlines()[-1].strip()
    assert lines["User.delete"].startswith('print(client.user.delete(["u')
    assert lines["User.update"].endswith("))")
    for name, line in lines.items():
        function = re.match(r"print\(client\.(?:user\.(\w+)|call)\(", line)
        assert function, (name, line)
        assert function[1] is None or hasattr(UserManagement, function[1])


async def test_operators_methods_that_are_elsewhere_are_not_offered(
    context: BrowserContext, start: StartServer
) -> None:
    server = await start({"backends": {"app": KEYS}, "management": {"host": "127.0.0.1", "port": 1}})
    docs = await opened(context, server.url)
    await expect(docs.page.get_by_text("Their methods are at an address of their own")).to_be_visible()
    await expect(docs.page.get_by_label("Management key")).to_have_count(0)


# --- finding one's way ------------------------------------------------------------------------------------


async def test_a_method_that_is_not_there_is_told(context: BrowserContext, dev_server: ServerProcess) -> None:
    docs = await opened(context, dev_server.url)
    await docs.page.goto(f"{dev_server.url}/docs#User.logIn")
    await expect(docs.page.get_by_role("heading", level=1)).to_have_text("There is no such method")
    await expect(docs.page.locator("#content code")).to_have_text("User.logIn")
    await docs.passes_axe()
    await docs.page.locator("#content").get_by_role("link", name="All methods").click()
    await expect(docs.page.get_by_role("heading", level=1)).to_have_text("User accounts: app")
    assert docs.site.console == []


async def test_the_list_can_be_skipped(context: BrowserContext, dev_server: ServerProcess) -> None:
    docs = await opened(context, dev_server.url)
    await docs.open("User.login")
    # From the beginning of the page, wherever the focus is by now.
    await docs.page.evaluate("document.body.tabIndex = -1; document.body.focus()")
    await docs.page.keyboard.press("Tab")
    await expect(docs.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await expect(docs.page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    await docs.page.keyboard.press("Enter")
    await expect(docs.page.get_by_role("heading", level=1)).to_be_focused()
    await docs.page.keyboard.press("Tab")
    await expect(docs.field("username")).to_be_focused()
    assert docs.page.url.endswith("#User.login")


CONTRAST = """() => {
    const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    const seen = (colour) => {
        const [red, green, blue] = colour.match(/[\\d.]+/g).map((part) => linear(part / 255));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
    };
    const search = document.getElementById("search");
    const pair = [getComputedStyle(search, "::placeholder").color, getComputedStyle(search).backgroundColor].map(seen);
    return Math.max(...pair) / Math.min(...pair);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_placeholders_can_be_read(context: BrowserContext, dev_server: ServerProcess, scheme: Any) -> None:
    docs = await opened(context, dev_server.url)
    await docs.page.emulate_media(color_scheme=scheme)
    assert await docs.page.evaluate(CONTRAST) >= 4.5


# --- mails ------------------------------------------------------------------------------------------------


async def test_the_mail_after_a_reset(context: BrowserContext, dev_server: ServerProcess, http_register: Any) -> None:
    """From the call to its mail; a second mail comes while the first one is read."""
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    docs = await opened(context, dev_server.url)
    await docs.open("User.sendPasswordResetToken")
    await docs.call(username=ME)
    async with context.expect_page() as event:
        await docs.answer.get_by_role("link", name="Look at the mails").click()
    mails = Docs(await event.value, docs.site)
    page, articles = mails.page, mails.page.locator("article")
    await expect(articles).to_have_count(1)
    token = await articles.locator(".snippet code").inner_text()
    await articles.get_by_role("button", name="Copy").click()
    await expect(page.locator("#said")).to_have_text("Copied.")
    assert await page.evaluate("navigator.clipboard.readText()") == token
    await mails.passes_axe()

    await page.evaluate("getSelection().selectAllChildren(document.querySelector('article h2'))")
    selected = await page.evaluate("String(getSelection())")
    async with aiohttp.ClientSession() as http:
        bea = Wire(http, dev_server, "another")
        await bea.register("bea@example.com")
        bea.session = None
        await bea.call("User.sendPasswordResetToken", username="bea@example.com")
    await expect(articles).to_have_count(2)
    await expect(articles.first).to_contain_text("bea@example.com")
    await expect(articles.last).to_contain_text(token)
    assert await page.evaluate("String(getSelection())") == selected
    await mails.passes_axe()
    for width in (320, 390, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate(MEASURE, MIN_TARGET) == {"small": [], "overflow": 0}, width
    await page.get_by_role("link", name="Start page").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your server is running")
    assert docs.site.console == []


async def test_the_front_page_looks_well(context: BrowserContext, start: StartServer) -> None:
    page = await context.new_page()
    front = Docs(page, Site(Path(), "", context))
    await page.goto((await start()).url)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        for width in (320, 390, 1280):
            await page.set_viewport_size({"width": width, "height": 800})
            assert await page.evaluate(MEASURE, MIN_TARGET) == {"small": [], "overflow": 0}, width
            await front.passes_axe()
    await page.get_by_role("link", name="The reference").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("User accounts: app")


# --- with the keyboard, and how it looks -------------------------------------------------------------------


async def test_keyboard_alone(context: BrowserContext, dev_server: ServerProcess) -> None:
    docs = await opened(context, dev_server.url)
    await expect(docs.page.locator("#list a").first).to_be_visible()
    await docs.page.get_by_label("Find a method").focus()
    keys = docs.page.keyboard
    await keys.type("validate")
    await expect(docs.page.locator("#list a")).to_have_count(1)
    await keys.press("Tab")
    await keys.press("Enter")
    await expect(docs.page.get_by_role("heading", level=1)).to_be_focused()
    await keys.press("Tab")
    await expect(docs.field("username")).to_be_focused()
    await keys.type("me")
    await keys.press("Enter")
    await expect(docs.answer).to_be_focused()
    await docs.gives("Error -32602: Invalid params", "Username must be at least 3 characters long.")
    await docs.page.get_by_role("tab", name="curl").focus()
    await keys.press("ArrowRight")
    await expect(docs.page.get_by_role("tab", name="Python")).to_be_focused()
    await expect(docs.code).to_contain_text("from jsonrpc_backend.client import Client")
    assert docs.site.console == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_view(context: BrowserContext, dev_server: ServerProcess, scheme: Any) -> None:
    docs = await opened(context, dev_server.url)
    await docs.page.emulate_media(color_scheme=scheme)
    await docs.page.locator("summary").click()
    for view in ("", "User.register", "User.sendPasswordResetToken"):
        if view:
            await docs.open(view)
            await docs.call()
            await expect(docs.answer).to_be_visible()
        for width in (320, 390, 1280):
            await docs.page.set_viewport_size({"width": width, "height": 800})
            assert await docs.page.evaluate(MEASURE, MIN_TARGET) == {"small": [], "overflow": 0}, (view, width)
            await docs.passes_axe()
    await docs.page.goto(dev_server.url)
    for width in (320, 390, 1280):
        await docs.page.set_viewport_size({"width": width, "height": 800})
        assert await docs.page.evaluate(MEASURE, MIN_TARGET) == {"small": [], "overflow": 0}, width
        await docs.passes_axe()
    assert docs.site.console == []


# --- where it is on ---------------------------------------------------------------------------------------


async def test_start_page_leads_everywhere(context: BrowserContext, dev_server: ServerProcess) -> None:
    docs = await opened(context, f"{dev_server.url}/docs/..")
    page = docs.page
    for path in (
        "docs",
        "examples/monaca-app/",
        "examples/cloudboost-app/",
        "examples/notes-app/",
        "dev/mail",
        "openrpc.json?backend=app",
    ):
        await page.goto(dev_server.url)
        await page.locator(f'a[href="{path}"]').click()
        await page.wait_for_url(f"{dev_server.url}/{path}")
    await page.goto(dev_server.url)
    tag = (
        f'<script src="{dev_server.url}/js/monaca.cloud.js" data-backend-id="app"'
        f' data-api-key="{dev_server.api_key}"></script>'
    )
    await expect(page.locator("pre").nth(0)).to_have_text(dev_server.endpoint)
    await expect(page.locator("pre").nth(1)).to_have_text(tag)
    await page.get_by_role("button", name="Copy").nth(1).click()
    await expect(page.locator("#said")).to_have_text("Copied.")


async def test_outside_development_the_page_asks_for_the_key(context: BrowserContext, start: StartServer) -> None:
    server = await start({"backends": {"shop": {"api_key": "k"}}})
    docs = await opened(context, server.url)
    await expect(docs.page.get_by_text("Which backend?")).to_be_visible()
    await docs.page.get_by_label("Backend id").fill("app")
    await expect(docs.page.locator("#list a")).to_have_count(METHODS)
    await docs.open("User.isAuthenticated")
    await docs.call()
    await docs.gives("Error 4: API key invalid", "Enter the API key")
    await docs.page.get_by_label("API key").fill(API_KEY)
    await docs.call()
    await docs.gives("Result", '"result": false')


async def test_server_that_is_gone(context: BrowserContext, dev_server: ServerProcess) -> None:
    docs = await opened(context, dev_server.url)
    await docs.open("User.isAuthenticated")
    dev_server.stop()
    await docs.call()
    await docs.gives("Error -13: Connection failed", "The server could not be reached.")
