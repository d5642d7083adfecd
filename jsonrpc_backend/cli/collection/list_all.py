"""`collection list`."""

import click

from jsonrpc_backend.cli.answer import print_json
from jsonrpc_backend.cli.collection.places import Collections, on_collections
from jsonrpc_backend.cli.collection.wording import HEADER, cells
from jsonrpc_backend.cli.table import print_table
from jsonrpc_backend.cli.target import json_option


@click.command("list")
@on_collections()
@json_option
def list_collections(collections: Collections, as_json: bool) -> None:
    """List collections: name, time of making (UTC), whether apps may insert items, what everybody may do with new
    ones, which go with their owner, and indexes."""
    found = collections.list_all()
    if as_json:
        print_json(found)
    else:
        print_table(HEADER, map(cells, found), empty="No collections.")
