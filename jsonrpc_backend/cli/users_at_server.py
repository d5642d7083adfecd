"""Users at a server, through the operators' API, for commands."""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.cli.progress import progress
from jsonrpc_backend.cli.users import Search
from jsonrpc_backend.client import ManagementClient, wire
from jsonrpc_backend.config import MANAGEMENT_KEY_VARIABLE
from jsonrpc_backend.errors import InvalidApiKey, InvalidParams, RpcError
from jsonrpc_backend.rpc.parse import unportable

SECONDS = 120.0  # for one call: a search takes 20 s at most where nothing else is configured, and may have to wait
AT_ONCE = 1024  # users in one answer
WRONG_KEY = "The server refuses the management key: it is wrong, or not for this backend or this address."


def read_key(file: Path | None) -> str:
    """The management key. It is no option: other users of the machine could see it. Raises ClickException."""
    if file is None:
        key = os.environ.get(MANAGEMENT_KEY_VARIABLE, "")
        if not key:
            raise click.UsageError(f"--url needs a management key: in {MANAGEMENT_KEY_VARIABLE}, or in a --key-file.")
        return key
    try:
        return (sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise click.ClickException(f"{file} cannot be read: {reason}.") from error


@contextlib.contextmanager
def connected(url: str, backend_id: str, key: str) -> Iterator["UsersAtServer"]:
    """Raises ClickException for what goes wrong, inside the block too."""
    try:
        client = ManagementClient(url, backend_id, key, timeout=SECONDS)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error
    try:
        with client:
            yield UsersAtServer(client)
    except InvalidApiKey as error:
        raise click.ClickException(WRONG_KEY) from error
    except InvalidParams as error:
        raise click.ClickException(" ".join(map(str, error.data.values()))) from error
    except RpcError as error:
        raise click.ClickException(f"{url}: {error}") from error


class UsersAtServer:
    """Implements `Users`."""

    def __init__(self, client: ManagementClient) -> None:
        self._client = client

    def search(self, search: Search) -> Iterator[dict[str, Any]]:
        params = {
            "sortProperty": search.sort,
            "sortOrder": "desc" if search.descending else "asc",
            "propertyNames": search.names,
            "nameFilter": search.name_filter,
            "userQuery": search.query,
        }
        if search.page is None:
            yield from self._all(params)
        else:
            yield from self._page(params, search.page, search.per_page)["items"]

    def _page(self, params: Mapping[str, Any], page: int, size: int) -> dict[str, Any]:
        result = self._call("User.list", {**params, "page": page, "itemsInPage": size})
        return {name: wire.member(result, name) for name in ("items", "totalItems")}

    def _call(self, method: str, params: Mapping[str, Any]) -> Any:
        if unportable(params):
            raise click.UsageError("The arguments are not UTF-8.")
        return self._client.call(method, params)

    def _all(self, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """One page after the other; smaller ones where users are so large that a page would be refused."""
        first, total, size = 0, 1, AT_ONCE
        with contextlib.ExitStack() as stack:
            advance = None
            while first < total:
                try:
                    result = self._page(params, 1 + first // size, size)
                except InvalidParams as error:
                    if "itemsInPage" not in error.data or size == 1:
                        raise
                    size //= 2  # what has been read is still a number of whole pages
                    continue
                first, total = first + size, result["totalItems"]
                advance = advance or stack.enter_context(progress("Reading", total if total > size else 0))
                yield from result["items"]
                advance(len(result["items"]))

    def find(self, name: str) -> dict[str, Any]:
        # The server looks for a part of a name, and for how one is written; what is the same name is known here.
        key = username_key(name)
        found = [
            user
            for user in self._all({"nameFilter": name, "propertyNames": []})
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
