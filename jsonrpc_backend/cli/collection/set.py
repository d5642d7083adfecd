"""`collection set`."""

import click

from jsonrpc_backend.cli.answer import tell
from jsonrpc_backend.cli.collection.places import Collections, on_collections
from jsonrpc_backend.cli.collection.settings import settings_options
from jsonrpc_backend.cli.target import json_option
from jsonrpc_backend.collections.definitions import GivenSettings


@click.command("set")
@click.argument("name")
@settings_options(with_none=True)
@on_collections()
@json_option
def change(collections: Collections, name: str, given: GivenSettings, as_json: bool) -> None:
    """Change how the collection NAME is set up; what you do not say stays. Items that are there keep their rights."""
    if not given.params:
        raise click.UsageError("Say what to change: --insertable, --public, --delete-with-owner or --index.")
    changed = collections.change(name, given)
    tell(f"Changed the collection {changed['_id']}.", changed, as_json=as_json)
