"""Every snippet of the documentation of `monaca.cloud.User`, in a browser: what it prints is right.

From a page of a web server on another port and from a file; with every major jQuery that apps have, and without.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from playwright.async_api import Page

from tests.browser.conftest import ORIGINS, Site, script_tag
from tests.mailbox import Mailbox
from tests.servers import InProcessServer
from tests.setup import NODE_MODULES

LIBRARIES = {
    "plain": None,
    "jquery-1": "jquery-1/dist/jquery.js",
    "jquery-2": "jquery-2/dist/jquery.js",
    "jquery-3": "jquery-3/dist/jquery.js",
    "jquery-4": "jquery-4/dist/jquery.js",
}

ME = "me@example.com"

# (What is done before, the snippet, what it prints.) `log` is console.log; `run` ends when it has been called.
REGISTERED = f'await monaca.cloud.User.register("{ME}", "password", {{age: 21, icon: "face.png"}});'
SIGNED_OUT = REGISTERED + "await monaca.cloud.User.logout();"

WELCOME = """
monaca.cloud.User.register("me@example.com", "password", {age:21})
.done(function(result)
{
   log("Welcome, " + result.user._username);
   log("You are " + result.user.age + " years old.");
   end();
})
.fail(function(err)
{
   log("Err#" + err.code +": " + err.message);
   end();
});
"""


def done(call: str, printed: str) -> str:
    """A snippet as most of the document's are: one call, done prints, fail prints the error."""
    return f"""
    {call}
    .done(function(result) {{ log({printed}); end(); }})
    .fail(function(err) {{ log("Err#" + err.code + ": " + err.message); end(); }});
    """


def chained(call: str, parameter: str, printed: str) -> str:
    """A snippet that signs in and then makes another call with `then`."""
    return f"""
    monaca.cloud.User.login("{ME}", "password")
    .then(function() {{ return {call}; }})
    .then(function({parameter}) {{ {printed} end(); }})
    """


HELLO = '"Hello again, " + result.user._username'

SNIPPETS: dict[str, tuple[str, str, list[str]]] = {
    "register": ("", WELCOME, [f"Welcome, {ME}", "You are 21 years old."]),
    "register-taken": (SIGNED_OUT, WELCOME, ["Err#-32602: Invalid params"]),
    "validate": ("", done(f'monaca.cloud.User.validate("{ME}")', '"Validation passed!"'), ["Validation passed!"]),
    "validate-taken": (
        SIGNED_OUT,
        done(f'monaca.cloud.User.validate("{ME}")', '"Validation passed!"'),
        ["Err#-32602: Invalid params"],
    ),
    "unregister": (
        REGISTERED,
        done('monaca.cloud.User.unregister("password")', '"You are unregistered"'),
        ["You are unregistered"],
    ),
    "unregister-signed-out": (
        SIGNED_OUT,
        done('monaca.cloud.User.unregister("password")', '"You are unregistered"'),
        ["Err#11: User login is required"],
    ),
    "login": (
        SIGNED_OUT,
        done(f'monaca.cloud.User.login("{ME}", "password")', HELLO),
        [f"Hello again, {ME}"],
    ),
    "login-wrong": (
        SIGNED_OUT,
        done(f'monaca.cloud.User.login("{ME}", "passwort")', HELLO),
        ["Err#-32602: Invalid params"],
    ),
    "is-authenticated": (
        SIGNED_OUT,
        'if (false == monaca.cloud.User.isAuthenticated()) { log("Go to login"); } end();',
        ["Go to login"],
    ),
    "auto-login": (REGISTERED, done("monaca.cloud.User.autoLogin()", HELLO), [f"Hello again, {ME}"]),
    "auto-login-signed-out": (
        SIGNED_OUT,
        done("monaca.cloud.User.autoLogin()", HELLO),
        ["Err#-32602: Invalid params"],
    ),
    "logout": (
        REGISTERED,
        done("monaca.cloud.User.logout()", '"You are successfully logged out"'),
        ["You are successfully logged out"],
    ),
    "update-password": (
        'await monaca.cloud.User.register("me@example.com", "oldPassword");',
        done(
            'monaca.cloud.User.updatePassword("oldPassword", "newPassword")',
            '"Your password is successfully changed"',
        ),
        ["Your password is successfully changed"],
    ),
    "get-property": (
        SIGNED_OUT,
        chained('monaca.cloud.User.getProperty("age")', "age", "log(age);"),
        ["21"],
    ),
    "get-properties": (
        SIGNED_OUT,
        chained(
            'monaca.cloud.User.getProperties(["age", "icon"])',
            "properties",
            "log(properties.age); log(properties.icon);",
        ),
        ["21", "face.png"],
    ),
    "save-property": (
        SIGNED_OUT,
        chained('monaca.cloud.User.saveProperty("nickname", "John")', "", 'log("Your nickname was changed");'),
        ["Your nickname was changed"],
    ),
    "save-properties": (
        SIGNED_OUT,
        chained(
            'monaca.cloud.User.saveProperties({"nickname":"John", "email":"john@example.com"})',
            "",
            'log("Your nickname and email were changed");',
        ),
        ["Your nickname and email were changed"],
    ),
    "oid": (REGISTERED, "var oid = monaca.cloud.User._oid; log(typeof oid, oid.length); end();", ["string 37"]),
    "oid-signed-out": (SIGNED_OUT, "var oid = monaca.cloud.User._oid; log(oid); end();", ["null"]),
}

