"""`throttle`: whom the limits on guessing hold up, and letting them go on."""

import ipaddress

import click

from jsonrpc_backend.cli.answer import print_json, tell
from jsonrpc_backend.cli.group import Group
from jsonrpc_backend.cli.table import print_table
from jsonrpc_backend.cli.target import json_option, printable, readable_time
from jsonrpc_backend.cli.user.on_users import on_users
from jsonrpc_backend.cli.user.users import Users


@click.group(cls=Group)
def throttle() -> None:
    """See whom the limits on guessing hold up, and let them go on. The server may be running."""


@throttle.command("list")
@on_users()
@json_option
def list_held_up(users: Users, as_json: bool) -> None:
    """List users as whom nobody can sign in from somewhere now: until when (UTC), id, username.

    Of addresses there is no list: they are kept as digests only.
    """
    found = users.list_held_up()
    if as_json:
        print_json(found)
        return
    rows = ([readable_time(each["until"]), each["_id"], printable(each["_username"])] for each in found)
    print_table(["until", "_id", "_username"], rows, empty="The limits hold up nobody.")


@throttle.command()
@click.argument("name_or_address", metavar="NAME|ADDRESS")
@on_users()
@json_option
def clear(users: Users, name_or_address: str, as_json: bool) -> None:
    """Let people go on at once: the user NAME (a username or an id), wherever the wrong passwords came from, or
    everybody at the IP address ADDRESS."""
    removed = (
        users.clear_limits(address=name_or_address)
        if _is_address(name_or_address)
        else users.clear_limits(name=name_or_address)
    )
    sentence = f"Nothing holds up {name_or_address} any more." if removed else "There was nothing to clear."
    tell(sentence, {"removed": removed}, as_json=as_json)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
