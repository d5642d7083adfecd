"""Builds the wheel, installs it into an empty environment and tries the server that it runs.

It registers a user there and gets the client scripts, the example apps and the reference.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.check_call([*pip, "wheel", "--no-deps", "--wheel-dir", name, str(ROOT)])
        (wheel,) = folder.glob("jsonrpc_backend-*.whl")
        venv.create(folder / "empty", with_pip=True)
        programs = folder / "empty" / ("Scripts" if os.name == "nt" else "bin")
        subprocess.check_call([*pip, "--python", str(programs / "python"), "install", str(wheel)])
        try_server(folder, programs / "jsonrpc-backend")
    print("The wheel serves.")


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:
        return str(response.read().decode())


def try_server(folder: Path, program: Path) -> None:
    """Starts the server, makes the call that it prints and gets what apps get."""
    command = [str(program), "serve", "--dev", "--port", "0"]
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, stderr=subprocess.STDOUT)
    try:
        assert server.stdout is not None
        line = next(line for line in server.stdout if "curl" in line)
        found = re.search(r"curl (\S+) -d '(.*)'", line)
        assert found, line
        with urllib.request.urlopen(found[1], data=found[2].encode(), timeout=10) as response:
            answer = json.load(response)
        assert answer["result"]["user"]["_username"] == "me@example.com", answer
        url = found[1].partition("/json-rpc/")[0]
        for script in ("monaca.cloud.js", "cloudboost.js"):
            assert "MIT licence" in get(f"{url}/js/{script}")
        for app in ("monaca-app", "cloudboost-app"):
            assert "<!doctype html>" in get(f"{url}/examples/{app}/")
            assert "apiKey" in get(f"{url}/examples/{app}/settings.js")
        assert "docs/page.mjs" in get(f"{url}/docs")
        assert "OpenRPC" in get(f"{url}/docs/page.mjs")
        assert "User.register" in {method["name"] for method in json.loads(get(f"{url}/openrpc.json"))["methods"]}
    finally:
        server.terminate()
        assert server.wait(timeout=20) == 0


if __name__ == "__main__":
    main()
