"""The client scripts without a browser: how they are served, their types, Node.js, the syntax of old WebViews."""

import asyncio
import gzip
import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from jsonrpc_backend.web import scripts
from tests.collections.conftest import make_collection
from tests.conftest import StartServer
from tests.documents import ROOT, read
from tests.patience import HANG_SECONDS
from tests.servers import InProcessServer, running
from tests.setup import JAVASCRIPT, NODE_MODULES, NPM_PACKAGES, need, node, node_environment, npm_packages_are_there

CLASSIC = ["cloudboost.js", "monaca.cloud.js"]
MODULES = [
    "absent.mjs",
    "cloudboost-absent.mjs",
    "cloudboost-acl.mjs",
    "cloudboost-app.mjs",
    "cloudboost-conditions.mjs",
    "cloudboost-document.mjs",
    "cloudboost-errors.mjs",
    "cloudboost-geo.mjs",
    "cloudboost-including.mjs",
    "cloudboost-json.mjs",
    "cloudboost-object.mjs",
    "cloudboost-query.mjs",
    "cloudboost-saving.mjs",
    "cloudboost-times.mjs",
    "cloudboost-user.mjs",
    "cloudboost-values.mjs",
    "cloudboost.mjs",
    "connection.mjs",
    "device.mjs",
    "errors.mjs",
    "jsonrpc-backend.mjs",
    "locks.mjs",
    "monaca-collections.mjs",
    "monaca-criteria.mjs",
    "monaca-properties.mjs",
    "monaca-push.mjs",
    "monaca.mjs",
    "objects.mjs",
    "promise.mjs",
    "root.mjs",
    "script-tag.mjs",
    "sign-in.mjs",
    "storage.mjs",
    "timer.mjs",
    "transport.mjs",
]
TYPES = ["calls.d.mts", "cloudboost.d.mts", "collections.d.mts", "jsonrpc-backend.d.mts", "methods.d.mts"]


ACORN = NODE_MODULES / "acorn" / "bin" / "acorn"
BIOME = NODE_MODULES / "@biomejs" / "biome" / "bin" / "biome"


def make_collections(server: InProcessServer) -> None:
    """Those of the snippets in tests/javascript/collections.cjs."""
    make_collection(server, "Diary")
    make_collection(server, "Board", public="r")
    make_collection(server, "News", insertable=False, public="r")


def make_tables(server: InProcessServer) -> None:
    """Those of the snippets in tests/javascript/cloudboost-run.cjs."""
    for name in ("votes", "company", "song"):
        make_collection(server, name, public="rw")
    make_collection(server, "notes")
    make_collection(server, "closed", insertable=False, public="r")


