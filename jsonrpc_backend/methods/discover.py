"""`rpc.discover` of both APIs: the methods, described for programs."""

from typing import Any
from weakref import WeakKeyDictionary

from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.rpc.call import Call
from jsonrpc_backend.rpc.management import ManagementCall
from jsonrpc_backend.rpc.openrpc import APP_API, MANAGEMENT_API, Api, document
from jsonrpc_backend.rpc.registry import management_method, method

# Made once: it takes milliseconds, and anybody may ask for that of the app API.
_documents: WeakKeyDictionary[Backend, dict[Api, dict[str, Any]]] = WeakKeyDictionary()


@method("rpc.discover", for_anybody=True)
async def discover(call: Call) -> dict[str, Any]:
    return described(APP_API, call.backend)


@management_method("rpc.discover")
async def discover_management(call: ManagementCall) -> dict[str, Any]:
    return described(MANAGEMENT_API, call.backend)


def described(api: Api, backend: Backend) -> dict[str, Any]:
    """The OpenRPC document of an API of a backend; not to be changed."""
    made = _documents.setdefault(backend, {})
    if api not in made:
        made[api] = document(api, backend.id, backend.config)
    return made[api]
