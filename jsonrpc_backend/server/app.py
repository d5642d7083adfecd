"""The web application: what it is made of, and its routes."""

import socket
from collections.abc import Callable, Sequence
from functools import partial

from aiohttp import web

from jsonrpc_backend.accounts import argon2_build
from jsonrpc_backend.accounts.passwords import PasswordHasher
from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.backend.process import Process
from jsonrpc_backend.backend.siblings import NoSiblings, Siblings
from jsonrpc_backend.clock import Clock, since_boot, system_clock
from jsonrpc_backend.clock.steady import SteadyClock
from jsonrpc_backend.config import Config
from jsonrpc_backend.config.loopback import is_loopback
from jsonrpc_backend.fairness.memory import Budget
from jsonrpc_backend.fairness.share import Shared
from jsonrpc_backend.mail.mailbag import MailListener
from jsonrpc_backend.mail.recipients import Recipients
from jsonrpc_backend.methods import APP_API, MANAGEMENT_API
from jsonrpc_backend.rpc.admission import admit_app
from jsonrpc_backend.rpc.dispatch import Dispatcher
from jsonrpc_backend.rpc.management import Door
from jsonrpc_backend.server import http, open_files
from jsonrpc_backend.server.backends import BACKENDS, opened
from jsonrpc_backend.server.connections import Connections
from jsonrpc_backend.server.cors import Cors
from jsonrpc_backend.server.endpoint import Endpoint
from jsonrpc_backend.server.front import Front
from jsonrpc_backend.server.health import add_health
from jsonrpc_backend.server.metrics_page import Scraped, ServerState, add_metrics
from jsonrpc_backend.server.not_found import NothingHere, explaining, nothing_here
from jsonrpc_backend.server.one_core import run_anywhere
from jsonrpc_backend.server.reset_page import add_reset_pages
from jsonrpc_backend.server.responses import SESSION_HEADER
from jsonrpc_backend.server.serving import CONNECTIONS, FRONT
from jsonrpc_backend.telemetry.events import Observer, Observers
from jsonrpc_backend.telemetry.log import Log
from jsonrpc_backend.telemetry.metrics import load_meters
from jsonrpc_backend.web import development as dev
from jsonrpc_backend.web.example_apps import add_example_apps
from jsonrpc_backend.web.front_page import add_front_page
from jsonrpc_backend.web.mail_page import add_mail_page
from jsonrpc_backend.web.missing_collections import CreateLine, MissingCollections, create_line
from jsonrpc_backend.web.reference import ManagementReference, Reference
from jsonrpc_backend.web.scripts import add_scripts

_RECIPIENTS = "recipients"  # what processes tell each other about


def make_app(
    config: Config,
    *,
    clock: Clock = system_clock,
    elapsed: Clock = since_boot,
    development: bool = False,
    lines: Log | None = None,
    metrics_sockets: Sequence[socket.socket] = (),
    siblings: Siblings | None = None,
    say: Callable[[str], None] = print,
    create_line: CreateLine = create_line,
    check_start: Callable[[], None] = lambda: None,
) -> web.Application:
    """The application; opens its databases when it starts and closes them at the end.

    Starting it raises DatabaseUnusable when none can be opened; a backend whose file is broken does not stop the
    others. Raises MetricsUnavailable.

    `lines` is the log that gets a line for each call. `development` serves the reference and the example apps, and
    prints mails, and the `create_line` of collections that an app asks for; it shows them on pages where nobody but
    this machine can reach the server. `say` prints, without waiting for a reader. `clock` may jump: `elapsed` goes on
    steadily and tells. `check_start` is called before each database is opened; what it raises ends the start.
    `siblings`: the other processes of the server; `metrics_sockets`, which all of them listen at, are bound already.
    """
    methods = APP_API.methods
    meters = load_meters()(argon2_build.processor() or "any", methods.sign_ins()) if config.metrics.enabled else None
    missing = MissingCollections(say, create_line) if development else None
    observer = Observers(each for each in (lines.calls if lines else None, meters, missing) if each is not None)
    siblings, on_mail = siblings or NoSiblings(), dev.mail_printer(say) if development else None
    process = _process(config, observer, clock, elapsed, siblings=siblings, on_mail=on_mail)
    connections = _connections(config)
    backends: dict[str, Backend] = {}
    documented = config.server.docs or development
    offered = {name: method for name, method in methods.items() if documented or not method.for_anybody}
    for_apps = Dispatcher(offered, admit_app, observer)
    for_operators = Dispatcher(MANAGEMENT_API.methods, Door(config.throttle, elapsed, siblings).admit, observer)
    shared = Shared(Budget(config.server.max_bytes_in_flight, connections.cut_slowest_reader))
    cors = Cors(config.server.allowed_origins, exposed=SESSION_HEADER)
    management = Endpoint(config.server, for_operators, shared)
    not_found = nothing_here(cors)
    app = web.Application(middlewares=[explaining(not_found, apart=bool(config.management.host))])
    app[BACKENDS], app[CONNECTIONS] = backends, connections
    dispatchers = (for_apps, for_operators)
    app.cleanup_ctx.extend([lambda _: opened(backends, process, dispatchers, check_start), connections.watching])
    if meters is not None:
        state = ServerState(backends, lambda: len(connections), lambda: lines.dropped if lines else 0, siblings)
        add_metrics(app, Scraped(config.metrics, metrics_sockets), meters, state)
    endpoint = Endpoint(config.server, for_apps, shared, cors)
    endpoint.add_to(app, "/json-rpc")
    app[FRONT] = Front(connections, endpoint, "/json-rpc", config.backends)
    management.add_to(app, "/manage/json-rpc")
    app.on_shutdown.append(connections.hurry)
    app.router.add_get("/manage/openrpc.json", ManagementReference(management.ask, backends).send_document)
    add_health(app, siblings)
    add_reset_pages(app, config, for_apps, shared)
    if documented:
        Reference(config, backends, cors.allow, missing).add_to(app)
    _add_pages(app, config, backends, not_found, development=development)
    app.on_response_prepare.extend([http.name_server, _forbid_sniffing])
    return app


def _connections(config: Config) -> Connections:
    most = open_files.connections_allowed(config.server.max_connections, backends=len(config.backends))
    return Connections(config.server, most)


def _process(
    config: Config,
    observer: Observer,
    clock: Clock,
    elapsed: Clock,
    *,
    siblings: Siblings,
    on_mail: MailListener | None,
) -> Process:
    most_per_caller = config.throttle.hashes_per_address if config.throttle.enabled else None
    passwords = PasswordHasher(config.passwords, most_per_caller, observer, siblings.tally, begin_thread=run_anywhere)
    recipients = Recipients(config.throttle, siblings.lock(_RECIPIENTS), partial(siblings.tell, _RECIPIENTS))
    siblings.hear(_RECIPIENTS, recipients.hear)
    steady = SteadyClock(clock, elapsed)
    return Process(config, passwords, steady, observer, recipients, siblings, on_mail, elapsed)


def _add_pages(
    app: web.Application, config: Config, backends: dict[str, Backend], not_found: NothingHere, *, development: bool
) -> None:
    """What browsers get beside the reference, which has the start page of development."""
    add_scripts(app, development=development)
    if not development:
        add_front_page(app, not_found, documented=config.server.docs)
        return
    add_example_apps(app, config)
    if is_loopback(config.server.host):
        add_mail_page(app, backends, sends=bool(config.smtp.host))


async def _forbid_sniffing(_: web.Request, response: web.StreamResponse) -> None:
    """Lets no browser guess another content type."""
    response.headers["X-Content-Type-Options"] = "nosniff"
