"""`User.*`: accounts, sessions and properties of an app's users."""

import json
import uuid
from collections.abc import Mapping
from typing import Any, TypeVar

from jsonrpc_backend.accounts import changes, look_alikes, reset_addresses
from jsonrpc_backend.accounts.refusals import WrongGuess
from jsonrpc_backend.accounts.stand_ins import find_user
from jsonrpc_backend.accounts.throttle import Limited
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.config import BackendConfig
from jsonrpc_backend.errors import InvalidParams, LoginRequired
from jsonrpc_backend.rpc.call import Call, Encoded, system_fields
from jsonrpc_backend.rpc.management import ManagementCall
from jsonrpc_backend.rpc.registry import Session, method
from jsonrpc_backend.store import users
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import (
    MAX_PROPERTIES_BYTES,
    PasswordChanged,
    PropertiesTooLarge,
    User,
    UsernameLooksTaken,
    UsernameTaken,
)

T = TypeVar("T")

OK = "OK"

USERNAME_TAKEN = "Username is already taken."
USERNAME_LOOKS_TAKEN = "Username looks like another one that is taken."
WRONG_CREDENTIALS = "Username or password is incorrect."
WRONG_PASSWORD = "Password is incorrect."  # noqa: S105
WRONG_OLD_PASSWORD = "Old password is incorrect."  # noqa: S105
UNUSABLE_LOGIN_TOKEN = "Login token is unknown, expired or was replaced; sign in with the password."  # noqa: S105
AUTO_LOGIN_OFF = "Auto-login is turned off for this backend."
TOO_LARGE = f"The properties of a user must not take more than {MAX_PROPERTIES_BYTES:,} bytes."


def user_object(user: User) -> dict[str, Any]:
    """A user as clients see it, for programs that read it themselves."""
    return system_fields(user) | user.properties


def taken(error: UsernameTaken) -> str:
    """The sentence for a name that somebody else has."""
    return USERNAME_LOOKS_TAKEN if isinstance(error, UsernameLooksTaken) else USERNAME_TAKEN


def new_user_id() -> str:
    return f"u{uuid.uuid4()}"


# --- accounts --------------------------------------------------------------------------------------------


@method("User.register", limited=Limited.REGISTRATION, signs_in_with="registration")
async def register(call: Call, username: str, password: str, properties: Mapping[str, Any] | None = None) -> Encoded:
    key, properties_json = await check_registration(call, username, properties)
    password_hash = await call.hash(password)
    sign_in = call.new_sign_in()

    def create(db: Db) -> User:
        call.backend.room.check(db)
        user = users.insert(
            db,
            id=new_user_id(),
            username=username,
            username_key=key,
            password_hash=password_hash,
            properties_json=properties_json,
            now=sign_in.now,
        )
        look_alikes.claim(db, call.backend.config, user, username)
        sign_in.record(db, user)
        return user

    try:
        user = await call.backend.database.write(create)
    except UsernameTaken as error:
        raise InvalidParams({"username": taken(error)}) from error
    return call.sign_in_result(sign_in, user)


@method("User.validate", limited=Limited.REGISTRATION)
async def validate(call: Call, username: str, properties: Mapping[str, Any] | None = None) -> str:
    await check_registration(call, username, properties)
    return OK


async def check_registration(
    call: Call | ManagementCall, username: str, properties: Mapping[str, Any] | None
) -> tuple[str, str]:
    """The username's key and the encoded properties. Raises InvalidParams for what the schema cannot know.

    Operators may give a new user as many properties as others have.
    """
    complaints = {}
    key, properties_json = username_key(username), "{}"
    try:
        properties_json = await call.exchange.run(users.encode_properties, properties or {})
    except PropertiesTooLarge:
        complaints["properties"] = TOO_LARGE
    if isinstance(call, Call) and (complaint := call.backend.room.complaint_of_new(properties_json)):
        complaints["properties"] = complaint
    if await call.backend.database.read(users.is_username_taken, key):
        complaints["username"] = USERNAME_TAKEN
    elif await _looks_taken(call, username):
        complaints["username"] = USERNAME_LOOKS_TAKEN
    if complaints:
        raise InvalidParams(complaints)
    return key, properties_json


