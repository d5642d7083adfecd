"""monaca.cloud.js beyond the documentation's snippets: promises, errors, what is kept, tabs, devices, old WebViews."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, Route

from tests.browser.conftest import ORIGINS, Site, StartServer, script_tag
from tests.servers import InProcessServer
from tests.setup import NODE_MODULES

HEAD = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">'

REGISTER = "monaca.cloud.User.register('me@example.com', 'password', {age: 21})"
LOGIN = "monaca.cloud.User.login('me@example.com', 'password')"


def error_of(call: str) -> str:
    """JavaScript for what a call fails with."""
    return f"{call}.then((result) => result, (e) => ({{code: e.code, message: e.message, data: e.data}}))"


@pytest_asyncio.fixture(loop_scope="session")
async def page(site: Site, server: InProcessServer) -> Page:
    return await site.open("http", HEAD + script_tag(server))


async def kept(page: Page) -> dict[str, str]:
    """What the page's storage has for the next start."""
    stored: dict[str, str] = json.loads(await page.evaluate("JSON.stringify(localStorage)"))
    return {key: value for key, value in stored.items() if key != "monacaCloudDevice"}


# --- promises --------------------------------------------------------------------------------------------


async def test_callbacks_chain_and_the_promise_can_be_awaited(page: Page) -> None:
    order = await page.evaluate(
        f"""(async () => {{
            const order = [], promise = {REGISTER};
            const same = promise
                .done((result) => order.push("done " + result.user.age), () => order.push("second"))
                .fail(() => order.push("fail"))
                .always(() => order.push("always")) === promise;
            const result = await promise;
            order.push("await " + result.user._username, same, promise.state());
            await promise.finally(() => order.push("finally"));
            promise.done(() => order.push("late"));
            await null; await null;
            return order;
        }})()"""
    )
    assert order == [
        "done 21",
        "second",
        "always",
        "await me@example.com",
        True,
        "resolved",
        "finally",
        "late",
    ]


async def test_then_passes_on_values_promises_and_errors(page: Page) -> None:
    assert await page.evaluate(f"{REGISTER}.then(() => 1).then((n) => Promise.resolve(n + 1)).then((n) => n + 1)") == 3
    assert await page.evaluate(f"{LOGIN}.then(() => {{ throw new Error('mine') }}).catch((e) => e.message)") == "mine"
    assert await page.evaluate("monaca.cloud.User.login('x', 'y').then(() => 1).catch((e) => e.code)") == -32602
    assert await page.evaluate(f"Promise.all([{LOGIN}, {LOGIN}]).then((all) => all.length)") == 2


async def test_an_error_in_a_callback_reaches_the_console(page: Page, site: Site) -> None:
    async with page.expect_event("pageerror") as event:
        await page.evaluate(f"{REGISTER}.done(() => {{ throw new Error('in my callback') }}).then(() => 1)")
    assert "in my callback" in str(await event.value)


async def test_so_does_one_in_then_that_nothing_catches(page: Page, site: Site) -> None:
    async with page.expect_event("pageerror") as event:
        await page.evaluate(f"void {REGISTER}.then(() => cosole.log('a slip of the pen'))")
    assert "cosole is not defined" in str(await event.value)


async def test_a_failure_that_nobody_handles_is_told_on_the_console(page: Page, site: Site) -> None:
    async with page.expect_console_message() as event:
        await page.evaluate("void monaca.cloud.User.logout().done(() => {})")
    text = (await event.value).text
    assert text == "A call failed, and nothing handles it (.fail, .catch): Err#11: User login is required"


@pytest.mark.parametrize("jquery", ["jquery-1", "jquery-2", "jquery-3", "jquery-4"])
async def test_jquerys_when_waits_for_it(site: Site, server: InProcessServer, jquery: str) -> None:
    code = (NODE_MODULES / jquery / "dist" / "jquery.js").read_text(encoding="utf-8")
    page = await site.open("http", f"{HEAD}<script>{code}</script>{script_tag(server)}")
    answer = f"new Promise((end) => $.when({REGISTER}, 1).done((result, one) => end([result.user.age, one])))"
    assert await page.evaluate(answer) == [21, 1]
    failed = "new Promise((end) => $.when(monaca.cloud.User.login('x', 'y')).fail((error) => end(error.code)))"
    assert await page.evaluate(failed) == -32602
    assert site.console == []


