"""A server with a collection, and people who use it."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.store import collections
from jsonrpc_backend.store.collections import Settings
from jsonrpc_backend.store.item_rights import RIGHTS
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from tests.conftest import StartServer
from tests.patience import HANG_SECONDS
from tests.servers import InProcessServer
from tests.wire import Answer, Wire

NAME = "diary"

# Every method, with params that are right as far as the schemas know.
CALLS: dict[str, dict[str, Any]] = {
    "find": {},
    "insert": {"item": {}},
    "update": {"itemOid": "i", "data": {}},
    "delete": {"itemOid": "i"},
    "getPermission": {"itemOid": "i"},
    "updatePermission": {"permission": {}},
}


def make_collection(
    server: InProcessServer,
    name: str = NAME,
    *,
    insertable: bool = True,
    public: str = "",
    delete_with_owner: str = "private",
    indexes: tuple[str, ...] = (),
) -> None:
    settings = Settings(insertable, RIGHTS[public], delete_with_owner, indexes)
    with contextlib.closing(open_for_writing(server.database_path())) as db:
        db.write(lambda db: collections.insert(db, name, settings, server.clock()))


async def until_rows(server: InProcessServer, query: str, expected: list[Any]) -> None:
    """Waits for what the server does by itself."""
    async with asyncio.timeout(HANG_SECONDS):
        while server.rows(query) != expected:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Person:
    """Somebody with an app on a device, signed in or not."""

    def __init__(self, wire: Wire, user_id: str | None) -> None:
        self.wire, self.id = wire, user_id

    async def call(self, method: str, **params: Any) -> Answer:
        return await self.wire.call(f"Collection.{method}", **{"collectionName": NAME, **params})

    async def insert(self, item: dict[str, Any] | None = None, **permission: str) -> str:
        """The id of a new item."""
        answer = await self.call("insert", item=item or {}, permission=permission)
        item_id: str = answer.result["item"]["_id"]
        return item_id

    async def found(self, criteria: str | None = None, *bind: Any, **more: Any) -> list[Any]:
        answer = await self.call("find", criteria=criteria, bindParams=list(bind), **more)
        items: list[Any] = answer.result["items"]
        return items

    async def ids(self, criteria: str | None = None, *bind: Any, **more: Any) -> list[str]:
        return [item["_id"] for item in await self.found(criteria, *bind, **more)]


@pytest.fixture
async def server(start: StartServer) -> InProcessServer:
    """With an empty collection."""
    server: InProcessServer = await start()
    make_collection(server)
    return server


NewPerson = Callable[..., Any]


@pytest.fixture
def person(http: aiohttp.ClientSession, server: InProcessServer) -> NewPerson:
    """`await person("anna")` is signed in, `await person(device="tablet")` is not."""

    async def person(name: str | None = None, *, device: str | None = None) -> Person:
        wire = Wire(http, server, device or f"device of {name}")
        if name is None:
            return Person(wire, None)
        answer = await wire.register(name)
        return Person(wire, answer.result["user"]["_id"])

    return person
