"""The web application: routes, start-up and shutdown."""

import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from jsonrpc_backend import methods as _handlers  # noqa: F401 (fills the registry)
from jsonrpc_backend.accounts.passwords import PasswordHasher
from jsonrpc_backend.config import Config
from jsonrpc_backend.rpc.backend import Backend, Clock, system_clock
from jsonrpc_backend.rpc.dispatch import Dispatcher
from jsonrpc_backend.rpc.endpoint import Endpoint
from jsonrpc_backend.rpc.registry import methods

log = logging.getLogger(__name__)


def make_app(config: Config, *, clock: Clock = system_clock) -> web.Application:
    """The application; opens its databases when it starts (raises DatabaseUnusable) and closes them at the end."""
    backends: dict[str, Backend] = {}
    endpoint = Endpoint(config.server, Dispatcher(methods), backends)

    async def open_backends(_: web.Application) -> AsyncIterator[None]:
        passwords = PasswordHasher(config.passwords)
        data_dir = Path(config.server.data_dir)
        try:
            async with contextlib.AsyncExitStack() as stack:
                for backend_id, settings in config.backends.items():
                    backend = await stack.enter_async_context(
                        Backend.open(backend_id, settings, data_dir, passwords, clock)
                    )
                    backend.compile_schemas(methods)
                    backends[backend_id] = backend
                yield
        finally:
            passwords.close()

    async def ready(_: web.Request) -> web.Response:
        for backend in backends.values():
            try:
                await backend.database.check()
            except sqlite3.Error:
                log.exception("backend %s: the database does not answer", backend.id)
                return web.json_response({"status": "database unavailable"}, status=503)
        return web.json_response({"status": "ok"})

    app = web.Application()
    app.cleanup_ctx.append(open_backends)
    app.router.add_route("*", "/json-rpc/{backend_id}", endpoint.handle)
    app.router.add_get("/healthz", _alive)
    app.router.add_get("/readyz", ready)
    app.on_response_prepare.append(_describe_server)
    return app


async def _alive(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _describe_server(_: web.Request, response: web.StreamResponse) -> None:
    """Names no versions of the software underneath; lets no browser guess another content type."""
    response.headers["Server"] = "jsonrpc-backend"
    response.headers["X-Content-Type-Options"] = "nosniff"
