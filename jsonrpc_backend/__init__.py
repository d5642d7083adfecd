"""User accounts and data of apps by JSON-RPC 2.0, self-hosted: the server, its command line, its Python client."""

__version__ = "0.2.0.dev0"
