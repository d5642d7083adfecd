"""Collections that an app asks for and that there are not: who develops it gets the lines that make them."""

import re
from collections.abc import Callable, Mapping

from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.store import collections
from jsonrpc_backend.telemetry.events import Observer

MOST = 50  # an app that makes up names shall not fill memory and terminal

_NAME = re.compile("[a-zA-Z][a-zA-Z0-9_-]{0,63}")  # of what can be made

# The line that makes a collection: of a backend, by its name.
CreateLine = Callable[[str, str], str]


def create_line(_: str, name: str) -> str:
    """Where the server has no files that a command would have to find."""
    return f"jsonrpc-backend collection create {name} --insertable"


class MissingCollections(Observer):
    """Says of each once how it is made, and remembers them for the start page."""

    def __init__(self, say: Callable[[str], None], create_line: CreateLine) -> None:
        self._say = say
        self._create_line = create_line
        self._asked_for: dict[tuple[str, str], str] = {}  # by backend and name: the line

    def collection_missing(self, backend_id: str, name: str) -> None:
        if (backend_id, name) in self._asked_for or len(self._asked_for) >= MOST or not _NAME.fullmatch(name):
            return
        line = self._asked_for[backend_id, name] = self._create_line(backend_id, name)
        self._say(f"\n  The app asks {backend_id} for a collection that there is not. To make it:\n\n  {line}\n")

    async def lines(self, backends: Mapping[str, Backend]) -> list[str]:
        """What makes those that there still are not."""
        return [
            line
            for (backend_id, name), line in self._asked_for.items()
            if await backends[backend_id].database.read(collections.find, name) is None
        ]
