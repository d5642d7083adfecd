"""Every snippet of the documentation of `CB.CloudUser`, in a browser; then what the document says around them."""

from typing import Any

import pytest
from playwright.async_api import Page, Route

from tests.browser.conftest import ORIGINS, Site
from tests.browser.test_monaca_client import FILL
from tests.servers import InProcessServer
from tests.setup import JAVASCRIPT
from tests.test_javascript import make_tables

PAGE = """
<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<script src="{url}/js/cloudboost.js"></script>
<script>CB.CloudApp.init("{url}", "{backend_id}", "{api_key}");</script>
"""

NEW_USER = """
var user = new CB.CloudUser();
user.set('username','my_username');
user.set('password', 'my_solid_password');
"""

SIGN_UP = """
user.set('email', 'email@sample.com');
user.signUp({
  success: function(user) { end("Registration successfull"); },
  error: function(error) { end(error.message); }
});
"""

LOG_IN = """
user.logIn({
  success: function(user) { end("Login successfull"); },
  error: function(error) { end(error.message); }
});
"""

LOG_OUT = """
CB.CloudUser.current.logOut({
  success: function(user) { end("user logged out."); },
  error: function(error) { end(error.message); }
});
"""


async def open_page(site: Site, server: InProcessServer, origin: str = "http") -> Page:
    return await site.open(origin, PAGE.format(url=server.url, backend_id=server.backend_id, api_key=server.api_key))


async def run(page: Page, snippet: str) -> Any:
    """What a snippet calls `end` with. `user` is a global, as in a page's script."""
    return await page.evaluate("(snippet) => new Promise((end) => { window.end = end; (0, eval)(snippet); })", snippet)


CALLBACKS = "{success: () => end('success'), error: (error) => end([error.code, error.message])}"


ROLES = "Roles are not there; give access to user ids."


@pytest.mark.parametrize(
    ("snippet", "sentence"),
    [
        ("new CB.CloudTable('votes').save(%s)", "CloudTable is not part of this server."),
        ("CB.CloudTable.getAll(%s)", "CloudTable is not part of this server."),
        (
            "new CB.CloudFile({name: 'photo.png'}).save(%s)",
            "Files are not kept by this server; store a URL in a column.",
        ),
        ("new CB.CloudRole('admin').save(%s)", ROLES),
        ("CB.CloudObject.on('votes', 'created', %s)", "Live updates are not there; ask again with find()."),
        (
            "CB.CloudNotification.publish('channel', 'data', %s)",
            "Live updates are not there; ask again with find().",
        ),
        ("new CB.CloudQueue('jobs').push('job', %s)", "CloudQueue is not part of this server."),
        ("new CB.CloudCache('scores').set('anna', 1, %s)", "CloudCache is not part of this server."),
        (
            "new CB.CloudSearch('votes', new CB.SearchQuery().searchOn('colour', 'red')).search(%s)",
            "CloudSearch is not part of this server.",
        ),
        ("new CB.CloudUser().addToRole(new CB.CloudRole('admin'), %s)", ROLES),
    ],
)
async def test_what_is_not_served_fails_with_a_sentence(
    site: Site, server: InProcessServer, snippet: str, sentence: str
) -> None:
    page = await open_page(site, server)
    assert await run(page, snippet % CALLBACKS) == [13, sentence]
    assert site.console == []


async def test_a_role_is_never_there(site: Site, server: InProcessServer) -> None:
    """Not even as a promise, which is true."""
    page = await open_page(site, server)
    thrown = "try { end(new CB.CloudUser().isInRole('admin')); } catch (error) { end([error.code, error.message]); }"
    assert await run(page, thrown) == [13, ROLES]


async def test_current_cannot_be_set(site: Site, server: InProcessServer) -> None:
    page = await open_page(site, server)
    assert await page.evaluate("(CB.CloudUser.current = new CB.CloudUser(), CB.CloudUser.current)") is None
    assert site.console == ["warning: CB.CloudUser.current tells who is logged in; setting it signs nobody in or out."]


@pytest.mark.parametrize("origin", ORIGINS)
async def test_objects_queries_and_rights(site: Site, server: InProcessServer, origin: str) -> None:
    make_tables(server)
    page = await open_page(site, server, origin)
    for part in ("objects", "queries", "rights", "edges", "run"):
        await page.add_script_tag(content=(JAVASCRIPT / f"cloudboost-{part}.cjs").read_text(encoding="utf-8"))
    where = [server.url, server.backend_id, server.api_key]
    run_all = "(where) => runCloudBoost({...OBJECTS, ...QUERIES, ...RIGHTS, ...EDGES}, CB, ...where)"
    assert await page.evaluate(run_all, where) == []
    assert site.console == []


