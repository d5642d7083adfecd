"""What `serve` says once it listens: where to call, with what, and where to look."""

import json
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jsonrpc_backend import __version__
from jsonrpc_backend.accounts import argon2_build
from jsonrpc_backend.cli import program
from jsonrpc_backend.cli.settings import DATA_DIR_VARIABLE, DEFAULT_BACKEND
from jsonrpc_backend.config import CONFIG_FILE_VARIABLE, Config
from jsonrpc_backend.config.loopback import is_loopback
from jsonrpc_backend.web.example_apps import APPS


@dataclass(frozen=True)
class Paste:
    """Commands to paste that find this server's files, also in another terminal: the settings as `serve` found them."""

    config: Config
    config_file: Path | None
    data: Path | None

    def command(self, *words: str, backend_id: str) -> str:
        file = self.config_file or os.environ.get(CONFIG_FILE_VARIABLE)
        folder = self.data or os.environ.get(DATA_DIR_VARIABLE)
        options = [
            *(["--config", str(file)] if file else []),
            *(["--data", str(folder)] if folder else []),
            *(["--backend", backend_id] if len(self.config.backends) > 1 else []),
        ]
        return program.command([*words, *options])

    def create_line(self, backend_id: str, name: str) -> str:
        """What makes a collection into which apps may insert."""
        return self.command("collection", "create", name, "--insertable", backend_id=backend_id)


@dataclass(frozen=True)
class Greeting:
    """`urls`: that for operators is the last one. `embedded`: without a configuration file. `demo`: of the demo."""

    config: Config
    urls: list[str]
    paste: Paste
    metrics: str | None
    embedded: bool
    stopped: set[str]
    development: bool
    demo: str | None

    def lines(self) -> Iterator[str]:
        """Tells where to call; on the embedded default also with what, ready to paste."""
        yield f"jsonrpc-backend {__version__}\n"
        yield from self._endpoints()
        yield f"  Data        {Path(self.config.server.data_dir).absolute()}"
        yield f"  Mails       {self._where_mails_are()}"
        if self.metrics:
            yield f"  Metrics     {self.metrics}"
        yield f"  Argon2      {_which_argon2()}"
        yield from self._pages()
        yield ""
        if self.embedded:
            endpoint = f"{self.urls[0]}/json-rpc/{DEFAULT_BACKEND}"
            yield "  Register a user:\n"
            yield f"  {_curl_line(endpoint, self.config.backends[DEFAULT_BACKEND].api_key)}\n"
        yield "  Press Ctrl+C to stop."

    def _endpoints(self) -> Iterator[str]:
        for backend_id, backend in self.config.backends.items():
            note = "  (stopped: see above)" if backend_id in self.stopped else ""
            yield f"  Endpoint    {self.urls[0]}/json-rpc/{backend_id}{note}"
            if backend.management_keys:
                yield f"  Operators   {self.urls[-1]}/manage/json-rpc/{backend_id}"
        if self.embedded:
            yield f"  Backend id  {DEFAULT_BACKEND}"
            yield f"  API key     {self.config.backends[DEFAULT_BACKEND].api_key}"

    def _pages(self) -> Iterator[str]:
        url = self.urls[0]
        if self.config.server.docs or self.development:
            yield f"  Reference   {url}/docs"
        if self.development:
            yield f"  Start page  {url}/"
        for app in APPS if self.development else ():
            yield f"  Example     {url}/examples/{app}/"
        if self.demo:
            yield f"  Demo        {self.demo}."

    def _where_mails_are(self) -> str:
        config = self.config
        if self.development and is_loopback(config.server.host):
            return f"{self.urls[0]}/dev/mail"
        if self.development:
            return "printed here; the page /dev/mail needs a server bound to 127.0.0.1"
        if config.smtp.host:
            return f"sent through {config.smtp.host}"
        lines = [self.paste.command("mail", "list", backend_id=backend_id) for backend_id in config.backends]
        kept = "kept; read them with: "
        return kept + f"\n{' ' * len(f'  Mails       {kept}')}".join(lines)


def _which_argon2() -> str:
    processor = argon2_build.processor()
    return f"built for {processor}" if processor else "built for any processor; docs/performance.md has a faster way"


def _curl_line(endpoint: str, api_key: str) -> str:
    call = {
        "jsonrpc": "2.0",
        "method": "User.register",
        "params": {
            "__api_key": api_key,
            "__device": "terminal",
            "username": "me@example.com",
            "password": "password",
            "properties": {"age": 21},
        },
        "id": "1",
    }
    return f"curl {endpoint} -d {shlex.quote(json.dumps(call))}"
