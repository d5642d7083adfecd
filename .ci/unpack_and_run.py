"""What the single file runs: it unpacks what it carries, once, and starts the program there.

Python cannot load compiled modules out of an archive. build_single_file.py writes `built.py`, which has the two names.
"""

import os
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

from built import BUILD, PLATFORM


def main() -> None:
    here = f"{sys.implementation.cache_tag} {sysconfig.get_platform()}"
    if here != PLATFORM:
        sys.exit(f"This file is for {PLATFORM}, and this is {here}.")
    try:
        folder = unpacked()
    except OSError as error:
        sys.exit(f"This file cannot be unpacked: {error}. Name another folder for caches in XDG_CACHE_HOME.")
    sys.path[0] = str(folder)  # the archive has nothing more to give
    from jsonrpc_backend.cli import main as program  # noqa: PLC0415 (it is not there before)

    program(prog_name="jsonrpc-backend")


def unpacked() -> Path:
    """The folder of this build among the user's caches. It appears complete, also where several unpack at once."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "jsonrpc-backend")
    caches.mkdir(mode=0o700, parents=True, exist_ok=True)
    if caches.stat().st_uid != os.geteuid():
        raise PermissionError(f"{caches} belongs to somebody else")  # whose code this would run
    folder = caches / BUILD
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=caches) as name, zipfile.ZipFile(sys.argv[0]) as archive:
            archive.extractall(name)
            try:
                Path(name, "packages").rename(folder)
            except OSError:
                if not folder.is_dir():
                    raise
    return folder


if __name__ == "__main__":
    main()
