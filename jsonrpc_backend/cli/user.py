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
from jsonrpc_backend.cli.target import Target, json_option, on_backend, printable, readable_time
from jsonrpc_backend.cli.user_find import find_again, find_user
from jsonrpc_backend.cli.user_list import list_users
from jsonrpc_backend.cli.user_sessions import show_sessions
from jsonrpc_backend.errors import ParseError
from jsonrpc_backend.methods.management import change_user
from jsonrpc_backend.methods.user import TOO_LARGE, USERNAME_TAKEN, new_user_id, user_object
from jsonrpc_backend.rpc.backend import system_clock
from jsonrpc_backend.rpc.parse import parse, unportable
from jsonrpc_backend.store import login_tokens, password_resets, sessions, users
from jsonrpc_backend.store.users import PropertiesTooLarge, User, UsernameTaken


@click.group()
def user() -> None:
    """List and change an app's users. The server may be running."""


user.add_command(list_users)
user.add_command(show_sessions)

_password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it."
)


def _hash(target: Target, password: str) -> str:
    return argon2_hasher(target.config.passwords).hash(password)


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin:
        try:
            return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise click.ClickException("The password on standard input is not UTF-8.") from error
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


@user.command()
@click.argument("name")
@on_backend()
@json_option
def show(target: Target, name: str, as_json: bool) -> None:
    """Show the user NAME (a username or an id) with all properties."""
    found = target.read(lambda db: find_user(db, name))
    if as_json:
        click.echo(json.dumps(user_object(found), ensure_ascii=False, indent=2))
        return
    for key, value in _readable(found):
        click.echo(f"{key:<12} {printable(value)}")


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
    target.check("User.register", {"username": username, "password": password, "properties": values})
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


@user.command("set")
@click.argument("name")
@click.option("--username", help="Another username.")
@click.option("--properties", help="Properties to add or replace, as a JSON object; others stay.")
@on_backend()
def change(target: Target, name: str, username: str | None, properties: str | None) -> None:
    """Change the user NAME (a username or an id), who stays signed in."""
    values = {} if properties is None else _parse_properties(properties)
    if username is None and properties is None:
        raise click.UsageError("Say what to change: --username or --properties.")
    target.check("User.saveProperties", {"properties": values})
    if username is not None:
        target.check("management/User.update", {"_id": name, "user": {"_username": username}})

    def apply(db: sqlite3.Connection) -> User:
        found = find_user(db, name)
        change_user(db, found, username=username, properties=values, now=system_clock())
        record(db, "user set", [found.id])
        return users.get(db, found.key)

    try:
        changed = target.write(apply)
    except UsernameTaken as error:
        raise click.ClickException(USERNAME_TAKEN) from error
    except PropertiesTooLarge as error:
        raise click.ClickException(TOO_LARGE) from error
    click.echo(f"Changed {changed.username} ({changed.id}).")


@user.command()
@click.argument("name")
@_password_option
@on_backend()
def passwd(target: Target, name: str, password_stdin: bool) -> None:
    """Set another password for the user NAME (a username or an id), who is signed out everywhere."""
    found = target.read(lambda db: find_user(db, name))
    password = _read_password(from_stdin=password_stdin)
    target.check("User.updatePassword", {"oldPassword": "", "newPassword": password})
    password_hash = _hash(target, password)

    def replace(db: sqlite3.Connection) -> None:
        current = find_again(db, found)
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
    found = target.read(lambda db: find_user(db, name))
    if not yes:
        click.confirm(f"Delete {found.username} ({found.id}) for good?", abort=True, err=True)

    def remove(db: sqlite3.Connection) -> None:
        users.delete(db, find_again(db, found))
        record(db, "user delete", [found.id])

    target.write(remove)
    click.echo(f"Deleted {found.username}.")
