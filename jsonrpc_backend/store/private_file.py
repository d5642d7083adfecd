"""Small files that only their owner can read: API keys, encryption keys, configuration."""

import os
from collections.abc import Callable
from pathlib import Path


def create(file: Path, content: str) -> None:
    """Writes a new file. Raises FileExistsError, OSError."""
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)


def keep(file: Path, make: Callable[[], str]) -> str:
    """The content of a file, without surrounding blanks; made the first time. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.is_file():
        create(file, make() + "\n")
    return file.read_text(encoding="utf-8").strip()
