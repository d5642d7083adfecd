"""The example apps in a browser: clicks and keys, from `serve --dev` and as files, and what axe-core finds in them."""

import re
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from jsonrpc_backend.web.example_apps import APPS, examples_folder
from tests.browser.conftest import ORIGINS, Site, StartServer, axe_core
from tests.collections.conftest import make_collection as make_collection_there
from tests.mailbox import TOKEN
from tests.servers import InProcessServer, ServerProcess, served
from tests.setup import NODE_MODULES, NPM_PACKAGES, need, node, npm_packages_are_there

EXAMPLES = examples_folder()
MONACA, CLOUDBOOST, NOTES = APPS
OF_ACCOUNTS = (MONACA, CLOUDBOOST)
FIND_VIOLATIONS = """async () => (await axe.run({preload: false})).violations.flatMap(
    rule => rule.nodes.map(node => `${rule.id}: ${node.target} ${node.failureSummary}`))"""


MIN_TARGET = 44  # CSS pixels, what a finger hits

Server = InProcessServer | ServerProcess


@dataclass
class App:
    """An example in a tab, as a person uses it."""

    page: Page
    site: Site

    @property
    def view(self) -> Locator:
        return self.page.locator(".view:not([hidden])")

    def field(self, label: str) -> Locator:
        return self.view.get_by_label(label, exact=True)

    async def press(self, button: str) -> None:
        await self.view.get_by_role("button", name=button, exact=True).click()

    async def enter(self, button: str, **values: str) -> None:
        """Fills fields, named by their labels with _ for spaces, and presses the button."""
        for label, value in values.items():
            await self.field(label.replace("_", " ")).fill(value)
        await self.press(button)

    async def sees(self, heading: str) -> None:
        """The view has this heading, which has the focus, and nothing that axe-core objects to."""
        await expect(self.view.get_by_role("heading", level=1)).to_have_text(heading)
        await expect(self.view.get_by_role("heading", level=1)).to_be_focused()
        await self.passes_axe()

    async def is_told(self, text: str) -> None:
        await expect(self.page.get_by_role("status")).to_have_text(text)

    async def is_warned(self, text: str) -> None:
        await expect(self.page.get_by_role("alert")).to_have_text(text)

    async def is_refused(self, label: str, sentence: str) -> None:
        """The sentence stands beside the field, belongs to it, and the field has the focus."""
        field = self.field(label)
        await expect(field).to_have_attribute("aria-invalid", "true")
        await expect(field).to_have_accessible_description(sentence)
        await expect(field.locator("xpath=following-sibling::*[1]")).to_have_text(sentence)
        await expect(field).to_be_focused()

    async def passes_axe(self) -> None:
        if await self.page.evaluate("typeof axe") == "undefined":
            await self.page.evaluate(axe_core())
        assert await self.page.evaluate(FIND_VIOLATIONS) == []


OpenApp = Callable[..., Coroutine[Any, Any, App]]


@pytest.fixture
def open_app(context: BrowserContext) -> OpenApp:
    """Opens an example from the server, or as a file that is told where the server is."""

    async def open_app(name: str, origin: str, server: Server) -> App:
        site = Site(EXAMPLES / name, f"{server.url}/examples/{name}", context)
        app = App(await site.visit(origin), site)
        if origin == "file":
            await app.sees("Connect to your server")
            await app.enter("Connect", Address=server.url, Backend_id=server.backend_id, API_key=server.api_key)
        return app

    return open_app


@pytest.fixture
def dev_server(tmp_path: Path) -> Iterator[ServerProcess]:
    with served(tmp_path / "data", "--dev") as process:
        yield process


async def sign_up(
    app: App, username: str = "me@example.com", password: str = "password", *, first: str = "Your profile"
) -> None:
    """Goes from the first view to what a new user sees first."""
    await app.press("New here? Sign up")
    name = "Email_address" if await app.field("Username").count() == 0 else "Username"
    values = {name: username, "Password": password}
    await app.enter("Sign up", **({"Email_address": "mail@example.com"} | values))
    await app.sees(first)


