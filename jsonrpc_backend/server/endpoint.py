"""The HTTP side of the one endpoint: request to response, batches, headers.

Every JSON-RPC answer is HTTP 200, errors included: the clients in the field turn any other status into an error of
their own and lose ours.
"""

import contextlib
import json
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.config import ServerConfig
from jsonrpc_backend.errors import CallLimitExceeded, InvalidRequest, RpcError
from jsonrpc_backend.fairness import Caller, current_caller
from jsonrpc_backend.fairness.addresses import Address, Proxies, caller_at
from jsonrpc_backend.fairness.large_work import LARGE_BYTES, LargeWork
from jsonrpc_backend.fairness.memory import Budget, Share
from jsonrpc_backend.fairness.turns import Turn, Turns
from jsonrpc_backend.rpc.call import Encoded, Exchange
from jsonrpc_backend.rpc.dispatch import Dispatcher, echoable_id, error_response
from jsonrpc_backend.rpc.management import KEY_HEADER
from jsonrpc_backend.rpc.parse import may_hold_unportable, parse, parsed_size
from jsonrpc_backend.server.bodies import Bodies
from jsonrpc_backend.server.cors import Cors

SESSION_HEADER = "X-Set-Monaca-Cloud-Session"

# Of all callers together. More would not be done sooner: each step of a call would wait for steps of so many others.
CALLS_AT_ONCE = 32


