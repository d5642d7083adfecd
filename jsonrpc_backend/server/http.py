"""What all our HTTP answers have in common."""

import asyncio
import logging
from typing import Any

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

log = logging.getLogger("jsonrpc_backend.http")

SERVER = "jsonrpc-backend"  # aiohttp would tell everybody by its version where to look for holes


async def name_server(_: web.BaseRequest, response: web.StreamResponse) -> None:
    response.headers[hdrs.SERVER] = SERVER


class HttpConnection(web.RequestHandler):
    """aiohttp's connection. What a client does wrong is no error of ours: it is answered, and not logged."""

    __slots__ = ()

    def __init__(self, server: web.Server, **options: Any) -> None:
        # An access log costs as much as all the rest of HTTP.
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            logger=log,
            access_log=None,  # type: ignore[arg-type]
            **options,
        )

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if message is not None and isinstance(exc, HttpProcessingError):
            response: web.StreamResponse = web.Response(status=status, text=message)
            response.force_close()
        else:
            response = super().handle_error(request, status, exc, message)
        response.headers[hdrs.SERVER] = SERVER  # no application has seen the request, nor sees the answer
        return response