SEVERAL = """(async (start) => {
    const seen = [], note = (name) => (...values) => { seen.push(name + ": " + values.join(" ")); };
    const chain = start().then(() => $.when("a", "b"));
    chain.done(note("done")).always(note("always"));
    chain.then(note("then"));
    chain.then(null, note("never")).done(note("passed on"));
    chain.pipe((...values) => values.length).done(note("one of its own"));
    start().then(() => $.Deferred().reject("x", "y")).fail(note("fail")).then(null, note("refused"));
    start().then(() => ["a", "b"]).done(note("a list"));
    while (seen.length < 8) {
        await new Promise((end) => setTimeout(end));
    }
    return seen.sort();
})"""


@pytest.mark.parametrize("jquery", ["jquery-1", "jquery-2", "jquery-3", "jquery-4"])
async def test_several_values_of_a_jquery_promise_are_passed_on_as_jquery_does(
    site: Site, server: InProcessServer, jquery: str
) -> None:
    code = (NODE_MODULES / jquery / "dist" / "jquery.js").read_text(encoding="utf-8")
    page = await site.open("http", f"{HEAD}<script>{code}</script>{script_tag(server)}")
    await page.evaluate(REGISTER)
    ours = await page.evaluate(f"{SEVERAL}(() => monaca.cloud.User.validate('somebody'))")
    jquerys = await page.evaluate(f"{SEVERAL}(() => $.Deferred().resolve())")
    assert {"done: a b", "passed on: a b", "refused: x y"} < set(ours)
    assert ours == jquerys


async def test_await_gives_the_first_of_several_values(page: Page) -> None:
    several = "{then: (resolve) => resolve('a', 'b')}"
    chain = f"{REGISTER}.then(() => ({several}))"
    assert await page.evaluate(f"(async () => [await {chain}, await {LOGIN}.then(() => ({several})).finally()])()") == [
        "a",
        "a",
    ]


async def test_finally_keeps_all_values_and_a_failure(page: Page) -> None:
    several = f"{REGISTER}.then(() => ({{then: (resolve) => resolve('a', 'b')}}))"
    done = f"new Promise((end) => {several}.finally(() => 1).done((...values) => end(values)))"
    assert await page.evaluate(done) == ["a", "b"]
    assert await page.evaluate("monaca.cloud.User.login('x', 'y').finally(() => 1).catch((e) => e.code)") == -32602
    broken = f"{LOGIN}.finally(() => {{ throw new Error('mine') }}).catch((e) => e.message)"
    assert await page.evaluate(broken) == "mine"


# --- errors ----------------------------------------------------------------------------------------------


async def test_errors_have_code_message_and_data(page: Page) -> None:
    assert await page.evaluate(error_of("monaca.cloud.User.register('me', 'with a space')")) == {
        "code": -32602,
        "message": "Invalid params",
        "data": {
            "username": "Username must be at least 3 characters long.",
            "password": "Password must not contain spaces.",
        },
    }
    assert await page.evaluate(error_of("monaca.cloud.User.saveProperty('age', 1)")) == {
        "code": 11,
        "message": "User login is required",
        "data": {},
    }
    made = "(({code, message, data}) => ({code, message, data}))"
    assert await page.evaluate(f"{made}(monaca.cloud.Error(10001, 'Mine'))") == {
        "code": 10001,
        "message": "Mine",
        "data": {},
    }
    assert await page.evaluate("new monaca.cloud.Error(1, 'x') instanceof monaca.cloud.Error")


async def test_what_json_cannot_express_is_an_error_of_the_call(page: Page) -> None:
    answer = await page.evaluate(
        error_of("(() => { const a = {}; a.a = a; return monaca.cloud.User.saveProperties(a) })()")
    )
    assert answer["code"] == -32602


