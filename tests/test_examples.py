"""The examples and the documents do what they say."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jsonrpc_backend.accounts.foreign_hashes import looks_like_hash
from jsonrpc_backend.errors import RpcError
from jsonrpc_backend.methods import APP_API, MANAGEMENT_API
from jsonrpc_backend.rpc.schema_files import load
from tests import documents
from tests.documents import read
from tests.mailbox import TOKEN
from tests.operators import KEY
from tests.patience import HANG_SECONDS
from tests.servers import ServerProcess
from tests.servers import served as serve_process
from tests.setup import program as need_program
from tests.shell import QuickShell

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent

MANAGING = "docs/managing.md"


def run(*arguments: str) -> str:
    completed = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=HANG_SECONDS
    )
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


def test_quickstart(served: ServerProcess) -> None:
    printed = run(str(ROOT / "examples" / "quickstart.py"), served.url, served.backend_id, served.api_key)
    assert "You are 21 years old." in printed
    assert "Refused, username:" in printed or "Refused, password:" in printed
    assert "After signing out: User login is required" in printed
    assert "Good-bye" in printed


def test_password_reset(tmp_path: Path) -> None:
    with serve_process(tmp_path / "data", "--dev") as server:
        script = str(ROOT / "examples" / "password_reset.py")
        example = subprocess.Popen(
            [sys.executable, script, server.url, server.backend_id, server.api_key],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        (token,) = TOKEN.findall(server.read_until("your password stays as it is."))
        printed, _ = example.communicate(f"wrong\n{token.lower()}\n", timeout=HANG_SECONDS)
    assert example.returncode == 0
    assert "Token is wrong, used or expired; ask for another one." in printed
    assert "Welcome back, anna-" in printed


def test_python_snippets_of_the_page_on_clients(served: ServerProcess, tmp_path: Path) -> None:
    accounts, collections = tmp_path / "of_accounts.py", tmp_path / "of_collections.py"
    snippets = re.findall(r"```python\n(from .*?)```", read("docs/clients.md"), re.DOTALL)
    for program, snippet in zip((accounts, collections), snippets, strict=True):
        text = snippet.replace("http://127.0.0.1:8080", served.url).replace("<API key>", served.api_key)
        program.write_text(text, encoding="utf-8")
    assert "anna@example.com {'age': 21, 'nickname': 'Anna'}" in run(str(accounts))
    assert "{'username': 'Username is already taken.'}" in run(str(accounts))
    run("-m", "jsonrpc_backend", "collection", "create", "diary", "--insertable", "--data", str(served.data_dir))
    assert run(str(collections)).startswith("1 Rain all day. 20")


@pytest.fixture
def managed(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server with the management key of the document's configuration, for any address."""
    (configuration,) = re.findall(r"```toml\n(\[\[backends.app.management_keys\]\].*?)```", read(MANAGING), re.DOTALL)
    file = tmp_path / "config.toml"
    file.write_text(
        '[backends.app]\napi_key = "k"\n'
        + configuration.replace("<a long random string>", KEY).replace("192.0.2.0/24", "127.0.0.0/8"),
        encoding="utf-8",
    )
    with serve_process(tmp_path / "data", "--config", str(file)) as server:
        yield server


def for_server(snippet: str, server: ServerProcess) -> str:
    return snippet.replace("http://127.0.0.1:8080", server.url).replace("<management key>", KEY)


