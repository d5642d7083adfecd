"""Calls as an operator's own server sends them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from jsonrpc_backend.accounts.stand_ins import draw_lot
from jsonrpc_backend.store import users
from jsonrpc_backend.store.engine import Db
from tests.servers import InProcessServer
from tests.wire import Answer

KEY = "management-key-1"
KEY_HEADER = "X-Monaca-Backend-Management-API-Key"
KEYS = {"management_keys": [{"label": "tests", "key": KEY}]}


def add_users(db: Db, many: int, properties: Mapping[str, Any] | None = None, begin: int = 0) -> None:
    """Users whom nobody can sign in as, `user0@example.com` and so on."""
    encoded = users.encode_properties(properties or {})
    for number in range(begin, begin + many):
        name = f"user{number}@example.com"
        users.insert(
            db,
            id=f"u{number}",
            username=name,
            username_key=name,
            password_hash="",
            properties_json=encoded,
            lot=draw_lot(),
            now=number,
        )


@dataclass
class Operator:
    """The holder of a management key."""

    http: aiohttp.ClientSession
    server: InProcessServer
    key: str | None = KEY
    backend_id: str = "app"

    @property
    def endpoint(self) -> str:
        return f"{self.server.management_url}/manage/json-rpc/{self.backend_id}"

    async def call(self, method: str, **params: Any) -> Answer:
        return await self.send({"jsonrpc": "2.0", "method": method, "params": params, "id": 1})

    async def send(self, message: Any, **headers: str) -> Answer:
        """Sends one request or a batch, and checks what every answer has to be."""
        if self.key is not None:
            headers[KEY_HEADER] = self.key
        body = json.dumps(message, ensure_ascii=False).encode()
        async with self.http.post(self.endpoint, data=body, headers=headers) as response:
            raw = await response.read()
            assert response.status == 200, (response.status, raw)
            assert response.headers["Content-Type"] == "application/json"
            assert not [name for name in response.headers if name.lower().startswith("access-control-")]
            answer = json.loads(raw)
            assert isinstance(answer, list) or (answer["jsonrpc"], answer["id"]) == ("2.0", message["id"])
            return Answer(answer, response.headers.copy())

    async def create(self, username: str = "me@example.com", password: str = "password", **properties: Any) -> str:
        """Makes a user; returns the id."""
        answer = await self.call("User.create", username=username, password=password, properties=properties)
        user_id: str = answer.result["user"]["_id"]
        return user_id

    async def names(self, **params: Any) -> list[str]:
        """The usernames that `User.list` gives, on the first page of 100."""
        result = (await self.call("User.list", **{"page": 1, "itemsInPage": 100, **params})).result
        return [item["_username"] for item in result["items"]]
