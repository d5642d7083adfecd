"""A server for tests of the client: it records what it receives and answers what the test says."""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from aiohttp import web

KEY = "the-api-key"
USER = {
    "_id": "u0b3e4a52-5f0a-4c55-9d0e-6b8f7a1c2d3e",
    "_username": "me@example.com",
    "_createdAt": 1_700_000_000_123,
    "_updatedAt": 1_700_000_060_000,
    "_updateAt": 1_700_000_060_000,
    "age": 21,
    "tags": ["a"],
}

Answer = Callable[[Any, web.Request], Awaitable[web.StreamResponse]]


class ScriptedServer:
    """A server on a real socket that records every request and answers what the test says."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Any] = []
        self.requests: list[web.Request] = []
        self.answer: Answer = result("OK")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        message = json.loads(await request.read())
        self.received.append(message)
        self.requests.append(request)
        return await self.answer(message, request)


@contextlib.asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()


def outcome(message: Any, **member: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": message["id"], **member}


def result(value: Any, session: str | None = None) -> Answer:
    """Answers any call with this result, any notification with nothing."""
    headers = {} if session is None else {"X-Set-Monaca-Cloud-Session": session}

    async def answer(message: Any, _: web.Request) -> web.Response:
        if "id" not in message:
            return web.Response(status=204, headers=headers)
        return web.json_response(outcome(message, result=value), headers=headers)

    return answer


def error(code: int, message: str = "Some error", **members: Any) -> Answer:
    async def answer(call: Any, _: web.Request) -> web.Response:
        return web.json_response(outcome(call, error={"code": code, "message": message, **members}))

    return answer


def raw(body: bytes, status: int = 200, **headers: str) -> Answer:
    async def answer(_: Any, __: web.Request) -> web.Response:
        return web.Response(body=body, status=status, headers=headers)

    return answer