def test_management_snippets_of_the_readme(managed: ServerProcess, tmp_path: Path) -> None:
    assert f"Operators   {managed.url}/manage/json-rpc/app" in managed.output
    snippet, _ = re.findall(r"```python\n(from .*?)```", read(MANAGING), re.DOTALL)
    program, text = tmp_path / "snippet.py", for_server(snippet, managed)
    deletion = "    client.user.delete([user.id])\n"
    assert text.endswith(deletion)
    for part in (text, text.removesuffix(deletion)):
        program.write_text(part, encoding="utf-8")
        assert re.fullmatch(r"u\S{36} bert@example.com \{'country': 'US', 'age': 30\}\n", run(str(program)))
    need_program("curl")
    (line,) = re.findall(r"```sh\n(curl \S+/manage/.*?)```", read(MANAGING), re.DOTALL)
    printed = subprocess.run(for_server(line, managed), shell=True, capture_output=True, check=True).stdout
    (found,) = json.loads(printed)["result"]["items"]
    assert (found["_username"], found["age"]) == ("robert@example.com", 31)


def test_snippet_of_collections_for_operators(managed: ServerProcess, tmp_path: Path) -> None:
    _, snippet = re.findall(r"```python\n(from .*?)```", read(MANAGING), re.DOTALL)
    program = tmp_path / "snippet.py"
    program.write_text(for_server(snippet, managed))
    printed = run(str(program))
    assert re.fullmatch(r"i\S{36} None \{'public': 'r'\} \{'mood': 3\}\n", printed)


def test_users_to_move_in(quick: QuickShell) -> None:
    """The commands of the document, with its file, where there is an SMTP server."""
    (quick.folder / "users.csv").write_bytes((ROOT / "examples" / "users.csv").read_bytes())
    (quick.folder / "config.toml").write_text('[smtp]\nhost = "localhost"\n[backends.app]\napi_key = "k"\n')
    section = read("docs/moving-in.md")
    commands = re.findall(r"^jsonrpc-backend (user .*)$", section, re.MULTILINE)
    printed = [quick.ok(*command.split()) for command in commands]
    assert printed == [
        "2 ready to import, 0 skipped, 0 bad.\n",
        "2 added, 0 updated, 0 skipped, 0 bad.\n",
        "The server would mail 0 users. 1 has no mail address.\n",
        "The server will mail 0 users. 1 has no mail address.\n",
    ]


def test_hashes_of_the_readme() -> None:
    """Each form of the table is one that is known."""
    section = read("docs/moving-in.md").split("| hash | forms |")[1].split("\n\n")[0]
    forms = [form for form in re.findall(r"`([^`]+)`", section) if "salt" in form]
    assert len(forms) == 7
    for form in forms:
        key = "00" * 32 if form.endswith("$hex") else "A" * 43
        made = re.sub(r"\$(hash|hex)$", "$" + key, form).replace("salt", "c29tZXNhbHQ")
        assert looks_like_hash(made), form


def table(heading: str) -> list[list[str]]:
    """The rows of the first table under a heading of the documents."""
    section = documents.section(heading).text
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_table_of_methods() -> None:
    documented = {row[0].strip("`"): row for row in table("Methods")}
    assert documented.keys() == APP_API.methods.keys()
    for name, row in documented.items():
        schema = load(f"{name}.json")
        assert set(re.findall(r"`(\w+)`", row[1])) == set(schema["params"]["properties"])
        assert set(re.findall(r"\*`(\w+)`\*", row[1])) == set(schema["params"]["properties"]) - set(
            schema["params"].get("required", [])
        )
        assert {int(code) for code in re.findall(r"-?\d+", row[4])} == {error["code"] for error in schema["errors"]}


def test_table_of_the_operators_methods() -> None:
    documented = {row[0].strip("`"): row for row in table("Managing")}
    assert documented.keys() == MANAGEMENT_API.methods.keys()
    for name, row in documented.items():
        params = load(f"management/{name}.json")["params"]
        required = set(params.get("required", []))
        assert set(re.findall(r"\*`(\w+)`\*", row[1])) == set(params["properties"]) - required
        assert required <= set(re.findall(r"(?<!\*)`(\w+)`", row[1]))


def test_table_of_errors() -> None:
    documented = {int(row[0]): row[1] for row in table("Errors")}
    defined = {cls.code: cls.message for cls in RpcError.__subclasses__()}
    assert documented == defined
