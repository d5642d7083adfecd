"""How much a backend's database holds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """`file_bytes` and `log_bytes` (of the write-ahead log) are what they take on the disk."""

    users: int
    sessions: int
    collections: int
    items: int
    file_bytes: int
    log_bytes: int
