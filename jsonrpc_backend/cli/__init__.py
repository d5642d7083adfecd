"""The command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 wrong configuration, 4 database unusable."""

import click

from jsonrpc_backend import __version__
from jsonrpc_backend.cli.audit import audit
from jsonrpc_backend.cli.backup import backup
from jsonrpc_backend.cli.check_config import check_config
from jsonrpc_backend.cli.collection.commands import collection
from jsonrpc_backend.cli.group import Group
from jsonrpc_backend.cli.init import init
from jsonrpc_backend.cli.mail import mail
from jsonrpc_backend.cli.restore import restore
from jsonrpc_backend.cli.serve import serve
from jsonrpc_backend.cli.throttle import throttle
from jsonrpc_backend.cli.user.commands import user
from jsonrpc_backend.cli.user.disable import disable, enable
from jsonrpc_backend.cli.user.export_file import export_users
from jsonrpc_backend.cli.user.import_file import import_users
from jsonrpc_backend.cli.user.mailing import send_reset


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """User accounts for apps over JSON-RPC 2.0: one process, one SQLite file per app."""


for command in (serve, init, check_config, user, collection, throttle, mail, audit, backup, restore):
    main.add_command(command)

for command in (disable, enable, export_users, import_users, send_reset):
    user.add_command(command)