class Shared:
    """What requests share, whichever endpoint they are for."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.turns = Turns(CALLS_AT_ONCE)
        self.large_work = LargeWork()


class Endpoint:
    """`POST …/{backend_id}`, and what browsers ask before.

    Without `cors` it lets no page of another site send more than a form or read an answer.
    """

    def __init__(
        self,
        config: ServerConfig,
        dispatcher: Dispatcher,
        backends: Mapping[str, Backend],
        shared: Shared,
        cors: Cors | None = None,
    ) -> None:
        self._cors = cors
        self._config = config
        self._dispatcher = dispatcher
        self._backends = backends
        self._proxies = Proxies(config.trusted_proxies)
        self._shared = shared
        self._bodies = Bodies(config)

    def add_to(self, app: web.Application, path: str) -> None:
        # aiohttp's own pattern leaves out ids with braces; here they are unknown ids like others.
        app.router.add_route("*", path + "/{backend_id:[^/]+}", self.handle, expect_handler=self.expect)
        app.on_shutdown.append(self.stop)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            with Share(self._shared.budget, self._caller(request)) as share:
                response = await self._post(request, share)
                self._allow_origin(request, response)
                return await _sent(request, response)
        if request.method == "OPTIONS" and self._cors is not None:
            return self._cors.preflight(request)
        response = web.json_response({"error": "Send JSON-RPC 2.0 requests here with POST."}, status=405)
        response.headers["Allow"] = "POST" if self._cors is None else "POST, OPTIONS"
        self._allow_origin(request, response)
        return response

    async def stop(self, _: web.Application) -> None:
        """The server stops and receives no more: nobody waits for the rest of a body."""
        self._bodies.stop()

    async def expect(self, request: web.Request) -> None:
        """Invites a body that was announced with `Expect: 100-continue`, unless it would be refused anyway."""
        if request.headers["Expect"].lower() != "100-continue":
            refusal = web.HTTPExpectationFailed()
            self._allow_origin(request, refusal)
            raise refusal
        if not self._bodies.is_refused(request):
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _allow_origin(self, request: web.Request, response: web.StreamResponse) -> None:
        if self._cors is not None:
            self._cors.allow(request, response)

    async def ask(self, request: web.Request, backend_id: str, method: str) -> Any:
        """What a method without params gives to a request of another kind: checked and noted as any call.

        Raises RpcError.
        """
        with Share(self._shared.budget, self._caller(request)) as share:
            exchange = self._exchange(request, backend_id, share)
            async with exchange.turn:
                return await self._dispatcher.call(method, {}, exchange)

    async def _post(self, request: web.Request, share: Share) -> web.Response:
        began = time.perf_counter()
        exchange = self._exchange(request, request.match_info["backend_id"], share)
        try:
            answer = await self._answer(request, exchange, share)
        except RpcError as error:
            self._dispatcher.note_refusal(exchange, error, began)
            answer = _encode(error_response(error))
        headers = {"Cache-Control": "no-store"}
        if exchange.opened_session is not None:
            headers[SESSION_HEADER] = exchange.opened_session
        if answer is None:
            return web.Response(status=204, headers=headers)
        # The line break is for people who call with curl.
        return web.Response(body=answer + b"\n", content_type="application/json", headers=headers)

    def _exchange(self, request: web.Request, backend_id: str, share: Share) -> Exchange:
        return Exchange(
            backend_id,
            self._backends,
            find_address=lambda: self._find_address(request),
            is_gone=lambda: request.transport is None,
            share=share,
            caller=share.caller,
            turn=Turn(self._shared.turns, share.caller),
            large_work=self._shared.large_work,
            management_key=request.headers.get(KEY_HEADER, ""),
        )

    def _caller(self, request: web.Request) -> Caller:
        return caller_at(self._find_address(request))

    def _find_address(self, request: web.Request) -> Address | None:
        return self._proxies.find_client(request.remote, request.headers.getall("X-Forwarded-For", []))

    async def _answer(self, request: web.Request, exchange: Exchange, share: Share) -> bytes | None:
        """The response, encoded, or None for nothing but notifications. Raises RpcError."""
        body = await self._bodies.read(request, share)
        async with exchange.turn:
            share.check()
            exchange.may_hold_unportable = carefully = may_hold_unportable(body)
            exchange.body_bytes = len(body)
            if len(body) < LARGE_BYTES:
                return await self._answer_value(parse(body, carefully=carefully), exchange, share)
            current_caller.set(exchange.caller)
            async with exchange.large_work.holding(exchange.turn, exchange.caller, parsed_size(body)):
                value = await exchange.large_work.run(exchange.turn, len(body), parse, body, carefully=carefully)
                return await self._answer_value(value, exchange, share)

    async def _answer_value(self, value: Any, exchange: Exchange, share: Share) -> bytes | None:
        if not isinstance(value, list):
            return await self._answer_element(value, exchange, share)
        if not 1 <= len(value) <= self._config.max_batch:
            raise InvalidRequest
        # Each is encoded at once: fifty large results as Python objects take many times their size in JSON.
        answers = []
        for element in value:
            answer = await self._answer_element(element, exchange, share)
            if answer is not None:
                answers.append(answer)
            await exchange.turn.renew()
        return b"[" + b",".join(answers) + b"]" if answers else None

    async def _answer_element(self, element: Any, exchange: Exchange, share: Share) -> bytes | None:
        began = time.perf_counter()
        current_caller.set(exchange.caller)  # an element before may have been of somebody who is signed in
        try:
            share.check()
            answer = await self._dispatcher.answer(element, exchange)
        except CallLimitExceeded as error:
            self._dispatcher.note_refusal(exchange, error, began)
            is_notification = isinstance(element, dict) and "id" not in element
            answer = None if is_notification else error_response(error, echoable_id(element))
        if answer is None:
            return None
        encoded = _encode(answer)
        share.add(len(encoded) - _counted(answer))
        return encoded


async def _sent(request: web.Request, response: web.Response) -> web.Response:
    """Sends a response here: what it takes of memory is in use until the client has it."""
    with contextlib.suppress(ConnectionError):  # aiohttp tries again, and closes the connection
        await response.prepare(request)
        await response.write_eof()
    return response


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _encode(answer: Mapping[str, Any]) -> bytes:
    result = answer.get("result")
    if isinstance(result, Encoded):
        return b"".join([b'{"jsonrpc":"2.0","result":', result.json, b',"id":', _to_json(answer["id"]), b"}"])
    return _to_json(answer)


def _counted(answer: Mapping[str, Any]) -> int:
    """How many bytes of an answer its method has counted already."""
    result = answer.get("result")
    return len(result.json) if isinstance(result, Encoded) and result.is_counted else 0


def _to_json(value: Any) -> bytes:
    try:
        return _compact.encode(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()  # an echoed id with a lone surrogate
