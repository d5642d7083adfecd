"""The web application: routes, start-up and shutdown."""

import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator

from aiohttp import web, web_response
from aiohttp.http_exceptions import HttpProcessingError

from jsonrpc_backend import dev
from jsonrpc_backend import methods as _handlers  # noqa: F401 (fills the registry)
from jsonrpc_backend.accounts.passwords import PasswordHasher
from jsonrpc_backend.config import Config
from jsonrpc_backend.rpc.backend import Backend, Clock, Process, system_clock
from jsonrpc_backend.rpc.dispatch import Dispatcher, admit_app
from jsonrpc_backend.rpc.endpoint import Endpoint
from jsonrpc_backend.rpc.management import admit_operator
from jsonrpc_backend.rpc.registry import management_methods, methods

log = logging.getLogger(__name__)

KEEPALIVE_SECONDS = 75.0
LINGERING_SECONDS = 5.0  # for a client that is still sending a body that was refused, so that it reads the answer

# aiohttp waits for this long twice in the worst case: for running calls, then for idle connections.
SHUTDOWN_SECONDS = 4.0


Backends = dict[str, Backend]
BACKENDS = web.AppKey("backends", Backends)


def make_app(config: Config, *, clock: Clock = system_clock, development: bool = False) -> web.Application:
    """The application; opens its databases when it starts (raises DatabaseUnusable) and closes them at the end.

    `development` prints mails, and shows them on a page where nobody but this machine can reach the server.
    """
    backends: Backends = {}
    endpoint = Endpoint(config.server, Dispatcher(methods, admit_app), backends)

    async def open_backends(_: web.Application) -> AsyncIterator[None]:
        passwords = PasswordHasher(config.passwords)
        process = Process(config, passwords, clock, dev.print_mail if development else None)
        try:
            async with contextlib.AsyncExitStack() as stack:
                for backend_id in config.backends:
                    backend = await stack.enter_async_context(Backend.open(backend_id, process))
                    for registry in (methods, management_methods):
                        backend.compile_schemas(method.schema for method in registry.values())
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
    app[BACKENDS] = backends
    app.cleanup_ctx.append(open_backends)
    # aiohttp's own pattern leaves out ids with braces; here they are unknown ids like others.
    app.router.add_route("*", "/json-rpc/{backend_id:[^/]+}", endpoint.handle, expect_handler=endpoint.expect)
    if not config.management.host:
        _add_management(app, config, backends)
    app.router.add_get("/healthz", _alive)
    app.router.add_get("/readyz", ready)
    if development and dev.is_loopback(config.server.host):
        dev.add_mail_page(app, backends, sends=bool(config.smtp.host))
    app.on_response_prepare.append(_forbid_sniffing)
    return app


def make_management_app(app: web.Application, config: Config) -> web.Application:
    """The operators' API of an application, to be bound to an address of its own while the other one runs."""
    management = web.Application()
    _add_management(management, config, app[BACKENDS])
    management.on_response_prepare.append(_forbid_sniffing)
    return management


def _add_management(app: web.Application, config: Config, backends: Backends) -> None:
    endpoint = Endpoint(config.server, Dispatcher(management_methods, admit_operator), backends, for_browsers=False)
    app.router.add_route("*", "/manage/json-rpc/{backend_id:[^/]+}", endpoint.handle, expect_handler=endpoint.expect)


def make_runner(app: web.Application) -> web.AppRunner:
    """The application with its HTTP settings, ready to be bound to addresses."""
    # Its answers to broken HTTP take no other way; tell nobody which versions to look for holes in.
    web_response.SERVER_SOFTWARE = "jsonrpc-backend"  # type: ignore[attr-defined]
    http_log = logging.getLogger("jsonrpc_backend.http")
    http_log.addFilter(_is_our_fault)
    return web.AppRunner(
        app,
        logger=http_log,
        access_log=None,  # costs as much as all the rest of HTTP
        auto_decompress=False,  # bodies with an encoding are refused; it would unpack them before
        keepalive_timeout=KEEPALIVE_SECONDS,
        lingering_time=LINGERING_SECONDS,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )


def _is_our_fault(record: logging.LogRecord) -> bool:
    """False for what aiohttp logs as an error, with a traceback, when a client sends broken HTTP."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


async def _alive(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _forbid_sniffing(_: web.Request, response: web.StreamResponse) -> None:
    """Lets no browser guess another content type."""
    response.headers["X-Content-Type-Options"] = "nosniff"
