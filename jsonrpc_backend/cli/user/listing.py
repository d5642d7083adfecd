"""`user list`: users found, sorted and shown as a table or as JSON."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import click

from jsonrpc_backend.cli.found import cell, page_options, print_objects, tell_page
from jsonrpc_backend.cli.table import print_table
from jsonrpc_backend.cli.target import json_option
from jsonrpc_backend.cli.user.on_users import on_users
from jsonrpc_backend.cli.user.users import FoundUsers, UsersSearch
from jsonrpc_backend.rpc.schema_files import COMMON, load

DEFAULT_COLUMNS = ["_id", "_createdAt", "_username"]
_FIELDS = [*load(COMMON)["$defs"]["user"]["properties"]]
_PROPERTY = re.compile(r"[a-zA-Z][a-zA-Z0-9]*")
_TIMES = {"_createdAt", "_updatedAt", "_updateAt", "_disabledAt"}


@click.command("list")
@click.option("--filter", "name_filter", help="Only users whose username or id contains this.")
@click.option("--query", help="Only users of whom this MonaQL query is true, e.g. 'country == \"US\" && age > 20'.")
@click.option("--sort", help="A property, or _username, _id, _createdAt, _updatedAt.  [default: by registration]")
@click.option("--desc", "descending", is_flag=True, help="In descending order.")
@page_options("Users", DEFAULT_COLUMNS)
@on_users(finds=True)
@json_option
def list_users(
    users: FoundUsers,
    *,
    name_filter: str | None,
    query: str | None,
    sort: str | None,
    descending: bool,
    columns: str | None,
    page: int | None,
    per_page: int,
    as_json: bool,
) -> None:
    """List users, oldest first: id, time of registration (UTC), username.

    Values of properties are shown as JSON, but for plain texts; `-` stands for none.
    """
    names = columns.split(",") if columns else None
    _check_names(users, sort, names or [])
    # Of a table a server needs to send no more than what is shown.
    needed = names if as_json else [*filter(_is_property, names or DEFAULT_COLUMNS)]
    search = UsersSearch(name_filter, query, sort, descending, needed)
    shown = None if page is None else users.page(search, page, per_page)
    found = users.search(search) if shown is None else iter(shown.items)
    if as_json:
        print_objects(found, names)
        return
    header = names or DEFAULT_COLUMNS
    print_table(header, _rows(found, header), empty="No users." if page is None else "No users on this page.")
    if shown is not None:
        tell_page(page or 1, per_page, shown.total, "user")


def _is_property(name: str) -> bool:
    return not name.startswith("_")


def _check_names(users: FoundUsers, sort: str | None, columns: list[str]) -> None:
    """Refuses names that nothing has: a slip would sort by nothing or show an empty column."""
    for name in columns:
        if not (name in _FIELDS if name.startswith("_") else _PROPERTY.fullmatch(name)):
            raise click.UsageError(f"{name or 'An empty name'} is no column; {', '.join(_FIELDS)} and properties are.")
    properties = {name for name in (sort, *columns) if name is not None and _PROPERTY.fullmatch(name)}
    missing = [name for name in sorted(properties) if _is_nowhere(users, name)]
    if missing and users.page(UsersSearch(names=[]), 1, 1).total:
        raise click.ClickException(f"No user has a property {' or '.join(missing)}.")


def _is_nowhere(users: FoundUsers, name: str) -> bool:
    return users.page(UsersSearch(query=f"{name} != null", names=[]), 1, 1).total == 0


def _rows(found: Iterator[dict[str, Any]], names: list[str]) -> Iterator[list[str]]:
    for user in found:
        yield [_cell(user, name) for name in names]


def _cell(user: Mapping[str, Any], name: str) -> str:
    if name == "_username" and "_disabledAt" in user:
        return f"{user[name]} (disabled)"  # no username has a space
    return cell(user.get(name), is_time=name in _TIMES)
