"""Which engine keeps the data of a backend: SQLite, in a file of the data folder."""

from pathlib import Path

from jsonrpc_backend.store.engine import Engine
from jsonrpc_backend.store.sqlite.file import SqliteFile

_ENDING = ".sqlite3"


def engine_of(data_dir: Path, backend_id: str) -> Engine:
    return SqliteFile(data_dir / f"{backend_id}{_ENDING}")


def backends_in(data_dir: Path) -> list[str]:
    """The ids of the backends that have a file in the folder, sorted."""
    return sorted(file.name.removesuffix(_ENDING) for file in data_dir.glob(f"*{_ENDING}"))
