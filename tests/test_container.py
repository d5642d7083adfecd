"""What can be known of Dockerfile and compose.yaml without an engine: the files are there, the commands work."""

import fnmatch
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from jsonrpc_backend.config import load_config
from tests.servers import served
from tests.shell import Shell

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")


def instructions(name: str) -> list[str]:
    """The instructions of this name in the last stage, the one that runs."""
    return re.findall(rf"(?m)^{name} +(.*)$", DOCKERFILE.split("\nFROM ")[-1])


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path from the build; the last line that matches it, or a folder of it, decides."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    result = False
    for line in filter(lambda line: line and not line.startswith("#"), lines):
        pattern = line.removeprefix("!")
        parts = path.split("/")
        heads = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        anywhere = pattern.removeprefix("**/") if pattern.startswith("**/") else None
        if any(fnmatch.fnmatchcase(head, pattern) or head.split("/")[-1] == anywhere for head in heads):
            result = not line.startswith("!")
    return result


def copied() -> list[Path]:
    """The files that the build stage gets."""
    build = DOCKERFILE.split("\nFROM ")[0 if DOCKERFILE.startswith("FROM") else 1]
    sources = [name for line in re.findall(r"(?m)^COPY (.*)$", build) for name in line.split()[:-1]]
    assert sources
    files: list[Path] = []
    for source in sources:
        assert (ROOT / source).exists(), source
        found = [ROOT / source] if (ROOT / source).is_file() else sorted((ROOT / source).rglob("*"))
        files += [file for file in found if file.is_file() and not ignored(file.relative_to(ROOT).as_posix())]
    return files


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The variables of the image, for a folder of the test in place of /data."""
    pairs = [pair.partition("=") for line in instructions("ENV") for pair in line.split()]
    image = {name: value for name, _, value in pairs if name != "PATH"}
    assert image["JSONRPC_BACKEND_SERVER_DATA_DIR"] == "/data"
    return {**image, "JSONRPC_BACKEND_SERVER_DATA_DIR": str(tmp_path / "data")}


def test_wheel_is_built_of_the_copied_files_alone(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for file in copied():
        copy = source / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    shipped = zipfile.ZipFile(wheel).namelist()
    assert {"jsonrpc_backend/cli/serve.py", "jsonrpc_backend/schemas/User.login.json"} <= set(shipped)
    assert not [name for name in shipped if "__pycache__" in name]


@pytest.mark.parametrize("path", ["data/app.sqlite3", "config.toml", ".git/config", ".venv/bin/python", "app.api-key"])
def test_nothing_private_goes_into_the_image(path: str) -> None:
    assert ignored(path)


def test_command_of_the_image_serves_and_its_health_check_tells(tmp_path: Path, environment: dict[str, str]) -> None:
    (entrypoint,), (command,) = map(json.loads, instructions("ENTRYPOINT")), map(json.loads, instructions("CMD"))
    assert (entrypoint, command) == (["jsonrpc-backend"], ["serve"])  # what ServerProcess runs
    assert environment["JSONRPC_BACKEND_SERVER_HOST"] == "0.0.0.0"
    (check,) = re.findall(r"CMD (\[.*\])", instructions("HEALTHCHECK")[0])
    program, *arguments = json.loads(check)
    assert program == "python"
    with served(tmp_path / "data", environment=environment) as server:
        port = server.url.rpartition(":")[2]
        healthy = [sys.executable, *(text.replace(":8080/", f":{port}/") for text in arguments)]
        subprocess.run(healthy, check=True)
        # As `docker exec` runs other commands: with the same variables, without flags.
        users = Shell(tmp_path / "data").ok("user", "list", "--json", **environment)
        assert json.loads(users) == []
    done = subprocess.run(healthy, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "refused" in done.stderr


def test_image_runs_as_nobody_special() -> None:
    (user,) = instructions("USER")
    assert user == "10001:10001"
    assert re.search(r"useradd --uid 10001 .*--owner 10001 --group 10001 --mode 700 /data", DOCKERFILE)
    assert (instructions("VOLUME"), instructions("WORKDIR")) == (["/data"], ["/data"])


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]


def test_compose_publishes_to_this_machine_only(compose: Any) -> None:
    for service in compose.values():
        for port in service["ports"]:
            assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port)


def test_compose_pins_what_it_does_not_build(compose: Any) -> None:
    assert compose["backend"]["build"] == "."
    assert re.fullmatch(r"axllent/mailpit:v\d+\.\d+\.\d+", compose["mailbox"]["image"])


def test_settings_of_compose_are_settings(compose: Any) -> None:
    table = {"backends": {"app": {"api_key": "key"}}}
    smtp = load_config(table, environment=compose["backend"]["environment"]).smtp
    assert (smtp.host, smtp.port, smtp.security) == ("mailbox", 1025, "none")
    assert smtp.host in compose


def test_data_of_compose_outlives_the_container(compose: Any) -> None:
    assert compose["backend"]["volumes"] == ["data:/data"]
    assert compose["backend"]["read_only"] is True
