"""What commands do to users in a database file. The server may be running meanwhile."""

from collections.abc import Mapping
from typing import Any

import click

from jsonrpc_backend.accounts import held_up, look_alikes, signed_in
from jsonrpc_backend.accounts.changes import deletion, disabling, profile, registration, sign_out
from jsonrpc_backend.accounts.changes import password as passwords
from jsonrpc_backend.accounts.changes.registration import NewUser
from jsonrpc_backend.accounts.held_up import held_up_object
from jsonrpc_backend.accounts.refusals import TOO_LARGE
from jsonrpc_backend.accounts.session_window import SessionWindow
from jsonrpc_backend.accounts.signed_in import session_object
from jsonrpc_backend.accounts.user_object import user_object
from jsonrpc_backend.accounts.whom import NoSuchUser, Whom, by_id
from jsonrpc_backend.cli.audit import act_of
from jsonrpc_backend.cli.user.found_in_file import UsersFoundInFile, named
from jsonrpc_backend.clock import system_clock
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import User


class UsersInFile(UsersFoundInFile):
    """Implements `Users`."""

    def add(self, username: str, password: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        values = {"username": username, "password": password, "properties": properties}
        self.target.check("User.register", values)
        encoded = registration.encoded(properties)
        if encoded is None:
            raise click.ClickException(TOO_LARGE)
        settings, new = self.target.backend, NewUser.of(username, self._hash(password), encoded)
        self._note_look_alikes()
        return user_object(self.target.write(registration.create, new, settings, act_of("user add")))

    def change(self, name: str, username: str | None, properties: Mapping[str, Any]) -> dict[str, Any]:
        self.target.check("User.saveProperties", {"properties": properties})
        if username is not None:
            self.target.check("management/User.update", {"_id": name, "user": {"_username": username}})
            self._note_look_alikes()
        act = act_of("user set")
        return user_object(
            self.target.write(profile.update, named(name), username, properties, settings=self.target.backend, act=act)
        )

    def delete(self, user: Mapping[str, Any]) -> None:
        removed, _ = self.target.write(deletion.delete, [user["_id"]], act_of("user delete"))
        if not removed:
            raise _deleted_meanwhile(user)

    def set_password(self, user: Mapping[str, Any], password: str) -> None:
        self.target.check("management/User.setPassword", {"_id": user["_id"], "password": password})
        password_hash = self._hash(password)
        self.target.write(passwords.replace_for, _still_there(user), password_hash, act_of("user passwd"))

    def sessions(self, name: str) -> list[dict[str, Any]]:
        window = SessionWindow.of(self.target.backend)
        found = self.target.read(signed_in.list_live, named(name), window, system_clock())
        return [session_object(each) for each in found]

    def revoke(self, name: str, session: str | None) -> int:
        window, act = SessionWindow.of(self.target.backend), act_of("user sessions --revoke")
        return self.target.write(sign_out.revoke, named(name), session, window, act)

    def disable(self, name: str) -> dict[str, Any]:
        return user_object(self.target.write(disabling.disable, named(name), act_of("user disable")))

    def enable(self, name: str) -> dict[str, Any]:
        return user_object(self.target.write(disabling.enable, named(name), act_of("user enable")))

    def list_held_up(self) -> list[dict[str, Any]]:
        found = self.target.read(held_up.list_users, self.target.config.throttle, system_clock())
        return [held_up_object(each) for each in found]

    def clear_limits(self, *, name: str | None = None, address: str | None = None) -> int:
        act = act_of("throttle clear")
        if name is not None:
            return self.target.write(held_up.clear_user, named(name), act)
        return self.target.write(held_up.clear_address, str(address), act)

    def _note_look_alikes(self) -> None:
        """Of users who have come while no server was there to note it."""
        if self.target.backend.refuse_confusable_usernames:
            self.target.write(look_alikes.note_all, self.target.backend)

    def _hash(self, password: str) -> str:
        from jsonrpc_backend.accounts.passwords import argon2_hasher  # noqa: PLC0415 (few commands hash)

        return argon2_hasher(self.target.config.passwords).hash(password)


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