@pytest.mark.parametrize("origin", ORIGINS)
async def test_the_document_from_top_to_bottom(site: Site, server: InProcessServer, origin: str) -> None:
    page = await open_page(site, server, origin)
    assert await run(page, NEW_USER + "end([user.username, user.password, user.id === undefined]);") == [
        "my_username",
        "my_solid_password",
        True,
    ]
    assert await run(page, SIGN_UP) == "Registration successfull"
    assert await page.evaluate("[user.username, user.email, user.password, CB.CloudUser.current === user]") == [
        "my_username",
        "email@sample.com",
        None,
        True,
    ]
    assert await page.evaluate("/^u[0-9a-f-]{36}$/.test(user.id) && user.createdAt instanceof Date") is True
    assert await run(page, LOG_OUT) == "user logged out."
    assert await page.evaluate("CB.CloudUser.current") is None
    assert await run(page, NEW_USER + LOG_IN) == "Login successfull"
    await page.reload()
    assert await page.evaluate("CB.CloudUser.current.get('email')") == "email@sample.com"
    assert await run(page, LOG_OUT) == "user logged out."
    await page.reload()
    assert await page.evaluate("CB.CloudUser.current") is None
    assert site.console == []


async def sign_up(page: Page) -> None:
    assert await run(page, NEW_USER + SIGN_UP) == "Registration successfull"


@pytest.mark.parametrize(
    ("snippet", "message"),
    [
        (NEW_USER + SIGN_UP, "Username is already taken."),
        (NEW_USER + "user.set('password', 'wrong_password');" + LOG_IN, "Username or password is incorrect."),
        ("var user = new CB.CloudUser(); user.set('username', 'ab');" + SIGN_UP, None),
    ],
)
async def test_errors_reach_the_callback_with_a_sentence(
    site: Site, server: InProcessServer, snippet: str, message: str | None
) -> None:
    page = await open_page(site, server)
    await sign_up(page)
    answer = await run(page, snippet)
    assert answer == (message or "Username must be at least 3 characters long. Password is required.")
    assert site.console == []


async def test_a_promise_does_as_well_as_callbacks(site: Site, server: InProcessServer) -> None:
    page = await open_page(site, server)
    assert await page.evaluate(
        "(async () => { var user = new CB.CloudUser(); user.username = 'my_username'; user.password = 'secret';"
        " return (await user.signUp()) === user })()"
    )
    assert (
        await page.evaluate(
            "(async () => { try { await CB.CloudUser.current.delete() } catch (e) { return e.message } })()"
        )
        == "Set the password first, user.set('password', …): the server asks for it."
    )


async def test_saving(site: Site, server: InProcessServer) -> None:
    page = await open_page(site, server)
    await sign_up(page)
    saved = await page.evaluate(
        "(async () => { user.set('age', 21); user.email = 'new@sample.com'; await user.save();"
        " return [user.get('age'), user.email, user.updatedAt >= user.createdAt, JSON.stringify(user)] })()"
    )
    assert saved[:3] == [21, "new@sample.com", True]
    assert "password" not in saved[3]
    await page.reload()
    assert await page.evaluate("[CB.CloudUser.current.get('age'), CB.CloudUser.current.email]") == [
        21,
        "new@sample.com",
    ]
    ((properties,),) = server.rows("SELECT properties FROM users")
    assert properties == '{"email":"new@sample.com","age":21}'


async def test_what_cannot_be_saved_says_what_to_do(site: Site, server: InProcessServer) -> None:
    page = await open_page(site, server)
    await sign_up(page)
    message = "(async (user) => { try { await user.save() } catch (e) { return e.message } })"
    assert await page.evaluate(f"user.set('password', 'another'); {message}(user)") == (
        "To change the password use user.changePassword(oldPassword, newPassword)."
    )
    await page.evaluate("user.changePassword('my_solid_password', 'another').then(() => null)")
    assert await page.evaluate(
        f"user.set('password', undefined); user.set('username', 'another_name'); {message}(user)"
    ) == ("The username of a user cannot be changed.")
    with pytest.raises(Exception, match="createdAt is made by the server and cannot be set"):
        await page.evaluate("user.createdAt = new Date()")


async def test_saving_a_new_user_signs_nobody_in_or_out(site: Site, server: InProcessServer) -> None:
    page = await open_page(site, server)
    await sign_up(page)
    created = await page.evaluate(
        "(async () => { var other = new CB.CloudUser();"
        " other.set('username', 'other'); other.set('password', 'secret');"
        " await other.save();"
        " return [other.id !== user.id, other.password === undefined, CB.CloudUser.current === user] })()"
    )
    assert created == [True, True, True]
    await page.reload()
    assert await page.evaluate("CB.CloudUser.current.username") == "my_username"


