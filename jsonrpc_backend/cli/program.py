"""What people type to run this program again, for the commands that it suggests."""

import shlex
import shutil
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

NAME = "jsonrpc-backend"


def command(arguments: Iterable[str]) -> str:
    """A line to paste into a shell in this folder: it runs this very installation, on the PATH or not."""
    return " ".join([_program(), *(shlex.quote(argument) for argument in arguments)])


def _program() -> str:
    if zipfile.is_zipfile(sys.argv[0]):  # the single file that .ci/build_single_file.py makes
        return f"{shlex.quote(sys.executable)} {shlex.quote(str(Path(sys.argv[0]).absolute()))}"
    script = shutil.which(NAME, path=str(Path(sys.executable).parent))
    if script is None:
        return f"{shlex.quote(sys.executable)} -m jsonrpc_backend"
    on_path = shutil.which(NAME)
    if on_path is not None and Path(on_path).samefile(script):
        return NAME
    path, here = Path(script), Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))
