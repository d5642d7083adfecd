"""`user`: an app's users, in its database file (the server may be running) or at a server far away."""

import click

from jsonrpc_backend.cli.group import Group, Later

_COMMANDS = {
    "list": Later(
        "jsonrpc_backend.cli.user.listing:list_users",
        "List users, oldest first: id, time of registration (UTC), username.",
    ),
    "show": Later(
        "jsonrpc_backend.cli.user.commands:show", "Show the user NAME (a username or an id) with all properties."
    ),
    "add": Later("jsonrpc_backend.cli.user.commands:add", "Add the user USERNAME."),
    "set": Later(
        "jsonrpc_backend.cli.user.commands:change", "Change the user NAME (a username or an id), who stays signed in."
    ),
    "passwd": Later(
        "jsonrpc_backend.cli.user.commands:passwd",
        "Set another password for the user NAME (a username or an id), who is signed out everywhere.",
    ),
    "delete": Later(
        "jsonrpc_backend.cli.user.commands:delete",
        "Delete the user NAME (a username or an id) with properties, sessions and tokens.",
    ),
    "sessions": Later(
        "jsonrpc_backend.cli.user.sessions:show_sessions",
        "List the sessions of the user NAME (a username or an id), latest use first, or end them.",
    ),
    "disable": Later(
        "jsonrpc_backend.cli.user.disable:disable",
        "Sign the user NAME (a username or an id) out everywhere and keep it so.",
    ),
    "enable": Later(
        "jsonrpc_backend.cli.user.disable:enable",
        "Let the user NAME (a username or an id), who is disabled, sign in again.",
    ),
    "export": Later(
        "jsonrpc_backend.cli.user.export_file:export_users",
        "Export all users, oldest first, to FILE (JSON Lines or CSV; - is standard output).",
    ),
    "import": Later(
        "jsonrpc_backend.cli.user.import_file:import_users",
        "Import users from FILE (JSON Lines, JSON or CSV; - is standard input).",
    ),
    "send-reset": Later(
        "jsonrpc_backend.cli.user.mailing:send_reset",
        "Have a mail with a reset token sent to each user who has no password.",
    ),
}


@click.group(cls=Group, later=_COMMANDS)
def user() -> None:
    """List and change an app's users. The server may be running."""
