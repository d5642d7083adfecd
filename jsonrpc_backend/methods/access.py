"""Who may sign in, of the operators' API: passwords, sessions, users who are kept out, limits that hold somebody up."""

import ipaddress
from typing import Any

from jsonrpc_backend.accounts import changes, held_up, signed_in
from jsonrpc_backend.accounts.disabling import disable, enable
from jsonrpc_backend.accounts.held_up import HeldUp
from jsonrpc_backend.accounts.signed_in import NoSuchSession, session_object
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.errors import InvalidParams
from jsonrpc_backend.fairness.addresses import networks_of
from jsonrpc_backend.methods.management import NO_SUCH_USER, find_known
from jsonrpc_backend.methods.user import OK
from jsonrpc_backend.rpc.management import ManagementCall
from jsonrpc_backend.rpc.registry import management_method
from jsonrpc_backend.store import audit, users
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import User

NO_SUCH_SESSION = "The user has no such session."
NAME_OR_ADDRESS = "Give either a name or an address."
NO_ADDRESS = "Address must be an IP address, such as 192.0.2.1 or 2001:db8::1."


@management_method("User.setPassword")
async def set_password(call: ManagementCall, _id: str, password: str) -> str:
    await call.backend.database.read(find_known, _id)
    password_hash = await call.hash(password)

    def change(db: Db) -> None:
        changes.set_password(db, find_known(db, _id), password_hash, call.now)
        audit.record(db, call.operator, "User.setPassword", [_id], call.now)

    await call.backend.database.write(change)
    return OK


@management_method("Session.list")
async def list_sessions(call: ManagementCall, _id: str) -> dict[str, Any]:
    config, now = call.backend.config, call.now
    found = await call.backend.database.read(lambda db: signed_in.list_live(db, find_known(db, _id), config, now))
    return {"sessions": [session_object(each) for each in found]}


@management_method("Session.revoke")
async def revoke_sessions(call: ManagementCall, _id: str, session: str | None = None) -> dict[str, Any]:
    config, now = call.backend.config, call.now

    def end(db: Db) -> int:
        user = find_known(db, _id)
        if session is None:
            ended = signed_in.revoke_all(db, user, config, now)
        else:
            ended = signed_in.revoke(db, user, session, config, now)
        audit.record(db, call.operator, "Session.revoke", [_id], now)
        return ended

    try:
        return {"ended": await call.backend.database.write(end)}
    except NoSuchSession as error:
        raise InvalidParams({"session": NO_SUCH_SESSION}) from error


@management_method("User.disable")
async def disable_user(call: ManagementCall, _id: str) -> str:
    def change(db: Db) -> None:
        disable(db, find_known(db, _id), call.now)
        audit.record(db, call.operator, "User.disable", [_id], call.now)

    await call.backend.database.write(change)
    return OK


@management_method("User.enable")
async def enable_user(call: ManagementCall, _id: str) -> str:
    def change(db: Db) -> None:
        enable(db, find_known(db, _id))
        audit.record(db, call.operator, "User.enable", [_id], call.now)

    await call.backend.database.write(change)
    return OK


@management_method("Throttle.list")
async def list_held_up(call: ManagementCall) -> dict[str, Any]:
    config, now = call.backend.throttle.config, call.now
    found = await call.backend.database.read_long(lambda db, _: held_up.list_users(db, config, now))
    return {"users": [throttled(each) for each in found]}


def throttled(user: HeldUp) -> dict[str, Any]:
    """Somebody who is held up, as operators see that."""
    return {"_id": user.id, "_username": user.username, "until": user.until}


@management_method("Throttle.clear")
async def clear(call: ManagementCall, name: str | None = None, address: str | None = None) -> dict[str, Any]:
    if (name is None) is (address is None):
        raise InvalidParams({"name": NAME_OR_ADDRESS})

    def remove(db: Db) -> int:
        user = None if name is None else _find_by_name(db, name)
        removed = held_up.clear_user(db, user) if user else clear_address(db, str(address))
        audit.record(db, call.operator, "Throttle.clear", [user.id] if user else [], call.now)
        return removed

    return {"removed": await call.backend.database.write(remove)}


def _find_by_name(db: Db, name: str) -> User:
    found = users.find_by_id(db, name) or users.find_by_username(db, username_key(name))
    if found is None:
        raise InvalidParams({"name": NO_SUCH_USER})
    return found


def clear_address(db: Db, address: str) -> int:
    """Forgets what counts for an address and the networks around it. Raises InvalidParams."""
    try:
        networks = networks_of(ipaddress.ip_address(address))
    except ValueError as error:
        raise InvalidParams({"address": NO_ADDRESS}) from error
    return held_up.clear_networks(db, [network.name for network in networks])
