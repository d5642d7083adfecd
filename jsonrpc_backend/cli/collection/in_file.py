"""Collections in a database file, for commands. The server may be running meanwhile."""

from collections.abc import Iterator
from typing import Any

import click

from jsonrpc_backend.accounts.refusals import Unacceptable
from jsonrpc_backend.cli.audit import act_of
from jsonrpc_backend.cli.collection.items_search import ItemsSearch
from jsonrpc_backend.cli.found_page import FoundPage
from jsonrpc_backend.cli.target import Target, refusals_told
from jsonrpc_backend.collections import chores, definitions
from jsonrpc_backend.collections.definitions import GivenSettings, definition_object
from jsonrpc_backend.collections.item_object import item_object
from jsonrpc_backend.collections.searching import OperatorSearch
from jsonrpc_backend.rpc.parse import unportable
from jsonrpc_backend.store import collections, items
from jsonrpc_backend.store.engine import WritableDb

ROWS_AT_ONCE = 500  # so that a server's writers get their turn in between


class CollectionsInFile:
    """Implements `Collections`."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def list_all(self) -> list[dict[str, Any]]:
        return [{**definition_object(each)} for each in self._target.read(collections.list_all)]

    def get(self, name: str) -> dict[str, Any]:
        return {**definition_object(self._target.read(definitions.named, _portable(name)))}

    def create(self, name: str, given: GivenSettings) -> dict[str, Any]:
        self._target.check("management/Collection.create", {"_id": name, **given.params})
        made = self._target.write(definitions.create, name, given, act_of("collection create"))
        return {**definition_object(made)}

    def change(self, name: str, given: GivenSettings) -> dict[str, Any]:
        self._target.check("management/Collection.setConfig", {"_id": name, **given.params})
        changed = self._target.write(definitions.configure, _portable(name), given, act_of("collection set"))
        self._do_chores()
        return {**definition_object(changed)}

    def drop(self, name: str) -> None:
        self._target.write(definitions.drop, _portable(name), act_of("collection drop"))
        self._do_chores()

    def search(self, search: ItemsSearch) -> Iterator[dict[str, Any]]:
        compiled = self._compiled(search)
        with self._target.reading() as db, refusals_told():
            for item in items.get_in_order(db, compiled.all_keys(db)):
                yield item_object(db, item)

    def page(self, search: ItemsSearch, number: int, size: int) -> FoundPage:
        compiled = self._compiled(search)
        with self._target.reading() as db, refusals_told():
            found = compiled.find(db, page=number, items_in_page=size)
            return FoundPage([item_object(db, item) for item in items.get_in_order(db, found.keys)], found.total)

    def _compiled(self, search: ItemsSearch) -> OperatorSearch:
        collection = _portable(search.collection)
        if search.sort is not None:
            usual = {"collectionName": collection, "page": 1, "itemsInPage": 1}
            self._target.check("management/CollectionItem.list", usual | {"sortProperty": search.sort})
        try:
            return OperatorSearch.parsed(
                collection,
                self._target.engine.dialect,
                query=search.query,
                bind_params=None,
                sorted_by=search.sort,
                descending=search.descending,
            )
        except Unacceptable as error:
            raise click.UsageError(" ".join(error.complaints.values())) from error

    def _do_chores(self) -> None:
        with self._target.writing() as db:
            do_chores(db)


def do_chores(db: WritableDb) -> None:
    """A running server would do them too, but not before it looks for some."""
    while db.write(lambda db: chores.do_slice(db, most=ROWS_AT_ONCE)):
        pass


def _portable(name: str) -> str:
    if unportable(name):
        raise click.ClickException("The name is not UTF-8.")
    return name
