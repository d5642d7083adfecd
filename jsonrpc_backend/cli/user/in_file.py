"""Users in a database file, for commands. The server may be running meanwhile."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import click

from jsonrpc_backend.accounts import changes, disabling, held_up, look_alikes, signed_in
from jsonrpc_backend.accounts.passwords import argon2_hasher
from jsonrpc_backend.accounts.signed_in import NoSuchSession, session_object
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.cli.audit import record
from jsonrpc_backend.cli.target import Target
from jsonrpc_backend.cli.user.users import Page, Search
from jsonrpc_backend.clock import system_clock
from jsonrpc_backend.errors import InvalidParams
from jsonrpc_backend.methods.access import NO_SUCH_SESSION, clear_address, throttled
from jsonrpc_backend.methods.management import change_user, search_condition, sort_field
from jsonrpc_backend.methods.user import TOO_LARGE, new_user_id, taken, user_object
from jsonrpc_backend.monaql import Condition
from jsonrpc_backend.rpc.parse import unportable
from jsonrpc_backend.store import user_search, users
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.user_search import Order
from jsonrpc_backend.store.users import PropertiesTooLarge, User, UsernameTaken

T = TypeVar("T")


class UsersInFile:
    """Implements `Users`."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def search(self, search: Search) -> Iterator[dict[str, Any]]:
        condition, order = self._compiled(search)
        with self._target.reading() as db:
            for user in user_search.get_in_order(db, user_search.find_keys(db, condition, order)):
                yield user_object(user)

    def page(self, search: Search, number: int, size: int) -> Page:
        condition, order = self._compiled(search)
        with self._target.reading() as db:
            keys = user_search.find_keys(db, condition, order)
            found = user_search.get_in_order(db, keys[(number - 1) * size : number * size])
            return Page([user_object(user) for user in found], len(keys))

    def _compiled(self, search: Search) -> tuple[Condition, Order]:
        given = {"sortProperty": search.sort, "nameFilter": search.name_filter}
        stated = {name: value for name, value in given.items() if value is not None}
        self._target.check("management/User.list", {"page": 1, "itemsInPage": 1} | stated)
        if unportable(search.name_filter):
            raise click.UsageError("--filter is not UTF-8.")
        try:
            condition = search_condition(search.name_filter, search.query, None)
            return condition, Order(sort_field(search.sort), descending=search.descending)
        except InvalidParams as error:
            raise click.UsageError(" ".join(error.data.values())) from error

    def find(self, name: str) -> dict[str, Any]:
        return user_object(self._target.read(lambda db: find_user(db, name)))

    def add(self, username: str, password: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        values = {"username": username, "password": password, "properties": properties}
        self._target.check("User.register", values)
        password_hash = argon2_hasher(self._target.config.passwords).hash(password)

        def insert(db: Db) -> User:
            look_alikes.note_all(db, self._target.backend)
            inserted = users.insert(
                db,
                id=new_user_id(),
                username=username,
                username_key=username_key(username),
                password_hash=password_hash,
                properties_json=users.encode_properties(properties),
                now=system_clock(),
            )
            look_alikes.claim(db, self._target.backend, inserted, username)
            record(db, "user add", [inserted.id])
            return inserted

        return user_object(self._write(insert))

    def change(self, name: str, username: str | None, properties: Mapping[str, Any]) -> dict[str, Any]:
        self._target.check("User.saveProperties", {"properties": properties})
        if username is not None:
            self._target.check("management/User.update", {"_id": name, "user": {"_username": username}})

        def apply(db: Db) -> User:
            found = find_user(db, name)
            if username is not None:
                look_alikes.note_all(db, self._target.backend)
            change_user(db, self._target.backend, found, username=username, properties=properties, now=system_clock())
            record(db, "user set", [found.id])
            return users.get(db, found.key)

        return user_object(self._write(apply))

    def delete(self, user: Mapping[str, Any]) -> None:
        def remove(db: Db) -> None:
            if changes.delete_by_ids(db, [user["_id"]]) == ([], []):
                raise click.ClickException(f"{user['_username']} has been deleted meanwhile.")
            record(db, "user delete", [user["_id"]])

        self._write(remove)

    def set_password(self, user: Mapping[str, Any], password: str) -> None:
        self._target.check("management/User.setPassword", {"_id": user["_id"], "password": password})
        password_hash = argon2_hasher(self._target.config.passwords).hash(password)

        def replace(db: Db) -> None:
            changes.set_password(db, _find_again(db, user), password_hash, system_clock())
            record(db, "user passwd", [user["_id"]])

        self._write(replace)

    def sessions(self, name: str) -> list[dict[str, Any]]:
        config, now = self._target.backend, system_clock()
        found = self._target.read(lambda db: signed_in.list_live(db, find_user(db, name), config, now))
        return [session_object(each) for each in found]

    def revoke(self, name: str, session: str | None) -> int:
        config, now = self._target.backend, system_clock()

        def end(db: Db) -> int:
            user = find_user(db, name)
            if session is None:
                ended = signed_in.revoke_all(db, user, config, now)
            else:
                ended = signed_in.revoke(db, user, session, config, now)
            record(db, "user sessions --revoke", [user.id])
            return ended

        try:
            return self._write(end)
        except NoSuchSession as error:
            raise click.ClickException(NO_SUCH_SESSION) from error

    def disable(self, name: str) -> dict[str, Any]:
        return self._switch("user disable", name, lambda db, user: disabling.disable(db, user, system_clock()))

    def enable(self, name: str) -> dict[str, Any]:
        return self._switch("user enable", name, disabling.enable)

    def _switch(self, command: str, name: str, switch: Callable[[Db, User], None]) -> dict[str, Any]:
        def apply(db: Db) -> User:
            found = find_user(db, name)
            switch(db, found)
            record(db, command, [found.id])
            return users.get(db, found.key)

        return user_object(self._write(apply))

    def list_held_up(self) -> list[dict[str, Any]]:
        config, now = self._target.config.throttle, system_clock()
        found = self._target.read(lambda db: held_up.list_users(db, config, now))
        return [throttled(each) for each in found]

    def clear_limits(self, *, name: str | None = None, address: str | None = None) -> int:
        def remove(db: Db) -> int:
            user = None if name is None else find_user(db, name)
            removed = held_up.clear_user(db, user) if user else clear_address(db, str(address))
            record(db, "throttle clear", [user.id] if user else [])
            return removed

        return self._write(remove)

    def _write(self, unit: Callable[[Db], T]) -> T:
        try:
            return self._target.write(unit)
        except UsernameTaken as error:
            raise click.ClickException(taken(error)) from error
        except PropertiesTooLarge as error:
            raise click.ClickException(TOO_LARGE) from error


def find_user(db: Db, name: str) -> User:
    """A user by username or id. Ids are public, so somebody may have taken one as a username: then it is neither's."""
    if unportable(name):
        raise click.ClickException("The name is not UTF-8.")
    by_name, by_id = users.find_by_username(db, username_key(name)), users.find_by_id(db, name)
    if by_name and by_id:
        raise click.ClickException(f"{name} is the username of {by_name.id} and the id of {by_id.username}.")
    found = by_name or by_id
    if found is None:
        raise click.ClickException(f"There is no user {name}.")
    return found


def _find_again(db: Db, user: Mapping[str, Any]) -> User:
    """The same user, as of now."""
    found = users.find_by_id(db, user["_id"])
    if found is None:
        raise click.ClickException(f"{user['_username']} has been deleted meanwhile.")
    return found
