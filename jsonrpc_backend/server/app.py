"""The web application: routes, start-up and shutdown."""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from aiohttp import web, web_response
from aiohttp.http_exceptions import HttpProcessingError

from jsonrpc_backend import methods as _handlers  # noqa: F401 (fills the registry)
from jsonrpc_backend.accounts import argon2_build
from jsonrpc_backend.accounts.passwords import PasswordHasher
from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.backend.process import Process
from jsonrpc_backend.clock import Clock, since_boot, system_clock
from jsonrpc_backend.clock.steady import SteadyClock
from jsonrpc_backend.config import Config
from jsonrpc_backend.fairness.memory import Budget
from jsonrpc_backend.mail.recipients import Recipients
from jsonrpc_backend.rpc.dispatch import Dispatcher, admit_app
from jsonrpc_backend.rpc.management import Door
from jsonrpc_backend.rpc.registry import management_methods, methods
from jsonrpc_backend.server import open_files
from jsonrpc_backend.server.connections import Audience, Connection, Connections, Handler
from jsonrpc_backend.server.endpoint import Endpoint, Shared
from jsonrpc_backend.server.listener import listening
from jsonrpc_backend.server.metrics_page import State, add_metrics
from jsonrpc_backend.server.one_core import run_anywhere
from jsonrpc_backend.store.engine import DatabaseUnusable, StoreFailed
from jsonrpc_backend.telemetry.events import Observer, Observers
from jsonrpc_backend.telemetry.log import Log
from jsonrpc_backend.telemetry.metrics import load_meters
from jsonrpc_backend.web import development as dev
from jsonrpc_backend.web.example_apps import add_example_apps
from jsonrpc_backend.web.front_page import add_front_page
from jsonrpc_backend.web.mail_page import add_mail_page
from jsonrpc_backend.web.reference import ManagementReference, Reference
from jsonrpc_backend.web.scripts import add_scripts

log = logging.getLogger(__name__)

BACKENDS = web.AppKey("backends", dict[str, Backend])  # filled when the application starts

KEEPALIVE_SECONDS = 75.0
LINGERING_SECONDS = 5.0  # for a client that is still sending a body that was refused, so that it reads the answer

# aiohttp waits for this long twice in the worst case: for running calls, then for idle connections.
SHUTDOWN_SECONDS = 3.5

CONNECTIONS = web.AppKey("CONNECTIONS", Connections)


# Listens at a host and port until the end of the block; yields the port. Raises OSError when it cannot.
Listen = Callable[[str, int, Audience], contextlib.AbstractAsyncContextManager[int]]


def make_app(
    config: Config,
    *,
    clock: Clock = system_clock,
    elapsed: Clock = since_boot,
    development: bool = False,
    lines: Log | None = None,
    say: Callable[[str], None] = print,
    check_start: Callable[[], None] = lambda: None,
) -> web.Application:
    """The application; opens its databases when it starts and closes them at the end.

    Raises DatabaseUnusable when none can be opened; a backend whose file is broken does not stop the others. Raises
    MetricsUnavailable.

    `lines` is the log that gets a line for each call. `development` serves the reference and the example apps, and
    prints mails; it shows them on a page where nobody but this machine can reach the server. `say` prints, without
    waiting for a reader. `clock` may jump: `elapsed` goes on steadily and tells. `check_start` is called before each
    database is opened; what it raises ends the start.
    """
    meters = load_meters()(argon2_build.processor() or "any", methods.sign_ins()) if config.metrics.enabled else None
    observer = Observers([*([lines.calls] if lines else []), *([meters] if meters else [])])
    backends: dict[str, Backend] = {}
    room = open_files.connections_allowed(config.server.max_connections, backends=len(config.backends))
    connections = Connections(config.server, room)
    shared = Shared(Budget(config.server.max_bytes_in_flight, connections.cut_slowest_reader))
    documented = config.server.docs or development
    offered = {name: method for name, method in methods.items() if documented or not method.for_anybody}
    dispatchers = (
        Dispatcher(offered, admit_app, observer),
        Dispatcher(management_methods, Door(config.throttle, elapsed).admit, observer),
    )
    endpoint = Endpoint(config.server, dispatchers[0], backends, shared)
    management = Endpoint(config.server, dispatchers[1], backends, shared, for_browsers=False)

    async def open_backends(_: web.Application) -> AsyncIterator[None]:
        passwords = _password_hasher(config, observer)
        on_mail = dev.mail_printer(say) if development else None
        recipients = Recipients(config.throttle)
        process = Process(config, passwords, SteadyClock(clock, elapsed), observer, recipients, on_mail, elapsed)
        try:
            async with contextlib.AsyncExitStack() as stack:
                for backend_id in config.backends:
                    check_start()
                    backend = await _open_or_stop(backend_id, process, stack)
                    for dispatcher in dispatchers:
                        dispatcher.add(backend)
                    backends[backend_id] = backend
                if all(backend.is_stopped for backend in backends.values()):
                    raise DatabaseUnusable(process.data_dir, "no backend can be served; each is named above")
                yield
        finally:
            passwords.close()

    apart = bool(config.management.host)
    nothing_here = _nothing_here(endpoint)
    app = web.Application(middlewares=[connections.note_request, _explain_not_found(nothing_here, apart=apart)])
    app[BACKENDS] = backends
    app[CONNECTIONS] = connections
    app.cleanup_ctx.extend([open_backends, connections.watching])
    if meters is not None:
        state = State(backends, lambda: len(connections), lambda: lines.dropped if lines else 0)
        add_metrics(app, config.metrics, meters, state)
    app.on_shutdown.extend([endpoint.stop, management.stop, connections.hurry])
    # aiohttp's own pattern leaves out ids with braces; here they are unknown ids like others.
    app.router.add_route("*", "/json-rpc/{backend_id:[^/]+}", endpoint.handle, expect_handler=endpoint.expect)
    path = "/manage/json-rpc/{backend_id:[^/]+}"
    app.router.add_route("*", path, management.handle, expect_handler=management.expect)
    app.router.add_get("/manage/openrpc.json", ManagementReference(management.ask, backends).send_document)
    app.router.add_get("/healthz", _alive)
    app.router.add_get("/readyz", _ready)
    add_scripts(app, development=development)
    if documented:
        Reference(config, backends, endpoint.allow_origin, development=development).add_to(app)
    _add_pages(app, config, backends, nothing_here, development=development)
    app.on_response_prepare.append(_forbid_sniffing)
    return app