# --- from signing up to the end --------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ORIGINS)
async def test_monaca_app(open_app: OpenApp, dev_server: ServerProcess, origin: str) -> None:
    app = await open_app(MONACA, origin, dev_server)
    await app.sees("Sign in")
    await app.press("New here? Sign up")
    await app.sees("Sign up")
    await app.enter("Sign up", Email_address="me@example.com", Password="abc")
    await app.is_refused("Password", "Password must be at least 4 characters long.")
    await app.enter("Sign up", Password="first-password")
    await app.sees("Your profile")
    await expect(app.view).to_contain_text("Signed in as me@example.com")

    await app.enter("Save", Nickname="Anna", Age="21", Note="Two\nlines")
    await app.is_told("Your profile is saved.")
    await app.page.reload()
    await app.sees("Your profile")
    await expect(app.view).to_contain_text("Signed in as me@example.com")
    for label, value in {"Nickname": "Anna", "Age": "21", "Note": "Two\nlines"}.items():
        await expect(app.field(label)).to_have_value(value)

    await app.press("Change password")
    await app.sees("Change password")
    await app.enter("Change password", Old_password="wrong-password", New_password="second-password")
    await app.is_refused("Old password", "Old password is incorrect.")
    await app.enter("Change password", Old_password="first-password")
    await app.is_told("Your password is changed.")
    await app.page.reload()
    await app.sees("Your profile")

    await app.press("Sign out")
    await app.is_told("You are signed out.")
    await app.page.reload()
    await app.sees("Sign in")
    await app.enter("Sign in", Email_address="me@example.com", Password="first-password")
    await app.is_refused("Password", "Username or password is incorrect.")
    await app.enter("Sign in", Password="second-password")
    await app.sees("Your profile")

    await app.press("Delete account")
    await app.sees("Delete account")
    await app.enter("Delete my account", Password="first-password")
    await app.is_refused("Password", "Password is incorrect.")
    await app.enter("Delete my account", Password="second-password")
    await app.is_told("Your account and all its data are deleted.")
    await app.enter("Sign in", Password="second-password")
    await app.is_refused("Password", "Username or password is incorrect.")
    assert app.site.console == []


@pytest.mark.parametrize("origin", ORIGINS)
async def test_forgotten_password(open_app: OpenApp, dev_server: ServerProcess, origin: str) -> None:
    app = await open_app(MONACA, origin, dev_server)
    await sign_up(app)
    await app.press("Sign out")
    await app.press("Forgotten your password?")
    await app.sees("Forgotten password")
    await expect(app.field("Email address")).to_have_value("me@example.com")
    await app.press("Send the code")
    await app.is_told("If me@example.com has an account, a mail with a code is on its way.")
    await app.sees("New password")
    assert await app.view.get_by_role("link", name="open the mails").is_visible() == (origin == "http")
    (token,) = TOKEN.findall(dev_server.read_until("your password stays as it is."))
    await app.enter("Change password and sign in", Code_from_the_mail="000", New_password="new-password")
    await app.is_refused("Code from the mail", "Token is wrong, used or expired; ask for another one.")
    await app.enter("Change password and sign in", Code_from_the_mail=token, New_password="new")
    await app.is_refused("New password", "New password must be at least 4 characters long.")
    await app.enter("Change password and sign in", New_password="new-password")
    await app.is_told("Your password is changed.")
    await expect(app.view).to_contain_text("Signed in as me@example.com")
    assert app.site.console == []


