"""The user whom a command names."""

import sqlite3

import click

from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.rpc.parse import unportable
from jsonrpc_backend.store import users
from jsonrpc_backend.store.users import User


def find_user(db: sqlite3.Connection, name: str) -> User:
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


def find_again(db: sqlite3.Connection, user: User) -> User:
    """The same user, as of now."""
    found = users.find_by_id(db, user.id)
    if found is None:
        raise click.ClickException(f"{user.username} has been deleted meanwhile.")
    return found