async def test_delete(site: Site, server: InProcessServer) -> None:
    page = await open_page(site, server)
    await sign_up(page)
    snippet = "user.set('password', '%s'); user.delete({success: () => end('gone'), error: (e) => end(e.message)});"
    assert await run(page, snippet % "wrong") == "Password is incorrect."
    assert await page.evaluate("CB.CloudUser.current === user")
    assert await run(page, snippet % "my_solid_password") == "gone"
    assert await page.evaluate("[CB.CloudUser.current, user.id]") == [None, None]
    assert server.rows("SELECT * FROM users") == []


async def test_a_session_that_has_ended_is_renewed(site: Site, server: InProcessServer) -> None:
    """A user stays logged in for as long as the login token is good, not for the session only."""
    page = await open_page(site, server)
    await sign_up(page)
    server.clock.advance(minutes=2 * 24 * 60)
    assert (
        await page.evaluate("(async () => { user.set('age', 22); await user.save(); return user.get('age') })()") == 22
    )
    server.clock.advance(minutes=60 * 24 * 60)
    message = await run(page, "user.save({success: () => end('saved'), error: (e) => end(e.message)});")
    assert message == "You are not signed in any more. Log in again."
    assert await page.evaluate("CB.CloudUser.current") is None


@pytest.mark.parametrize("locks", ["navigator.locks", "undefined"], ids=["locks", "no-locks"])
async def test_calls_side_by_side_renew_a_session(site: Site, server: InProcessServer, locks: str) -> None:
    """None of them signs the user out, nor saves as nobody."""
    make_tables(server)
    page = await open_page(site, server)
    await sign_up(page)
    await page.evaluate(f"Object.defineProperty(navigator, 'locks', {{ value: {locks} }})")
    server.clock.advance(minutes=2 * 24 * 60)
    songs = "[1, 2, 3].map(() => new CB.CloudObject('song'))"
    saved = "then((list) => list.length, (error) => error.message)"
    assert await page.evaluate(f"CB.CloudObject.saveAll({songs}).{saved}") == 3
    assert await page.evaluate("CB.CloudUser.current === user")
    [[owner]] = server.rows("SELECT DISTINCT owner FROM items")
    assert owner == await page.evaluate("user.id")


async def test_a_connection_lost_while_a_session_is_renewed_signs_nobody_out(
    site: Site, server: InProcessServer
) -> None:
    page = await open_page(site, server)
    await sign_up(page)
    server.clock.advance(minutes=2 * 24 * 60)

    async def lose(route: Route) -> None:
        await (route.abort() if "User.autoLogin" in (route.request.post_data or "") else route.continue_())

    await page.route("**/json-rpc/**", lose)
    snippet = "CB.CloudUser.current.save({success: () => end('saved'), error: (e) => end(e.code)});"
    assert await run(page, snippet) == -13
    await page.unroute("**/json-rpc/**")
    await page.reload()
    assert await run(page, snippet) == "saved"


async def test_what_is_set_while_a_save_is_under_way_is_saved_next(site: Site, server: InProcessServer) -> None:
    page = await open_page(site, server)
    await sign_up(page)
    await page.evaluate(
        "(async () => { user.set('a', 1); user.set('c', 1); const saving = user.save();"
        " user.set('b', 2); user.set('c', 2); await saving; await user.save() })()"
    )
    ((properties,),) = server.rows("SELECT properties FROM users")
    assert properties == '{"email":"email@sample.com","a":1,"c":2,"b":2}'


async def test_signing_up_loses_no_value(site: Site, server: InProcessServer) -> None:
    """Neither an object that is new itself, nor what is set while the call runs."""
    make_tables(server)
    page = await open_page(site, server)
    assert await page.evaluate("""(async () => {
        const [user, company] = [new CB.CloudUser(), new CB.CloudObject('company')];
        user.set('username', 'anna');
        user.set('password', 'blue-whale-31');
        user.set('company', company);
        const signing = user.signUp();
        await new Promise((resolve) => setTimeout(resolve, 0));
        user.set('city', 'Oslo');
        await signing;
        const shown = user.get('city');
        await user.save();
        const now = await user.fetch();
        return [shown, now.get('city'), Boolean(company.id) && now.get('company').id === company.id];
    })()""") == ["Oslo", "Oslo", True]
    assert site.console == []


