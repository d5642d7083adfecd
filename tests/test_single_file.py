"""The server as one file, which unpacks itself: once, complete, for one kind of machine, into nobody else's folder.

.ci/check_single_file.py builds it with everything in it. Here it carries the program alone, so that nothing is fetched.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import build_single_file
import pytest

from jsonrpc_backend import __version__
from tests.documents import ROOT
from tests.servers import ServerProcess

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip would have installed of this project, with what is not to be carried."""
    folder = tmp_path_factory.mktemp("packages")
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "jsonrpc_backend", folder / "jsonrpc_backend", ignore=without)
    for name in ("schemas", "examples"):
        shutil.copytree(ROOT / name, folder / "jsonrpc_backend" / name, ignore=without)
    for name in ("bin/jsonrpc-backend", "jsonrpc_backend-1.dist-info/direct_url.json"):
        (folder / name).parent.mkdir()
        (folder / name).write_text("where it was built")
    return folder


@pytest.fixture(scope="module")
def file(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("my files") / "jsonrpc-backend.pyz"
    build_single_file.write(built, packages)
    return built


def run(file: Path, *arguments: str, caches: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(file), *arguments]
    environment = {**os.environ, "XDG_CACHE_HOME": str(caches)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_runs_what_it_has_unpacked(file: Path, tmp_path: Path) -> None:
    for _ in range(2):
        done = run(file, "--version", caches=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert __version__ in done.stdout
        (folder,) = (tmp_path / "jsonrpc-backend").iterdir()
    assert folder.name.startswith(__version__)
    marked = folder / "jsonrpc_backend" / "__init__.py"
    marked.write_text(marked.read_text().replace(__version__, "9.9.9"))
    assert "9.9.9" in run(file, "--version", caches=tmp_path).stdout, "not what is in the environment"


def test_carries_nothing_of_where_it_was_built(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        assert not [name for name in archive.namelist() if b"where it was built" in archive.read(name)]
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_is_the_same_whenever_it_is_built(file: Path, packages: Path, tmp_path: Path) -> None:
    for path in packages.rglob("*.py"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    build_single_file.write(tmp_path / "again.pyz", packages)
    assert (tmp_path / "again.pyz").read_bytes() == file.read_bytes()


def test_many_at_once_unpack_one_complete_folder(file: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, str(file), "--version"]
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for process in running:
        output, _ = process.communicate()
        assert process.returncode == 0
        assert __version__ in output
    assert len(list((tmp_path / "jsonrpc-backend").iterdir())) == 1


def test_serves_and_prints_a_command_that_works(file: Path, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "my data", program=[sys.executable, str(file)])
    server.environment["XDG_CACHE_HOME"] = str(tmp_path)
    server.start()
    try:
        (command,) = re.findall(r"with: (.* mail list .*)", server.output)
        environment = {**os.environ, **server.environment}
        done = subprocess.run(
            command, shell=True, cwd="/", env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "No mails.\n")
        assert str(file) in command
    finally:
        assert server.stop() == 0


def test_runs_nothing_out_of_a_folder_of_somebody_else(file: Path, tmp_path: Path) -> None:
    caches = tmp_path / "jsonrpc-backend"
    if os.geteuid() == 0:
        caches.mkdir()
        os.chown(caches, 10001, 10001)
    else:
        caches.symlink_to("/", target_is_directory=True)  # root's
    done = run(file, "--version", caches=tmp_path)
    assert done.returncode == 1
    assert "belongs to somebody else" in done.stderr
    assert "XDG_CACHE_HOME" in done.stderr


def test_says_which_machine_it_is_for(packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_single_file, "PLATFORM", "cpython-399 linux-abacus")
    build_single_file.write(tmp_path / "other.pyz", packages)
    done = run(tmp_path / "other.pyz", "--version", caches=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "This file is for cpython-399 linux-abacus, and this is cpython-3" in done.stderr
