"""What the `collection` commands ask of where collections are: a database file, or a server with the operators' API.

Collections are objects as the API gives them: `_id` (the name), the settings, `_createdAt`.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from jsonrpc_backend.cli.collection.in_file import CollectionsInFile
from jsonrpc_backend.cli.collection.items_search import ItemsSearch
from jsonrpc_backend.cli.found_page import FoundPage
from jsonrpc_backend.cli.on_either import Command, on_either
from jsonrpc_backend.collections.definitions import GivenSettings

if TYPE_CHECKING:
    from jsonrpc_backend.client import ManagementClient


class Collections(Protocol):
    """Every method may raise ClickException."""

    def list_all(self) -> list[dict[str, Any]]:
        """By name."""

    def get(self, name: str) -> dict[str, Any]: ...

    def create(self, name: str, given: GivenSettings) -> dict[str, Any]: ...

    def change(self, name: str, given: GivenSettings) -> dict[str, Any]:
        """Changes the settings that are given; returns the collection as of then."""

    def drop(self, name: str) -> None:
        """With all items."""

    def search(self, search: ItemsSearch) -> Iterator[dict[str, Any]]:
        """All items that are found, never held as a whole."""

    def page(self, search: ItemsSearch, number: int, size: int) -> FoundPage:
        """`number` counts pages from 1."""


def on_collections(*, create: bool = False, writes: bool = False) -> Callable[[Command], Command]:
    """Passes `Collections` to the command as its first argument. `create`, `writes`: as of on_backend."""
    return on_either(CollectionsInFile, _at_server, create=create, writes=writes)


def _at_server(client: "ManagementClient") -> Collections:
    from jsonrpc_backend.cli.collection.at_server import CollectionsAtServer  # noqa: PLC0415 (imports aiohttp)

    return CollectionsAtServer(client)
