"""Self-hosted JSON-RPC 2.0 user accounts: the server, its command line and its Python client."""

__version__ = "0.2.0.dev0"