@pytest.mark.parametrize("origin", ORIGINS)
async def test_cloudboost_app(open_app: OpenApp, dev_server: ServerProcess, origin: str) -> None:
    app = await open_app(CLOUDBOOST, origin, dev_server)
    await app.sees("Log in")
    await app.press("New here? Sign up")
    await app.sees("Sign up")
    await app.enter("Sign up", Username="anna", Password="password", Email_address="anna")
    await expect(app.field("Email address")).to_be_focused()
    await expect(app.field("Email address")).to_have_accessible_description(re.compile("@"))
    await app.enter("Sign up", Username="a b", Email_address="anna@example.com")
    await app.is_refused("Username", "Username must not contain spaces, line breaks or invisible characters.")
    await app.enter("Sign up", Username="anna")
    await app.sees("Your profile")
    await expect(app.view).to_contain_text("Logged in as anna, member since")
    await app.page.reload()
    await app.sees("Your profile")
    await expect(app.field("Email address")).to_have_value("anna@example.com")

    await app.enter("Save", Email_address="new@example.com", City="Tokyo")
    await app.is_told("Your profile is saved.")
    await app.page.reload()
    await expect(app.field("Email address")).to_have_value("new@example.com")
    await expect(app.field("City")).to_have_value("Tokyo")

    await app.press("Change password")
    await app.enter("Change password", Old_password="wrong-password", New_password="new-password")
    await app.is_refused("Old password", "Old password is incorrect.")
    await app.enter("Change password", Old_password="password")
    await app.is_told("Your password is changed.")

    await app.press("Log out")
    await app.is_told("You are logged out.")
    await app.page.reload()
    await app.sees("Log in")
    await app.enter("Log in", Username="anna", Password="password")
    await app.is_refused("Password", "Username or password is incorrect.")
    await app.enter("Log in", Password="new-password")
    await app.sees("Your profile")
    await expect(app.field("City")).to_have_value("Tokyo")

    await app.press("Vote for the next meeting")
    await app.is_warned(
        'There is no collection "votes" on this server. Its operator has to create it and let apps insert.'
    )
    make_collection(dev_server, ".venv/bin/jsonrpc-backend collection create votes --insertable --public rw")
    await app.press("Vote for the next meeting")
    await app.sees("Where do we meet?")
    for place in ("Park", "<b>Café</b>"):
        await app.enter("Add it", Another_place=place)
        await expect(app.view.locator("#places")).to_contain_text(place)
    await app.view.get_by_role("button", name="Vote for Park, 1 so far").click()
    await expect(app.view.locator("#places li")).to_have_text(["ParkVote (2)", "<b>Café</b>Vote (1)"])
    await app.passes_axe()
    await app.press("Back to your profile")

    await app.press("Delete account")
    await app.enter("Delete my account", Password="password")
    await app.is_refused("Password", "Password is incorrect.")
    await app.enter("Delete my account", Password="new-password")
    await app.is_told("Your account and all its data are deleted.")
    await app.page.reload()
    await app.sees("Log in")
    assert app.site.console == []


def make_collection(server: ServerProcess, command: str) -> None:
    """As the app tells an operator to."""
    words = command.split()
    assert words[0] == ".venv/bin/jsonrpc-backend"
    subprocess.run([*server.program, *words[1:], "--data", str(server.data_dir)], check=True, capture_output=True)


async def titles(app: App, *expected: str) -> None:
    """The list has these notes."""
    await expect(app.view.locator(".note-title")).to_have_text(expected)


async def open_note(app: App, title: str) -> None:
    await app.view.locator(".note", has_text=title).click()
    await app.sees("Note")


async def sign_in_again(app: App, username: str) -> None:
    await app.press("Sign out")
    await app.is_told("You are signed out.")
    await app.enter("Sign in", Email_address=username, Password="password")
    await app.sees("Notes")


