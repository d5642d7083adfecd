"""What is shipped: schemas and example apps inside the wheel, a server that runs from it alone, the client alone.

.ci/check_wheel.py installs both into empty environments.
"""

import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


def build(project: Path, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


def test_wheel_carries_schemas_example_apps_and_types(wheel: Path) -> None:
    shipped = set(zipfile.ZipFile(wheel).namelist())
    for schema in (ROOT / "schemas").rglob("*.json"):
        assert f"jsonrpc_backend/schemas/{schema.relative_to(ROOT / 'schemas').as_posix()}" in shipped
    for file in (ROOT / "examples").glob("*-app/*"):
        assert f"jsonrpc_backend/examples/{file.parent.name}/{file.name}" in shipped
    assert "jsonrpc_backend/py.typed" in shipped
    assert not [name for name in shipped if name.startswith(("tests/", "examples/", "schemas/"))]


def test_schemas_are_found_inside_the_wheel(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        "import sys; sys.path.insert(0, '.')\n"
        "from jsonrpc_backend.rpc.schema_files import schema_folder, load\n"
        "print(schema_folder().resolve()); load('User.login.json')"
    )
    printed = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert printed.stdout.strip() == str((tmp_path / "jsonrpc_backend" / "schemas").resolve())


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_client_is_shipped_alone(wheel: Path, tmp_path: Path) -> None:
    """The same files as in the server's wheel, and of the dependencies aiohttp only."""
    built = build(ROOT / "client-package", tmp_path)
    with zipfile.ZipFile(built) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
        archive.extractall(tmp_path)
    modules = {f"jsonrpc_backend/client/{path.name}" for path in (ROOT / "jsonrpc_backend" / "client").glob("*.py")}
    alone = {f"jsonrpc_backend/{name}" for name in ("__init__.py", "client/LICENSE", "errors.py", "py.typed")}
    assert shipped == modules | alone
    server, client = metadata(wheel), metadata(built)
    assert client["Version"] == server["Version"]
    (needed,) = client.get_all("Requires-Dist", [])
    assert needed.startswith("aiohttp<")
    assert needed in server.get_all("Requires-Dist", [])
    program = (
        "import sys; sys.path.insert(0, '.')\n"
        "from jsonrpc_backend.client import AsyncClient, Client, ManagementClient\n"
        "print(*sorted(name for name in sys.modules if name.startswith('jsonrpc_backend')))"
    )
    printed = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True)
    parts = {name.split(".")[1] for name in printed.stdout.split() if "." in name}
    assert parts == {"client", "errors"}