# What a page needs to run a snippet as it stands and to tell when it is through.
FRAME = """
<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">{library}{script}<script>
async function run(before, snippet) {{
    if (before) await (new Function("return (async function () {{" + before + "}})()"))();
    var printed = [];
    await new Promise(function (end) {{
        function log() {{ printed.push([].map.call(arguments, String).join(" ")); }}
        new Function("log", "end", snippet)(log, end);
    }});
    return printed;
}}
</script>
"""

OpenPage = Callable[..., Coroutine[Any, Any, Page]]


async def open_page(site: Site, server: InProcessServer, origin: str, library: str) -> Page:
    file = LIBRARIES[library]
    tag = f"<script>{(NODE_MODULES / file).read_text(encoding='utf-8')}</script>" if file else ""
    return await site.open(origin, FRAME.format(library=tag, script=script_tag(server)))


async def run(page: Page, before: str, snippet: str) -> Any:
    return await page.evaluate("([before, snippet]) => run(before, snippet)", [before, snippet])


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("name", SNIPPETS)
async def test_snippet(site: Site, server: InProcessServer, origin: str, name: str) -> None:
    page = await open_page(site, server, origin, "plain")
    before, snippet, printed = SNIPPETS[name]
    assert await run(page, before, snippet) == printed
    assert site.console == []


@pytest.mark.parametrize("library", [name for name in LIBRARIES if name != "plain"])
@pytest.mark.parametrize("name", ["register", "login-wrong", "get-properties"])
async def test_snippet_beside_jquery(site: Site, server: InProcessServer, library: str, name: str) -> None:
    page = await open_page(site, server, "http", library)
    assert await page.evaluate("typeof jQuery") == "function"
    before, snippet, printed = SNIPPETS[name]
    assert await run(page, before, snippet) == printed
    assert site.console == []


@pytest.mark.parametrize("origin", ORIGINS)
async def test_the_snippets_about_a_forgotten_password(
    site: Site, server: InProcessServer, mailbox: Mailbox, origin: str
) -> None:
    page = await open_page(site, server, origin, "plain")
    registered = """
        await monaca.cloud.User.register("username", "password", {email: "me@example.com"});
        await monaca.cloud.User.logout();
    """
    send = done(
        'monaca.cloud.User.sendPasswordResetToken("username", {emailPropertyName:"email"})',
        '"An email was successfully sent."',
    )
    assert await run(page, registered, send) == ["An email was successfully sent."]
    token = (await mailbox.next()).token
    printed = 'result.user._username + ", your password is successfully changed."'
    reset = 'monaca.cloud.User.resetPasswordAndLogin("username", "newPassword", "{}")'
    assert await run(page, "", done(reset.format("000000"), printed)) == ["Err#-32602: Invalid params"]
    changed = ["username, your password is successfully changed."]
    assert await run(page, "", done(reset.format(token), printed)) == changed
    assert await run(page, "", send) == ["Err#13: Invalid operation"]  # for now somebody is signed in
