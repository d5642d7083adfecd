"""What is answered where nothing is: where the endpoint is."""

from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

from jsonrpc_backend.server.connections import Audience, Connection, Handler
from jsonrpc_backend.server.cors import Cors

TEXT = "There is nothing here. Send JSON-RPC 2.0 requests to /json-rpc/<backend id> with POST."

NothingHere = Callable[[web.Request], web.Response]


def nothing_here(cors: Cors) -> NothingHere:
    """The answer, also for web pages: a browser would show them a CORS error only."""

    def answer(request: web.Request) -> web.Response:
        response = web.json_response({"error": TEXT}, status=404)
        cors.allow(request, response)
        return response

    return answer


def explaining(answer: NothingHere, *, apart: bool) -> Any:
    """A middleware that explains every 404 that no handler has explained.

    `apart`: the operators' API is at an address of its own, and nothing else is there.
    """

    @web.middleware
    async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
        if apart and _is_elsewhere(request):
            return answer(request)
        try:
            return await handler(request)
        except web.HTTPNotFound as error:
            if request.match_info.http_exception is not error:
                raise  # of a handler, which has said what is missing
            return answer(request)

    return explain


def _is_elsewhere(request: web.Request) -> bool:
    """Whether a request is for an address other than the one that it came to."""
    resource = request.match_info.route.resource
    is_management = resource is not None and resource.canonical.startswith("/manage/")
    return is_management is not (cast(Connection, request.protocol).audience is Audience.OPERATORS)
