"""Users at a server, through the operators' API, for commands."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.cli.at_server import all_pages, called, page_of
from jsonrpc_backend.cli.found_page import FoundPage
from jsonrpc_backend.cli.user.users import UsersSearch
from jsonrpc_backend.client import ManagementClient, wire


class UsersAtServer:
    """Implements `Users`."""

    def __init__(self, client: ManagementClient) -> None:
        self._client = client

    def search(self, search: UsersSearch) -> Iterator[dict[str, Any]]:
        return all_pages(lambda number, size: self.page(search, number, size))

    def page(self, search: UsersSearch, number: int, size: int) -> FoundPage:
        params = {
            "page": number,
            "itemsInPage": size,
            "sortProperty": search.sort,
            "sortOrder": "desc" if search.descending else "asc",
            "propertyNames": search.names,
            "nameFilter": search.name_filter,
            "userQuery": search.query,
        }
        return page_of(self._call("User.list", params))

    def _call(self, method: str, params: Mapping[str, Any]) -> Any:
        return called(self._client, method, params)

    def find(self, name: str) -> dict[str, Any]:
        # The server looks for a part of a name, and for how one is written; what is the same name is known here.
        key = username_key(name)
        found = [
            user
            for user in self.search(UsersSearch(name_filter=name, names=[]))
            if user["_id"] == name or username_key(user["_username"]) == key
        ]
        if not found:
            raise click.ClickException(f"There is no user {name}.")
        if len(found) > 1:
            raise click.ClickException(f"{name} is the username of one user and the id of another one.")
        return self._get(found[0]["_id"])

    def _get(self, user_id: str) -> dict[str, Any]:
        user: dict[str, Any] = wire.member(self._call("User.get", {"_id": user_id}), "user")
        return user

    def add(self, username: str, password: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        params = {"username": username, "password": password, "properties": properties}
        user: dict[str, Any] = wire.member(self._call("User.create", params), "user")
        return user

    def change(self, name: str, username: str | None, properties: Mapping[str, Any]) -> dict[str, Any]:
        found = self.find(name)
        renamed = {} if username is None else {"_username": username}
        self._call("User.update", {"_id": found["_id"], "user": {**properties, **renamed}})
        return self._get(found["_id"])

    def delete(self, user: Mapping[str, Any]) -> None:
        self._call("User.delete", {"idList": [user["_id"]]})

    def set_password(self, user: Mapping[str, Any], password: str) -> None:
        self._call("User.setPassword", {"_id": user["_id"], "password": password})

    def sessions(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = wire.member(
            self._call("Session.list", {"_id": self.find(name)["_id"]}), "sessions"
        )
        return found

    def revoke(self, name: str, session: str | None) -> int:
        params = {"_id": self.find(name)["_id"], "session": session}
        ended: int = wire.member(self._call("Session.revoke", params), "ended")
        return ended

    def disable(self, name: str) -> dict[str, Any]:
        return self._switch("User.disable", name)

    def enable(self, name: str) -> dict[str, Any]:
        return self._switch("User.enable", name)

    def _switch(self, method: str, name: str) -> dict[str, Any]:
        found = self.find(name)
        self._call(method, {"_id": found["_id"]})
        return self._get(found["_id"])

    def list_held_up(self) -> list[dict[str, Any]]:
        users: list[dict[str, Any]] = wire.member(self._call("Throttle.list", {}), "users")
        return users

    def clear_limits(self, *, name: str | None = None, address: str | None = None) -> int:
        params = {"address": address} if name is None else {"name": self.find(name)["_id"]}
        removed: int = wire.member(self._call("Throttle.clear", params), "removed")
        return removed
