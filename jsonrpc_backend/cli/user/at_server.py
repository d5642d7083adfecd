"""Users at a server, through the operators' API, for commands."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.cli.progress import progress
from jsonrpc_backend.cli.user.users import UsersPage, UsersSearch
from jsonrpc_backend.client import ManagementClient, wire
from jsonrpc_backend.client.management import find_only_backend
from jsonrpc_backend.config import MANAGEMENT_KEY_VARIABLE
from jsonrpc_backend.errors import (
    ConnectionFailed,
    InvalidApiKey,
    InvalidParams,
    InvalidResponse,
    InvalidStatus,
    RpcError,
)
from jsonrpc_backend.rpc.parse import unportable

SECONDS = 120.0  # for one call: a search takes 20 s at most where nothing else is configured, and may have to wait
AT_ONCE = 1024  # users in one answer
REFUSED = "The server refuses the management key: it is wrong, or not for {} or this address."


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
def connected(url: str, backend_id: str | None, key: str) -> Iterator["UsersAtServer"]:
    """Without a backend id that of the server's only backend. Raises ClickException, inside the block too."""
    try:
        with _client(url, backend_id, key) as client:
            yield UsersAtServer(client)
    except InvalidApiKey as error:
        raise click.ClickException(REFUSED.format("this backend")) from error
    except InvalidParams as error:
        raise click.ClickException(" ".join(map(str, error.data.values()))) from error
    except RpcError as error:
        raise click.ClickException(f"{url}: {error}") from error


def _client(url: str, backend_id: str | None, key: str) -> ManagementClient:
    try:
        return ManagementClient(url, backend_id or _find_backend(url, key), key, timeout=SECONDS)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error


def _find_backend(url: str, key: str) -> str:
    try:
        return asyncio.run(find_only_backend(url, key, seconds=SECONDS))
    except ConnectionFailed:
        raise
    except (InvalidStatus, InvalidResponse) as error:
        if error.data == {"status": 403}:
            several = "the server has several backends: then say which, with --backend ID."
            raise click.ClickException(f"{REFUSED.format('the backend')[:-1]}; or {several}") from error
        raise click.UsageError("Which backend? Say --backend ID; the server does not tell.") from error


class UsersAtServer:
    """Implements `Users`."""

    def __init__(self, client: ManagementClient) -> None:
        self._client = client

    def search(self, search: UsersSearch) -> Iterator[dict[str, Any]]:
        """One page after the other; smaller ones where users are so large that a page would be refused."""
        first, total, size = 0, 1, AT_ONCE
        with contextlib.ExitStack() as stack:
            advance = None
            while first < total:
                try:
                    page = self.page(search, 1 + first // size, size)
                except InvalidParams as error:
                    if "itemsInPage" not in error.data or size == 1:
                        raise
                    size //= 2  # what has been read is still a number of whole pages
                    continue
                first, total = first + size, page.total
                advance = advance or stack.enter_context(progress("Reading", total if total > size else 0))
                yield from page.items
                advance(len(page.items))

    def page(self, search: UsersSearch, number: int, size: int) -> UsersPage:
        params = {
            "page": number,
            "itemsInPage": size,
            "sortProperty": search.sort,
            "sortOrder": "desc" if search.descending else "asc",
            "propertyNames": search.names,
            "nameFilter": search.name_filter,
            "userQuery": search.query,
        }
        result = self._call("User.list", params)
        return UsersPage(wire.member(result, "items"), wire.member(result, "totalItems"))

    def _call(self, method: str, params: Mapping[str, Any]) -> Any:
        if unportable(params):
            raise click.UsageError("The arguments are not UTF-8.")
        return self._client.call(method, params)

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