class Faulty:
    """A server that answers calls, but not as one should."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answer: bytes | None = b""  # None: never

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if self.answer is None:
            await reader.read()  # until the client gives up
        else:
            writer.write(self.answer)
            await writer.drain()
        writer.close()


@pytest_asyncio.fixture(loop_scope="session")
async def faulty() -> AsyncIterator[Faulty]:
    faulty = Faulty("")
    listener = await asyncio.start_server(faulty.serve, "127.0.0.1", 0)
    faulty.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    yield faulty
    listener.close()


def answer_with(status: str, body: str) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        "Access-Control-Allow-Origin: *",
        "Connection: close",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", body]).encode()


@pytest.mark.parametrize(
    ("answer", "expected", "reason"),
    [
        (None, (-11, "Timed out"), "The server has not answered within 0.2 s."),
        (answer_with("200 OK", "<html>"), (-12, "Invalid response"), "The answer is not JSON"),
        (answer_with("200 OK", '{"result": 1}'), (-12, "Invalid response"), "not a JSON-RPC 2.0 response"),
        (answer_with("200 OK", '{"jsonrpc": "2.0"}'), (-12, "Invalid response"), "not a JSON-RPC 2.0 response"),
        (answer_with("200 OK", "null"), (-12, "Invalid response"), "not a JSON-RPC 2.0 response"),
        (answer_with("502 Bad Gateway", "{}"), (-13, "Invalid status"), "HTTP status 502"),
        (b"", (-13, "Invalid status"), "cannot be reached"),
    ],
)
async def test_errors_of_the_client(
    page: Page, faulty: Faulty, answer: bytes | None, expected: tuple[int, str], reason: str
) -> None:
    faulty.answer = answer
    await page.evaluate(f"monaca.cloud.configure({{url: '{faulty.url}'}}); null")
    if answer is None:
        await page.evaluate("monaca.cloud.setTimeout(200)")
    error = await page.evaluate(error_of("monaca.cloud.User.validate('anna')"))
    assert (error["code"], error["message"]) == expected
    assert reason in error["data"]["reason"]


async def test_a_page_that_names_no_server(site: Site, server: InProcessServer) -> None:
    page = await site.open("http", f'{HEAD}<script src="{server.url}/js/monaca.cloud.js"></script>')
    error = await page.evaluate(error_of("monaca.cloud.User.login('anna', 'secret')"))
    assert error["code"] == -13
    assert "data-backend-id" in error["message"]
    assert await page.evaluate(error_of("monaca.cloud.Collection('diary').find({})")) == error
    unknown = "[monaca.cloud.User.isAuthenticated(), monaca.cloud.User._oid, monaca.cloud.deviceId]"
    assert await page.evaluate(unknown) == [False, None, None]
    with pytest.raises(Exception, match="url must look like"):
        await page.evaluate("monaca.cloud.configure({url: 'example.com'})")
    with pytest.raises(Exception, match="milliseconds"):
        await page.evaluate("monaca.cloud.setTimeout('soon')")


async def test_an_address_that_cannot_be_called(page: Page) -> None:
    await page.evaluate("monaca.cloud.url = 'http://[bad'")
    assert (await page.evaluate(error_of("monaca.cloud.User.validate('anna')")))["code"] == -13


async def test_no_time_out_at_all(page: Page) -> None:
    for timeout in ("0", "Infinity", "3000000000"):
        await page.evaluate(f"monaca.cloud.setTimeout({timeout})")
        assert await page.evaluate("monaca.cloud.User.validate('anna')") == "OK"


async def test_properties_with_the_names_of_javascripts_own(page: Page) -> None:
    await page.evaluate(REGISTER)
    assert (
        await page.evaluate("monaca.cloud.User.getProperty('constructor').then((value) => typeof value)") == "undefined"
    )
    assert await page.evaluate("monaca.cloud.User.saveProperty('constructor', 'mine')") == "OK"
    assert await page.evaluate("monaca.cloud.User.getProperty('constructor')") == "mine"
    error = await page.evaluate(error_of("monaca.cloud.User.getProperty()"))
    assert error["data"] == {"name": "Name is required."}


# --- devices - ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ORIGINS)
async def test_a_reload_keeps_the_sign_in(site: Site, server: InProcessServer, origin: str) -> None:
    page = await site.open(origin, HEAD + script_tag(server))
    oid = (await page.evaluate(REGISTER))["user"]["_id"]
    await page.reload()
    assert await page.evaluate("[monaca.cloud.User.isAuthenticated(), monaca.cloud.User._oid]") == [True, oid]
    assert await page.evaluate("monaca.cloud.User.getProperty('age')") == 21
    await page.evaluate("monaca.cloud.User.logout()")
    assert await page.evaluate("[monaca.cloud.User.isAuthenticated(), monaca.cloud.User._oid]") == [False, None]
    assert await kept(page) == {"monacaCloudBackend": server.endpoint}


async def test_an_app_that_changes_scripts_stays_signed_in(page: Page) -> None:
    """The old client kept a login token under this name and nothing else."""
    token = (await page.evaluate(REGISTER))["loginToken"]
    await page.evaluate("(token) => { localStorage.clear(); localStorage.monacaCloudLoginToken = token }", token)
    await page.reload()
    assert await page.evaluate("monaca.cloud.User.isAuthenticated()") is False
    result = await page.evaluate("monaca.cloud.User.autoLogin()")
    assert result["user"]["_username"] == "me@example.com"
    assert (await kept(page))["monacaCloudLoginToken"] == result["loginToken"] != token


async def test_an_ended_session_is_noticed(page: Page, server: InProcessServer) -> None:
    await page.evaluate(REGISTER)
    server.clock.advance(minutes=2 * 24 * 60)
    assert await page.evaluate("monaca.cloud.User.isAuthenticated()") is True
    assert (await page.evaluate(error_of("monaca.cloud.User.getProperties()")))["code"] == 11
    assert await page.evaluate("monaca.cloud.User.isAuthenticated()") is False
    await page.evaluate("monaca.cloud.User.autoLogin()")
    assert await page.evaluate("monaca.cloud.User.getProperties()") == {"age": 21}


async def test_signing_out_forgets_the_login_token_even_when_the_session_has_ended(
    page: Page, server: InProcessServer
) -> None:
    await page.evaluate(REGISTER)
    server.clock.advance(minutes=2 * 24 * 60)
    assert (await page.evaluate(error_of("monaca.cloud.User.logout()")))["code"] == 11
    assert await kept(page) == {"monacaCloudBackend": server.endpoint}


async def test_a_refused_login_token_is_dropped(page: Page) -> None:
    await page.evaluate("localStorage.monacaCloudLoginToken = 'from the service that has ended'")
    assert (await page.evaluate(error_of("monaca.cloud.User.autoLogin()")))["code"] == -32602
    assert "monacaCloudLoginToken" not in await kept(page)


async def test_a_server_that_is_away_costs_no_sign_in(page: Page, faulty: Faulty) -> None:
    await page.evaluate(REGISTER)
    before = await kept(page)
    faulty.answer = answer_with("503 Service Unavailable", "")
    url = await page.evaluate("monaca.cloud.url")
    await page.route(f"{url}/**", lambda route: route.abort())
    for call in ("autoLogin()", "logout()", "getProperties()"):
        assert (await page.evaluate(error_of(f"monaca.cloud.User.{call}")))["code"] == -13
    assert await kept(page) == before


@pytest.mark.parametrize(
    "denied",
    [
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})",
        "Object.defineProperty(window, 'localStorage', {value: null})",
        "Storage.prototype.setItem = function () { throw new DOMException('full', 'QuotaExceededError') }",
    ],
)
async def test_without_local_storage_a_sign_in_lasts_as_long_as_the_page(
    site: Site, server: InProcessServer, denied: str
) -> None:
    page = await site.open("http", f"{HEAD}<script>{denied}</script>{script_tag(server)}")
    await page.evaluate(REGISTER)
    assert await page.evaluate("monaca.cloud.User.getProperty('age')") == 21
    assert (await page.evaluate("monaca.cloud.User.autoLogin()"))["user"]["age"] == 21
    await page.evaluate("monaca.cloud.User.logout()")
    assert await page.evaluate("monaca.cloud.User.isAuthenticated()") is False
    assert site.console == []


FILL = """() => {
    for (let size = 1 << 20; size >= 1; size >>= 1) {
        try { for (;;) localStorage.setItem("fill" + Math.random(), "x".repeat(size)); } catch (e) {}
    }
}"""


async def test_a_storage_that_is_full_when_the_page_is_opened(page: Page) -> None:
    await page.evaluate(REGISTER)
    await page.evaluate(FILL)
    await page.reload()
    assert await page.evaluate("monaca.cloud.User.getProperty('age')") == 21
    assert (await page.evaluate("monaca.cloud.User.autoLogin()"))["user"]["age"] == 21


async def test_a_sign_in_that_does_not_fit_leaves_no_older_one(page: Page) -> None:
    await page.evaluate(REGISTER)
    await page.evaluate(FILL)
    await page.evaluate("monaca.cloud.User.register('other@example.com', 'password', {age: 99})")
    assert await page.evaluate("monaca.cloud.User.getProperty('age')") == 99
    await page.reload()
    age = await page.evaluate("monaca.cloud.User.getProperty('age').catch((error) => error.code)")
    assert age in (11, 99)


@pytest.mark.parametrize("stored", ["{}", "null", "not JSON", '{"session": "abc"}', '{"session": "a", "user": {}}'])
async def test_a_damaged_item_means_signed_out(page: Page, stored: str) -> None:
    await page.evaluate("(stored) => localStorage.setItem('monacaCloudSignIn', stored)", stored)
    await page.reload()
    assert await page.evaluate("[monaca.cloud.User.isAuthenticated(), monaca.cloud.User._oid]") == [False, None]


async def test_a_late_sign_out_does_not_end_a_newer_sign_in(page: Page) -> None:
    await page.evaluate(REGISTER)
    late = asyncio.Event()

    async def hold(route: Route) -> None:
        if "User.logout" in (route.request.post_data or ""):
            response = await route.fetch()
            await late.wait()
            await route.fulfill(response=response)
        else:
            await route.continue_()

    await page.route("**/json-rpc/**", hold)
    await page.evaluate("window.out = monaca.cloud.User.logout(); null")
    await page.evaluate("monaca.cloud.User.register('other@example.com', 'password', {age: 99})")
    late.set()
    await page.evaluate("out")
    assert await page.evaluate("monaca.cloud.User.getProperty('age')") == 99
    assert (await page.evaluate("monaca.cloud.User.autoLogin()"))["user"]["age"] == 99


async def test_after_a_new_password_this_session_is_the_one_that_is_kept(site: Site, server: InProcessServer) -> None:
    first = await site.open("http", HEAD + script_tag(server))
    await first.evaluate(REGISTER)
    second = await site.visit("http")
    await second.evaluate("monaca.cloud.User.autoLogin()")
    await first.evaluate("monaca.cloud.User.updatePassword('password', 'new-password')")
    await first.reload()
    assert await first.evaluate("monaca.cloud.User.getProperty('age')") == 21
    assert (await first.evaluate("monaca.cloud.User.autoLogin()"))["user"]["age"] == 21


# --- tabs ------------------------------------------------------------------------------------------------


async def test_two_tabs_do_not_sign_each_other_out(site: Site, server: InProcessServer) -> None:
    first = await site.open("http", HEAD + script_tag(server))
    await first.evaluate(REGISTER)
    second = await site.visit("http")
    for _ in range(3):
        await asyncio.gather(*(tab.evaluate("monaca.cloud.User.autoLogin()") for tab in (first, second)))
    await asyncio.gather(first.reload(), second.reload())
    for tab in (first, second):
        assert (await tab.evaluate("monaca.cloud.User.autoLogin()"))["user"]["age"] == 21
        assert await tab.evaluate("monaca.cloud.User.getProperty('age')") == 21


async def test_tabs_may_be_two_users(site: Site, server: InProcessServer) -> None:
    first = await site.open("http", HEAD + script_tag(server))
    second = await site.visit("http")
    await first.evaluate(REGISTER)
    await second.evaluate("monaca.cloud.User.register('other@example.com', 'password', {age: 99})")
    assert await first.evaluate("monaca.cloud.User.getProperty('age')") == 21
    await first.evaluate("monaca.cloud.User.logout()")
    assert await second.evaluate("monaca.cloud.User.getProperty('age')") == 99
    await second.reload()
    assert await second.evaluate("monaca.cloud.User.getProperty('age')") == 99
    assert (await second.evaluate("monaca.cloud.User.autoLogin()"))["user"]["age"] == 99


async def test_who_signs_out_is_signed_out_after_a_reload_too(site: Site, server: InProcessServer) -> None:
    """So is another tab that has opened a newer session since: on a shared computer the next one would be inside."""
    first = await site.open("http", HEAD + script_tag(server))
    await first.evaluate(REGISTER)
    second = await site.visit("http")
    await second.evaluate("monaca.cloud.User.autoLogin()")
    await first.evaluate("monaca.cloud.User.logout()")
    assert (await second.evaluate(error_of("monaca.cloud.User.getProperty('age')")))["code"] == 11
    for tab in (first, second):
        await tab.reload()
        assert await tab.evaluate("monaca.cloud.User.isAuthenticated()") is False
        assert (await tab.evaluate(error_of("monaca.cloud.User.autoLogin()")))["code"] == -32602


async def test_a_tab_never_turns_into_the_user_of_another(site: Site, server: InProcessServer) -> None:
    """The usual way of an app when a session has ended: sign in automatically, and try again."""
    first = await site.open("http", HEAD + script_tag(server))
    await first.evaluate(REGISTER)
    second = await site.visit("http")
    await second.evaluate("monaca.cloud.User.register('other@example.com', 'password', {age: 99})")
    server.clock.advance(minutes=2 * 24 * 60)
    assert (await first.evaluate(error_of("monaca.cloud.User.saveProperty('diary', 'mine')")))["code"] == 11
    error = await first.evaluate(error_of("monaca.cloud.User.autoLogin()"))
    assert error["data"] == {"loginToken": "Somebody else has signed in in another tab; sign in with the password."}
    assert (await second.evaluate("monaca.cloud.User.autoLogin()"))["user"]["age"] == 99


async def test_a_new_password_in_one_tab_leaves_the_other_user_alone(site: Site, server: InProcessServer) -> None:
    first = await site.open("http", HEAD + script_tag(server))
    await first.evaluate(REGISTER)
    second = await site.visit("http")
    await second.evaluate("monaca.cloud.User.register('other@example.com', 'password', {age: 99})")
    await first.evaluate("monaca.cloud.User.updatePassword('password', 'another')")
    await second.reload()
    assert (await second.evaluate("monaca.cloud.User.autoLogin()"))["user"]["age"] == 99


async def leave_unanswered(_: Route) -> None:
    """Takes a request and does nothing with it."""


async def test_a_tab_that_hangs_does_not_stop_the_others(site: Site, server: InProcessServer) -> None:
    first = await site.open("http", HEAD + script_tag(server))
    await first.evaluate(REGISTER)
    second = await site.visit("http")
    await first.route("**/json-rpc/**", leave_unanswered)
    await first.evaluate("void monaca.cloud.User.autoLogin().fail(() => {})")
    # Waits for its turn for so long, then for the answer for longer.
    await second.evaluate(
        "monaca.cloud.setTimeout(300); window.signIn = monaca.cloud.User.autoLogin(); monaca.cloud.setTimeout(0)"
    )
    outcome = await second.evaluate(error_of("signIn"))
    assert outcome["user"]["age"] == 21


# --- several backends ------------------------------------------------------------------------------------


async def test_a_page_with_several_backends(site: Site, start: StartServer) -> None:
    server = await start({"backends": {"shop": {"api_key": "shop-key"}}})
    page = await site.open("http", HEAD + script_tag(server))
    await page.evaluate(REGISTER)
    await page.evaluate(
        f"""
        window.app = monaca.cloud.configure({{backendId: "{server.backend_id}"}});
        window.shop = monaca.cloud.configure({{backendId: "shop", apiKey: "shop-key"}});
        """
    )
    assert await page.evaluate("[app.User.isAuthenticated(), shop.User.isAuthenticated()]") == [True, False]
    assert await page.evaluate("monaca.cloud.backendId") == "shop"  # the latest one
    await page.evaluate("shop.User.register('me@example.com', 'secret', {age: 50})")
    assert await page.evaluate("monaca.cloud.User.isAuthenticated()") is True
    ages = (
        "Promise.all([app.User.getProperty('age'), shop.User.getProperty('age'), monaca.cloud.User.getProperty('age')])"
    )
    assert await page.evaluate(ages) == [21, 50, 50]
    await page.evaluate("shop.User.logout()")
    assert await page.evaluate("[app.User.isAuthenticated(), monaca.cloud.User.isAuthenticated()]") == [True, False]
    await page.reload()
    assert await page.evaluate("monaca.cloud.User.getProperty('age')") == 21


async def test_two_servers_with_the_same_backend_id_keep_apart(site: Site, start: StartServer) -> None:
    one, two = await start(), await start(folder="data-2")
    page = await site.open("http", HEAD + script_tag(one))
    await page.evaluate(REGISTER)
    await page.evaluate(f"window.other = monaca.cloud.configure({{url: '{two.url}'}}); null")
    assert await page.evaluate("other.User.isAuthenticated()") is False
    await page.evaluate("other.User.register('me@example.com', 'secret')")
    await page.reload()
    assert (await page.evaluate("monaca.cloud.User.autoLogin()"))["user"]["age"] == 21
    another = await site.open("http", HEAD + script_tag(two), name="two.html")
    assert (await another.evaluate("monaca.cloud.User.autoLogin()"))["user"].get("age") is None
    await page.reload()
    assert await page.evaluate("monaca.cloud.User.getProperty('age')") == 21


async def test_an_app_may_set_the_address_as_it_did_in_the_old_client(site: Site, server: InProcessServer) -> None:
    page = await site.open("http", f'{HEAD}<script src="{server.url}/js/monaca.cloud.js"></script>')
    await page.evaluate(
        f"""
        monaca.cloud.url = "{server.url}/json-rpc/";
        monaca.cloud.backendId = "{server.backend_id}";
        monaca.cloud.apiKey = "{server.api_key}";
        """
    )
    assert (await page.evaluate(REGISTER))["user"]["age"] == 21


# --- devices ---------------------------------------------------------------------------------------------


async def devices(server: InProcessServer) -> list[str]:
    return [device for (device,) in server.rows("SELECT device FROM login_families ORDER BY key")]


async def test_the_device_id_is_made_once_and_kept(page: Page, server: InProcessServer) -> None:
    await page.evaluate(REGISTER)
    await page.reload()
    await page.evaluate(LOGIN)
    first, second = await devices(server)
    assert first == second
    assert len(first) == 32


PassTime = Callable[[int], Awaitable[None]]

CORDOVA = """
<script>
window.cordova = {exec: (success, failure, service, action) =>
    service === "Monaca" && action === "getRuntimeConfiguration" ? %s : failure("no such plugin")};
