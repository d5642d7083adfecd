"""`serve` with several workers: what their parent does, and what each of them."""

import asyncio
import contextlib
import dataclasses
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from jsonrpc_backend.cli import startable
from jsonrpc_backend.cli.places import ListeningPlace, places_of, url_of
from jsonrpc_backend.cli.settings import reported
from jsonrpc_backend.cli.start import Start, collect_garbage_less_often, is_on_terminal, kept_on_one_core, stopped_in
from jsonrpc_backend.cli.stop_signals import Stop, ToldToStop
from jsonrpc_backend.config import Config
from jsonrpc_backend.server import open_files
from jsonrpc_backend.server.app import make_app
from jsonrpc_backend.server.listener import bound
from jsonrpc_backend.server.metrics_page import unavailable
from jsonrpc_backend.server.one_core import run_anywhere
from jsonrpc_backend.server.serving import CONNECTIONS, serving
from jsonrpc_backend.server.workers.alone import OneAtATime
from jsonrpc_backend.server.workers.colleagues import Colleagues
from jsonrpc_backend.server.workers.parent import Birth, Parent
from jsonrpc_backend.server.workers.shares import number_of_workers, share_of
from jsonrpc_backend.store.data_dir_lock import locked
from jsonrpc_backend.telemetry.log import Log, logging_to, logging_without_thread
from jsonrpc_backend.telemetry.output import OutputWithoutThread

log = logging.getLogger(__name__)

SECONDS_TO_WRITE_LOG = 0.5  # when the parent is gone


def serve_with_workers(start: Start, find: Callable[[], Start], stop: Stop) -> None:
    """`find` reads the configuration anew. Raises ClickException, DatabaseUnusable, MetricsUnavailable, SystemExit."""
    server, metrics = start.config.server, start.config.metrics
    with logging_without_thread(sys.stderr, server), locked(Path(server.data_dir)):
        for sentence in startable.exposed(start.config, start.file):
            log.warning(sentence)
        open_files.raise_limit()
        places = [(place, place.bind()) for place in places_of(start.config)]
        try:
            scraped = bound(metrics.host, metrics.port) if metrics.enabled else []
        except OSError as error:
            raise unavailable(metrics, error) from error
        server_of_workers = _Server(start, find, stop, places, scraped)
        gc.collect()
        gc.freeze()  # so that the workers go on to share the memory of what is there
        exit_code = Parent(number_of_workers(start.config), server_of_workers).run(hears_hup=not is_on_terminal())
    if exit_code:
        sys.exit(exit_code)


@dataclass
class _Server:
    """Their parent, but for what it does with processes."""

    start: Start
    find: Callable[[], Start]
    stop: Stop
    places: list[tuple[ListeningPlace, list[socket.socket]]]
    scraped: list[socket.socket]

    def __post_init__(self) -> None:
        self._output = OutputWithoutThread(sys.stdout)
        self._workers = number_of_workers(self.start.config)

    def is_told_to_stop(self) -> bool:
        return self.stop.told

    def note_ready(self, what: dict[str, Any]) -> None:
        urls = [place.url(sockets) for place, sockets in self.places]
        host = self.start.config.metrics.host
        metrics = f"{url_of(host, self.scraped[0].getsockname()[1])}/metrics" if self.scraped else None
        self._output.put(self.start.greeting(urls, metrics, set(what["stopped"]), None) + "\n")

    def note_end(self) -> None:
        self._output.put("Stopping.\n")

    def prepare_replacing(self) -> bool:
        try:
            with reported():
                found = self.find()
        except click.ClickException as error:
            log.error("the workers stay as they are: %s", error.format_message())
            return False
        kept = _with_what_stays(found.config, self.start.config)
        if kept != found.config:
            log.warning("where the server listens, its data folder and its number of workers change by a restart only")
        self.start = dataclasses.replace(found, config=kept)
        log.info("the configuration has been read anew; the workers are replaced one by one")
        return True

    def become_worker(self, birth: Birth) -> int:
        share = share_of(self.start.config, birth.number, self._workers)
        worker = _Worker(dataclasses.replace(self.start, config=share), birth, self.places, self.scraped)
        for handler in list(logging.getLogger().handlers):  # the parent's
            logging.getLogger().removeHandler(handler)
        try:
            with reported():
                worker.run()
        except click.ClickException as error:
            error.show()
            return error.exit_code
        return 0


def _with_what_stays(found: Config, before: Config) -> Config:
    """A configuration that was read anew, but for what the parent has done already."""
    old, metrics = before.server, before.metrics
    return dataclasses.replace(
        found,
        server=dataclasses.replace(
            found.server, host=old.host, port=old.port, data_dir=old.data_dir, workers=old.workers
        ),
        management=dataclasses.replace(found.management, host=before.management.host, port=before.management.port),
        metrics=metrics,
    )


@dataclass
class _Worker:
    """One that answers calls, in its process. `start` has its share of the limits."""

    start: Start
    birth: Birth
    places: list[tuple[ListeningPlace, list[socket.socket]]]
    scraped: list[socket.socket]
    is_replaced: bool = False

    def run(self) -> None:
        stop, folder = Stop(), Path(self.start.config.server.data_dir)
        signal.signal(signal.SIGTERM, lambda *_: stop.tell())  # of an operator, or of systemd, which sends it to all
        with logging_to(sys.stderr, self.start.config.server, OneAtATime(folder)) as lines:
            threading.Thread(target=self._end_with_parent, args=(lines,), daemon=True).start()
            asyncio.run(self._work(stop, lines))

    def _end_with_parent(self, lines: Log) -> None:
        """At once: the folder is free for another server as soon as the parent is gone."""
        os.read(self.birth.life, 1)
        lines.flush(SECONDS_TO_WRITE_LOG)
        os._exit(1)

    async def _work(self, stop: Stop, lines: Log) -> None:
        colleagues = Colleagues()
        colleagues.told_to_stop = lambda is_replaced: self._stop(stop, is_replaced=is_replaced)
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(initializer=run_anywhere))
        app = make_app(
            self.start.config,
            lines=lines,
            siblings=colleagues,
            metrics_sockets=self.scraped,
            check_start=stop.check,
        )
        async with colleagues.connected(self.birth.parent), contextlib.AsyncExitStack() as stack:
            with contextlib.suppress(ToldToStop):
                listen = await stack.enter_async_context(serving(app))
                stop.check()
                async with contextlib.AsyncExitStack() as listening:
                    for place, sockets in self.places:
                        await listening.enter_async_context(listen.at(sockets, place.audience))
                    collect_garbage_less_often()
                    if self.start.config.server.one_core:
                        await listening.enter_async_context(kept_on_one_core(app, self.birth.number))
                    await asyncio.to_thread(lines.flush)  # what the greeting refers to stands above it
                    colleagues.note_ready({"stopped": sorted(stopped_in(app))})
                    await stop.wait()
                if self.is_replaced:
                    await app[CONNECTIONS].let_go()

    def _stop(self, stop: Stop, *, is_replaced: bool) -> None:
        self.is_replaced = is_replaced and not stop.told
        stop.tell()