async def _looks_taken(call: Call | ManagementCall, username: str) -> bool:
    backend = call.backend
    is_refused = backend.config.refuse_confusable_usernames
    return is_refused and await backend.database.read(look_alikes.is_taken, username)


@method("User.unregister", session=Session.REQUIRED, limited=Limited.PASSWORD, wrong={"password": WRONG_PASSWORD})
async def unregister(call: Call, password: str) -> str:
    is_right = await call.verify(call.user.password_hash, password)
    if not is_right or not await call.backend.database.write(changes.delete, call.user):
        raise WrongGuess
    call.backend.purge.sweep_soon()
    return OK


@method(
    "User.updatePassword",
    session=Session.REQUIRED,
    limited=Limited.PASSWORD,
    wrong={"oldPassword": WRONG_OLD_PASSWORD},
)
async def update_password(call: Call, old_password: str, new_password: str) -> str:
    if not await call.verify(call.user.password_hash, old_password):
        raise WrongGuess
    password_hash = await call.hash(new_password)
    if not await call.backend.database.write(
        changes.set_password, call.user, password_hash, call.now, kept=call.session
    ):
        raise WrongGuess
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

    def open_session(db: Db) -> None:
        sign_in.record(db, user)
        if new_hash is not None:
            users.replace_hash(db, user, new_hash)

    try:
        await database.write(open_session)
    except PasswordChanged as error:
        raise WrongGuess from error
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


@method("User.isAuthenticated", session=Session.OPTIONAL)
async def is_authenticated(call: Call) -> bool:
    return call.signed_in


@method("User.logout", session=Session.REQUIRED)
async def logout(call: Call) -> str:
    await call.backend.database.write(changes.sign_out, call.session, call.device)
    return OK


# --- properties ------------------------------------------------------------------------------------------


@method("User.getProperty", session=Session.REQUIRED, reads_properties=True)
async def get_property(call: Call, name: str) -> Encoded:
    return Encoded(b'{"value":%s}' % (await _values(call, [name])).get(name, "null").encode())


@method("User.getProperties", session=Session.REQUIRED, reads_properties=True)
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
    return await call.exchange.large_work.run(call.exchange.turn, len(stored), _picked, stored, names)


def _picked(stored: str, names: list[str]) -> dict[str, str]:
    properties = json.loads(stored)
    return users.encode_values({name: properties[name] for name in names if name in properties})


def _there(found: T | None) -> T:
    """What has been found. Raises LoginRequired where the account was deleted while the call was under way."""
    if found is None:
        raise LoginRequired
    return found


@method("User.saveProperty", session=Session.REQUIRED)
async def save_property(call: Call, name: str, value: Any) -> str:
    return await _merge(call, {name: value}, too_large="value")


@method("User.saveProperties", session=Session.REQUIRED)
async def save_properties(call: Call, properties: Mapping[str, Any]) -> str:
    return await _merge(call, properties, too_large="properties")


async def _merge(call: Call, changes: Mapping[str, Any], *, too_large: str) -> str:
    rules, encoded = call.backend.address_rules, await call.exchange.run(users.encode_values, changes)
    room = call.backend.room
    holds_address = not changes.keys().isdisjoint(rules.properties)

    def merge(db: Db) -> tuple[bool, bool]:
        """Whether the user is there, and whether somebody is to be told of an address."""
        told = False
        if holds_address and (user := users.find_by_id(db, call.user.id)) is not None:
            by_owner = reset_addresses.is_owner(call.session, call.now)
            told = reset_addresses.note_changes(db, user, changes, rules, call.now, by_owner=by_owner)
        with room.for_properties(db, call.user, seconds_new=room.seconds_new(call.user, call.now)):
            return users.merge_encoded(db, call.user.key, encoded, call.now), told

    try:
        merged, told = await call.backend.database.write(merge)
    except PropertiesTooLarge as error:
        raise InvalidParams({too_large: TOO_LARGE}) from error
    if not merged:
        raise LoginRequired  # the account was deleted while the call was under way
    if told:
        call.backend.resets.wake()
    return OK