@pytest.mark.parametrize("origin", ORIGINS)
async def test_notes_app(open_app: OpenApp, dev_server: ServerProcess, origin: str) -> None:
    app = await open_app(NOTES, origin, dev_server)
    await sign_up(app, "anna@example.com", first="One step is missing")
    make_collection(dev_server, await app.view.locator("code").inner_text())
    await app.press("Try again")
    await app.sees("Notes")
    await expect(app.view).to_contain_text("There are no notes here.")

    await app.press("New note")
    await app.sees("Note")
    await app.enter("Save", Text="Two bottles")
    await expect(app.field("Title")).to_be_focused()
    await app.enter("Save", Title="Milk")
    await app.is_told("The note is saved.")
    await app.press("New note")
    await app.field("Everybody").select_option(label="May read it")
    await app.enter("Save", Title="Bread", Text="<b>fresh</b>")
    await titles(app, "Bread", "Milk")
    await app.enter("Search", Title_begins_with=" mi")
    await app.is_told("1 note found.")
    await titles(app, "Milk")

    await app.press("Sign out")
    await sign_up(app, "bea@example.com", first="Notes")
    await titles(app, "Bread")
    bea = await app.view.locator("#own-id").inner_text()
    await open_note(app, "Bread")
    await expect(app.view).to_contain_text("You may read this note, but not change it.")
    await expect(app.field("Text")).to_have_value("<b>fresh</b>")
    assert await app.view.get_by_role("button", name="Save").count() == 0

    await app.press("Back to the notes")
    await sign_in_again(app, "anna@example.com")
    await open_note(app, "Milk")
    await app.enter("Save", **{"One_more_person,_by_id_(optional)": "b a"})
    hint = await app.view.locator("#note-person-hint").inner_text()
    field = app.field("One more person, by id (optional)")
    await expect(field).to_be_focused()
    await expect(field).to_have_accessible_description(re.compile(rf"^Permission .*{hint}$"))
    await app.field("This person").select_option(label="May read and change it")
    await app.enter("Save", **{"One_more_person,_by_id_(optional)": bea})
    await app.is_told("The note is saved.")

    await sign_in_again(app, "bea@example.com")
    await titles(app, "Milk", "Bread")
    await app.field("Whose").select_option(label="Mine")
    await app.press("Search")
    await app.is_told("0 notes found.")
    await app.field("Whose").select_option(label="All")
    await app.press("Search")
    await open_note(app, "Milk")
    await app.enter("Save", Text="Three bottles")
    await app.is_told("The note is saved.")

    await sign_in_again(app, "anna@example.com")
    await open_note(app, "Milk")
    await expect(app.field("Text")).to_have_value("Three bottles")
    await expect(app.view.locator(".person")).to_contain_text(bea)
    await app.press("Take away")
    await app.press("Save")
    await app.is_told("The note is saved.")
    await sign_in_again(app, "bea@example.com")
    await titles(app, "Bread")
    await sign_in_again(app, "anna@example.com")
    await open_note(app, "Bread")
    await app.press("Delete")
    await app.is_told("The note is deleted.")
    await titles(app, "Milk")
    assert app.site.console == []


async def test_many_notes(open_app: OpenApp, start: StartServer) -> None:
    """Page by page, on every width; with a session that ends meanwhile, and a server that goes away."""
    server = await start()
    make_collection_there(server, "notes", indexes=("key",))
    app = await open_app(NOTES, "file", server)
    await sign_up(app, first="Notes")
    insert = """text => Promise.all(Array.from({length: 45}, (_, number) => monaca.cloud.Collection("notes").insert(
        {title: `Note ${number} ${text}`, key: `note ${number}`, text: text})))"""
    await app.page.evaluate(insert, "long" * 50)
    await app.press("Search")
    await app.is_told("45 notes found.")
    await app.passes_axe()
    for width in (320, 390, 1280):
        await app.page.set_viewport_size({"width": width, "height": 800})
        assert await app.page.evaluate(MEASURE, MIN_TARGET) == {"small": [], "overflow": 0}, width
    for count in (20, 40, 45):
        await expect(app.view.locator(".note")).to_have_count(count)
        if count < 45:
            await app.press("More")
    await expect(app.view.get_by_role("button", name="More")).to_have_count(0)

    server.clock.advance(minutes=26 * 60)
    await app.enter("Search", Title_begins_with="NOTE 4")
    await app.is_told("6 notes found.")
    await app.page.route(f"{server.url}/**", lambda route: route.abort())
    for button in ("Search", "New note"):
        await app.press(button)
    await app.enter("Save", Title="Written on a train", Text="Not lost")
    await app.is_warned("The server cannot be reached. Check the connection and try again.")
    await app.page.unroute(f"{server.url}/**")
    await expect(app.field("Text")).to_have_value("Not lost")
    await app.press("Save")
    await app.is_told("The note is saved.")