def _password_hasher(config: Config, observer: Observer) -> PasswordHasher:
    most_per_caller = config.throttle.hashes_per_address if config.throttle.enabled else None
    return PasswordHasher(config.passwords, most_per_caller, observer, begin_thread=run_anywhere)


def _add_pages(
    app: web.Application,
    config: Config,
    backends: dict[str, Backend],
    nothing_here: Callable[[web.Request], web.Response],
    *,
    development: bool,
) -> None:
    """What browsers get beside the reference, which has the start page of development."""
    if not development:
        add_front_page(app, nothing_here, documented=config.server.docs)
        return
    add_example_apps(app, config)
    if dev.is_loopback(config.server.host):
        add_mail_page(app, backends, sends=bool(config.smtp.host))


@contextlib.asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[Listen]:
    """Runs the application; yields what makes it listen. At the end running calls are answered.

    Raises DatabaseUnusable.
    """
    # Its answers to broken HTTP take no other way; tell nobody which versions to look for holes in.
    web_response.SERVER_SOFTWARE = "jsonrpc-backend"  # type: ignore[attr-defined]
    http_log = logging.getLogger("jsonrpc_backend.http")
    http_log.addFilter(_is_our_fault)
    options = {
        "logger": http_log,
        "access_log": None,  # costs as much as all the rest of HTTP
        "auto_decompress": False,  # bodies with an encoding are refused; it would unpack them before
        "keepalive_timeout": KEEPALIVE_SECONDS,
        "lingering_time": LINGERING_SECONDS,
    }
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_SECONDS)
    try:
        await runner.setup()
        server, connections = runner.server, app[CONNECTIONS]
        assert server is not None  # noqa: S101 (since it has been set up)

        def listen(host: str, port: int, audience: Audience) -> contextlib.AbstractAsyncContextManager[int]:
            def connect(peer: str) -> Connection | None:
                return connections.admit(peer, lambda: Connection(connections, server, audience, **options))

            return listening(connect, host, port)

        yield listen
    finally:
        await runner.cleanup()


def _is_our_fault(record: logging.LogRecord) -> bool:
    """False for what aiohttp logs as an error, with a traceback, when a client sends broken HTTP."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


async def _open_or_stop(backend_id: str, process: Process, stack: contextlib.AsyncExitStack) -> Backend:
    """The backend, open until the stack ends; stopped where its file cannot be used while others may be fine.

    Raises DatabaseUnusable where it is the only one.
    """
    try:
        return await stack.enter_async_context(Backend.open(backend_id, process))
    except DatabaseUnusable as reason:
        if len(process.config.backends) == 1:
            raise
        log.error("backend %s is stopped: %s", backend_id, reason)
        return Backend.stopped(backend_id, process, reason)


def _nothing_here(endpoint: Endpoint) -> Callable[[web.Request], web.Response]:
    """Says where the endpoint is, also to web pages: a browser would show them a CORS error only."""

    def nothing_here(request: web.Request) -> web.Response:
        text = "There is nothing here. Send JSON-RPC 2.0 requests to /json-rpc/<backend id> with POST."
        response = web.json_response({"error": text}, status=404)
        endpoint.allow_origin(request, response)
        return response

    return nothing_here


def _explain_not_found(nothing_here: Callable[[web.Request], web.Response], *, apart: bool) -> Any:
    """Explains every 404 that no handler has explained.

    `apart`: the operators' API is at an address of its own, and nothing else is there.
    """

    @web.middleware
    async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
        if apart and _is_elsewhere(request):
            return nothing_here(request)
        try:
            return await handler(request)
        except web.HTTPNotFound as error:
            if request.match_info.http_exception is not error:
                raise  # of a handler, which has said what is missing
            return nothing_here(request)

    return explain


def _is_elsewhere(request: web.Request) -> bool:
    """Whether a request is for an address other than the one that it came to."""
    resource = request.match_info.route.resource
    is_management = resource is not None and resource.canonical.startswith("/manage/")
    return is_management is not (cast(Connection, request.protocol).audience is Audience.OPERATORS)


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


async def _forbid_sniffing(_: web.Request, response: web.StreamResponse) -> None:
    """Lets no browser guess another content type."""
    response.headers["X-Content-Type-Options"] = "nosniff"