async def in_node(*arguments: str | Path, folder: Path = JAVASCRIPT) -> tuple[int | None, str, str]:
    """How a Node.js program that runs in `folder` ends, and what it prints to stdout and to stderr."""
    need(NPM_PACKAGES, npm_packages_are_there())
    process = await asyncio.create_subprocess_exec(
        node(),
        *map(str, arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=node_environment(),
    )
    output, errors = await asyncio.wait_for(process.communicate(), HANG_SECONDS)
    return process.returncode, output.decode(), errors.decode()


async def run_node(*arguments: str | Path) -> str:
    """What a Node.js program prints; it must end well and print nothing to stderr."""
    code, output, errors = await in_node(*arguments)
    assert (code, errors) == (0, ""), output
    return output


def copy_scripts(folder: Path) -> Path:
    """A copy of the scripts, to be edited."""
    return Path(shutil.copytree(scripts.FOLDER, folder / "js"))


# --- how they are served ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLASSIC + MODULES + TYPES)
async def test_served(http: aiohttp.ClientSession, server: InProcessServer, name: str) -> None:
    async with http.get(f"{server.url}/js/{name}", headers={"Origin": "null"}) as response:
        text = await response.text()
        assert response.status == 200
        assert response.content_type == ("text/plain" if name in TYPES else "text/javascript")
        assert response.charset == "utf-8"
        headers = response.headers
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == ("public, max-age=3600" if name in CLASSIC else "no-cache")
    assert "Set-Cookie" not in headers
    expected = scripts.classic_script(name) if name in CLASSIC else (scripts.FOLDER / name).read_text("utf-8")
    assert text == expected


def test_every_file_of_the_folder_is_served() -> None:
    assert sorted(scripts.all_scripts()) == sorted(CLASSIC + MODULES + TYPES)


async def test_a_script_that_has_not_changed_is_not_sent_again(
    http: aiohttp.ClientSession, server: InProcessServer
) -> None:
    url = f"{server.url}/js/monaca.cloud.js"
    async with http.get(url) as response:
        etag = response.headers["ETag"]
    for value, status in (
        (etag, 304),
        (f'"other", {etag}', 304),
        (etag.removeprefix("W/"), 304),
        ("*", 304),
        ('"other"', 200),
    ):
        async with http.get(url, headers={"If-None-Match": value}) as response:
            assert response.status == status
            assert response.headers["ETag"] == etag
            assert response.headers["Access-Control-Allow-Origin"] == "*"
    async with http.head(url) as response:
        assert response.status == 200
        assert await response.read() == b""


async def test_compressed_where_the_browser_can(server: InProcessServer) -> None:
    async with aiohttp.ClientSession(auto_decompress=False) as plain:
        for accepted, encoding in (
            ("gzip, deflate, br", "gzip"),
            ("br, GZIP;q=0.5", "gzip"),
            ("identity", None),
            ("br, gzip; q=0", None),
        ):
            async with plain.get(f"{server.url}/js/monaca.cloud.js", headers={"Accept-Encoding": accepted}) as response:
                body = await response.read()
                assert response.headers.get("Content-Encoding") == encoding
                assert response.headers["Vary"] == "Accept-Encoding"
                text = gzip.decompress(body) if encoding else body
                assert text.decode() == scripts.classic_script("monaca.cloud.js")


@pytest.mark.parametrize("name", ["nothing.js", "classic", "..%2fapp.py", "%2e%2e%2fapp.py", "package.json", ""])
async def test_nothing_else_is_served(http: aiohttp.ClientSession, server: InProcessServer, name: str) -> None:
    async with http.get(f"{server.url}/js/{name}") as response:
        assert response.status == 404


async def test_in_development_an_edit_is_seen_at_once(
    http: aiohttp.ClientSession, tmp_path: Path, start: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_scripts(tmp_path)
    monkeypatch.setattr(scripts, "FOLDER", folder)
    async with running((await start()).config, development=True) as server:
        (folder / "monaca.mjs").write_text("/* edited */")
        async with http.get(f"{server.url}/js/monaca.cloud.js") as response:
            assert response.headers["Cache-Control"] == "no-cache"
            assert "/* edited */" in await response.text()


@pytest.mark.parametrize("document", ["docs/clients.md", "docs/ja/clients.md"])
def test_they_are_as_small_as_the_documents_say(document: str) -> None:
    """What a phone has to load, compressed."""
    served = scripts.all_scripts()
    sizes = {name: len(served[name].compressed) for name in CLASSIC}
    sizes["jsonrpc-backend.mjs"] = sum(len(served[name].compressed) for name in MODULES if name != "script-tag.mjs")
    rows = re.findall(r"^\| `/js/(\S+)` \|.*\D(\d+) KB", read(document), re.MULTILINE)
    assert {name: int(stated) for name, stated in rows} == {name: round(size / 1000) for name, size in sizes.items()}


# --- what they are ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSIC)
async def test_old_webviews_can_parse_it(tmp_path: Path, name: str) -> None:
    """ECMAScript 5, the language of Android 4 and iOS 6."""
    (tmp_path / name).write_text(scripts.classic_script(name))
    await run_node(ACORN, "--ecma5", "--silent", tmp_path / name)


async def names_declared_twice(folder: Path, name: str) -> list[str]:
    """Of the outermost names of a script for a script tag, those that more than one of its modules has."""
    (folder / name).write_text(scripts.classic_script(name))
    tree = json.loads(await run_node(ACORN, "--ecma5", "--compact", folder / name))
    declared = [
        declaration["id"]["name"]
        for statement in tree["body"][0]["expression"]["callee"]["body"]["body"]
        if statement["type"] in {"FunctionDeclaration", "VariableDeclaration"}
        for declaration in statement.get("declarations", [statement])
    ]
    assert {"CloudError", "root"} < set(declared)
    return [name for name, count in Counter(declared).items() if count > 1]


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSIC)
async def test_no_two_modules_of_a_script_share_a_name(tmp_path: Path, name: str) -> None:
    """They are put into one function, where the later one would take the place of the other without a word."""
    assert await names_declared_twice(tmp_path, name) == []


@pytest.mark.slow
@pytest.mark.parametrize("declaration", ["function settle() {}", "var first = 1,\n    settle = 2;"])
async def test_a_shared_name_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declaration: str) -> None:
    monkeypatch.setattr(scripts, "FOLDER", copy_scripts(tmp_path))
    with (scripts.FOLDER / "monaca.mjs").open("a") as file:
        file.write(f"\n{declaration}\n")
    assert await names_declared_twice(tmp_path, "monaca.cloud.js") == ["settle"]


async def biome(folder: Path) -> tuple[int | None, str, str]:
    """What the linter and formatter says of a tree, by the rules of its biome.json."""
    return await in_node(BIOME, "ci", "--error-on-warnings", "--reporter=github", folder=folder)


