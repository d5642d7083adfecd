"""`/healthz` and `/readyz`, for who watches the server."""

import logging

from aiohttp import web

from jsonrpc_backend.server.backends import BACKENDS
from jsonrpc_backend.store.engine import StoreFailed

log = logging.getLogger(__name__)


def add_health(app: web.Application) -> None:
    app.router.add_get("/healthz", _alive)
    app.router.add_get("/readyz", _ready)


async def _alive(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _ready(request: web.Request) -> web.Response:
    for backend in request.app[BACKENDS].values():
        try:
            await backend.database.check()
        except StoreFailed as error:
            log.error("backend %s: the database does not answer: %s", backend.id, error)
            return web.json_response({"status": "database unavailable"}, status=503)
    return web.json_response({"status": "ok"})
