"""Files that get other names together."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

from jsonrpc_backend.store import private_file


def move_all(moves: Iterable[tuple[Path, Path]]) -> None:
    """Gives each file its new name, in this order; where one cannot get it, all get back their old ones.

    Nothing must have the new names. They are on the disk when this returns. Raises OSError.
    """
    folders = set()
    with contextlib.ExitStack() as undo:
        for old, new in moves:
            old.rename(new)
            undo.callback(new.rename, old)
            folders |= {old.parent, new.parent}
        for folder in folders:
            private_file.sync_folder(folder)
        undo.pop_all()
