"""`audit`: what operators did; and the note that commands make of what they do themselves."""

import contextlib
import os
import pwd
from collections.abc import Callable, Iterator
from typing import Any

import click

from jsonrpc_backend.cli.answer import print_json
from jsonrpc_backend.cli.group import Group
from jsonrpc_backend.cli.table import print_table
from jsonrpc_backend.cli.target import Target, json_option, on_backend, readable_time
from jsonrpc_backend.cli.wording import counted
from jsonrpc_backend.clock import system_clock
from jsonrpc_backend.store import audit as audit_log
from jsonrpc_backend.store.audit import COMMAND_LINE, Act, Entry, Operator
from jsonrpc_backend.store.engine import Db

IDS_SHOWN = 3

Note = Callable[[Callable[[Db], None]], None]  # gets what writes the entry


def act_of(command: str) -> Act:
    """What a command does now."""
    return Act(Operator(COMMAND_LINE, _system_user()), command, system_clock())


@contextlib.contextmanager
def noting(target: Target) -> Iterator[Note]:
    """What notes in the audit log that data are read. A copy that nobody serves is left as it is."""
    with target.reading():
        pass  # a file of an older version is refused rather than migrated
    if target.engine.is_copy():
        yield lambda _: None
    elif not target.engine.is_writable():
        yield lambda _: click.echo("The audit log cannot be written to; the export is not noted there.", err=True)
    else:
        with target.writing() as db:
            yield db.write


def _system_user() -> str:
    """Who runs the command, by the system's word: the environment is easily changed."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # as in a container that runs under any number
        return f"user {os.getuid()}"


@click.group(cls=Group)
def audit() -> None:
    """See what operators did."""


@audit.command("list")
@click.option("--last", "most", type=click.IntRange(1), default=100, show_default=True, help="How many entries.")
@click.option("--collection", help="Only what was done to this collection and its items.")
@on_backend()
@json_option
def list_entries(target: Target, most: int, collection: str | None, as_json: bool) -> None:
    """List changes, newest first: time (UTC), who, what, and to which users or items. Values are not kept."""
    found = target.read(lambda db: list(audit_log.list_latest(db, most, collection)))
    if as_json:
        print_json([_object(entry) for entry in found])
        return
    rows = ([readable_time(entry.created_at), _who(entry.operator), entry.method, _whom(entry)] for entry in found)
    print_table(["time", "who", "what", "users or items"], rows, empty="No entries.")


def _object(entry: Entry) -> dict[str, Any]:
    return {
        "time": entry.created_at,
        "via": entry.operator.via,
        "actor": entry.operator.actor,
        "address": entry.operator.address,
        "method": entry.method,
        "userIds": entry.user_ids,
        "users": entry.users,
        "collection": entry.collection,
        "itemIds": entry.item_ids,
        "items": entry.items,
    }


def _who(operator: Operator) -> str:
    where = f" from {operator.address}" if operator.address else ""
    return f"{operator.via} ({operator.actor}){where}"


def _whom(entry: Entry) -> str:
    if entry.collection is None:
        return _some(entry.user_ids, entry.users, "user")
    if entry.items == 0:
        return entry.collection
    return f"{entry.collection}: {_some(entry.item_ids, entry.items, 'item')}"


def _some(ids: list[str], number: int, one: str) -> str:
    """The first of them, and how many more there are."""
    shown = ids[:IDS_SHOWN]
    if not shown:
        return counted(number, one)
    more = f" and {number - len(shown)} more" if number > len(shown) else ""
    return " ".join(shown) + more
