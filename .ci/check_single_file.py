"""Builds the single file and serves with it where Python has no pip and no packages, with a home that is empty."""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import build_single_file
from check_wheel import served, try_server


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_single_file.main(str(folder / "built"))
        (file,) = (folder / "built").iterdir()
        venv.create(folder / "bare", with_pip=False)
        environment = {"HOME": str(folder), "PATH": f"{folder / 'bare' / 'bin'}{os.pathsep}{os.defpath}"}
        for package in ("pip", "aiohttp", "jsonrpc_backend"):
            look = ["python3", "-c", f"import {package}"]
            found = subprocess.call(look, cwd=folder, env=environment, stderr=subprocess.DEVNULL) == 0
            assert not found, f"{package} is there without the file"
        with served(folder, file, environment) as (endpoint, body):
            try_server(endpoint, body)
        users = subprocess.check_output([file, "user", "list", "--json"], cwd=folder, env=environment, text=True)
        assert "me@example.com" in users, users
        print(f"{file.name} serves without pip; it has {file.stat().st_size:,} bytes.")


if __name__ == "__main__":
    main()
