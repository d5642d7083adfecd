"""`collection drop`."""

import click

from jsonrpc_backend.cli.answer import tell
from jsonrpc_backend.cli.collection.places import Collections, on_collections
from jsonrpc_backend.cli.target import json_option


@click.command("drop")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@on_collections(writes=True)
@json_option
def drop(collections: Collections, name: str, yes: bool, as_json: bool) -> None:
    """Delete the collection NAME with all items."""
    found = collections.get(name)
    if not yes:
        click.confirm(f"Delete the collection {found['_id']} with all items for good?", abort=True, err=True)
    collections.drop(name)
    tell(f"Deleted the collection {found['_id']}.", found, as_json=as_json)
