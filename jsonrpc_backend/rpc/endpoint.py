"""The HTTP side of the one endpoint: request to response, batches, headers.

Every JSON-RPC answer is HTTP 200, errors included: the clients in the field turn any other status into an error of
their own and lose ours.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from jsonrpc_backend.config import ServerConfig
from jsonrpc_backend.errors import InvalidRequest, ParseError, RpcError
from jsonrpc_backend.rpc.backend import Backend
from jsonrpc_backend.rpc.call import Encoded, Exchange
from jsonrpc_backend.rpc.client_address import client_address
from jsonrpc_backend.rpc.dispatch import Dispatcher, error_response
from jsonrpc_backend.rpc.management import KEY_HEADER
from jsonrpc_backend.rpc.parse import may_hold_unportable, parse

SESSION_HEADER = "X-Set-Monaca-Cloud-Session"

# From this size on, work in proportion to a body would be felt by other calls: it leaves the event loop.
LARGE_BODY_BYTES = 32 * 1024

# Parsed, a body takes many times its size in memory, so only a few are at a time; others wait as bytes.
LARGE_BODIES_AT_ONCE = 2

PREFLIGHT_SECONDS = 86400


class Endpoint:
    """`POST /json-rpc/{backend_id}`, and what browsers ask before.

    Not `for_browsers`, it lets no page of another site send more than a form or read an answer (no CORS).
    """

    def __init__(
        self,
        config: ServerConfig,
        dispatcher: Dispatcher,
        backends: Mapping[str, Backend],
        *,
        for_browsers: bool = True,
    ) -> None:
        self._for_browsers = for_browsers
        self._config = config
        self._dispatcher = dispatcher
        self._backends = backends
        self._large_bodies = asyncio.Semaphore(LARGE_BODIES_AT_ONCE)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            response = await self._post(request)
        elif request.method == "OPTIONS" and self._for_browsers:
            response = _preflight(request)
        else:
            response = web.json_response({"error": "Send JSON-RPC 2.0 requests here with POST."}, status=405)
            response.headers["Allow"] = "POST, OPTIONS" if self._for_browsers else "POST"
        self._allow_origin(request, response)
        return response

    async def expect(self, request: web.Request) -> None:
        """Invites a body that was announced with `Expect: 100-continue`, unless it would be refused anyway."""
        if request.headers["Expect"].lower() != "100-continue":
            refusal = web.HTTPExpectationFailed()
            self._allow_origin(request, refusal)
            raise refusal
        if not self._is_refused(request):
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _is_refused(self, request: web.Request) -> bool:
        """Whether the head alone says that the body is too large or encoded."""
        return "Content-Encoding" in request.headers or (
            request.content_length is not None and request.content_length > self._config.max_body_bytes
        )

    def _allow_origin(self, request: web.Request, response: web.Response) -> None:
        if not self._for_browsers:
            return
        headers = response.headers
        allowed = self._config.allowed_origins
        if "*" in allowed:
            headers["Access-Control-Allow-Origin"] = "*"
        else:
            headers.add("Vary", "Origin")
            origin = request.headers.get("Origin")
            if origin in allowed:
                headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = SESSION_HEADER

    async def _post(self, request: web.Request) -> web.Response:
        exchange = Exchange(
            request.match_info["backend_id"],
            self._backends,
            address=str(client_address(request, self._config.trusted_proxies) or ""),
            management_key=request.headers.get(KEY_HEADER, ""),
        )
        try:
            answer = await self._answer(request, exchange)
        except RpcError as error:
            answer = _encode(error_response(error))
        headers = {"Cache-Control": "no-store"}
        if exchange.opened_session is not None:
            headers[SESSION_HEADER] = exchange.opened_session
        if answer is None:
            return web.Response(status=204, headers=headers)
        # The line break is for people who call with curl.
        return web.Response(body=answer + b"\n", content_type="application/json", headers=headers)

    async def _answer(self, request: web.Request, exchange: Exchange) -> bytes | None:
        """The response, encoded, or None for nothing but notifications. Raises RpcError."""
        body = await self._read_body(request)
        exchange.may_hold_unportable = may_hold_unportable(body)
        if len(body) < LARGE_BODY_BYTES:
            return await self._answer_value(parse(body), exchange)
        exchange.large = True
        async with self._large_bodies:
            return await self._answer_value(await asyncio.to_thread(parse, body), exchange)

    async def _answer_value(self, value: Any, exchange: Exchange) -> bytes | None:
        if not isinstance(value, list):
            return await self._answer_element(value, exchange)
        if not 1 <= len(value) <= self._config.max_batch:
            raise InvalidRequest
        # Each is encoded at once: fifty large results as Python objects take many times their size in JSON.
        answers = []
        for element in value:
            answer = await self._answer_element(element, exchange)
            if answer is not None:
                answers.append(answer)
                await asyncio.sleep(0)  # other calls get their turn
        return b"[" + b",".join(answers) + b"]" if answers else None

    async def _answer_element(self, element: Any, exchange: Exchange) -> bytes | None:
        answer = await self._dispatcher.answer(element, exchange)
        return None if answer is None else _encode(answer)

    async def _read_body(self, request: web.Request) -> bytes:
        """The whole body. Raises InvalidRequest if it is encoded, too large or too slow, ParseError if broken."""
        if self._is_refused(request):
            raise InvalidRequest
        body = bytearray()
        try:
            async with asyncio.timeout(self._config.body_timeout_seconds):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > self._config.max_body_bytes:
                        raise InvalidRequest
        except TimeoutError as error:
            raise InvalidRequest from error
        except (web.RequestPayloadError, OSError) as error:
            raise ParseError from error  # broken framing, or the client has hung up
        return bytes(body)


def _preflight(request: web.Request) -> web.Response:
    """Allows whatever headers are asked for: without cookies none can do harm, and old WebViews know no `*` here."""
    return web.Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": "POST, OPTIONS",
            "Access-Control-Allow-Headers": request.headers.get("Access-Control-Request-Headers", "Content-Type"),
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
            "Vary": "Access-Control-Request-Headers",
        },
    )


def _encode(answer: Mapping[str, Any]) -> bytes:
    result = answer.get("result")
    if isinstance(result, Encoded):
        return b"".join([b'{"jsonrpc":"2.0","result":', result.json, b',"id":', _to_json(answer["id"]), b"}"])
    return _to_json(answer)


def _to_json(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()  # an echoed id with a lone surrogate
