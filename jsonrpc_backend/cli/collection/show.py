"""`collection show`."""

import click

from jsonrpc_backend.cli.answer import print_json
from jsonrpc_backend.cli.collection.places import Collections, on_collections
from jsonrpc_backend.cli.collection.wording import HEADER, cells
from jsonrpc_backend.cli.target import json_option


@click.command("show")
@click.argument("name")
@on_collections()
@json_option
def show(collections: Collections, name: str, as_json: bool) -> None:
    """Show how the collection NAME is set up."""
    found = collections.get(name)
    if as_json:
        print_json(found)
        return
    for label, cell in zip(HEADER, cells(found), strict=True):
        click.echo(f"{label:<18} {cell}")
