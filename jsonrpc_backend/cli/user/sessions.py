"""`user sessions`: where a user is signed in, and signing out."""

import json

import click

from jsonrpc_backend.cli.answer import print_json, tell
from jsonrpc_backend.cli.table import print_table
from jsonrpc_backend.cli.target import json_option, readable_time
from jsonrpc_backend.cli.user.on_users import on_users
from jsonrpc_backend.cli.user.users import Users
from jsonrpc_backend.cli.wording import counted


@click.command("sessions")
@click.argument("name")
@click.option(
    "--revoke", metavar="SESSION|all", help="Sign out of one session, or of all and of auto-login everywhere."
)
@on_users()
@json_option
def show_sessions(users: Users, name: str, revoke: str | None, as_json: bool) -> None:
    """List the sessions of the user NAME (a username or an id), latest use first, or end them.

    Shown are a short id, the times of sign-in and of the latest use (UTC), and the device where it is known.
    """
    if revoke is not None:
        count = users.revoke(name, None if revoke == "all" else revoke)
        tell(f"Ended {counted(count, 'session')}.", {"ended": count}, as_json=as_json)
        return
    found = users.sessions(name)
    if as_json:
        print_json(found)
        return
    rows = (
        [each["id"], readable_time(each["createdAt"]), readable_time(each["usedAt"]), _device(each["device"])]
        for each in found
    )
    print_table(["session", "signed in", "last used", "device"], rows, empty="No sessions.")


def _device(device: str | None) -> str:
    """A device calls itself what it likes; see that it stays on its line."""
    if device is None:
        return "-"
    return device if device.isprintable() else json.dumps(device)
