"""`rpc.discover`: the methods, described for programs."""

from typing import Any
from weakref import WeakKeyDictionary

from jsonrpc_backend.rpc.backend import Backend
from jsonrpc_backend.rpc.call import Call
from jsonrpc_backend.rpc.openrpc import APP_API, document
from jsonrpc_backend.rpc.registry import method, methods

# Made once: it takes milliseconds, and anybody may ask for it.
_documents: WeakKeyDictionary[Backend, dict[str, Any]] = WeakKeyDictionary()


@method("rpc.discover", for_anybody=True)
async def discover(call: Call) -> dict[str, Any]:
    return described(call.backend)


def described(backend: Backend) -> dict[str, Any]:
    """The OpenRPC document of a backend; not to be changed."""
    if backend not in _documents:
        _documents[backend] = document(APP_API, methods.values(), backend.id, backend.config)
    return _documents[backend]