</script>
"""
DEVICE_READY = "document.dispatchEvent(new Event('deviceready'))"


@pytest_asyncio.fixture(loop_scope="session")
async def pass_time(context: BrowserContext) -> PassTime:
    """The clock of the pages stands still but for what this lets pass, in milliseconds."""
    await context.clock.install(time=0)
    await context.clock.pause_at(1)
    return context.clock.run_for


@pytest.mark.parametrize(
    ("answer", "device"),
    [
        ('success({deviceId: "cordova-device"})', "cordova-device"),
        ("success({})", None),
        ('failure("Class not found")', None),
    ],
)
async def test_the_device_id_of_cordova(
    site: Site, server: InProcessServer, pass_time: PassTime, answer: str, device: str | None
) -> None:
    page = await site.open("http", HEAD + script_tag(server) + CORDOVA % answer)
    await page.evaluate(f"window.registered = {REGISTER}; null")
    await page.evaluate(DEVICE_READY)
    await page.evaluate("registered")
    (used,) = await devices(server)
    assert used == device or (device is None and len(used) == 32)
    assert await page.evaluate("monaca.cloud.deviceId") == used


async def test_the_device_id_of_a_plugin_that_answers_late(
    site: Site, server: InProcessServer, pass_time: PassTime
) -> None:
    """The first calls do not wait for it; the calls after its answer have its id, also at the next start."""
    html = HEAD + script_tag(server) + CORDOVA % "(window.answer = success)"
    page = await site.open("http", html)
    await page.evaluate(f"window.registered = {REGISTER}; {DEVICE_READY}")
    assert await page.evaluate("monaca.cloud.deviceId") is None
    await pass_time(3000)
    await page.evaluate("registered")
    await page.evaluate("answer({deviceId: 'cordova-device'})")
    await page.evaluate(LOGIN)
    await page.reload()
    await page.evaluate(f"window.loggedIn = {LOGIN}; {DEVICE_READY}")
    await pass_time(3000)
    await page.evaluate("loggedIn")
    first, *others = await devices(server)
    assert len(first) == 32
    assert others == ["cordova-device"] * 2


async def test_options_given_later_count(page: Page, server: InProcessServer) -> None:
    assert await page.evaluate("monaca.cloud.User.isAuthenticated()") is False
    await page.evaluate("monaca.cloud.configure({deviceId: 'mine', timeout: 1234}); null")
    await page.evaluate(REGISTER)
    assert await devices(server) == ["mine"]
    assert await page.evaluate("monaca.cloud.timeout") == 1234


async def test_an_app_that_sets_the_device_id(page: Page, server: InProcessServer) -> None:
    await page.evaluate("monaca.cloud.deviceId = 'mine'")
    await page.evaluate(REGISTER)
    assert await devices(server) == ["mine"]
    assert await page.evaluate("monaca.cloud.deviceId") == "mine"


async def test_a_plugin_that_is_broken_does_not_break_the_app(site: Site, server: InProcessServer) -> None:
    runtime = "<script>var monaca = {getRuntimeConfiguration: () => { throw new Error('boom') }}</script>"
    page = await site.open("http", HEAD + runtime + script_tag(server))
    assert (await page.evaluate(REGISTER))["user"]["age"] == 21


async def test_the_device_id_of_a_runtime_configuration_function(site: Site, server: InProcessServer) -> None:
    runtime = "<script>var monaca = {getRuntimeConfiguration: (success) => success({deviceId: 12345})}</script>"
    page = await site.open("http", HEAD + runtime + script_tag(server))
    await page.evaluate(REGISTER)
    assert await devices(server) == ["12345"]
    assert await page.evaluate("typeof monaca.getRuntimeConfiguration") == "function"


# --- old WebViews and old clients ------------------------------------------------------------------------

OLD_WEBVIEW = """
<script>
["Promise", "Symbol", "fetch", "AbortController", "globalThis", "Map", "Set", "URL", "crypto"].forEach(function (name) {
    Object.defineProperty(window, name, {value: undefined, writable: true, configurable: true});
});
Object.defineProperty(document, "currentScript", {value: undefined});
Object.defineProperty(navigator, "locks", {value: undefined});
</script>
"""


async def test_an_old_webview(site: Site, server: InProcessServer) -> None:
    told = f"""<script>
    {REGISTER}.done(function (result) {{
        monaca.cloud.User.autoLogin().then(function (again) {{
            console.log(result.user.age + " " + again.user._username);
        }});
    }});
    </script>"""
    # Playwright's own scripts do not work in such a page, so it tells by itself how it went.
    async with site.context.expect_event("console") as event:
        await site.open("http", HEAD + OLD_WEBVIEW + script_tag(server) + told)
    assert (await event.value).text == "21 me@example.com"
    assert site.console == ["log: 21 me@example.com"]


OLD_STYLE_CALL = """(parameters) => new Promise((end) => $.ajax({
    url: parameters.url, type: "POST", dataType: "json", timeout: 15000, data: JSON.stringify(parameters.body),
    success: (answer, status, request) => end([answer, request.getResponseHeader("X-Set-Monaca-Cloud-Session")]),
    error: (request, status) => end(status)
}))"""


@pytest.mark.parametrize("library", ["jquery-1/dist/jquery.js", "jquery-2/dist/jquery.js", "zepto/dist/zepto.js"])
@pytest.mark.parametrize("origin", ORIGINS)
async def test_a_client_that_posts_through_jquery_or_zepto(
    site: Site, server: InProcessServer, library: str, origin: str
) -> None:
    """As the original client does: JSON under the content type of a form, the session from the header."""
    code = (NODE_MODULES / library).read_text(encoding="utf-8")
    page = await site.open(origin, f"{HEAD}<script>{code}</script>")
    reserved = {"__api_key": server.api_key, "__device": "old"}

    async def call(method: str, params: dict[str, Any]) -> Any:
        body = {"jsonrpc": "2.0", "method": method, "params": {**params, **reserved}, "id": "1"}
        return await page.evaluate(OLD_STYLE_CALL, {"url": server.endpoint, "body": body})

    registered, session = await call("User.register", {"username": "anna", "password": "a+b&c=d%20"})
    assert registered["result"]["user"]["_username"] == "anna"
    assert registered["id"] == "1"
    reserved["__session"] = session
    saved, _ = await call("User.saveProperties", {"properties": {"note": "ümlaut & + %41 日本"}})
    assert saved == {"jsonrpc": "2.0", "result": "OK", "id": "1"}
    found, _ = await call("User.getProperties", {"names": ["note"]})
    assert found["result"]["properties"] == {"note": "ümlaut & + %41 日本"}
    wrong, _ = await call("User.unregister", {"password": "wrong"})
    assert wrong["error"]["code"] == -32602
    assert "result" not in wrong


async def test_only_simple_requests_are_sent(page: Page) -> None:
    """A preflight before each call would double the round trips of a phone."""
    methods: list[str] = []
    page.on("request", lambda request: methods.append(request.method))
    await page.evaluate(REGISTER)
    assert methods == ["POST"]


# --- the module ------------------------------------------------------------------------------------------


async def test_the_module_in_a_page(site: Site, server: InProcessServer) -> None:
    """From another origin; `file://` pages cannot import modules at all."""
    code = f"""
    import {{ createCloud }} from "{server.url}/js/jsonrpc-backend.mjs";
    const cloud = createCloud({{ url: "{server.url}", backendId: "{server.backend_id}", apiKey: "{server.api_key}" }});
    const {{ user }} = await cloud.User.register("me@example.com", "password", {{ age: 21 }});
    console.log(user.age, await cloud.User.getProperty("age"), typeof monaca);
    """
    async with site.context.expect_event("console") as event:
        await site.open("http", f'{HEAD}<script type="module">{code}</script>')
    assert (await event.value).text == "21 21 undefined"
