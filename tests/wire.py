"""Calls as the clients in the field send them."""

import copy
import json
from dataclasses import dataclass
from typing import Any, Protocol, Self

import aiohttp

SESSION_HEADER = "X-Set-Monaca-Cloud-Session"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"


class Server(Protocol):
    """Anything that serves one app."""

    api_key: str

    @property
    def endpoint(self) -> str: ...


@dataclass
class Answer:
    """A response: the JSON-RPC object, and what the header said."""

    body: Any
    headers: Any
    status: int = 200

    @property
    def result(self) -> Any:
        assert "error" not in self.body, self.body
        return self.body["result"]

    @property
    def error(self) -> Any:
        assert "result" not in self.body, self.body
        return self.body["error"]

    @property
    def code(self) -> int:
        code: int = self.error["code"]
        return code

    @property
    def data(self) -> Any:
        return self.error.get("data")

    @property
    def session(self) -> str | None:
        session: str | None = self.headers.get(SESSION_HEADER)
        return session


class Wire:
    """One installation of an app: sends what the original client sends, keeps what it keeps."""

    def __init__(self, http: aiohttp.ClientSession, server: Server, device: str = "device-1") -> None:
        self.http = http
        self.server = server
        self.device = device
        self.session: str | None = None
        self.login_token: str | None = None

    def tab(self) -> Self:
        """The app once more on the same device, as in another browser tab: begins with what was kept until now."""
        return copy.copy(self)

    def elsewhere(self, device: str = "elsewhere") -> "Wire":
        """The app on another device, where nobody is signed in."""
        return Wire(self.http, self.server, device)

    def params(self, params: dict[str, Any]) -> dict[str, Any]:
        reserved = {"__api_key": self.server.api_key, "__device": self.device}
        if self.session is not None:
            reserved["__session"] = self.session
        return {**reserved, **params}

    async def call(self, method: str, **params: Any) -> Answer:
        answer = await self.send({"jsonrpc": "2.0", "method": method, "params": self.params(params), "id": "1"})
        assert answer.body["id"] == "1"
        assert answer.body["jsonrpc"] == "2.0"
        if answer.session is not None:
            assert answer.session.isalnum()
            self.session = answer.session
        result = answer.body.get("result")
        if isinstance(result, dict) and "loginToken" in result:
            self.login_token = result["loginToken"]
        return answer

    async def send(self, message: Any) -> Answer:
        return await self.post(_as_javascript_writes(message))

    async def post(self, body: Any, **headers: str) -> Answer:
        """Posts bytes as they are, and checks what every answer has to be."""
        async with self.http.post(
            self.server.endpoint, data=body, headers={"Content-Type": FORM, **headers}, allow_redirects=False
        ) as response:
            raw = await response.read()
            assert response.status == 200, (response.status, raw)
            assert response.headers["Content-Type"] == "application/json"
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert response.headers["Access-Control-Expose-Headers"] == SESSION_HEADER
            return Answer(json.loads(raw), response.headers.copy())

    async def register(self, username: str = "me@example.com", password: str = "password", **properties: Any) -> Answer:
        answer = await self.call("User.register", username=username, password=password, properties=properties)
        assert answer.result["user"]["_username"] == username
        return answer


def _as_javascript_writes(message: Any) -> bytes:
    """JSON.stringify escapes lone surrogates only; Python escapes all characters or none."""
    try:
        return json.dumps(message, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(message).encode()
