"""`rpc.discover` of both APIs: the methods, described for programs."""

from typing import Any
from weakref import WeakKeyDictionary

from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.rpc.call import Call
from jsonrpc_backend.rpc.management import ManagementCall
from jsonrpc_backend.rpc.openrpc import Api, document

# Made once: it takes milliseconds, and anybody may ask for that of the app API.
_documents: WeakKeyDictionary[Backend, dict[Api, dict[str, Any]]] = WeakKeyDictionary()


def add_discover(api: Api) -> None:
    """Adds the method that describes all methods of an API, itself too."""

    @api.methods.method("rpc.discover", for_anybody=api.for_apps)
    async def discover(call: Call | ManagementCall) -> dict[str, Any]:
        return described(api, call.backend)


def described(api: Api, backend: Backend) -> dict[str, Any]:
    """The OpenRPC document of an API of a backend; not to be changed."""
    made = _documents.setdefault(backend, {})
    if api not in made:
        made[api] = document(api, backend.id, backend.config)
    return made[api]
