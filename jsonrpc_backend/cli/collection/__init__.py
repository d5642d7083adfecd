"""`collection`: an app's collections, in its database file (the server may be running) or at a server far away."""

import click

from jsonrpc_backend.cli.group import Group, Later

_COMMANDS = {
    "list": Later(
        "jsonrpc_backend.cli.collection.list_all:list_collections",
        "List collections: name, time of making (UTC), whether apps may insert items, what everybody may do with new"
        " ones, which go with their owner, and indexes.",
    ),
    "show": Later("jsonrpc_backend.cli.collection.show:show", "Show how the collection NAME is set up."),
    "items": Later(
        "jsonrpc_backend.cli.collection.list_items:list_items",
        "List items of the collection NAME, oldest first: id, time of insertion (UTC), the user who owns it.",
    ),
    "create": Later("jsonrpc_backend.cli.collection.create:create", "Make the collection NAME."),
    "set": Later(
        "jsonrpc_backend.cli.collection.set:change",
        "Change how the collection NAME is set up; what you do not say stays.",
    ),
    "drop": Later("jsonrpc_backend.cli.collection.drop:drop", "Delete the collection NAME with all items."),
    "import": Later(
        "jsonrpc_backend.cli.collection.import_file:import_items",
        "Import items of collections from each FILE (JSON Lines, JSON, CSV, or a zip of them).",
    ),
    "export": Later(
        "jsonrpc_backend.cli.collection.export_file:export_items",
        "Export all items of the collection NAME to FILE (.jsonl or .csv; - is standard output).",
    ),
}


@click.group(cls=Group, later=_COMMANDS)
def collection() -> None:
    """Make, configure and drop an app's collections. The server may be running."""
