"""jsonrpc-backend on npm is the folder jsonrpc_backend/js: packed, installed elsewhere, and used by its name."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jsonrpc_backend.web.scripts import FOLDER
from tests.collections.conftest import make_collection
from tests.documents import blocks, read
from tests.servers import InProcessServer
from tests.setup import JAVASCRIPT, NODE_MODULES, NPM, node, node_environment
from tests.test_javascript import MODULES, run_node
from tests.wire import Wire

pytestmark = pytest.mark.slow

README = "jsonrpc_backend/js/README.md"


def npm(*arguments: str, folder: Path) -> Any:
    """What an npm command says in JSON."""
    command = [node(), str(NPM), *arguments, "--json"]
    done = subprocess.run(command, cwd=folder, env=node_environment(), check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("packed")
    (package,) = npm("pack", "--pack-destination", str(folder), folder=FOLDER)
    return {**package, "file": folder / package["filename"]}


@pytest.fixture(scope="module")
def project(packed: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has installed the package, and nothing of this tree."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "package.json").write_text('{"private": true}')
    npm("install", "--offline", "--no-audit", "--no-fund", str(packed["file"]), folder=folder)
    return folder


def test_package_has_the_modules_their_types_and_the_licence(packed: dict[str, Any]) -> None:
    shipped = {file["path"] for file in packed["files"]}
    types = {path.name for path in FOLDER.glob("*.d.mts")}
    assert shipped == {*MODULES, *types, "LICENSE", "README.md", "package.json"}
    assert packed["name"] == "jsonrpc-backend"
    assert read("jsonrpc_backend/js/LICENSE") == read("LICENSE")


async def test_package_works_by_its_name(project: Path, server: InProcessServer) -> None:
    program = project / "program.mjs"
    program.write_text((JAVASCRIPT / "module.mjs").read_text())
    assert await run_node(program, "jsonrpc-backend", server.url, server.backend_id, server.api_key) == "through\n"


async def test_example_of_the_package(project: Path, server: InProcessServer, wire: Wire) -> None:
    (example,) = (block for block in blocks(README) if block.language == "js")
    await wire.register("anna@example.com", "secret")
    make_collection(server, "diary")
    text = example.text.replace("http://127.0.0.1:8080", server.url).replace("<API key>", server.api_key)
    program = project / "example.mjs"
    program.write_text(f"{text}\nconsole.log(user._username, items[0].text);\n")
    assert await run_node(program) == "anna@example.com Rain all day.\n"


async def test_compiler_finds_the_types_of_the_package(project: Path) -> None:
    (example,) = (block for block in blocks(README) if block.language == "js")
    program = project / "example.mts"
    program.write_text(f"{example.text}\nconst id: string = user._id;\nexport {{ id }};\n")
    options = ["--strict", "--noEmit", "--target", "es2022", "--module", "nodenext"]
    await run_node(NODE_MODULES / "typescript" / "bin" / "tsc", *options, program)
