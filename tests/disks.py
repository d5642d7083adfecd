"""Disks that are full at the wish of a test, under a server process that is running."""

import functools
import resource
import subprocess
from pathlib import Path
from typing import Protocol

from tests.servers import ServerProcess


class Disk(Protocol):
    """Under the data folder of a server."""

    launcher: list[str]

    def fill(self, server: ServerProcess) -> None: ...

    def free(self, server: ServerProcess) -> None: ...


class FileLimit:
    """The kernel lets no file of the process grow beyond a limit. Works everywhere and for everybody.

    With `room` bytes behind the end of SQLite's log the next commit gets as far as that; without it no byte can be
    written to any file, as on a file system that has become read-only.
    """

    def __init__(self, room: int | None) -> None:
        self.launcher: list[str] = []
        self._room = room

    def fill(self, server: ServerProcess) -> None:
        log = server.data_dir / "app.sqlite3-wal"
        _limit(server, 0 if self._room is None else log.stat().st_size + self._room)

    def free(self, server: ServerProcess) -> None:
        _limit(server, resource.RLIM_INFINITY)


class SmallDisk:
    """A file system of its own in memory, which a large file fills to the last byte."""

    def __init__(self, folder: Path) -> None:
        mount = 'mkdir -p "$0" && mount -t tmpfs -o size=4m none "$0" && exec "$@"'
        self.launcher = ["unshare", "-rm", "sh", "-c", mount, str(folder)]

    def fill(self, server: ServerProcess) -> None:
        with self._filler(server).open("ab", buffering=0) as stream:
            for size in (65536, 4096, 1):
                try:
                    while stream.write(b"x" * size) == size:
                        pass
                except OSError:
                    continue

    def free(self, server: ServerProcess) -> None:
        self._filler(server).unlink()

    @staticmethod
    def _filler(server: ServerProcess) -> Path:
        assert server.process is not None
        # No other process sees what is mounted there.
        return Path(f"/proc/{server.process.pid}/root{server.data_dir}/filler")


def _limit(server: ServerProcess, most: int) -> None:
    assert server.process is not None
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


@functools.cache
def mounting_is_allowed() -> bool:
    """Containers and hardened kernels forbid it."""
    command = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs none /tmp"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
