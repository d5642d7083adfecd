"""A page of what a command looks for."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FoundPage:
    """Some of the users or items that were found, and how many were."""

    items: list[dict[str, Any]]
    total: int
