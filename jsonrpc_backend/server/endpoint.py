"""The HTTP side of the one endpoint: request to response.

Every JSON-RPC answer is HTTP 200, errors included: the clients in the field turn any other status into an error of
their own and lose ours.
"""

import contextlib
import time
from typing import Any

from aiohttp import hdrs, web

from jsonrpc_backend.config import ServerConfig
from jsonrpc_backend.errors import RpcError
from jsonrpc_backend.fairness.addresses import Address, Proxies, caller_at
from jsonrpc_backend.fairness.share import Share, Shared
from jsonrpc_backend.rpc.answer import Answer
from jsonrpc_backend.rpc.batch import answer_body
from jsonrpc_backend.rpc.dispatch import Dispatcher
from jsonrpc_backend.rpc.management import KEY_HEADER
from jsonrpc_backend.rpc.parse import may_hold_unportable
from jsonrpc_backend.rpc.post import Post
from jsonrpc_backend.server.bodies import Bodies
from jsonrpc_backend.server.cors import Cors

SESSION_HEADER = "X-Set-Monaca-Cloud-Session"


class Endpoint:
    """`POST …/{backend_id}`, and what browsers ask before.

    Without `cors` it lets no page of another site send more than a form or read an answer.
    """

    def __init__(
        self,
        config: ServerConfig,
        dispatcher: Dispatcher,
        shared: Shared,
        cors: Cors | None = None,
    ) -> None:
        self._cors = cors
        self._config = config
        self._dispatcher = dispatcher
        self._proxies = Proxies(config.trusted_proxies)
        self._shared = shared
        self._bodies = Bodies(config)

    def add_to(self, app: web.Application, path: str) -> None:
        # aiohttp's own pattern leaves out ids with braces; here they are unknown ids like others.
        app.router.add_route("*", path + "/{backend_id:[^/]+}", self.handle, expect_handler=self.expect)
        app.on_shutdown.append(self.stop)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            address = self._find_address(request)
            with Share(self._shared, caller_at(address)) as share:
                response = _response(await self._answer(request, address, share))
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
        address = self._find_address(request)
        with Share(self._shared, caller_at(address)) as share:
            async with share.turn:
                return await self._dispatcher.call(method, {}, _post(request, backend_id, address, share))

    async def _answer(self, request: web.Request, address: Address | None, share: Share) -> Answer:
        began, backend_id = time.perf_counter(), request.match_info["backend_id"]
        try:
            body = await self._bodies.read(request, share)
            post = _post(request, backend_id, address, share, body)
            return await answer_body(self._dispatcher, body, post, max_batch=self._config.max_batch)
        except RpcError as error:
            self._dispatcher.note_refusal(_post(request, backend_id, address, share), error, began)
            return Answer.of_error(error)

    def _find_address(self, request: web.Request) -> Address | None:
        return self._proxies.find_client(request.remote, request.headers.getall("X-Forwarded-For", []))


def _post(request: web.Request, backend_id: str, address: Address | None, share: Share, body: bytes = b"") -> Post:
    return Post(
        backend_id,
        address,
        lambda: request.transport is None,
        share,
        request.headers.get(KEY_HEADER, ""),
        request.headers.get(hdrs.ACCEPT_LANGUAGE, ""),
        may_hold_unportable(body),
    )


def _response(answer: Answer) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    if answer.opened_session is not None:
        headers[SESSION_HEADER] = answer.opened_session
    if answer.json is None:
        return web.Response(status=204, headers=headers)
    # The line break is for people who call with curl.
    return web.Response(body=answer.json + b"\n", content_type="application/json", headers=headers)


async def _sent(request: web.Request, response: web.Response) -> web.Response:
    """Sends a response here: what it takes of memory is in use until the client has it."""
    with contextlib.suppress(ConnectionError):  # aiohttp tries again, and closes the connection
        await response.prepare(request)
        await response.write_eof()
    return response
