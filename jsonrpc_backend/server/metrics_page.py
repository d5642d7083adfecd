"""`GET /metrics` for Prometheus, at an address of its own, so that a proxy in front of the server does not show it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.backend.siblings import Siblings
from jsonrpc_backend.config import MetricsConfig
from jsonrpc_backend.server import http
from jsonrpc_backend.server.listener import accepting, listening
from jsonrpc_backend.store.engine import StoreFailed
from jsonrpc_backend.store.sizes import Sizes
from jsonrpc_backend.telemetry.metrics import MetricsUnavailable

if TYPE_CHECKING:
    from jsonrpc_backend.telemetry.metrics.meters import Meters

# For those who asked for port 0: where it is served. Set while the application runs.
METRICS_PORT = web.AppKey("METRICS_PORT", list[int])

SHUTDOWN_SECONDS = 1.0

_FIGURES = "metrics"


@dataclass(frozen=True)
class ServerState:
    """What is looked at when Prometheus asks, rather than counted when it happens."""

    backends: Mapping[str, Backend]
    connections: Callable[[], int]
    dropped_log_lines: Callable[[], int]
    siblings: Siblings


@dataclass(frozen=True)
class Scraped:
    """Where they are served. `sockets` that are there already are listened at, else the address of the settings."""

    config: MetricsConfig
    sockets: Sequence[socket.socket] = ()


def add_metrics(app: web.Application, where: Scraped, meters: "Meters", state: ServerState) -> None:
    """Serves them while the application runs. Starting it raises MetricsUnavailable where nothing can listen there."""
    turn = asyncio.Lock()

    async def show(_: web.Request) -> web.Response:
        async with turn:
            await _look(meters, state)
            others = await state.siblings.ask(_FIGURES)
            state.siblings.count(meters.counted())  # so that it stays in the sum when this process is killed
            page = await asyncio.to_thread(meters.page, others)
        return web.Response(body=page, headers={"Content-Type": meters.content_type, "Cache-Control": "no-store"})

    async def figures() -> dict[str, float]:
        _look_at_process(meters, state)
        state.siblings.count(meters.counted())
        return meters.figures()

    async def serve(_: web.Application) -> AsyncIterator[None]:
        own = web.Application()
        own.router.add_get("/metrics", show)
        own.on_response_prepare.append(http.name_server)
        async with _listening(own, where) as port:
            app[METRICS_PORT][:] = [port]
            yield
        state.siblings.count(meters.counted())

    app[METRICS_PORT] = []
    app.cleanup_ctx.append(serve)
    state.siblings.answer(_FIGURES, figures)


@contextlib.asynccontextmanager
async def _listening(app: web.Application, where: Scraped) -> AsyncIterator[int]:
    """Serves them until the end of the block; yields the port. Raises MetricsUnavailable."""
    config = where.config
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        async with contextlib.AsyncExitStack() as stack:
            connect = partial(_connect, runner)
            if where.sockets:
                yield await stack.enter_async_context(accepting(connect, where.sockets))
                return
            try:
                port = await stack.enter_async_context(listening(connect, config.host, config.port))
            except OSError as error:
                raise unavailable(config, error) from error
            yield port
    finally:
        await runner.cleanup()


def unavailable(config: MetricsConfig, error: OSError) -> MetricsUnavailable:
    where = f"{config.host}:{config.port}"
    return MetricsUnavailable(f"metrics cannot be served at {where}: {error.strerror or error}")


def _connect(runner: web.AppRunner, _: str) -> http.HttpConnection:
    assert runner.server is not None  # noqa: S101 (since it has been set up)
    return http.HttpConnection(runner.server)


async def _look(meters: "Meters", state: ServerState) -> None:
    sizes = await asyncio.gather(*(_measured(backend) for backend in state.backends.values()))
    for backend_id, found in zip(state.backends, sizes, strict=True):
        meters.show_backend(backend_id, found)
    _look_at_process(meters, state)


def _look_at_process(meters: "Meters", state: ServerState) -> None:
    """What each of several processes has for itself."""
    hashers = {backend.passwords for backend in state.backends.values()}
    meters.show_hashes(sum(each.running for each in hashers), sum(each.waiting for each in hashers))
    meters.show_connections(state.connections())
    meters.show_dropped_log_lines(state.dropped_log_lines())


async def _measured(backend: Backend) -> Sizes | None:
    """None for a backend that cannot be served now."""
    try:
        await backend.database.check()
        return await backend.measure()
    except StoreFailed:
        return None
