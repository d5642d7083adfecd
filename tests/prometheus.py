"""What Prometheus reads of a server, by its own parser."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from jsonrpc_backend.server.app import make_app
from jsonrpc_backend.server.metrics_page import METRICS_PORT
from tests.patience import HANG_SECONDS
from tests.servers import FakeClock, InProcessServer, make_config, serving_at

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Watched(InProcessServer):
    """A server, and what Prometheus reads of it."""

    metrics_url: str
    http: aiohttp.ClientSession

    async def text(self) -> str:
        async with self.http.get(self.metrics_url) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            return await response.text()

    async def samples(self) -> Samples:
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(await self.text())
            for sample in family.samples
        }

    async def value(self, name: str, **labels: str) -> float:
        """0 for what has not happened yet."""
        return (await self.samples()).get((f"jsonrpc_backend_{name}", frozenset(labels.items())), 0)

    async def until(self, name: str, expected: float, **labels: str) -> None:
        async with asyncio.timeout(HANG_SECONDS):
            while await self.value(name, **labels) != expected:
                pass  # asking takes a while


@contextlib.asynccontextmanager
async def watched(
    folder: Path, http: aiohttp.ClientSession, changes: dict[str, Any] | None = None
) -> AsyncIterator[Watched]:
    clock = FakeClock()
    config = make_config(folder / "data", {"metrics": {"enabled": True, "port": 0}, **(changes or {})})
    app = make_app(config, clock=clock, elapsed=clock.elapsed)
    async with serving_at(app) as port:
        server = Watched(f"http://127.0.0.1:{port}", config, clock)
        server.metrics_url = f"http://127.0.0.1:{app[METRICS_PORT][0]}/metrics"
        server.http = http
        yield server
