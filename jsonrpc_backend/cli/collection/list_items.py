"""`collection items`."""

import re
from collections.abc import Iterator
from typing import Any

import click

from jsonrpc_backend.cli.collection.items_search import ItemsSearch
from jsonrpc_backend.cli.collection.places import Collections, on_collections
from jsonrpc_backend.cli.found import cell, page_options, print_objects, tell_page
from jsonrpc_backend.cli.table import print_table
from jsonrpc_backend.cli.target import json_option
from jsonrpc_backend.collections.item_object import FIELDS

DEFAULT_COLUMNS = ["_id", "_createdAt", "_ownerUserOid"]
_PROPERTY = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")
_TIMES = {"_createdAt", "_updatedAt"}


@click.command("items")
@click.argument("name")
@click.option("--query", help="Only items of which this MonaQL query is true, e.g. 'tag == \"a\" && mood > 2'.")
@click.option("--sort", help="A property, or _id, _ownerUserOid, _createdAt, _updatedAt.  [default: _createdAt]")
@click.option("--desc", "descending", is_flag=True, help="In descending order.")
@page_options("Items", DEFAULT_COLUMNS)
@on_collections()
@json_option
def list_items(
    collections: Collections,
    *,
    name: str,
    query: str | None,
    sort: str | None,
    descending: bool,
    columns: str | None,
    page: int | None,
    per_page: int,
    as_json: bool,
) -> None:
    """List items of the collection NAME, oldest first: id, time of insertion (UTC), the user who owns it.

    Values of properties are shown as JSON, but for plain texts; `-` stands for none.
    """
    names = columns.split(",") if columns else None
    _check_names(names or [])
    # Of a table a server needs to send no more than what is shown.
    needed = names if as_json else [each for each in names or DEFAULT_COLUMNS if not each.startswith("_")]
    search = ItemsSearch(name, query, sort, descending, needed)
    shown = None if page is None else collections.page(search, page, per_page)
    found = collections.search(search) if shown is None else iter(shown.items)
    if as_json:
        print_objects(found, names)
        return
    header = names or DEFAULT_COLUMNS
    print_table(header, _rows(found, header), empty="No items." if page is None else "No items on this page.")
    if shown is not None:
        tell_page(page or 1, per_page, shown.total, "item")


def _check_names(columns: list[str]) -> None:
    for name in columns:
        if not (name in FIELDS if name.startswith("_") else _PROPERTY.fullmatch(name)):
            raise click.UsageError(f"{name or 'An empty name'} is no column; {', '.join(FIELDS)} and properties are.")


def _rows(found: Iterator[dict[str, Any]], names: list[str]) -> Iterator[list[str]]:
    for item in found:
        yield [cell(item.get(name), is_time=name in _TIMES) for name in names]
