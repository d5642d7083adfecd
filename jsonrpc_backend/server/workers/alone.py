"""What processes do one at a time, by the system's lock on a folder that all of them know."""

import fcntl
import os
from pathlib import Path


class OneAtATime:
    """For the length of a `with` block; one instance for each thread. Nobody else locks the folder itself."""

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)

    def __enter__(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
