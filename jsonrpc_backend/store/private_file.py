"""Files that only their owner can read: API keys, encryption keys, configuration, exports of items."""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO


def create(file: Path, content: str) -> None:
    """Writes a new file, as a whole or, when the disk is full, not at all. Raises FileExistsError, OSError."""
    with created(file) as stream:
        stream.write(content.encode())


@contextlib.contextmanager
def created(file: Path) -> Iterator[BinaryIO]:
    """The same for what is written bit by bit: the file is there when the block has ended, and nothing if it fails."""
    unfinished = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        with os.fdopen(descriptor, "w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(descriptor)
        _give_name(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)
    sync_folder(file.parent)


def _give_name(unfinished: Path, file: Path) -> None:
    """Unlike renaming, linking replaces nothing; some file systems cannot do it."""
    try:
        file.hardlink_to(unfinished)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(file):
            raise FileExistsError(file) from None
        unfinished.rename(file)


def keep(file: Path, make: Callable[[], str]) -> str:
    """The content of a file, without surrounding blanks; made the first time. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.is_file():
        with contextlib.suppress(FileExistsError):  # another process was quicker; or it is no file, and cannot be read
            create(file, make() + "\n")
    return file.read_text(encoding="utf-8").strip()


def sync_file(file: Path) -> None:
    """Returns when what was written to the file is on the disk."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Returns when the names in the folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
