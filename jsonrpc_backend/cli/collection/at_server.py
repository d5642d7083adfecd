"""Collections at a server, through the operators' API, for commands."""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonrpc_backend.cli.at_server import all_pages, called, page_of
from jsonrpc_backend.cli.collection.items_search import ItemsSearch
from jsonrpc_backend.cli.found_page import FoundPage
from jsonrpc_backend.client import ManagementClient, wire
from jsonrpc_backend.collections.definitions import GivenSettings


class CollectionsAtServer:
    """Implements `Collections`."""

    def __init__(self, client: ManagementClient) -> None:
        self._client = client

    def list_all(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = wire.member(self._call("Collection.list", {}), "items")
        return found

    def get(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = wire.member(self._call("Collection.getConfig", {"_id": name}), "config")
        return found

    def create(self, name: str, given: GivenSettings) -> dict[str, Any]:
        self._call("Collection.create", {"_id": name, **given.params})
        return self.get(name)

    def change(self, name: str, given: GivenSettings) -> dict[str, Any]:
        self._call("Collection.setConfig", {"_id": name, **given.params})
        return self.get(name)

    def drop(self, name: str) -> None:
        self._call("Collection.drop", {"_id": name})

    def search(self, search: ItemsSearch) -> Iterator[dict[str, Any]]:
        return all_pages(lambda number, size: self.page(search, number, size))

    def page(self, search: ItemsSearch, number: int, size: int) -> FoundPage:
        params = {
            "collectionName": search.collection,
            "page": number,
            "itemsInPage": size,
            "sortProperty": search.sort,
            "sortOrder": "desc" if search.descending else "asc",
            "propertyNames": search.names,
            "itemQuery": search.query,
        }
        return page_of(self._call("CollectionItem.list", params))

    def _call(self, method: str, params: Mapping[str, Any]) -> Any:
        return called(self._client, method, params)
