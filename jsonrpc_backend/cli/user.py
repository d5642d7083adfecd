"""`user`: an app's users, straight from its database file. The server may be running meanwhile."""

import json
import sqlite3
import sys
from collections.abc import Iterator
from typing import Any

import click

from jsonrpc_backend.accounts.passwords import argon2_hasher
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.cli.audit import record
from jsonrpc_backend.cli.target import Target, json_option, on_backend, readable_time
from jsonrpc_backend.errors import ParseError
from jsonrpc_backend.methods.user import TOO_LARGE, USERNAME_TAKEN, new_user_id, user_object
from jsonrpc_backend.rpc.backend import system_clock
from jsonrpc_backend.rpc.parse import parse, unportable
from jsonrpc_backend.rpc.schemas import ParamsSchema
from jsonrpc_backend.store import login_tokens, password_resets, sessions, users
from jsonrpc_backend.store.users import PropertiesTooLarge, User, UsernameTaken


@click.group()
def user() -> None:
    """List and change an app's users. The server may be running."""


_password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it."
)


def _hash(target: Target, password: str) -> str:
    return argon2_hasher(target.config.passwords).hash(password)


def _check(target: Target, method: str, params: dict[str, Any]) -> None:
    """Checks values by the same rules as a call of `method`. Raises ClickException."""
    complaints = ParamsSchema(method, target.backend).complaints(params)
    if complaints:
        raise click.ClickException(" ".join(complaints.values()))


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin:
        try:
            return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise click.ClickException("The password on standard input is not UTF-8.") from error
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _find(db: sqlite3.Connection, name: str) -> User:
    """A user by username or id. Ids are public, so somebody may have taken one as a username: then it is neither's."""
    if unportable(name):
        raise click.ClickException("The name is not UTF-8.")
    by_name, by_id = users.find_by_username(db, username_key(name)), users.find_by_id(db, name)
    if by_name and by_id:
        raise click.ClickException(f"{name} is the username of {by_name.id} and the id of {by_id.username}.")
    found = by_name or by_id
    if found is None:
        raise click.ClickException(f"There is no user {name}.")
    return found


def _find_again(db: sqlite3.Connection, user: User) -> User:
    """The same user, as of now."""
    found = users.find_by_id(db, user.id)
    if found is None:
        raise click.ClickException(f"{user.username} has been deleted meanwhile.")
    return found


@user.command("list")
@on_backend()
@json_option
def list_users(target: Target, as_json: bool) -> None:
    """List the users, oldest first: id, time of registration (UTC), username."""
    found = target.read(lambda db: list(users.list_all(db)))
    if as_json:
        click.echo(json.dumps([user_object(user) for user in found], ensure_ascii=False, indent=2))
        return
    for row in found:
        click.echo(f"{row.id}  {readable_time(row.created_at)}  {row.username}")


@user.command()
@click.argument("name")
@on_backend()
@json_option
def show(target: Target, name: str, as_json: bool) -> None:
    """Show the user NAME (a username or an id) with all properties."""
    found = target.read(lambda db: _find(db, name))
    if as_json:
        click.echo(json.dumps(user_object(found), ensure_ascii=False, indent=2))
        return
    for key, value in _readable(found):
        click.echo(f"{key:<12} {value}")


def _readable(user: User) -> Iterator[tuple[str, str]]:
    yield "id", user.id
    yield "username", user.username
    yield "registered", readable_time(user.created_at)
    yield "changed", readable_time(user.updated_at)
    for name, value in user.properties.items():
        yield f"  {name}", json.dumps(value, ensure_ascii=False)


@user.command()
@click.argument("username")
@click.option("--properties", default="{}", help="Properties as a JSON object, e.g. '{\"age\": 21}'.")
@_password_option
@on_backend(create=True)
def add(target: Target, username: str, properties: str, password_stdin: bool) -> None:
    """Add the user USERNAME. Asks for the password."""
    values = _parse_properties(properties)
    password = _read_password(from_stdin=password_stdin)
    _check(target, "User.register", {"username": username, "password": password, "properties": values})
    password_hash = _hash(target, password)

    def insert(db: sqlite3.Connection) -> User:
        inserted = users.insert(
            db,
            id=new_user_id(),
            username=username,
            username_key=username_key(username),
            password_hash=password_hash,
            properties_json=users.encode_properties(values),
            now=system_clock(),
        )
        record(db, "user add", [inserted.id])
        return inserted

    try:
        added = target.write(insert)
    except UsernameTaken as error:
        raise click.ClickException(USERNAME_TAKEN) from error
    except PropertiesTooLarge as error:
        raise click.ClickException(TOO_LARGE) from error
    click.echo(f"Added {added.username} ({added.id}).")


def _parse_properties(text: str) -> Any:
    try:
        values = parse(text.encode(errors="surrogateescape"))
    except ParseError as error:
        raise click.UsageError("--properties is not valid JSON.") from error
    complaint = unportable(values)
    if complaint:
        raise click.UsageError(f"--properties {complaint}.")
    return values


@user.command()
@click.argument("name")
@_password_option
@on_backend()
def passwd(target: Target, name: str, password_stdin: bool) -> None:
    """Set another password for the user NAME (a username or an id), who is signed out everywhere."""
    found = target.read(lambda db: _find(db, name))
    password = _read_password(from_stdin=password_stdin)
    _check(target, "User.updatePassword", {"oldPassword": "", "newPassword": password})
    password_hash = _hash(target, password)

    def replace(db: sqlite3.Connection) -> None:
        current = _find_again(db, found)
        users.replace_password(db, current, password_hash, system_clock())
        sessions.end_all(db, current.key)
        login_tokens.end_all(db, current.key)
        password_resets.end(db, current.key)
        record(db, "user passwd", [current.id])

    target.write(replace)
    click.echo(f"Changed the password of {found.username}.")


@user.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@on_backend()
def delete(target: Target, name: str, yes: bool) -> None:
    """Delete the user NAME (a username or an id) with properties, sessions and tokens."""
    found = target.read(lambda db: _find(db, name))
    if not yes:
        click.confirm(f"Delete {found.username} ({found.id}) for good?", abort=True, err=True)

    def remove(db: sqlite3.Connection) -> None:
        users.delete(db, _find_again(db, found))
        record(db, "user delete", [found.id])

    target.write(remove)
    click.echo(f"Deleted {found.username}.")
