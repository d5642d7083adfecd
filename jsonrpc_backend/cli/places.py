"""Where a server listens."""

import os
import socket
from dataclasses import dataclass

import click

from jsonrpc_backend.config import Config
from jsonrpc_backend.server.connections import Audience
from jsonrpc_backend.server.listener import bound


@dataclass(frozen=True)
class ListeningPlace:
    """An address, and how to choose another one."""

    host: str
    port: int
    audience: Audience
    setting: str

    def bind(self) -> list[socket.socket]:
        """Sockets there. Raises ClickException where it cannot be had. Blocking."""
        try:
            return bound(self.host, self.port)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            message = f"cannot listen on {self.host}:{self.port}: {reason}. Choose another one {self.setting}."
            raise click.ClickException(message) from error

    def url(self, sockets: list[socket.socket]) -> str:
        return url_of(self.host, sockets[0].getsockname()[1])


def places_of(config: Config) -> list[ListeningPlace]:
    """That for operators, if they have one of their own, is the last one."""
    server, management = config.server, config.management
    places = [ListeningPlace(server.host, server.port, Audience.EVERYBODY, "with --port or --host")]
    if management.host:
        operators = ListeningPlace(management.host, management.port, Audience.OPERATORS, "for management.port")
        places.append(operators)
    return places


def url_of(host: str, port: int) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104 (compared, not bound)
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
