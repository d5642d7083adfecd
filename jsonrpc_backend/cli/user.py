"""`user`: an app's users, straight from its database file. The server may be running meanwhile."""

import contextlib
import functools
import json
import sqlite3
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from jsonrpc_backend.accounts.passwords import argon2_hasher
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.cli.settings import DatabaseFailed, config_options, find_config, reported
from jsonrpc_backend.config import BackendConfig, Config
from jsonrpc_backend.errors import ParseError
from jsonrpc_backend.methods.user import TOO_LARGE, USERNAME_TAKEN, user_object
from jsonrpc_backend.rpc.backend import database_path, system_clock
from jsonrpc_backend.rpc.parse import parse, unportable
from jsonrpc_backend.rpc.schemas import Limits, ParamsSchema
from jsonrpc_backend.store import login_tokens, sessions, users
from jsonrpc_backend.store.database import open_for_writing, run_in_transaction
from jsonrpc_backend.store.users import PropertiesTooLarge, User, UsernameTaken

T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """The backend that a command works on."""

    config: Config
    backend: BackendConfig
    path: Path

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        with reported(), contextlib.closing(open_for_writing(self.path)) as db:
            return query(db)

    def write(self, unit: Callable[[sqlite3.Connection], T]) -> T:
        """Runs one transaction."""
        with reported(), contextlib.closing(open_for_writing(self.path)) as db:
            return run_in_transaction(db, unit)

    def hash(self, password: str) -> str:
        return argon2_hasher(self.config.passwords).hash(password)

    def check(self, method: str, params: dict[str, Any]) -> None:
        """Checks values by the same rules as a call of `method`. Raises ClickException."""
        limits = Limits(self.backend.min_username_length, self.backend.min_password_length)
        complaints = ParamsSchema(method, limits).complaints(params)
        if complaints:
            raise click.ClickException(" ".join(complaints.values()))


@click.group()
def user() -> None:
    """List and change an app's users. The server may be running."""


def _on_backend(*, create: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Adds the options that say which backend, and passes it to the command as its first argument."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(config_file: Path | None, data: Path | None, backend_id: str | None, **arguments: Any) -> None:
            with reported():
                config = find_config(config_file, data)
            command(_target(config, backend_id, create=create), **arguments)

        option = click.option("--backend", "backend_id", help="Backend id. Not needed where there is only one.")
        return config_options(option(run))

    return decorate


def _target(config: Config, backend_id: str | None, *, create: bool) -> Target:
    known = ", ".join(config.backends)
    if backend_id is None:
        if len(config.backends) > 1:
            raise click.UsageError(f"Which backend? Say --backend ID; there are {known}.")
        (backend_id,) = config.backends
    if backend_id not in config.backends:
        raise click.UsageError(f"There is no backend {backend_id}; there is {known}.")
    path = database_path(Path(config.server.data_dir), backend_id)
    if not create and not path.is_file():
        raise DatabaseFailed(f"There is no database {path} yet. Start the server once, or say --data or --config.")
    return Target(config, config.backends[backend_id], path)


_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
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


def _find(db: sqlite3.Connection, name: str) -> User:
    """A user by username or id."""
    found = users.find_by_username(db, username_key(name)) or users.find_by_id(db, name)
    if found is None:
        raise click.ClickException(f"There is no user {name}.")
    return found


@user.command("list")
@_on_backend()
@_json_option
def list_users(target: Target, as_json: bool) -> None:
    """List the users, oldest first: id, time of registration (UTC), username."""
    found = target.read(lambda db: list(users.list_all(db)))
    if as_json:
        click.echo(json.dumps([user_object(user) for user in found], ensure_ascii=False, indent=2))
        return
    for row in found:
        click.echo(f"{row.id}  {_time(row.created_at)}  {row.username}")


@user.command()
@click.argument("name")
@_on_backend()
@_json_option
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
    yield "registered", _time(user.created_at)
    yield "changed", _time(user.updated_at)
    for name, value in user.properties.items():
        yield f"  {name}", json.dumps(value, ensure_ascii=False)


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(" ", "seconds").removesuffix("+00:00")


@user.command()
@click.argument("username")
@click.option("--properties", default="{}", help="Properties as a JSON object, e.g. '{\"age\": 21}'.")
@_password_option
@_on_backend(create=True)
def add(target: Target, username: str, properties: str, password_stdin: bool) -> None:
    """Add the user USERNAME. Asks for the password."""
    values = _parse_properties(properties)
    password = _read_password(from_stdin=password_stdin)
    target.check("User.register", {"username": username, "password": password, "properties": values})
    password_hash = target.hash(password)
    try:
        added = target.write(
            lambda db: users.insert(
                db,
                id=f"u{uuid.uuid4()}",
                username=username,
                username_key=username_key(username),
                password_hash=password_hash,
                properties_json=users.encode_properties(values),
                now=system_clock(),
            )
        )
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
@_on_backend()
def passwd(target: Target, name: str, password_stdin: bool) -> None:
    """Set another password for the user NAME (a username or an id), who is signed out everywhere."""
    found = target.read(lambda db: _find(db, name))
    password = _read_password(from_stdin=password_stdin)
    target.check("User.updatePassword", {"oldPassword": "", "newPassword": password})
    password_hash = target.hash(password)

    def replace(db: sqlite3.Connection) -> None:
        current = _find(db, found.id)
        users.replace_password(db, current, password_hash, system_clock())
        sessions.end_all(db, current.key)
        login_tokens.end_all(db, current.key)

    target.write(replace)
    click.echo(f"Changed the password of {found.username}.")


@user.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_on_backend()
def delete(target: Target, name: str, yes: bool) -> None:
    """Delete the user NAME (a username or an id) with properties, sessions and tokens."""
    found = target.read(lambda db: _find(db, name))
    if not yes:
        click.confirm(f"Delete {found.username} ({found.id}) for good?", abort=True, err=True)
    target.write(lambda db: users.delete(db, _find(db, found.id)))
    click.echo(f"Deleted {found.username}.")