async def test_callbacks_that_throw(site: Site, server: InProcessServer) -> None:
    """Such a mistake reaches the page, but neither the promise nor the other callbacks."""
    make_tables(server)
    page = await open_page(site, server)
    assert await page.evaluate("""(async () => {
        const mistakes = [];
        const heard = new Promise((resolve) => {
            addEventListener('error', (event) => { // whose message pages of another origin are not told
                event.preventDefault();
                mistakes.push('mistake');
                if (mistakes.length === 2) { resolve(); }
            });
        });
        const song = new CB.CloudObject('song');
        const saved = await song.save({ success() { throw new Error('one'); }, error() { mistakes.push('no'); } });
        const closed = new CB.CloudObject('closed').save({ success() {}, error() { throw new Error('two'); } });
        const code = await closed.then(null, (error) => error.code);
        await heard;
        return [saved === song, code, ...mistakes];
    })()""") == [True, 14, "mistake", "mistake"]


async def test_what_is_undefined_is_not_saved(site: Site, server: InProcessServer) -> None:
    page = await open_page(site, server)
    await sign_up(page)
    assert await page.evaluate(
        "(async () => { user.set('email', undefined); await user.save(); return user.get('email') })()"
    ) in (None, "email@sample.com")
    await page.reload()
    assert await page.evaluate("CB.CloudUser.current.email") == "email@sample.com"


async def test_each_object_of_the_user_who_is_logged_in_is_current(site: Site, server: InProcessServer) -> None:
    page = await open_page(site, server)
    await sign_up(page)
    assert await page.evaluate(
        "(async () => { var v = new CB.CloudUser(); v.username = 'my_username'; v.password = 'my_solid_password';"
        " await v.logIn(); user.set('age', 5); await user.save(); return CB.CloudUser.current === v })()"
    )
    somebody = (
        "(async () => { var u = new CB.CloudUser(); u.username = 'x'; u.logOut({error: (e) => end(e.message)}) })()"
    )
    assert await run(page, somebody) == "This user is not logged in, so there is nobody to log out."


async def test_a_sign_in_that_does_not_fit_into_the_storage(site: Site, server: InProcessServer) -> None:
    """One user is never shown with the session of another."""
    page = await open_page(site, server)
    await sign_up(page)
    await page.evaluate(FILL)
    await page.evaluate(
        "(async () => { var b = new CB.CloudUser(); b.username = 'other'; b.password = 'secret';"
        " b.set('note', 'x'.repeat(2000)); await b.signUp() })()"
    )
    await page.reload()
    assert await page.evaluate("CB.CloudUser.current && CB.CloudUser.current.username") in (None, "other")


async def test_it_never_acts_for_the_user_of_another_tab(site: Site, server: InProcessServer) -> None:
    first, second = await open_page(site, server), await open_page(site, server)
    await sign_up(first)
    await second.evaluate(
        "(async () => { var o = new CB.CloudUser(); o.username = 'other'; o.password = 'secret'; await o.signUp() })()"
    )
    server.clock.advance(minutes=2 * 24 * 60)
    message = await run(
        first, "user.set('age', 1); user.save({success: () => end('saved'), error: (e) => end(e.message)});"
    )
    assert message == "You are not signed in any more. Log in again."
    assert server.rows("SELECT properties FROM users WHERE username = 'other'") == [("{}",)]
    assert await second.evaluate("CB.CloudUser.current.username") == "other"


async def test_without_init(site: Site, server: InProcessServer) -> None:
    page = await site.open(
        "http", f'<link rel="icon" href="data:,"><script src="{server.url}/js/cloudboost.js"></script>'
    )
    assert await run(page, NEW_USER + SIGN_UP) == "Call CB.CloudApp.init(url, backendId, apiKey) first."
    assert await page.evaluate("CB.CloudUser.current") is None
    with pytest.raises(Exception, match="backendId or apiKey is missing"):
        await page.evaluate("CB.CloudApp.init('http://localhost', 'app')")


async def test_init_without_an_address_means_the_server_of_the_script(site: Site, server: InProcessServer) -> None:
    tag = f'<script src="{server.url}/js/cloudboost.js"></script>'
    page = await site.open("http", f'<link rel="icon" href="data:,">{tag}')
    await page.evaluate(f"CB.CloudApp.init('{server.backend_id}', '{server.api_key}')")
    await sign_up(page)


async def test_a_wrong_key_and_a_server_that_is_away(site: Site, server: InProcessServer) -> None:
    page = await open_page(site, server)
    await page.evaluate(f"CB.CloudApp.init('{server.url}', 'app', 'wrong')")
    assert await run(page, NEW_USER + LOG_IN) == (
        "The backend id or the API key is wrong. Check CB.CloudApp.init(url, backendId, apiKey)."
    )
    await page.evaluate("CB.CloudApp.init('http://127.0.0.1:1', 'app', 'key')")
    assert await run(page, NEW_USER + LOG_IN) == "The server cannot be reached at http://127.0.0.1:1/json-rpc/app."
