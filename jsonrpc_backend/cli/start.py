"""What a server is started with, and what each process of it does when it starts."""

import contextlib
import gc
import os
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from jsonrpc_backend.cli.audit import act_of
from jsonrpc_backend.cli.greeting import Greeting, Paste
from jsonrpc_backend.config import Config
from jsonrpc_backend.demo.seed import seed
from jsonrpc_backend.server.backends import BACKENDS
from jsonrpc_backend.server.one_core import on_one_core


@dataclass(frozen=True)
class Start:
    """`file` is None for the embedded default."""

    config: Config
    file: Path | None
    paste: Paste
    development: bool
    demo: bool

    def greeting(self, urls: list[str], metrics: str | None, stopped: set[str], told: str | None) -> str:
        """`told`: of the demo."""
        greeting = Greeting(self.config, urls, self.paste, metrics, self.file is None, stopped, self.development, told)
        return "\n".join(greeting.lines())


async def seed_demo(app: web.Application, *, sends: bool) -> str:
    """Into the first backend that runs: the example apps call the first one. What to tell of it."""
    backend = next(backend for backend in app[BACKENDS].values() if not backend.is_stopped)
    return await seed(backend, act_of("serve --demo"), sends=sends)


def stopped_in(app: web.Application) -> set[str]:
    """The backends whose files cannot be used."""
    return {backend.id for backend in app[BACKENDS].values() if backend.is_stopped}


def is_on_terminal() -> bool:
    """Then SIGHUP says that the terminal has gone, which ends the server."""
    return os.isatty(0)


def collect_garbage_less_often() -> None:
    """Calls leave next to nothing in cycles; to look for it as often as Python does takes 5 % of the time of a call."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@contextlib.asynccontextmanager
async def kept_on_one_core(app: web.Application, number: int | None = None) -> AsyncIterator[None]:
    threads = [thread for backend in app[BACKENDS].values() for thread in await backend.database.threads()]
    async with on_one_core(threads, number):
        yield


@contextlib.contextmanager
def output_that_may_fail() -> Iterator[None]:
    """Lets Python end with our exit code although what it still has to print fits on no disk."""
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
