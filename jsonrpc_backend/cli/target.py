"""Which backend a command works on."""

import contextlib
import functools
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from jsonrpc_backend.accounts.refusals import Unacceptable
from jsonrpc_backend.cli.settings import DatabaseFailed, config_options, find_config, reported
from jsonrpc_backend.config import BackendConfig, Config
from jsonrpc_backend.store.engine import Db, Engine, P, Work, WritableDb
from jsonrpc_backend.store.engines import engine_of

T = TypeVar("T")

# What a terminal obeys instead of showing it (controls), and what makes text look otherwise than it is (formats).
_UNPRINTABLE = frozenset({"Cc", "Cf", "Zl", "Zp"})

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def printable(text: str, *, but: str = "") -> str:
    """A text that users have chosen, for a terminal: control and formatting characters are escaped."""
    return "".join(
        f"\\u{ord(each):04x}" if unicodedata.category(each) in _UNPRINTABLE and each not in but else each
        for each in text
    )


@dataclass(frozen=True)
class Target:
    """A backend, its settings and its database."""

    config: Config
    backend_id: str

    @property
    def backend(self) -> BackendConfig:
        return self.config.backends[self.backend_id]

    @property
    def data_dir(self) -> Path:
        return Path(self.config.server.data_dir)

    @property
    def engine(self) -> Engine:
        return engine_of(self.data_dir, self.backend_id)

    def check(self, method: str, params: dict[str, Any]) -> None:
        """Checks values by the same rules as a call of `method`. Raises ClickException."""
        from jsonrpc_backend.rpc.schemas import ParamsSchema  # noqa: PLC0415 (most commands have nothing to check)

        complaints = ParamsSchema.of(method, self.backend).complaints(params)
        if complaints:
            raise click.ClickException(" ".join(complaints.values()))

    def read(self, query: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a query returns. Raises ClickException for what the rules of accounts refuse; so does `write`."""
        with refusals_told(), self.reading() as db:
            return query(db, *args, **kwargs)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Db]:
        """A connection that changes nothing; all that it reads is of one moment."""
        with reported(), self.engine.reading() as db:
            yield db

    def write(self, unit: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs one transaction."""
        with refusals_told(), self.writing() as db:
            return db.write(lambda db: unit(db, *args, **kwargs))

    def migrate(self) -> None:
        """Brings a database of an older version up to date, before what will be changed is read."""
        with self.writing():
            pass

    @contextlib.contextmanager
    def writing(self) -> Iterator[WritableDb]:
        """A connection for work in several steps. Makes and migrates the database, which is said on standard error."""

        def tell(text: str) -> None:
            click.echo(text, err=True)

        with reported(), self.engine.writing(tell) as db:
            yield db


@contextlib.contextmanager
def refusals_told() -> Iterator[None]:
    """Inside the block what the rules of accounts and collections refuse is a ClickException."""
    try:
        yield
    except Unacceptable as error:
        raise click.ClickException(" ".join(error.complaints.values())) from error


def readable_time(milliseconds: int) -> str:
    """Milliseconds since 1970 as date and time in UTC, to the second."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(" ", "seconds").removesuffix("+00:00")


def on_backend(*, create: bool = False, writes: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Adds the options that say which backend, and passes it to the command as its first argument.

    `create`: the command may be the first one to touch the database. `writes`: it reads what it will change, so that a
    file of an older version has to be migrated before.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(config_file: Path | None, data: Path | None, backend_id: str | None, **arguments: Any) -> None:
            with reported():
                config = find_config(config_file, data)
            target = _target(config, backend_id, create=create)
            if writes:
                target.migrate()
            command(target, **arguments)

        option = click.option("--backend", "backend_id", help="Backend id. Not needed where there is only one.")
        return config_options(option(run))

    return decorate


def _target(config: Config, backend_id: str | None, *, create: bool) -> Target:
    known = ", ".join(config.backends)
    if backend_id is None:
        if len(config.backends) > 1:
            raise click.UsageError(f"Which backend? Say --backend ID; there are {known}.")
        (backend_id,) = config.backends
    if backend_id not in config.backends:
        raise click.UsageError(f"There is no backend {backend_id}; there is {known}.")
    target = Target(config, backend_id)
    if not create and not target.engine.exists():
        message = f"There is no database {target.engine} yet. Start the server once, or say --data or --config."
        raise DatabaseFailed(message)
    return target