@pytest.mark.slow
@pytest.mark.lint
async def test_the_linter_and_the_formatter_find_nothing() -> None:
    code, findings, errors = await biome(ROOT)
    assert code == 0, f"{findings}{errors}\nrun: node {BIOME.relative_to(ROOT)} check --write"


PLANTED = """\
var unused = 1;
function planted(a) {
    return { a: a, a: missing };
    planted();
}
if (planted == 1) planted()
"""


@pytest.mark.slow
@pytest.mark.parametrize("path", ["jsonrpc_backend/js/x.mjs", "jsonrpc_backend/web/docs/x.mjs", "examples/app/x.js"])
async def test_the_linter_sees_faults(tmp_path: Path, path: str) -> None:
    shutil.copy(ROOT / "biome.json", tmp_path)
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(PLANTED)
    code, findings, _ = await biome(tmp_path)
    assert code == 1
    assert {
        "format",
        "lint/correctness/noUndeclaredVariables",
        "lint/correctness/noUnreachable",
        "lint/correctness/noUnusedVariables",
        "lint/suspicious/noDoubleEquals",
        "lint/suspicious/noDuplicateObjectKeys",
    } <= set(re.findall(r"^::error title=([^,]+),", findings, re.MULTILINE))


@pytest.mark.slow
async def test_the_compiler_accepts_good_calls_and_refuses_bad_ones() -> None:
    await run_node(NODE_MODULES / "typescript" / "bin" / "tsc", "--project", JAVASCRIPT)


# --- Node.js ---------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_the_module_in_node(server: InProcessServer) -> None:
    module = (scripts.FOLDER / "jsonrpc-backend.mjs").as_uri()
    printed = await run_node(JAVASCRIPT / "module.mjs", module, server.url, server.backend_id, server.api_key)
    assert printed == "through\n"


@pytest.mark.slow
async def test_collections_in_node(server: InProcessServer) -> None:
    make_collections(server)
    module = (scripts.FOLDER / "jsonrpc-backend.mjs").as_uri()
    printed = await run_node(JAVASCRIPT / "collections.mjs", module, server.url, server.backend_id, server.api_key)
    assert json.loads(printed) == []


@pytest.mark.slow
async def test_the_module_as_a_package(tmp_path: Path, server: InProcessServer) -> None:
    """As `npm install <folder>` and bundlers see it: by its name."""
    modules = tmp_path / "node_modules"
    modules.mkdir()
    (modules / "jsonrpc-backend").symlink_to(scripts.FOLDER)
    program = tmp_path / "program.mjs"
    program.write_text((JAVASCRIPT / "module.mjs").read_text())
    assert await run_node(program, "jsonrpc-backend", server.url, server.backend_id, server.api_key) == "through\n"


@pytest.mark.slow
async def test_cloudboosts_snippets_in_node(
    tmp_path: Path, http: aiohttp.ClientSession, server: InProcessServer
) -> None:
    async with http.get(f"{server.url}/js/cloudboost.js") as response:
        (tmp_path / "cloudboost.js").write_text(await response.text())
    arguments = (tmp_path / "cloudboost.js", server.url, server.backend_id, server.api_key)
    assert await run_node(JAVASCRIPT / "cloudboost.cjs", *arguments) == "through\n"


TWO_USERS = """
const [script, ...where] = process.argv.slice(2);
const CB = require(script);
const user = (username) => {
    const made = new CB.CloudUser();
    made.set("username", username);
    made.set("password", "blue-whale-31");
    return made;
};
(async () => {
    CB.CloudApp.init(...where);
    await user("anna").save();
    await user("bert").save();
    const anna = await user("anna").logIn();
    await anna.logOut();
    console.error("in turn");
    await user("bert").logIn();
    console.error("side by side");
    await user("anna").logIn();
    await user("bert").logIn();
})();
"""


@pytest.mark.slow
async def test_node_is_told_once_that_its_users_share_a_sign_in(tmp_path: Path, server: InProcessServer) -> None:
    (tmp_path / "cloudboost.js").write_text(scripts.classic_script("cloudboost.js"))
    (tmp_path / "users.cjs").write_text(TWO_USERS)
    arguments = (tmp_path / "cloudboost.js", server.url, server.backend_id, server.api_key)
    code, _, errors = await in_node(tmp_path / "users.cjs", *arguments)
    first, second, warning = errors.splitlines()
    assert (code, first, second) == (0, "in turn", "side by side")
    assert warning.startswith("In Node.js CB.CloudUser.current belongs to the whole process")


@pytest.mark.slow
async def test_cloudboosts_objects_in_node(tmp_path: Path, server: InProcessServer) -> None:
    make_tables(server)
    (tmp_path / "cloudboost.js").write_text(scripts.classic_script("cloudboost.js"))
    arguments = (tmp_path / "cloudboost.js", server.url, server.backend_id, server.api_key)
    assert json.loads(await run_node(JAVASCRIPT / "cloudboost-run.cjs", *arguments)) == []
