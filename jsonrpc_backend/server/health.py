"""`/healthz` and `/readyz`, for who watches the server."""

import logging

from aiohttp import web

from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.backend.siblings import Siblings
from jsonrpc_backend.server.backends import BACKENDS
from jsonrpc_backend.store.engine import StoreFailed

log = logging.getLogger(__name__)

_READY = "ready"


def add_health(app: web.Application, siblings: Siblings) -> None:
    """`/readyz` speaks for all processes of the server."""
    backends = app[BACKENDS]

    async def is_ready() -> bool:
        return all([await _answers(backend) for backend in backends.values()])

    async def ready(_: web.Request) -> web.Response:
        try:
            if await is_ready() and all((await siblings.ask(_READY))[:-1]):
                return web.json_response({"status": "ok"})
        except TimeoutError:
            log.error("another process of the server does not answer")
        return web.json_response({"status": "database unavailable"}, status=503)

    app.router.add_get("/healthz", _alive)
    app.router.add_get("/readyz", ready)
    siblings.answer(_READY, is_ready)


async def _alive(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _answers(backend: Backend) -> bool:
    try:
        await backend.database.check()
    except StoreFailed as error:
        log.error("backend %s: the database does not answer: %s", backend.id, error)
        return False
    return True
