"""`user list`: users found, sorted and shown as a table or as JSON."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import click

from jsonrpc_backend.cli.target import Target, json_option, on_backend, readable_time
from jsonrpc_backend.errors import InvalidParams
from jsonrpc_backend.methods.management import search_condition, sort_field
from jsonrpc_backend.methods.user import system_fields, user_object
from jsonrpc_backend.rpc.parse import unportable
from jsonrpc_backend.store import user_search
from jsonrpc_backend.store.user_search import Order
from jsonrpc_backend.store.users import User

DEFAULT_COLUMNS = "_id,_createdAt,_username"
_TIMES = {"_createdAt", "_updatedAt", "_updateAt"}


@click.command("list")
@click.option("--filter", "name_filter", help="Only users whose username or id contains this.")
@click.option("--query", help="Only users of whom this MonaQL query is true, e.g. 'country == \"US\" && age > 20'.")
@click.option("--sort", help="A property, or _username, _id, _createdAt, _updatedAt.  [default: by registration]")
@click.option("--desc", "descending", is_flag=True, help="In descending order.")
@click.option("--columns", help=f"What to show, with commas between.  [default: {DEFAULT_COLUMNS}; with --json all]")
@click.option("--page", type=click.IntRange(1), help="Show this page only, from 1.")
@click.option("--per-page", type=click.IntRange(1), default=100, show_default=True, help="Users on a page.")
@on_backend()
@json_option
def list_users(
    target: Target,
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
    given = {"sortProperty": sort, "nameFilter": name_filter}
    target.check(
        "management/User.list", {"page": 1, "itemsInPage": 1} | {k: v for k, v in given.items() if v is not None}
    )
    if unportable(name_filter):
        raise click.UsageError("--filter is not UTF-8.")
    try:
        condition, order = search_condition(name_filter, query, None), Order(sort_field(sort), descending=descending)
    except InvalidParams as error:
        raise click.UsageError(" ".join(error.data.values())) from error
    names = columns.split(",") if columns else None

    def show(db: sqlite3.Connection) -> None:
        keys = user_search.find_keys(db, condition, order)
        shown = keys if page is None else keys[(page - 1) * per_page : page * per_page]
        found = user_search.get_in_order(db, shown)
        lines = _json_lines(found, names) if as_json else _table(found, names or DEFAULT_COLUMNS.split(","))
        for line in lines:
            click.echo(line)

    target.read(show)


def _json_lines(found: Iterator[User], names: list[str] | None) -> Iterator[str]:
    """An array with a user on each line, never held as a whole."""
    before = "["
    for user in found:
        yield before + json.dumps(_chosen(user, names), ensure_ascii=False)
        before = ","
    yield "]" if before == "," else "[]"


def _chosen(user: User, names: list[str] | None) -> dict[str, Any]:
    whole = user_object(user)
    return whole if names is None else {name: whole[name] for name in names if name in whole}


def _table(found: Iterator[User], names: list[str]) -> Iterator[str]:
    rows = [[_cell(user, name) for name in names] for user in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _cell(user: User, name: str) -> str:
    if name in _TIMES:
        return readable_time(system_fields(user)[name])
    value = user_object(user).get(name)
    # A text with line breaks or escape sequences could pretend to be other lines, or do tricks with the terminal.
    is_plain = isinstance(value, str) and value.isprintable()
    return str(value) if is_plain else "-" if value is None else json.dumps(value)
