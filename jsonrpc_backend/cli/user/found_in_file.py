"""Users looked up in a database file, without what changes them: half of what a command would import."""

from collections.abc import Iterator
from typing import Any

import click

from jsonrpc_backend.accounts.refusals import Unacceptable
from jsonrpc_backend.accounts.searching import search_condition, sorting
from jsonrpc_backend.accounts.user_object import user_object
from jsonrpc_backend.accounts.whom import Whom, by_name_or_id
from jsonrpc_backend.cli.found_page import FoundPage
from jsonrpc_backend.cli.target import Target
from jsonrpc_backend.cli.user.users import UsersSearch
from jsonrpc_backend.monaql import Condition
from jsonrpc_backend.rpc.parse import unportable
from jsonrpc_backend.store import user_search


class UsersFoundInFile:
    """Implements `FoundUsers`."""

    def __init__(self, target: Target) -> None:
        self.target = target

    def search(self, search: UsersSearch) -> Iterator[dict[str, Any]]:
        condition, order = self._compiled(search)
        with self.target.reading() as db:
            for user in user_search.get_in_order(db, user_search.find_keys(db, condition, order)):
                yield user_object(user)

    def page(self, search: UsersSearch, number: int, size: int) -> FoundPage:
        condition, order = self._compiled(search)
        with self.target.reading() as db:
            keys = user_search.find_keys(db, condition, order)
            found = user_search.get_in_order(db, keys[(number - 1) * size : number * size])
            return FoundPage([user_object(user) for user in found], len(keys))

    def _compiled(self, search: UsersSearch) -> tuple[Condition, Condition]:
        """Who is looked for, and in which order."""
        dialect = self.target.engine.dialect
        given = {"sortProperty": search.sort, "nameFilter": search.name_filter}
        stated = {name: value for name, value in given.items() if value is not None}
        if stated:
            self.target.check("management/User.list", {"page": 1, "itemsInPage": 1} | stated)
        if unportable(search.name_filter):
            raise click.UsageError("--filter is not UTF-8.")
        try:
            condition = search_condition(dialect, search.name_filter, search.query, None)
            return condition, sorting(search.sort, descending=search.descending).compile(dialect)
        except Unacceptable as error:
            raise click.UsageError(" ".join(error.complaints.values())) from error

    def find(self, name: str) -> dict[str, Any]:
        return user_object(self.target.read(named(name)))


def named(name: str) -> Whom:
    if unportable(name):
        raise click.ClickException("The name is not UTF-8.")
    return by_name_or_id(name)
