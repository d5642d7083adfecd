"""Commands of `user` on one user."""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from jsonrpc_backend.cli.answer import print_json, tell
from jsonrpc_backend.cli.target import json_option, printable, readable_time
from jsonrpc_backend.cli.user.on_users import on_users
from jsonrpc_backend.cli.user.users import FoundUsers, Users
from jsonrpc_backend.errors import ParseError
from jsonrpc_backend.rpc.parse import parse, unportable

_password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it."
)


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin:
        try:
            return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise click.ClickException("The password on standard input is not UTF-8.") from error
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


@click.command()
@click.argument("name")
@on_users(finds=True)
@json_option
def show(users: FoundUsers, name: str, as_json: bool) -> None:
    """Show the user NAME (a username or an id) with all properties."""
    found = users.find(name)
    if as_json:
        print_json(found)
        return
    for key, value in _readable(found):
        click.echo(f"{key:<12} {printable(value)}")


def _readable(user: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "id", user["_id"]
    yield "username", user["_username"]
    yield "registered", readable_time(user["_createdAt"])
    yield "changed", readable_time(user["_updatedAt"])
    if "_disabledAt" in user:
        yield "disabled", readable_time(user["_disabledAt"])
    for name, value in user.items():
        if not name.startswith("_"):
            yield f"  {name}", json.dumps(value, ensure_ascii=False)


@click.command()
@click.argument("username")
@click.option("--properties", default="{}", help="Properties as a JSON object, e.g. '{\"age\": 21}'.")
@_password_option
@on_users(create=True)
@json_option
def add(users: Users, username: str, properties: str, password_stdin: bool, as_json: bool) -> None:
    """Add the user USERNAME. Asks for the password."""
    values = _parse_properties(properties)
    added = users.add(username, _read_password(from_stdin=password_stdin), values)
    tell(f"Added {added['_username']} ({added['_id']}).", added, as_json=as_json)


def _parse_properties(text: str) -> Any:
    try:
        values = parse(text.encode(errors="surrogateescape"))
    except ParseError as error:
        raise click.UsageError("--properties is not valid JSON.") from error
    complaint = unportable(values)
    if complaint:
        raise click.UsageError(f"--properties {complaint}.")
    return values


@click.command("set")
@click.argument("name")
@click.option("--username", help="Another username.")
@click.option("--properties", help="Properties to add or replace, as a JSON object; others stay.")
@on_users()
@json_option
def change(users: Users, name: str, username: str | None, properties: str | None, as_json: bool) -> None:
    """Change the user NAME (a username or an id), who stays signed in."""
    values = {} if properties is None else _parse_properties(properties)
    if username is None and properties is None:
        raise click.UsageError("Say what to change: --username or --properties.")
    changed = users.change(name, username, values)
    tell(f"Changed {changed['_username']} ({changed['_id']}).", changed, as_json=as_json)


@click.command()
@click.argument("name")
@_password_option
@on_users(writes=True)
@json_option
def passwd(users: Users, name: str, password_stdin: bool, as_json: bool) -> None:
    """Set another password for the user NAME (a username or an id), who is signed out everywhere."""
    found = users.find(name)
    users.set_password(found, _read_password(from_stdin=password_stdin))
    tell(f"Changed the password of {found['_username']}.", _who(found), as_json=as_json)


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@on_users(writes=True)
@json_option
def delete(users: Users, name: str, yes: bool, as_json: bool) -> None:
    """Delete the user NAME (a username or an id) with properties, sessions and tokens."""
    found = users.find(name)
    if not yes:
        click.confirm(f"Delete {found['_username']} ({found['_id']}) for good?", abort=True, err=True)
    users.delete(found)
    tell(f"Deleted {found['_username']}.", _who(found), as_json=as_json)


def _who(user: Mapping[str, Any]) -> dict[str, Any]:
    return {name: user[name] for name in ("_id", "_username")}
