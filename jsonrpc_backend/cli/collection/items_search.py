"""Which items of a collection a command looks for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ItemsSearch:
    """`names`: the properties that are needed of the items; None: all."""

    collection: str
    query: str | None = None
    sort: str | None = None
    descending: bool = False
    names: list[str] | None = None
