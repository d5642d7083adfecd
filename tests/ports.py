"""Ports at which nobody listens, until a test says so."""

import contextlib
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def reserved_port() -> Iterator[int]:
    """A port of 127.0.0.1 that is given to nobody else until the end of the block.

    Whoever asks there is refused, until a server of the test listens. (Servers set SO_REUSEADDR, as this does; who
    wants any free port, and who connects from any, gets another one.)
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
