"""A command does not wait for what it does not need: aiohttp and jsonschema took half of its time.

What is imported says so on any machine; time would not.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import HANG_SECONDS

PROGRAM = """
import atexit, json, runpy, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
runpy.run_module("jsonrpc_backend", run_name="__main__")
"""

# What takes long, or belongs to a server.
DEAR = {
    "aiohttp",
    "aiosmtplib",
    "aiosqlite",
    "argon2",
    "asyncio",
    "bcrypt",
    "cryptography",
    "fastjsonschema",
    "jsonrpcserver",
    "jsonschema",
    "prometheus_client",
}

CHECKS = {"fastjsonschema", "jsonschema"}

NEEDED: dict[str, set[str]] = {
    "audit list": set(),
    "backup copy": set(),
    "collection list": set(),
    "collection create notes": CHECKS,
    "collection items notes --query n==1": set(),
    "check-config new.toml": {"aiosmtplib", "asyncio"},  # tries the certificates
    "init new.toml": set(),
    "mail --help": {"asyncio"},
    "mail list": {"asyncio"},
    "restore --help": set(),
    "throttle list": set(),
    "user disable anna": set(),
    "user export users.jsonl": set(),
    "user list": set(),
    "user list --filter anna": CHECKS,
    "user list --json --query age==null": set(),
    "user sessions anna": set(),
    "user set anna --properties {}": CHECKS,
    "user show anna": set(),
}


def imported(folder: Path, arguments: str, *, stdin: str = "") -> set[str]:
    """The modules that a command has imported by its end."""
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments.split()],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return set(json.loads(process.stderr.splitlines()[-1]))


def packages(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Has the database of an app with one user, and a configuration."""
    folder = tmp_path_factory.mktemp("folder")
    everything = imported(folder, "user add anna --password-stdin", stdin="password")
    assert {"argon2", *CHECKS} <= packages(everything)  # or this test would not see them
    return folder


@pytest.mark.slow  # starts a process
@pytest.mark.parametrize("arguments", ["--help", "--version", "user --help"])
def test_help_imports_nothing_of_the_program(folder: Path, arguments: str) -> None:
    modules = imported(folder, arguments)
    assert packages(modules) & DEAR == set()
    ours = {module for module in modules if module.startswith("jsonrpc_backend.")}
    assert {module for module in ours if not module.startswith("jsonrpc_backend.cli")} == set()
    assert "sqlite3" not in modules


@pytest.mark.slow  # starts a process
@pytest.mark.parametrize("arguments", NEEDED)
def test_a_command_imports_what_it_needs(folder: Path, arguments: str) -> None:
    if arguments.startswith("check-config"):
        imported(folder, "init new.toml")
    else:
        (folder / "new.toml").unlink(missing_ok=True)
    assert packages(imported(folder, arguments)) & DEAR <= NEEDED[arguments]
