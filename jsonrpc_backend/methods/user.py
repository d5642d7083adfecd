"""`User.*`: accounts, sessions and properties of an app's users."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from jsonrpc_backend.accounts.changes import deletion, profile, registration, sign_out
from jsonrpc_backend.accounts.changes import password as passwords
from jsonrpc_backend.accounts.changes.profile import Values
from jsonrpc_backend.accounts.changes.registration import NewUser
from jsonrpc_backend.accounts.refusals import WrongGuess
from jsonrpc_backend.accounts.stand_ins import find_user
from jsonrpc_backend.accounts.throttle import Limited
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.config import BackendConfig
from jsonrpc_backend.errors import LoginRequired
from jsonrpc_backend.rpc.answer import Encoded
from jsonrpc_backend.rpc.call import Call
from jsonrpc_backend.rpc.management import ManagementCall
from jsonrpc_backend.rpc.registry import Registry, SessionRule
from jsonrpc_backend.store import users

handlers = Registry()
method = handlers.method

T = TypeVar("T")

OK = "OK"

WRONG_CREDENTIALS = "Username or password is incorrect."
WRONG_PASSWORD = "Password is incorrect."  # noqa: S105
WRONG_OLD_PASSWORD = "Old password is incorrect."  # noqa: S105
UNUSABLE_LOGIN_TOKEN = "Login token is unknown, expired or was replaced; sign in with the password."  # noqa: S105
AUTO_LOGIN_OFF = "Auto-login is turned off for this backend."


# --- accounts --------------------------------------------------------------------------------------------


@method("User.register", limited=Limited.REGISTRATION, signs_in_with="registration")
async def register(call: Call, username: str, password: str, properties: Mapping[str, Any] | None = None) -> Encoded:
    backend = call.backend
    encoded = await check_registration(call, username, properties)
    new = NewUser.of(username, await call.hash(password), encoded)
    sign_in = call.new_sign_in()
    user = await backend.database.write(registration.register, new, backend.config, backend.room, sign_in)
    return call.sign_in_result(sign_in, user)


@method("User.validate", limited=Limited.REGISTRATION)
async def validate(call: Call, username: str, properties: Mapping[str, Any] | None = None) -> str:
    await check_registration(call, username, properties)
    return OK


async def check_registration(call: Call | ManagementCall, username: str, properties: Mapping[str, Any] | None) -> str:
    """The encoded properties. Raises Unacceptable for what the schema cannot know."""
    backend = call.backend
    encoded = await call.post.run(registration.encoded, properties or {})
    room = backend.room if isinstance(call, Call) else None
    return await backend.database.read(registration.check, username, encoded, backend.config, room)


@method("User.unregister", session=SessionRule.REQUIRED, limited=Limited.PASSWORD, wrong={"password": WRONG_PASSWORD})
async def unregister(call: Call, password: str) -> str:
    if not await call.verify(call.user.password_hash, password):
        raise WrongGuess
    await call.backend.database.write(deletion.unregister, call.user)
    call.backend.purge.sweep_soon()
    return OK


@method(
    "User.updatePassword",
    session=SessionRule.REQUIRED,
    limited=Limited.PASSWORD,
    wrong={"oldPassword": WRONG_OLD_PASSWORD},
)
async def update_password(call: Call, old_password: str, new_password: str) -> str:
    if not await call.verify(call.user.password_hash, old_password):
        raise WrongGuess
    password_hash = await call.hash(new_password)
    await call.backend.database.write(passwords.replace, call.user, password_hash, call.now, kept=call.session)
    call.backend.purge.sweep_soon()
    return OK


# --- signing in and out ----------------------------------------------------------------------------------


@method("User.login", limited=Limited.PASSWORD, signs_in_with="password", wrong={"password": WRONG_CREDENTIALS})
async def login(call: Call, username: str, password: str) -> Encoded:
    database = call.backend.database
    user, expected = await database.read(find_user, username_key(username))
    is_right = await call.verify(expected, password)
    if user is None or not is_right or user.disabled_at is not None:
        raise WrongGuess
    new_hash = await call.hash(password) if call.backend.passwords.is_outdated(user.password_hash) else None
    sign_in = call.new_sign_in()
    await database.write(sign_in.record, user, new_hash=new_hash)
    return call.sign_in_result(sign_in, user)


def _auto_login_off(config: BackendConfig) -> str | None:
    return None if config.auto_login.enabled else AUTO_LOGIN_OFF


@method(
    "User.autoLogin",
    unavailable=_auto_login_off,
    limited=Limited.LOGIN_TOKEN,
    signs_in_with="login_token",
    wrong={"loginToken": UNUSABLE_LOGIN_TOKEN},
)
async def auto_login(call: Call, login_token: str) -> Encoded:
    sign_in = call.sign_in_by_token(login_token)
    user = await call.backend.database.write(sign_in.record_successor, login_token, call.backend.login_token_rules)
    if user is None:
        raise WrongGuess
    return call.sign_in_result(sign_in, user)


@method("User.isAuthenticated", session=SessionRule.OPTIONAL)
async def is_authenticated(call: Call) -> bool:
    return call.signed_in


@method("User.logout", session=SessionRule.REQUIRED)
async def logout(call: Call) -> str:
    await call.backend.database.write(sign_out.sign_out, call.session, call.device)
    return OK


# --- properties ------------------------------------------------------------------------------------------


@method("User.getProperty", session=SessionRule.REQUIRED, reads_properties=True)
async def get_property(call: Call, name: str) -> Encoded:
    return Encoded(b'{"value":%s}' % (await _values(call, [name])).get(name, "null").encode())


@method("User.getProperties", session=SessionRule.REQUIRED, reads_properties=True)
async def get_properties(call: Call, names: list[str] | None = None) -> Encoded:
    if names is None:
        stored = call.session.properties_json or await call.backend.database.read(users.find_properties, call.user.key)
        return Encoded(b'{"properties":%s}' % _there(stored).encode())
    values = await _values(call, names)
    return Encoded(b'{"properties":{%s}}' % ",".join(f'"{name}":{value}' for name, value in values.items()).encode())


async def _values(call: Call, names: list[str]) -> Mapping[str, str]:
    """Those that the user has, each as JSON."""
    stored = call.session.properties_json
    if stored is not None:
        return _picked(stored, names)
    if len(names) <= users.MOST_AT_ONCE:
        return _there(await call.backend.database.read(users.find_values, call.user.key, names))
    stored = _there(await call.backend.database.read(users.find_properties, call.user.key))
    return await call.post.share.run(len(stored), _picked, stored, names)


def _picked(stored: str, names: list[str]) -> dict[str, str]:
    properties = json.loads(stored)
    return users.encode_values({name: properties[name] for name in names if name in properties})


def _there(found: T | None) -> T:
    """What has been found. Raises LoginRequired where the account was deleted while the call was under way."""
    if found is None:
        raise LoginRequired
    return found


@method("User.saveProperty", session=SessionRule.REQUIRED, blames={"properties": "value"})
async def save_property(call: Call, name: str, value: Any) -> str:
    return await _save(call, {name: value})


@method("User.saveProperties", session=SessionRule.REQUIRED)
async def save_properties(call: Call, properties: Mapping[str, Any]) -> str:
    return await _save(call, properties)


async def _save(call: Call, properties: Mapping[str, Any]) -> str:
    backend, values = call.backend, await call.post.run(Values.of, properties)
    told = await backend.database.write(
        profile.save, call.session, values, backend.address_rules, room=backend.room, now=call.now
    )
    if told:
        backend.resets.wake()
    return OK
