"""Every fenced block of the documents is executed, or says here why it is not."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jsonrpc_backend.client import Client
from tests.documents import DOCUMENTS, ROOT, Block, blocks
from tests.patience import HANG_SECONDS
from tests.servers import ServerProcess
from tests.servers import served as serve_process
from tests.setup import program
from tests.shell import QuickShell
from tests.wire import SESSION_HEADER

pytestmark = pytest.mark.slow

# Blocks that are not executed, by document and the beginning of their first line.
NOT_EXECUTED = {
    ("README.md", "python3 run.py serve"): "installs into .venv; .ci/run begins with run.py, check_wheel.py serves",
    ("README.md", "python3 run.py test"): "these tests; .ci/run begins with it",
    ("CONTRIBUTING.md", "jsonrpc_backend/"): "a drawing; test_drawing_of_the_code compares it with the folders",
    ("CONTRIBUTING.md", "{"): "a schema; tests/test_new_method.py takes all steps in a copy",
    ("CONTRIBUTING.md", "from jsonrpc_backend.clock import DAY"): "its handler; the same test writes it into its file",
    ("CONTRIBUTING.md", '"""`Account.isOlderThan`."""'): "its test; the same test runs it there",
    ("docs/operations.md", '{"time":'): "a line of the log; tests/test_logs.py reads those of a server",
    ("docs/performance.md", "python3 run.py build-argon2"): ".ci/check_argon2_build.py runs it",
    ("docs/performance.md", 'CFLAGS="-O3 -march=native'): "what run.py build-argon2 does",
    ("docs/running.md", "git clone https://example.com"): "needs a booted systemd; test_systemd_units.py has its parts",
    ("docs/running.md", "/opt/jsonrpc-backend/.venv/bin"): "outside of a test's folder; test_commands_of_documents",
    ("docs/running.md", "docker compose up"): "needs an engine; test_container.py checks what it would start",
    ("docs/running.md", "cd /opt/jsonrpc-backend"): "needs a booted systemd and a newer version",
}

API_KEY, MANAGEMENT_KEY = "key-of-the-app", "key-of-the-management-api"

# What the text around a block has told its reader to configure.
CONFIGURATION = f"""
[backends.app]
api_key = "{API_KEY}"

[[backends.app.management_keys]]
label = "our server"
key = "{MANAGEMENT_KEY}"

[smtp]
host = "localhost"

[backends.app.mail_templates.send_password_token]
subject = "Your code"
from = "app@example.com"
body = "%PASSWORD_RESET_TOKEN%"
"""
CONFIGURED = re.compile("<management key>|send-reset")

# JavaScript and HTML run in tests/browser/test_snippets.py.
LANGUAGES_HERE = {"sh", "python", "toml"}
LANGUAGES_IN_BROWSER = {"js", "html"}

ALL = [block for document in DOCUMENTS for block in blocks(document)]


def is_listed(block: Block) -> bool:
    return any(block.document == document and block.first.startswith(first) for document, first in NOT_EXECUTED)


def to_run(*languages: str) -> list[Block]:
    return [block for block in ALL if block.language in languages and not is_listed(block)]


def test_every_block_has_its_test() -> None:
    runs = to_run(*LANGUAGES_HERE, *LANGUAGES_IN_BROWSER)
    missing = [str(block) for block in ALL if block not in runs and not is_listed(block)]
    assert not missing, "write its language (sh, python, toml, js, html) behind ```, or list it with a reason"


def test_what_is_listed_exists() -> None:
    for document, first in NOT_EXECUTED:
        assert any(block.document == document and block.first.startswith(first) for block in ALL), first


@pytest.fixture
def server(tmp_path: Path, block: Block) -> Iterator[ServerProcess]:
    """The embedded default in ./data of the test's folder, as a reader has it; configured where the block needs it."""
    configured = CONFIGURED.search(block.text)
    if configured:
        (tmp_path / "config.toml").write_text(CONFIGURATION, encoding="utf-8")
    with serve_process(tmp_path / "data") as process:
        process.api_key = API_KEY if configured else process.api_key
        if "client.collection(" in block.text:
            QuickShell(tmp_path).ok("collection", "create", "diary", "--insertable")
        yield process


def filled_in(text: str, server: ServerProcess) -> str:
    """A block with what its reader would put in; the user whom `serve` proposes has signed in."""
    if "<session id>" in text:
        text = text.replace("<session id>", new_session(server))
    text = text.replace("http://127.0.0.1:8080", server.url).replace("<management key>", MANAGEMENT_KEY)
    return text.replace("<API key>", server.api_key)


def new_session(server: ServerProcess) -> str:
    params = {"__api_key": server.api_key, "__device": "test", "username": "signed-in@example.com", "password": "word"}
    call = {"jsonrpc": "2.0", "id": "1", "method": "User.register", "params": params}
    with urllib.request.urlopen(server.endpoint, data=json.dumps(call).encode(), timeout=HANG_SECONDS) as response:
        return str(response.headers[SESSION_HEADER])


def programs(folder: Path) -> Path:
    """A folder of the programs that blocks name, as they are called here."""
    (folder / "bin").mkdir()
    installed = folder / "bin" / "jsonrpc-backend"
    installed.write_text(f'#!/bin/sh\nexec {sys.executable} -m jsonrpc_backend "$@"\n')
    installed.chmod(0o755)
    return installed.parent


@pytest.mark.parametrize("block", to_run("sh"), ids=str)
def test_shell(block: Block, tmp_path: Path, server: ServerProcess) -> None:
    if "curl " in block.text:
        program("curl")
    with Client(server.url, backend_id=server.backend_id, api_key=server.api_key) as client:
        client.user.register("me@example.com", "password")
    # One folder has one server; where the block starts its own, it gets a folder of its own.
    folder = tmp_path / "own" if "jsonrpc-backend serve" in block.text else tmp_path
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "examples" / "users.csv", folder)
    with zipfile.ZipFile(folder / "export.zip", "w") as export:  # as the old service gave it out
        export.writestr("collection_diary.json", json.dumps({"results": [{"monaca_id": "i1", "title": "Milk"}]}))
    text = filled_in(block.text, server).replace(".venv/bin/python examples/", f"{sys.executable} {ROOT}/examples/")
    text = text.replace("jsonrpc-backend serve", f"{sys.executable} -m tests.serve_once")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env={**os.environ, "PATH": f"{programs(tmp_path)}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"error"' not in done.stdout
    if "curl " in block.text and "/json-rpc/" in block.text:
        assert '"result"' in done.stdout


@pytest.mark.parametrize("block", to_run("python"), ids=str)
def test_python(block: Block, tmp_path: Path, server: ServerProcess) -> None:
    program = tmp_path / "snippet.py"
    program.write_text(filled_in(block.text, server), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=HANG_SECONDS, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("block", to_run("toml"), ids=str)
def test_toml(block: Block, quick: QuickShell) -> None:
    """The settings exist and their values are allowed; what a block leaves out comes from the environment."""
    for name in re.findall(r'(?m)^body_file = "(.*?)"', block.text):
        (quick.folder / name).write_text("%PASSWORD_RESET_TOKEN%")
    missing = {} if re.search("(?m)^api_key = ", block.text) else {"JSONRPC_BACKEND_BACKENDS_APP_API_KEY": "key"}
    text = block.text if "[backends.app" in block.text else f"{block.text}\n[backends.app]\n"
    text = text.replace("<a long random string>", MANAGEMENT_KEY)
    (quick.folder / "config.toml").write_text(text, encoding="utf-8")
    quick.ok("check-config", JSONRPC_BACKEND_SMTP_PASSWORD="secret", **missing)
