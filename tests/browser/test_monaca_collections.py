"""Collections in a browser, from a web server and from a file: with our script, and with the old service's client."""

import pytest

from tests.browser.conftest import ORIGINS, Site, StartServer, script_tag
from tests.browser.test_monaca_client import HEAD, OLD_WEBVIEW
from tests.collections.conftest import make_collection
from tests.mailbox import Mailbox
from tests.servers import InProcessServer
from tests.setup import JAVASCRIPT
from tests.test_javascript import make_collections


@pytest.mark.parametrize("origin", ORIGINS)
async def test_collections(site: Site, server: InProcessServer, origin: str) -> None:
    make_collections(server)
    snippets = (JAVASCRIPT / "collections.cjs").read_text(encoding="utf-8")
    page = await site.open(origin, f"{HEAD}{script_tag(server)}<script>{snippets}</script>")
    assert await page.evaluate("runSnippets(monaca.cloud)") == []
    assert site.console == []
    await page.evaluate("monaca.cloud.Push.setHandler('alert')")
    assert site.console == ["warning: Push.setHandler takes a function; this call of it is ignored."]
    await page.reload()
    assert await page.evaluate("monaca.cloud.Device.getProperty('theme')") == "dark"


async def test_mail_to_another_user(site: Site, start: StartServer, mailbox: Mailbox) -> None:
    template = {"subject": "%FROM% invites you", "from": "app@example.com", "body": "%USERNAME%, come to %PLACE%!"}
    backend = {"mail_templates": {"invitation": template}}
    server = await start({"smtp": mailbox.settings, "backends": {"app": backend}})
    page = await site.open("http", HEAD + script_tag(server))
    bea = "(window.bea = monaca.cloud.User.register('bea@example.com', 'password')).then((result) => result.user._id)"
    await page.evaluate(bea)
    call = "bea.then((result) => monaca.cloud.Mailer.sendMail(result.user._id, 'invitation', {FROM: 'Anna', PLACE: 1}))"
    assert await page.evaluate(call) == "OK"
    mail = await mailbox.next()
    assert (mail.message["Subject"], mail.text.strip()) == ("Anna invites you", "bea@example.com, come to 1!")
    unknown = "monaca.cloud.Mailer.sendMail('nobody', 'invitation', null, null).catch((error) => error.data)"
    assert await page.evaluate(unknown) == {"userOid": "There is no such user."}


async def test_an_old_webview(site: Site, server: InProcessServer) -> None:
    make_collections(server)
    told = """<script>
    var diary = monaca.cloud.Collection("Diary");
    diary.insert({title: "Milk"})
        .then(function (item) { item.title = "Cream"; return item.update(); })
        .then(function () { return diary.findMine({title: "Cream"}); })
        .done(function (result) { console.log(result.totalItems + " " + result.items[0].title); })
        .fail(function (error) { console.log(JSON.stringify(error)); });
    </script>"""
    async with site.context.expect_event("console"):
        await site.open("http", HEAD + OLD_WEBVIEW + script_tag(server) + told)
    assert site.console == ["log: 1 Cream"]


# What clients of the old service send, and read of the answers. `call` comes to the result, or to the error's code.
OLD_CLIENT = """
<script>
const url = "{url}/json-rpc/", backendId = "{backend_id}", apiKey = "{api_key}", deviceId = "an old phone";
let session = "";
function call(method, params) {{
    params.__api_key = apiKey;
    params.__device = deviceId;
    if (session) params.__session = session;
    return new Promise((resolve, reject) => {{
        const request = new XMLHttpRequest();
        request.open("POST", url + backendId);
        request.setRequestHeader("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8");
        request.onerror = () => reject(new Error("no connection"));
        request.onload = () => {{
            const answer = JSON.parse(request.responseText);
            session = request.getResponseHeader("X-Set-Monaca-Cloud-Session") || session;
            if (request.status !== 200 || answer.id !== "1") reject(new Error(request.responseText));
            else if (typeof answer.error !== "undefined") resolve(answer.error.code);
            else if (typeof answer.result.loginToken !== "undefined") resolve(answer.result.user._id);
            else resolve(answer.result);
        }};
        request.send(JSON.stringify({{jsonrpc: "2.0", method: method, params: params, id: "1"}}));
    }});
}}
const collectionName = "Diary";
const find = (query, bindParams, orderBy, options) =>
    call("Collection.find", {{collectionName, criteria: query, bindParams, orderBy, options}});
const insert = (item, permission) => call("Collection.insert", {{collectionName, item, permission}});
const one = (title) => find("title == ?", [title]).then((found) => found.items[0]);
async function onItem(method, title, params) {{
    return call(method, {{collectionName, itemOid: (await one(title))._id, ...params}});
}}
async function updatePermission(title, permission) {{
    const params = {{criteria: "_id == ?", bindParams: [(await one(title))._id], permission, options: {{}}}};
    return call("Collection.updatePermission", {{collectionName, ...params}});
}}
const titles = (found) => found.items.map((item) => item.title).join(" ");
// It adds its term to the criteria that the app has given; an app that keeps them adds one at each call.
const criteria = {{query: "title != ?", bindParams: ["Tea"]}};
function findMine(field, id) {{
    criteria.query = "(" + criteria.query + ") && (" + field + " == ?)";
    criteria.bindParams.push(id);
    return find(criteria.query, criteria.bindParams, null);
}}
</script>
"""

