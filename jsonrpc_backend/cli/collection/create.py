"""`collection create`."""

import click

from jsonrpc_backend.cli.answer import tell
from jsonrpc_backend.cli.collection.places import Collections, on_collections
from jsonrpc_backend.cli.collection.settings import settings_options
from jsonrpc_backend.cli.target import json_option
from jsonrpc_backend.collections.definitions import GivenSettings


@click.command("create")
@click.argument("name")
@settings_options(with_none=False)
@on_collections(create=True)
@json_option
def create(collections: Collections, name: str, given: GivenSettings, as_json: bool) -> None:
    """Make the collection NAME. Unless you say otherwise apps may not insert items, which are private."""
    made = collections.create(name, given)
    tell(f"Made the collection {made['_id']}.", made, as_json=as_json)
