"""One app's tenant while the server runs."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from jsonrpc_backend.accounts.passwords import PasswordHasher
from jsonrpc_backend.config import BackendConfig
from jsonrpc_backend.rpc.schemas import Limits, ParamsSchema
from jsonrpc_backend.store import login_tokens, sessions
from jsonrpc_backend.store.database import Database

log = logging.getLogger(__name__)

Clock = Callable[[], int]  # milliseconds since 1970 UTC

MINUTE = 60_000
PURGE_INTERVAL_SECONDS = 600
PURGED_AT_ONCE = 500  # so that calls get their turn at the writer in between


def system_clock() -> int:
    return time.time_ns() // 1_000_000


def database_path(data_dir: Path, backend_id: str) -> Path:
    return data_dir / f"{backend_id}.sqlite3"


class Backend:
    """Settings, database and compiled schemas of one backend id. The password hasher is shared by all."""

    def __init__(
        self,
        id: str,  # noqa: A002
        config: BackendConfig,
        database: Database,
        passwords: PasswordHasher,
        clock: Clock,
    ) -> None:
        self.id = id
        self.config = config
        self.database = database
        self.passwords = passwords
        self.clock = clock
        self._limits = Limits(config.min_username_length, config.min_password_length)
        self._schemas: dict[str, ParamsSchema] = {}
        self._touches: set[asyncio.Task[None]] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        id: str,  # noqa: A002
        config: BackendConfig,
        data_dir: Path,
        passwords: PasswordHasher,
        clock: Clock,
    ) -> "AsyncIterator[Backend]":
        """Opens the database, keeps it clean, closes it. Raises DatabaseUnusable."""
        database = await Database.open(database_path(data_dir, id))
        try:
            backend = cls(id, config, database, passwords, clock)
            purging = asyncio.create_task(backend._purge_regularly())
            try:
                yield backend
            finally:
                purging.cancel()
                await asyncio.wait([purging, *backend._touches])
        finally:
            await database.close()

    def compile_schemas(self, methods: Iterable[str]) -> None:
        """Compiles the params schemas of these methods with this backend's limits."""
        for method in methods:
            self._schemas[method] = ParamsSchema(method, self._limits)

    def params_schema(self, method: str) -> ParamsSchema:
        return self._schemas[method]

    @property
    def _session_idle(self) -> int:
        return self.config.session_idle_minutes * MINUTE

    @property
    def _session_valid(self) -> int:
        return self.config.session_valid_minutes * MINUTE

    @property
    def oldest_login_token(self) -> int:
        """Login tokens made up to this time have expired."""
        return self.clock() - self.config.auto_login.valid_minutes * MINUTE

    async def find_session(self, digest: bytes) -> sessions.Session | None:
        """The session unless it has ended; notes now and then that it is in use."""
        now = self.clock()
        session = await self.database.read(
            sessions.find, digest, used_after=now - self._session_idle, created_after=now - self._session_valid
        )
        # A read is not a write: once a minute is enough, or more often where sessions idle out fast.
        if session and now - session.used_at >= min(MINUTE, self._session_idle // 10):
            self._touch(digest, now)
        return session

    def _touch(self, digest: bytes, now: int) -> None:
        """Not waited for: a full disk must not fail a read."""

        async def touch() -> None:
            try:
                await self.database.write(sessions.touch, digest, now)
            except Exception:
                log.exception("backend %s: cannot note that a session is in use", self.id)

        task = asyncio.create_task(touch())
        self._touches.add(task)
        task.add_done_callback(self._touches.discard)

    async def _purge_regularly(self) -> None:
        while True:
            try:
                await self.purge()
            except Exception:
                log.exception("backend %s: cannot remove ended sessions", self.id)
            await asyncio.sleep(PURGE_INTERVAL_SECONDS)

    async def purge(self) -> None:
        """Removes sessions and login tokens that have ended by the clock; else the file would grow for ever."""
        now = self.clock()
        oldest_use, oldest_session = now - self._session_idle, now - self._session_valid
        while await self.database.write(
            sessions.purge, used_before=oldest_use, created_before=oldest_session, most=PURGED_AT_ONCE
        ):
            pass
        while await self.database.write(
            login_tokens.purge, created_before=self.oldest_login_token, most=PURGED_AT_ONCE
        ):
            pass
