"""Collections in a database file, for commands. The server may be running meanwhile."""

from typing import Any

import click

from jsonrpc_backend.cli.audit import act_of
from jsonrpc_backend.cli.target import Target
from jsonrpc_backend.collections import chores, definitions
from jsonrpc_backend.collections.definitions import GivenSettings, definition_object
from jsonrpc_backend.rpc.parse import unportable
from jsonrpc_backend.store import collections

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

    def _do_chores(self) -> None:
        """A running server would do them too, but not before it looks for some."""
        with self._target.writing() as db:
            while db.write(lambda db: chores.do_slice(db, most=ROWS_AT_ONCE)):
                pass


def _portable(name: str) -> str:
    if unportable(name):
        raise click.ClickException("The name is not UTF-8.")
    return name