async def test_taken_username(open_app: OpenApp, dev_server: ServerProcess) -> None:
    app = await open_app(MONACA, "http", dev_server)
    await sign_up(app)
    await app.press("Sign out")
    await app.press("New here? Sign up")
    await app.enter("Sign up", Email_address="ME@example.com", Password="password")
    hint = await app.view.locator("#sign-up-username-hint").inner_text()
    field = app.field("Email address")
    await expect(field).to_have_accessible_description(f"Username is already taken. {hint}")
    await expect(field).to_be_focused()
    await app.enter("Sign up", Email_address="you@example.com")
    await app.sees("Your profile")


# --- with the keyboard alone ------------------------------------------------------------------------------


async def test_keyboard_alone(open_app: OpenApp, dev_server: ServerProcess) -> None:
    app = await open_app(MONACA, "http", dev_server)
    await app.sees("Sign in")

    async def keys(*pressed: str) -> None:
        for key in pressed:
            if len(key) > 1 and key[0].isupper():
                await app.page.keyboard.press(key)
            else:
                await app.page.keyboard.type(key)

    await keys("Tab", "Tab", "Tab", "Tab", "Tab", "Enter")
    await app.sees("Sign up")
    await keys("Tab", "me@example.com", "Tab", "abc", "Enter")
    await app.is_refused("Password", "Password must be at least 4 characters long.")
    await keys("password", "Enter")
    await app.sees("Your profile")
    await keys("Tab", "anna", "Tab", "21", "Tab", "hello", "Tab")
    save = app.view.get_by_role("button", name="Save")
    await expect(save).to_be_focused()
    assert await save.evaluate("button => getComputedStyle(button).outlineStyle") == "solid"
    await keys("Enter")
    await app.is_told("Your profile is saved.")
    await expect(save).to_be_focused()
    await keys("Tab", "Space")
    await app.is_told("You are signed out.")
    await expect(app.field("Email address")).to_have_value("me@example.com")


# --- what may go wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", APPS)
async def test_connecting(open_app: OpenApp, context: BrowserContext, dev_server: ServerProcess, name: str) -> None:
    site = Site(EXAMPLES / name, "", context)
    app = App(await site.visit("file"), site)
    hint = await app.view.locator("#connect-url-hint").inner_text()
    await app.enter("Connect", Address="http://127.0.0.1:1", Backend_id="app", API_key="wrong")
    sentence = "There is no server at this address. Start it with “python3 run.py serve --dev”, or check the address."
    await expect(app.field("Address")).to_have_accessible_description(f"{sentence} {hint}")
    await expect(app.field("Address")).to_be_focused()
    await app.enter("Connect", Address=f" {dev_server.url}/json-rpc/app ", API_key=dev_server.api_key)
    await expect(app.view.get_by_role("button", name="New here? Sign up")).to_be_visible()
    await app.page.reload()
    await expect(app.view.get_by_role("button", name="New here? Sign up")).to_be_visible()
    await app.page.get_by_role("button", name="Change the server").click()
    await app.sees("Connect to your server")
    await expect(app.field("Address")).to_have_value(dev_server.url)


async def test_wrong_api_key(open_app: OpenApp, context: BrowserContext, dev_server: ServerProcess) -> None:
    site = Site(EXAMPLES / MONACA, "", context)
    app = App(await site.visit("file"), site)
    await app.enter("Connect", Address=dev_server.url, Backend_id="app", API_key="wrong")
    await app.is_refused("API key", "The server knows no backend of this id with this API key.")


