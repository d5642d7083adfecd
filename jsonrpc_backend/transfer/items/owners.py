"""Who owns an item, and who has a right to it: users by the ids that they have here."""

import csv
import re
from collections.abc import Iterable, Mapping
from typing import Any

from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.store import users
from jsonrpc_backend.store.engine import Db

_OUR_ID = re.compile(r"u[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class UnusableMap(Exception):
    """The message says where and why."""


def read_owner_map(db: Db, lines: Iterable[str]) -> dict[str, str]:
    """Old id to new one, from CSV with a row for each user: the old id, and the new id or the username.

    A first row that means nobody is a header. Raises UnusableMap.
    """
    known: dict[str, str] = {}
    rows = csv.reader(lines, strict=True)
    try:
        for row in filter(None, rows):
            line = rows.line_num
            if len(row) != 2:
                raise UnusableMap(f"line {line}: each row must have two cells: an old id, and a new id or a username")
            old, new = (cell.strip() for cell in row)
            user = find_user(db, new)
            if user is None and line > 1:
                raise UnusableMap(f"line {line}: there is no user {new}")
            if user is not None and known.setdefault(old, user) != user:
                raise UnusableMap(f"line {line}: {old} is there twice, for several users")
    except csv.Error as error:
        raise UnusableMap(f"line {rows.line_num}: the row is not CSV: {error}") from error
    return known


def find_user(db: Db, name: str) -> str | None:
    """The id of whom a name or an id means. One of our ids may be that of somebody who is still to come."""
    if _OUR_ID.fullmatch(name):
        return name
    found = users.find_by_id(db, name)
    return found.id if found else users.find_id(db, username_key(name))


class Owners:
    """`ids`: old ones to new ones. `named_by`: the property that names the owner by id or username, where one does.

    `nobody` counts the items whose property names nobody.
    """

    def __init__(self, db: Db, ids: Mapping[str, str], named_by: str | None) -> None:
        self._db = db
        self._ids = ids
        self._named_by = named_by
        self._seen: dict[str, str | None] = {}
        self.nobody = 0

    def by_id(self, user: str) -> str:
        """The id here; one that nobody knows stays as it is."""
        return self._ids.get(user, user)

    def of(self, owner: str | None, properties: Mapping[str, Any]) -> str | None:
        """The owner of an item that says this of it."""
        name = properties.get(self._named_by) if self._named_by else None
        if name is None or name == "":
            return owner if owner is None else self.by_id(owner)
        found = self._find(str(name)) if isinstance(name, str | int) else None
        self.nobody += found is None
        return found

    def _find(self, name: str) -> str | None:
        if name not in self._seen:
            self._seen[name] = find_user(self._db, self.by_id(name))
        return self._seen[name]
