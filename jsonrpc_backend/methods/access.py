"""Who may sign in, of the operators' API: passwords, sessions, users who are kept out, limits that hold somebody up."""

from typing import Any

from jsonrpc_backend.accounts import held_up, signed_in
from jsonrpc_backend.accounts.changes import disabling, sign_out
from jsonrpc_backend.accounts.changes import password as passwords
from jsonrpc_backend.accounts.held_up import held_up_object
from jsonrpc_backend.accounts.signed_in import session_object
from jsonrpc_backend.accounts.whom import by_id, by_id_or_name
from jsonrpc_backend.errors import InvalidParams
from jsonrpc_backend.methods.user import OK
from jsonrpc_backend.rpc.management import ManagementCall
from jsonrpc_backend.rpc.registry import OF_OPERATORS, Registry

handlers = Registry(OF_OPERATORS)
method = handlers.method

NAME_OR_ADDRESS = "Give either a name or an address."


@method("User.setPassword")
async def set_password(call: ManagementCall, _id: str, password: str) -> str:
    await call.backend.database.read(by_id(_id))
    password_hash = await call.hash(password)
    await call.backend.database.write(passwords.replace_for, by_id(_id), password_hash, call.act)
    return OK


@method("Session.list")
async def list_sessions(call: ManagementCall, _id: str) -> dict[str, Any]:
    backend = call.backend
    found = await backend.database.read(signed_in.list_live, by_id(_id), backend.session_window, call.now)
    return {"sessions": [session_object(each) for each in found]}


@method("Session.revoke")
async def revoke_sessions(call: ManagementCall, _id: str, session: str | None = None) -> dict[str, Any]:
    backend = call.backend
    ended = await backend.database.write(sign_out.revoke, by_id(_id), session, backend.session_window, call.act)
    return {"ended": ended}


@method("User.disable")
async def disable_user(call: ManagementCall, _id: str) -> str:
    await call.backend.database.write(disabling.disable, by_id(_id), call.act)
    return OK


@method("User.enable")
async def enable_user(call: ManagementCall, _id: str) -> str:
    await call.backend.database.write(disabling.enable, by_id(_id), call.act)
    return OK


@method("Throttle.list")
async def list_held_up(call: ManagementCall) -> dict[str, Any]:
    config, now = call.backend.throttle.config, call.now
    found = await call.backend.database.read_long(lambda db, _: held_up.list_users(db, config, now))
    return {"users": [held_up_object(each) for each in found]}


@method("Throttle.clear")
async def clear(call: ManagementCall, name: str | None = None, address: str | None = None) -> dict[str, Any]:
    database = call.backend.database
    if name is not None and address is None:
        return {"removed": await database.write(held_up.clear_user, by_id_or_name(name), call.act)}
    if address is not None and name is None:
        return {"removed": await database.write(held_up.clear_address, address, call.act)}
    raise InvalidParams({"name": NAME_OR_ADDRESS})
