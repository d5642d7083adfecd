"""What the `user` commands ask of where the users are: a database file, or a server with the operators' API.

Users are objects as the API gives them: `_id`, `_username`, the times, then the properties.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jsonrpc_backend.cli.found_page import FoundPage


@dataclass(frozen=True)
class UsersSearch:
    """Which users, in which order; `names`: the properties that are needed of them, None for all."""

    name_filter: str | None = None
    query: str | None = None
    sort: str | None = None
    descending: bool = False
    names: list[str] | None = None


class FoundUsers(Protocol):
    """What commands ask that change nothing. Every method may raise ClickException."""

    def search(self, search: UsersSearch) -> Iterator[dict[str, Any]]:
        """All who are found, never held as a whole."""

    def page(self, search: UsersSearch, number: int, size: int) -> FoundPage:
        """`number` counts pages from 1."""

    def find(self, name: str) -> dict[str, Any]:
        """By username or id."""


class Users(FoundUsers, Protocol):
    """Every method may raise ClickException."""

    def add(self, username: str, password: str, properties: Mapping[str, Any]) -> dict[str, Any]: ...

    def change(self, name: str, username: str | None, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Adds and replaces properties, and perhaps the username; returns the user as of then."""

    def delete(self, user: Mapping[str, Any]) -> None: ...

    def set_password(self, user: Mapping[str, Any], password: str) -> None:
        """Signs the user out everywhere."""

    def sessions(self, name: str) -> list[dict[str, Any]]:
        """Latest use first, as Session.list gives them."""

    def revoke(self, name: str, session: str | None) -> int:
        """Ends a session, or all; returns how many."""

    def disable(self, name: str) -> dict[str, Any]:
        """Signs the user out everywhere, who cannot sign in again; returns the user as of then."""

    def enable(self, name: str) -> dict[str, Any]:
        """Lets the user sign in again; returns the user as of then."""

    def list_held_up(self) -> list[dict[str, Any]]:
        """Whom the limits on guessing hold up: `_id`, `_username` and `until`, as Throttle.list gives them."""

    def clear_limits(self, *, name: str | None = None, address: str | None = None) -> int:
        """Forgets what counts for a user, or for an address; returns how much that was."""
