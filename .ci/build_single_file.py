"""Builds the server as one file that needs Python and nothing else: `python3 .ci/build_single_file.py FOLDER`.

The file has the locked packages in it, so it is for this Python's minor version and this kind of machine, as its name
says. It unpacks itself when it first runs (unpack_and_run.py).
"""

import hashlib
import re
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAIN = ROOT / ".ci" / "unpack_and_run.py"
LOCKED = ROOT / "requirements"
INTERPRETER = b"#!/usr/bin/env python3\n"

# As unpack_and_run.py spells it.
PLATFORM = f"{sys.implementation.cache_tag} {sysconfig.get_platform()}"

# What pip writes for an installation at one place; programs of packages are not for here.
NOT_CARRIED = re.compile(r"bin/.*|.*\.dist-info/(direct_url\.json|RECORD|REQUESTED|INSTALLER)")


def main(destination: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        packages = Path(name) / "packages"
        install(packages, Path(name) / "builder")
        file = Path(destination) / f"jsonrpc-backend-{version()}-{PLATFORM.replace(' ', '-')}.pyz"
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file, packages)
    print(file)


def install(packages: Path, builder: Path) -> None:
    """The program and the locked packages, by their hashes; what is published as source is built by locked packages."""
    venv.create(builder, with_pip=True)
    pip = [str(builder / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    target = ["--no-compile", "--no-build-isolation", "--target", str(packages)]
    subprocess.check_call([*pip, "--require-hashes", "--requirement", str(LOCKED / "build.txt")])
    subprocess.check_call([*pip, *target, "--require-hashes", "--requirement", str(LOCKED / "server.txt")])
    subprocess.check_call([*pip, *target, "--upgrade", "--no-deps", str(ROOT)])


def version() -> str:
    found = re.search(r'(?m)^__version__ = "(.*)"$', (ROOT / "jsonrpc_backend" / "__init__.py").read_text("utf-8"))
    assert found
    return found[1]


def write(file: Path, packages: Path) -> None:
    """The same bytes whenever and wherever the same is built."""
    contents = dict(carried(packages))
    digest = hashlib.sha256(b"".join(hashlib.sha256(contents[name]).digest() for name in contents))
    build = f"{version()}-{digest.hexdigest()[:16]}"
    with file.open("wb") as out:
        out.write(INTERPRETER)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            add(archive, "__main__.py", MAIN.read_bytes())
            add(archive, "built.py", f"BUILD = {build!r}\nPLATFORM = {PLATFORM!r}\n".encode())
            for name, content in contents.items():
                add(archive, f"packages/{name}", content)
    file.chmod(0o755)


def carried(packages: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(packages.rglob("*")):
        name = path.relative_to(packages).as_posix()
        if path.is_file() and not NOT_CARRIED.fullmatch(name):
            yield name, path.read_bytes()


def add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name)  # of 1980, not of today
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)


if __name__ == "__main__":
    main(*sys.argv[1:])
