"""CONTRIBUTING's "Add a method", done to the letter in a copy of the tree: fast tests that can notice pass there."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import aiohttp
import pytest

from tests.documents import ROOT, section
from tests.servers import served
from tests.wire import Wire

pytestmark = pytest.mark.slow

NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "node_modules", "build")


# What tells which methods there are: their list, their schemas, the documents, the tree. Other tests have nothing to
# notice a new one by.
NOTICES = re.compile(r"\w+_API\b|tests\.(?:examples|documents|derived)|schema_files|openrpc|\bROOT\b")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of this one. What is started in it finds the copy before what is installed."""
    copy = tmp_path / "tree"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    modules = Path("tests", "javascript", "node_modules")
    if (ROOT / modules).is_dir():
        (copy / modules).symlink_to(ROOT / modules)
    return copy


def run(tree: Path, *command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-10_000:]
    return done.stdout


def steps() -> dict[str, str]:
    """The files of the section, and what is to be written into each."""
    found = re.findall(r"(?ms)^\d\. `([\w./]+)`.*?^   ```\w+\n(.*?)^   ```$", section("Add a method").text)
    return {path: textwrap.dedent(text) for path, text in found}


def add(file: Path, text: str) -> None:
    """A new file, or a function at the end of one, with its imports where those are."""
    if file.exists():
        imports, function = re.split(r"\n{2,}", text, maxsplit=1)
        before, _, after = file.read_text(encoding="utf-8").partition("\nfrom ")
        text = f"{before}\n{imports}\nfrom {after}\n\n{function}"
    file.write_text(text, encoding="utf-8")


def test_a_new_method_is_three_files(tree: Path) -> None:
    assert len(steps()) == 3
    for path, text in steps().items():
        add(tree / path, text)
    run(tree, "tests.derived")
    for derived in ("docs/methods.md", "docs/ja/methods.md", "jsonrpc_backend/js/methods.d.mts"):
        assert "Account.isOlderThan" in (tree / derived).read_text(encoding="utf-8")
    run(tree, "ruff", "check", "--select", "I", "--fix", "jsonrpc_backend")
    run(tree, "ruff", "check", ".")
    run(tree, "ruff", "format", "--check", ".")
    printed = run(tree, "pytest", "-v", "-m", "fast", "-n", "2", "-p", "no:cacheprovider", *that_notice(tree))
    assert re.search(r"(?m)^=+ \d{4,} passed", printed)
    for tested in ("tests/methods/test_account.py::", "tests/test_registry.py::", "tests/test_layers.py::"):
        assert tested in printed


def that_notice(tree: Path) -> list[str]:
    """The files of tests that can notice a new method, and its own."""
    files = (file.relative_to(tree) for file in (tree / "tests").rglob("test_*.py"))
    own = Path("tests", "methods", "test_account.py")
    return [str(file) for file in files if file == own or NOTICES.search((tree / file).read_text(encoding="utf-8"))]


# --- a module and a table of its own -----------------------------------------------------------------------

HANDLER = """
from jsonrpc_backend.rpc.call import Call
from jsonrpc_backend.rpc.registry import Registry, SessionRule
from jsonrpc_backend.store import notes

handlers = Registry()

@handlers.method("Note.add", session=SessionRule.REQUIRED)
async def add(call: Call, text: str) -> str:
    await call.backend.database.write(notes.insert, call.user.key, text, call.now)
    return "OK"
"""

STORE = """
from jsonrpc_backend.store.engine import Db

def insert(db: Db, user_key: int, text: str, now: int) -> None:
    db.execute("INSERT INTO notes (user_key, text, created_at) VALUES (?, ?, ?)", (user_key, text, now))
"""

TABLE = (
    '    ("CREATE TABLE notes (user_key INTEGER NOT NULL, text TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT",),\n'
)


def add_with_a_table(tree: Path) -> None:
    schema = steps()["schemas/Account.isOlderThan.json"].replace("Account.isOlderThan", "Note.add")
    params = re.sub(r'"days": \{.*\}', '"text": {"description": "Text.", "type": "string"}', schema)
    (tree / "schemas" / "Note.add.json").write_text(params.replace('["days"]', '["text"]'), encoding="utf-8")
    package = tree / "jsonrpc_backend"
    (package / "methods" / "note.py").write_text(HANDLER, encoding="utf-8")
    listed = package / "methods" / "__init__.py"
    apis = listed.read_text(encoding="utf-8")
    for before, after in (("    access,\n", "    access,\n    note,\n"), ("[user.", "[note.handlers, user.")):
        assert before in apis
        apis = apis.replace(before, after)
    listed.write_text(apis, encoding="utf-8")
    (package / "store" / "notes.py").write_text(STORE, encoding="utf-8")
    migrations = package / "store" / "sqlite" / "migrations.py"
    text = migrations.read_text(encoding="utf-8")
    assert text.endswith(")\n")
    migrations.write_text(text.removesuffix(")\n") + TABLE + ")\n", encoding="utf-8")


async def test_a_new_method_with_a_table(tree: Path, http: aiohttp.ClientSession) -> None:
    add_with_a_table(tree)
    # It starts in the folder above its data.
    with served(tree / "data") as server:
        app = Wire(http, server)
        assert (await app.call("Note.add", text="milk")).code == 11
        await app.register()
        assert (await app.call("Note.add", text=1)).code == -32602
        assert (await app.call("Note.add", text="milk")).result == "OK"
