"""The handlers: parameters in, results out. Importing this package registers them, in the order they are described."""

# ruff: noqa: I001
from jsonrpc_backend.methods import user as user
from jsonrpc_backend.methods import password_reset as password_reset
from jsonrpc_backend.methods import collection as collection
from jsonrpc_backend.methods import device as device
from jsonrpc_backend.methods import management as management
from jsonrpc_backend.methods import access as access
from jsonrpc_backend.methods import discover as discover