@pytest.mark.parametrize("name", OF_ACCOUNTS)
async def test_server_that_is_gone(open_app: OpenApp, dev_server: ServerProcess, name: str) -> None:
    app = await open_app(name, "http", dev_server)
    await sign_up(app)
    dev_server.stop()
    await app.press("Save")
    await app.is_warned("The server cannot be reached. Check the connection and try again.")
    await app.passes_axe()
    await expect(app.view.get_by_role("button", name="Save")).to_be_enabled()
    await expect(app.view.get_by_role("button", name="Save")).to_be_focused()


@pytest.mark.parametrize("name", OF_ACCOUNTS)
async def test_session_that_has_ended(open_app: OpenApp, start: StartServer, name: str) -> None:
    server = await start()
    app = await open_app(name, "file", server)
    await sign_up(app)
    server.clock.advance(minutes=26 * 60)
    await app.press("Save")
    await app.is_told("Your profile is saved.")
    server.clock.advance(minutes=31 * 24 * 60)  # the login token has ended too
    await app.press("Save")
    await app.is_warned("You are not signed in any more. Please sign in again.")
    await app.sees("Sign in" if name == MONACA else "Log in")


async def test_auto_login_that_is_off(open_app: OpenApp, start: StartServer) -> None:
    app = await open_app(MONACA, "file", await start({"backends": {"app": {"auto_login": {"enabled": False}}}}))
    await sign_up(app)
    await app.page.reload()
    await app.sees("Sign in")
    await app.press("Forgotten your password?")
    await app.enter("Send the code", Email_address="me@example.com")  # refused while somebody is signed in
    await app.sees("New password")


async def test_buttons_rest_while_a_call_runs(open_app: OpenApp, dev_server: ServerProcess) -> None:
    app = await open_app(MONACA, "http", dev_server)
    await sign_up(app)
    disabled = """() => {
        document.querySelector("#profile-form button").click();
        return [...document.querySelectorAll("button")].every(button => button.disabled);
    }"""
    assert await app.page.evaluate(disabled)
    await app.is_told("Your profile is saved.")
    assert await app.page.locator("button:disabled").count() == 0


# --- how it looks -----------------------------------------------------------------------------------------

MEASURE = """min => ({
    small: [...document.querySelectorAll("button, input, select, textarea")]
        .filter(element => element.offsetParent && element.getBoundingClientRect().height < min)
        .map(element => element.outerHTML),
    overflow: document.documentElement.scrollWidth - innerWidth,
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", APPS)
async def test_every_view(open_app: OpenApp, dev_server: ServerProcess, name: str, scheme: Any) -> None:
    app = await open_app(name, "http", dev_server)
    await expect(app.view.get_by_role("button", name="New here? Sign up")).to_be_visible()
    await app.page.emulate_media(color_scheme=scheme)
    views = await app.page.evaluate("[...document.querySelectorAll('.view')].map(view => view.id)")
    assert len(views) >= 7
    for view in views:
        await app.page.evaluate("view => Page.show(view)", view)
        if await app.view.locator("form").count():
            # Empty fields, all of them refused where they are required.
            await app.view.locator("form").first.evaluate("form => form.requestSubmit()")
        await app.passes_axe()
        for width in (320, 390, 1280):
            await app.page.set_viewport_size({"width": width, "height": 800})
            assert await app.page.evaluate(MEASURE, MIN_TARGET) == {"small": [], "overflow": 0}, (view, width)


# --- the files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["connect.js", "japanese.js", "page.js", "settings.js", "style.css"])
def test_all_apps_have_the_same(file: str) -> None:
    """Each folder is to be copied alone, so each has these."""
    assert len({(EXAMPLES / app / file).read_bytes() for app in APPS}) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", sorted(EXAMPLES.glob("*-app/*.js")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_old_web_views_can_read_it(path: Path) -> None:
    need(NPM_PACKAGES, npm_packages_are_there())
    acorn = NODE_MODULES / "acorn" / "bin" / "acorn"
    subprocess.run([node(), str(acorn), "--ecma5", "--silent", str(path)], check=True)
