"""Users in a database file, for commands. The server may be running meanwhile."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from jsonrpc_backend.accounts import held_up, look_alikes, signed_in
from jsonrpc_backend.accounts.changes import deletion, disabling, profile, registration, sign_out
from jsonrpc_backend.accounts.changes import password as passwords
from jsonrpc_backend.accounts.changes.registration import NewUser
from jsonrpc_backend.accounts.held_up import held_up_object
from jsonrpc_backend.accounts.passwords import argon2_hasher
from jsonrpc_backend.accounts.refusals import TOO_LARGE, Unacceptable
from jsonrpc_backend.accounts.searching import search_condition, sorting
from jsonrpc_backend.accounts.session_window import SessionWindow
from jsonrpc_backend.accounts.signed_in import session_object
from jsonrpc_backend.accounts.user_object import user_object
from jsonrpc_backend.accounts.whom import NoSuchUser, Whom, by_id, by_name_or_id
from jsonrpc_backend.cli.at_server import FoundPage
from jsonrpc_backend.cli.audit import act_of
from jsonrpc_backend.cli.target import Target
from jsonrpc_backend.cli.user.users import UsersSearch
from jsonrpc_backend.clock import system_clock
from jsonrpc_backend.monaql import Condition
from jsonrpc_backend.rpc.parse import unportable
from jsonrpc_backend.store import user_search
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import User


class UsersInFile:
    """Implements `Users`."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def search(self, search: UsersSearch) -> Iterator[dict[str, Any]]:
        condition, order = self._compiled(search)
        with self._target.reading() as db:
            for user in user_search.get_in_order(db, user_search.find_keys(db, condition, order)):
                yield user_object(user)

    def page(self, search: UsersSearch, number: int, size: int) -> FoundPage:
        condition, order = self._compiled(search)
        with self._target.reading() as db:
            keys = user_search.find_keys(db, condition, order)
            found = user_search.get_in_order(db, keys[(number - 1) * size : number * size])
            return FoundPage([user_object(user) for user in found], len(keys))

    def _compiled(self, search: UsersSearch) -> tuple[Condition, Condition]:
        """Who is looked for, and in which order."""
        dialect = self._target.engine.dialect
        given = {"sortProperty": search.sort, "nameFilter": search.name_filter}
        stated = {name: value for name, value in given.items() if value is not None}
        self._target.check("management/User.list", {"page": 1, "itemsInPage": 1} | stated)
        if unportable(search.name_filter):
            raise click.UsageError("--filter is not UTF-8.")
        try:
            condition = search_condition(dialect, search.name_filter, search.query, None)
            return condition, sorting(search.sort, descending=search.descending).compile(dialect)
        except Unacceptable as error:
            raise click.UsageError(" ".join(error.complaints.values())) from error

    def find(self, name: str) -> dict[str, Any]:
        return user_object(self._target.read(_named(name)))

    def add(self, username: str, password: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        values = {"username": username, "password": password, "properties": properties}
        self._target.check("User.register", values)
        encoded = registration.encoded(properties)
        if encoded is None:
            raise click.ClickException(TOO_LARGE)
        settings, new = self._target.backend, NewUser.of(username, self._hash(password), encoded)
        self._note_look_alikes()
        return user_object(self._target.write(registration.create, new, settings, act_of("user add")))

    def change(self, name: str, username: str | None, properties: Mapping[str, Any]) -> dict[str, Any]:
        self._target.check("User.saveProperties", {"properties": properties})
        if username is not None:
            self._target.check("management/User.update", {"_id": name, "user": {"_username": username}})
            self._note_look_alikes()
        act = act_of("user set")
        return user_object(
            self._target.write(
                profile.update, _named(name), username, properties, settings=self._target.backend, act=act
            )
        )

    def delete(self, user: Mapping[str, Any]) -> None:
        removed, _ = self._target.write(deletion.delete, [user["_id"]], act_of("user delete"))
        if not removed:
            raise _deleted_meanwhile(user)

    def set_password(self, user: Mapping[str, Any], password: str) -> None:
        self._target.check("management/User.setPassword", {"_id": user["_id"], "password": password})
        password_hash = self._hash(password)
        self._target.write(passwords.replace_for, _still_there(user), password_hash, act_of("user passwd"))

    def sessions(self, name: str) -> list[dict[str, Any]]:
        window = SessionWindow.of(self._target.backend)
        found = self._target.read(signed_in.list_live, _named(name), window, system_clock())
        return [session_object(each) for each in found]

    def revoke(self, name: str, session: str | None) -> int:
        window, act = SessionWindow.of(self._target.backend), act_of("user sessions --revoke")
        return self._target.write(sign_out.revoke, _named(name), session, window, act)

    def disable(self, name: str) -> dict[str, Any]:
        return user_object(self._target.write(disabling.disable, _named(name), act_of("user disable")))

    def enable(self, name: str) -> dict[str, Any]:
        return user_object(self._target.write(disabling.enable, _named(name), act_of("user enable")))

    def list_held_up(self) -> list[dict[str, Any]]:
        found = self._target.read(held_up.list_users, self._target.config.throttle, system_clock())
        return [held_up_object(each) for each in found]

    def clear_limits(self, *, name: str | None = None, address: str | None = None) -> int:
        act = act_of("throttle clear")
        if name is not None:
            return self._target.write(held_up.clear_user, _named(name), act)
        return self._target.write(held_up.clear_address, str(address), act)

    def _note_look_alikes(self) -> None:
        """Of users who have come while no server was there to note it."""
        if self._target.backend.refuse_confusable_usernames:
            self._target.write(look_alikes.note_all, self._target.backend)

    def _hash(self, password: str) -> str:
        return argon2_hasher(self._target.config.passwords).hash(password)


def _named(name: str) -> Whom:
    if unportable(name):
        raise click.ClickException("The name is not UTF-8.")
    return by_name_or_id(name)


def _still_there(user: Mapping[str, Any]) -> Whom:
    """Somebody who was there when the person was asked."""

    def find(db: Db) -> User:
        try:
            return by_id(user["_id"])(db)
        except NoSuchUser as error:
            raise _deleted_meanwhile(user) from error

    return find


def _deleted_meanwhile(user: Mapping[str, Any]) -> click.ClickException:
    return click.ClickException(f"{user['_username']} has been deleted meanwhile.")
