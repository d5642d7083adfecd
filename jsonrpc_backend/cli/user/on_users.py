"""The options of commands that work on users, in a database file or at a server."""

from collections.abc import Callable

from jsonrpc_backend.cli.on_either import Command, on_either
from jsonrpc_backend.cli.user.at_server import UsersAtServer
from jsonrpc_backend.cli.user.in_file import UsersInFile


def on_users(*, create: bool = False, writes: bool = False) -> Callable[[Command], Command]:
    """Passes `Users` to the command as its first argument. `create`, `writes`: as of on_backend."""
    return on_either(UsersInFile, UsersAtServer, create=create, writes=writes)
