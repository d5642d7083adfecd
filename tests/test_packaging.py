"""What is shipped: schemas and example apps inside the wheel, and a server that runs from it alone."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


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
        "from jsonrpc_backend.rpc.schemas import schema_folder, load\n"
        "print(schema_folder().resolve()); load('User.login.json')"
    )
    printed = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert printed.stdout.strip() == str((tmp_path / "jsonrpc_backend" / "schemas").resolve())
