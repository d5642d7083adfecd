"""The command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 wrong configuration, 4 database unusable."""

import click

from jsonrpc_backend import __version__
from jsonrpc_backend.cli.group import Group, Later

_COMMANDS = {
    "serve": Later("jsonrpc_backend.cli.serve:serve", "Run the server until Ctrl+C or SIGTERM."),
    "init": Later("jsonrpc_backend.cli.init:init", "Write a commented configuration FILE with a fresh API key."),
    "check-config": Later(
        "jsonrpc_backend.cli.check_config:check_config",
        "Say what is wrong in FILE and the environment, with the path of each key.",
    ),
    "user": Later("jsonrpc_backend.cli.user:user", "List and change an app's users."),
    "collection": Later("jsonrpc_backend.cli.collection:collection", "Make, configure and drop an app's collections."),
    "throttle": Later(
        "jsonrpc_backend.cli.throttle:throttle", "See whom the limits on guessing hold up, and let them go on."
    ),
    "mail": Later("jsonrpc_backend.cli.mail:mail", "Look at the mails of an app, and try the SMTP server."),
    "audit": Later("jsonrpc_backend.cli.audit:audit", "See what operators did."),
    "backup": Later("jsonrpc_backend.cli.backup:backup", "Copy the databases and keys to the new folder DEST."),
    "restore": Later(
        "jsonrpc_backend.cli.restore:restore",
        "Put the databases and keys of the folder SOURCE, which `backup` has made, into the data folder.",
    ),
}


@click.group(cls=Group, later=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """User accounts for apps over JSON-RPC 2.0: one process, one SQLite file per app."""
