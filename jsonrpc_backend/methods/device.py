"""`Device.*`: properties of the device that calls, whoever is signed in on it."""

from collections.abc import Mapping
from typing import Any

from jsonrpc_backend.accounts.throttle import Attempt
from jsonrpc_backend.accounts.tokens import digest
from jsonrpc_backend.errors import InvalidParams
from jsonrpc_backend.methods.user import OK
from jsonrpc_backend.rpc.call import Call
from jsonrpc_backend.rpc.registry import Registry
from jsonrpc_backend.store import devices
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import MAX_PROPERTIES_BYTES, PropertiesTooLarge

handlers = Registry()
method = handlers.method

TOO_LARGE = f"The properties of a device must not take more than {MAX_PROPERTIES_BYTES:,} bytes."


@method("Device.getProperty")
async def get_property(call: Call, name: str) -> dict[str, Any]:
    return {"value": (await _properties(call)).get(name)}


@method("Device.getProperties")
async def get_properties(call: Call, names: list[str] | None = None) -> dict[str, Any]:
    stored = await _properties(call)
    return {"properties": stored if names is None else {name: stored[name] for name in names if name in stored}}


async def _properties(call: Call) -> dict[str, Any]:
    return await call.backend.database.read(devices.find_properties, digest(call.device))


@method("Device.saveProperty")
async def save_property(call: Call, name: str, value: Any) -> str:
    return await _merge(call, {name: value}, too_large="value")


@method("Device.saveProperties")
async def save_properties(call: Call, properties: Mapping[str, Any]) -> str:
    return await _merge(call, properties, too_large="properties")


async def _merge(call: Call, changes: Mapping[str, Any], *, too_large: str) -> str:
    device, now, backend = digest(call.device), call.now, call.backend
    attempt = Attempt(call.post.networks(), call.device)

    def merge(db: Db) -> None:
        if not devices.is_known(db, device):
            backend.throttle.count_insert(db, attempt)
        with backend.room.unless_larger(db, lambda: devices.bytes_of(db, device)):
            devices.merge_properties(db, device, changes, now)

    try:
        await backend.database.write(merge)
    except PropertiesTooLarge as error:
        raise InvalidParams({too_large: TOO_LARGE}) from error
    return OK
