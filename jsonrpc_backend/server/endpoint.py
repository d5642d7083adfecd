"""The HTTP side of the one endpoint: request to response.

Every JSON-RPC answer is HTTP 200, errors included: the clients in the field turn any other status into an error of
their own and lose ours.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

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
from jsonrpc_backend.server.responses import Responses

T = TypeVar("T")
Work = Callable[[bytes, Post], Awaitable[T]]


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
        self._responses = Responses(cors)

    def add_to(self, app: web.Application, path: str) -> None:
        # aiohttp's own pattern leaves out ids with braces; here they are unknown ids like others.
        app.router.add_route("*", path + "/{backend_id:[^/]+}", self.handle, expect_handler=self.expect)
        app.on_shutdown.append(self.stop)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            return await self.post(request, request.match_info["backend_id"])
        if request.method == "OPTIONS" and self._cors is not None:
            return self._cors.preflight(request)
        response = web.json_response({"error": "Send JSON-RPC 2.0 requests here with POST."}, status=405)
        response.headers["Allow"] = "POST" if self._cors is None else "POST, OPTIONS"
        self._allow_origin(request, response)
        return response

    async def post(self, request: web.BaseRequest, backend_id: str) -> web.StreamResponse:
        """Sends the answer to what is posted."""
        address = self._find_address(request)
        with Share(self._shared, caller_at(address)) as share:
            return await self._responses.send(request, await self._answer(request, backend_id, address, share))

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

    async def work_on(self, request: web.Request, backend_id: str, work: Work[T]) -> T:
        """What `work` makes of a body that is no JSON-RPC. Raises RpcError."""
        began, address = time.perf_counter(), self._find_address(request)
        with Share(self._shared, caller_at(address)) as share:
            try:
                body = await self._bodies.read(request, share)
                async with share.turn:
                    return await work(body, _post(request, backend_id, address, share, body))
            except RpcError as error:
                self._dispatcher.note_refusal(_post(request, backend_id, address, share), error, began)
                raise

    async def _answer(self, request: web.BaseRequest, backend_id: str, address: Address | None, share: Share) -> Answer:
        began = time.perf_counter()
        try:
            body = await self._bodies.read(request, share)
            post = _post(request, backend_id, address, share, body)
            return await answer_body(self._dispatcher, body, post, max_batch=self._config.max_batch)
        except RpcError as error:
            self._dispatcher.note_refusal(_post(request, backend_id, address, share), error, began)
            return Answer.of_error(error)

    def _find_address(self, request: web.BaseRequest) -> Address | None:
        return self._proxies.find_client(request.remote, request.headers.getall("X-Forwarded-For", []))


def _post(request: web.BaseRequest, backend_id: str, address: Address | None, share: Share, body: bytes = b"") -> Post:
    return Post(
        backend_id,
        address,
        lambda: request.transport is None,
        share,
        request.headers.get(KEY_HEADER, ""),
        request.headers.get(hdrs.ACCEPT_LANGUAGE, ""),
        may_hold_unportable(body),
    )
