"""Builds the wheels, installs each into an empty environment and tries them.

The server of the one registers a user there and hands out the client scripts, the example apps and the reference; the
client of the other, which has nothing of the server, signs the user in.
"""

import contextlib
import json
import re
import subprocess
import sys
import tempfile
import urllib.request
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]

SIGN_IN = """
import importlib.util, sys
from jsonrpc_backend.client import Client
url, key = sys.argv[1:]
with Client(url, "app", key) as client:
    print(client.user.login("me@example.com", "password").username)
assert importlib.util.find_spec("jsonrpc_backend.server") is None
assert importlib.util.find_spec("argon2") is None
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = installed(ROOT, folder / "server")
        client = installed(ROOT / "client-package", folder / "client")
        with served(folder, server / "jsonrpc-backend") as (endpoint, body):
            url = try_server(endpoint, body)
            key = json.loads(body)["params"]["__api_key"]
            python = str(client / "python")
            signed_in = subprocess.check_output([python, "-c", SIGN_IN, url, key], cwd=folder, text=True)
            assert signed_in == "me@example.com\n", signed_in
    print("The server's wheel serves, the client's calls it.")


def installed(project: Path, folder: Path) -> Path:
    """Installs the project's wheel and what it needs into a new environment; the folder of its programs."""
    folder.mkdir()
    subprocess.check_call([*PIP, "wheel", "--no-deps", "--wheel-dir", str(folder), str(project)])
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "empty", with_pip=True)
    programs = folder / "empty" / "bin"
    subprocess.check_call([*PIP, "--python", str(programs / "python"), "install", str(wheel)])
    return programs


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:
        return str(response.read().decode())


@contextlib.contextmanager
def served(folder: Path, program: Path, environment: Mapping[str, str] | None = None) -> Iterator[tuple[str, str]]:
    """Runs the server; what it prints to be pasted: the endpoint, and the body of a call that registers a user."""
    command = [str(program), "serve", "--dev", "--port", "0"]
    server = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, stderr=subprocess.STDOUT
    )
    try:
        assert server.stdout is not None
        line = next(line for line in server.stdout if "curl" in line)
        found = re.search(r"curl (\S+) -d '(.*)'", line)
        assert found, line
        yield found[1], found[2]
    finally:
        server.terminate()
        assert server.wait(timeout=20) == 0


def try_server(endpoint: str, body: str) -> str:
    """Makes the call and gets what apps get; the server's address."""
    with urllib.request.urlopen(endpoint, data=body.encode(), timeout=10) as response:
        answer = json.load(response)
    assert answer["result"]["user"]["_username"] == "me@example.com", answer
    url = endpoint.partition("/json-rpc/")[0]
    for script in ("monaca.cloud.js", "cloudboost.js"):
        assert "MIT licence" in get(f"{url}/js/{script}")
    for app in ("monaca-app", "cloudboost-app", "notes-app"):
        assert "<!doctype html>" in get(f"{url}/examples/{app}/")
        assert "apiKey" in get(f"{url}/examples/{app}/settings.js")
    assert "docs/page.mjs" in get(f"{url}/docs")
    assert "OpenRPC" in get(f"{url}/docs/page.mjs")
    assert "Mails" in get(f"{url}/dev/mail")
    assert "User.register" in {method["name"] for method in json.loads(get(f"{url}/openrpc.json"))["methods"]}
    return url


if __name__ == "__main__":
    main()
