"""CONTRIBUTING's "Add a method", done step by step in a copy of the tree: the method works."""

import json
import shutil
from pathlib import Path

import aiohttp
import pytest

from tests.documents import ROOT, blocks
from tests.servers import served
from tests.wire import Wire

pytestmark = pytest.mark.slow

STORE = """
from jsonrpc_backend.store.engine import Db

def insert(db: Db, user_key: int, text: str, now: int) -> None:
    db.execute("INSERT INTO notes (user_key, text, created_at) VALUES (?, ?, ?)", (user_key, text, now))
"""

HEAD = """
from jsonrpc_backend.rpc.call import Call
from jsonrpc_backend.rpc.registry import Registry, SessionRule
from jsonrpc_backend.store import notes

handlers = Registry()
method = handlers.method

"""

TABLE = (
    '    ("CREATE TABLE notes (user_key INTEGER NOT NULL, text TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT",),\n'
)


def add_method(tree: Path) -> None:
    (handler,) = [block.text for block in blocks("CONTRIBUTING.md") if "Note.add" in block.text]
    neighbour = json.loads((tree / "schemas" / "User.saveProperty.json").read_text(encoding="utf-8"))
    params = {**neighbour["params"], "properties": {"text": {"type": "string"}}, "required": ["text"]}
    schema = {**neighbour, "$id": "Note.add.json", "title": "Note.add", "params": params}
    (tree / "schemas" / "Note.add.json").write_text(json.dumps(schema), encoding="utf-8")
    package = tree / "jsonrpc_backend"
    (package / "methods" / "note.py").write_text(HEAD + handler, encoding="utf-8")
    listed = package / "methods" / "__init__.py"
    apis = listed.read_text(encoding="utf-8")
    apis = apis.replace("methods import access,", "methods import note, access,").replace(
        "[user.", "[note.handlers, user."
    )
    listed.write_text(apis, encoding="utf-8")
    (package / "store" / "notes.py").write_text(STORE, encoding="utf-8")
    migrations = package / "store" / "sqlite" / "migrations.py"
    text = migrations.read_text(encoding="utf-8")
    assert text.endswith(")\n")
    migrations.write_text(text.removesuffix(")\n") + TABLE + ")\n", encoding="utf-8")


async def test_a_new_method(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    tree = tmp_path / "tree"
    for folder in ("jsonrpc_backend", "schemas"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    add_method(tree)
    # It starts in the folder above its data, where Python finds the copy before what is installed.
    with served(tree / "data") as server:
        app = Wire(http, server)
        assert (await app.call("Note.add", text="milk")).code == 11
        await app.register()
        assert (await app.call("Note.add", text=1)).code == -32602
        assert (await app.call("Note.add", text="milk")).result == "OK"
