"""The options of commands that work on users, in a database file or at a server."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from jsonrpc_backend.cli.on_either import Command, on_either
from jsonrpc_backend.cli.target import Target
from jsonrpc_backend.cli.user.found_in_file import UsersFoundInFile
from jsonrpc_backend.cli.user.users import Users

if TYPE_CHECKING:
    from jsonrpc_backend.client import ManagementClient


def on_users(*, finds: bool = False, create: bool = False, writes: bool = False) -> Callable[[Command], Command]:
    """Passes `Users` to the command as its first argument.

    `finds`: `FoundUsers` is enough for it. `create`, `writes`: as of on_backend.
    """
    return on_either(UsersFoundInFile if finds else _in_file, _at_server, create=create, writes=writes)


def _in_file(target: Target) -> Users:
    from jsonrpc_backend.cli.user.in_file import UsersInFile  # noqa: PLC0415 (half of what a command may import)

    return UsersInFile(target)


def _at_server(client: "ManagementClient") -> Users:
    from jsonrpc_backend.cli.user.at_server import UsersAtServer  # noqa: PLC0415 (imports aiohttp)

    return UsersAtServer(client)
