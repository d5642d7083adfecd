"""`user disable` and `user enable`: keep somebody out, and let in again."""

from typing import Any

import click

from jsonrpc_backend.cli.answer import tell
from jsonrpc_backend.cli.target import json_option
from jsonrpc_backend.cli.user.on_users import on_users
from jsonrpc_backend.cli.user.users import Users


@click.command()
@click.argument("name")
@on_users()
@json_option
def disable(users: Users, name: str, as_json: bool) -> None:
    """Sign the user NAME (a username or an id) out everywhere and keep it so. Nothing is deleted."""
    _say(users.disable(name), "Disabled", as_json=as_json)


@click.command()
@click.argument("name")
@on_users()
@json_option
def enable(users: Users, name: str, as_json: bool) -> None:
    """Let the user NAME (a username or an id), who is disabled, sign in again."""
    _say(users.enable(name), "Enabled", as_json=as_json)


def _say(user: dict[str, Any], done: str, *, as_json: bool) -> None:
    tell(f"{done} {user['_username']} ({user['_id']}).", user, as_json=as_json)
