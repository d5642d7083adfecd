"""`collection`: an app's collections, in its database file (the server may be running) or at a server far away."""

import click

from jsonrpc_backend.cli.collection.create import create
from jsonrpc_backend.cli.collection.drop import drop
from jsonrpc_backend.cli.collection.list_all import list_collections
from jsonrpc_backend.cli.collection.set import change
from jsonrpc_backend.cli.collection.show import show
from jsonrpc_backend.cli.group import Group


@click.group(cls=Group)
def collection() -> None:
    """Make, configure and drop an app's collections. The server may be running."""


for _command in (list_collections, show, create, change, drop):
    collection.add_command(_command)