# (What it does, what comes of it.) In this order.
OLD_CALLS: list[tuple[str, object]] = [
    (
        "insert({title: 'Milk', b_c: [1]}, {}).then(r => Object.keys(r.item).sort())",
        ["_createdAt", "_id", "_ownerUserOid", "_updatedAt", "b_c", "title"],
    ),
    ("insert({title: 'Tea'}, {public: 'r'}).then(r => r.item._ownerUserOid)", None),
    ("find('', []).then(titles)", "Milk Tea"),
    ("find('', [], 'title DESC', {limit: 1, orderBy: 'title DESC', other: 1}).then(titles)", "Tea"),
    ("find('', [], ['title DESC']).then(r => r.items[0].title)", "Tea"),
    ("find('title == \"Milk\"', []).then(r => [r.totalItems, r.items[0].b_c[0]])", [1, 1]),
    ("find('title == \"Coffee\"', [], null).then(r => [r.totalItems, r.items.length])", [0, 0]),
    ("findMine('_ownerDeviceOid', deviceId).then(titles)", "Milk"),
    ("findMine('_ownerDeviceOid', deviceId).then(titles)", "Milk"),
    ("find('(_ownerDeviceOid == ?)', ['another phone']).then(titles)", ""),
    ("onItem('Collection.update', 'Milk', {data: {title: 'Milk', body: 'cold'}})", "OK"),
    ("one('Milk').then(item => [item.body, item.b_c[0]])", ["cold", 1]),
    ("find('_createdAt <= ?', [new Date(2100, 1)]).then(titles)", "Milk Tea"),
    ("call('User.register', {username: 'me@example.com', password: 'password'}).then(id => (window.me = id)[0])", "u"),
    ("insert({title: 'Mine'}, {}).then(r => r.item._ownerUserOid === me)", True),
    ("Object.assign(criteria, {query: 'title != ?', bindParams: ['Tea']}).query", "title != ?"),
    ("findMine('_ownerUserOid', me).then(titles)", "Mine"),
    ("Promise.all(Array.from({length: 60}, () => findMine('_ownerUserOid', me))).then(r => titles(r.pop()))", "Mine"),
    ("updatePermission('Mine', {public: 'r', placeholder: 'rw'})", {"numUpdates": 1}),
    ("onItem('Collection.getPermission', 'Mine')", {"permission": {"public": "r", "placeholder": "rw"}}),
    ("onItem('Collection.delete', 'Mine')", "OK"),
    ("call('Collection.find', {collectionName: 'Dairy', criteria: '', bindParams: []})", -32602),
    ("call('Device.saveProperties', {properties: {theme: 'dark'}})", "OK"),
    ("call('Device.getProperties', {names: ['theme']}).then(r => r.properties.theme)", "dark"),
    ("call('User.logout', {})", "OK"),
    ("find('', [])", 11),
]


@pytest.mark.parametrize("origin", ORIGINS)
async def test_a_page_that_keeps_its_old_client(site: Site, server: InProcessServer, origin: str) -> None:
    make_collection(server, "Diary")
    values = {"url": server.url, "backend_id": server.backend_id, "api_key": server.api_key}
    page = await site.open(origin, HEAD + OLD_CLIENT.format(**values))
    assert [(call, await page.evaluate(call)) for call, _ in OLD_CALLS] == OLD_CALLS
    assert site.console == []
