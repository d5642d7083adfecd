"""One app's tenant while the server runs."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from functools import partial

from jsonrpc_backend.accounts import look_alikes
from jsonrpc_backend.accounts.disk_room import DiskRoom
from jsonrpc_backend.accounts.reset_addresses import rules_of
from jsonrpc_backend.accounts.session_window import SessionWindow
from jsonrpc_backend.accounts.throttle import Throttle
from jsonrpc_backend.backend.call_limit import CallLimit
from jsonrpc_backend.backend.process import Process
from jsonrpc_backend.backend.purge import REMOVED_AT_ONCE, Purge
from jsonrpc_backend.clock import MINUTE
from jsonrpc_backend.collections.searches import Searches
from jsonrpc_backend.fairness.turns import Lanes
from jsonrpc_backend.mail.mailbag import Mailbag
from jsonrpc_backend.mail.outbox import Outbox
from jsonrpc_backend.mail.resets import Resets
from jsonrpc_backend.mail.seal import Seal, mail_key_path
from jsonrpc_backend.mail.user_mails import UserMails
from jsonrpc_backend.mail.worker import running
from jsonrpc_backend.mail.writer import MailWriter
from jsonrpc_backend.monaql import Dialect
from jsonrpc_backend.store import login_tokens, reset_addresses, sessions
from jsonrpc_backend.store.engine import Database, DatabaseUnusable, StoreFailed
from jsonrpc_backend.store.engines import engine_of
from jsonrpc_backend.store.sizes import Sizes
from jsonrpc_backend.store.unusable import UnusableDatabase

log = logging.getLogger(__name__)

CALLS_OF_A_USER_AT_ONCE = 8  # an account that thousands use at once waits behind itself


class Backend:
    """Settings, database and mails of one backend id."""

    def __init__(self, backend_id: str, process: Process, database: Database) -> None:
        self.id = backend_id
        self._engine = engine_of(process.data_dir, backend_id)
        self.config = process.config.backends[backend_id]
        self.database = database
        self.search_seconds = process.config.management.search_seconds
        self.searching = asyncio.Lock()  # one at a time: what it finds may be large
        self.passwords = process.passwords
        self.lanes = Lanes(CALLS_OF_A_USER_AT_ONCE)
        self.clock = process.clock
        self._throttle_settings = throttle = process.config.throttle
        self.session_window = SessionWindow.of(self.config)
        self.collection_settings = process.config.collections
        self.searches = Searches(backend_id, process.config.collections, process.siblings.tally)
        self.throttle = Throttle(backend_id, throttle, database, process.clock, process.siblings.tally)
        self.call_limit = CallLimit(backend_id, process, database)
        self.purge = Purge(backend_id, process, database, self.throttle)
        self.address_rules = rules_of(self.config)  # which mail addresses count for password resets
        self.room = DiskRoom(backend_id, self.config.max_database_bytes, self._engine.bytes_in_use, throttle)
        seal = Seal(mail_key_path(process.data_dir, backend_id))
        self.mailbag = Mailbag(
            backend_id, database, seal, process.clock, process.observer, partial(process.siblings.tell, backend_id)
        )
        self._outbox = Outbox(self.mailbag, process.config.smtp, process.on_mail)
        writer = MailWriter(backend_id, self.config, throttle, process.recipients, process.clock)
        self.resets = Resets(self.mailbag, writer, self._outbox)
        self.user_mails = UserMails(
            self.mailbag, self.config, self.throttle, self.room, process.recipients, self._outbox
        )
        self._touches: set[asyncio.Task[None]] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, backend_id: str, process: Process) -> "AsyncIterator[Backend]":
        """Opens the database, keeps it clean, sends its mails, closes it. Raises DatabaseUnusable, MailUnusable."""
        database = await engine_of(process.data_dir, backend_id).open()
        try:
            backend = cls(backend_id, process, database)
            await backend.mailbag.check()
            await backend._outbox.check()
            await backend._note_look_alikes()
            await backend._keep_email_properties()
            await backend.resets.recall()
            process.siblings.hear(backend_id, backend._wake)
            async with (
                backend._mailing(process.siblings.on_duty),
                backend.purge.running(),
                backend.call_limit.running(),
            ):
                try:
                    yield backend
                finally:
                    if backend._touches:
                        await asyncio.wait(backend._touches)
        finally:
            await database.close()

    def _wake(self, name: str) -> None:
        """Another process of the server has something to do for one of those that work here."""
        for worker in (self.resets, self._outbox):
            if worker.name == name:
                worker.hear()

    @contextlib.asynccontextmanager
    async def _mailing(self, on_duty: asyncio.Event) -> AsyncIterator[None]:
        """From when it is this process that does it for all."""

        async def mail() -> None:
            await on_duty.wait()
            async with running(self.resets, self._outbox):
                await asyncio.Event().wait()  # until it is cancelled

        working = asyncio.create_task(mail())
        try:
            yield
        finally:
            working.cancel()
            await asyncio.wait([working])

    async def _note_look_alikes(self) -> None:
        """Of users who have come while the setting was off, or by another program."""
        after: int | None = 0 if self.config.refuse_confusable_usernames else None
        while after is not None:
            after = await self.database.write(look_alikes.note, after, REMOVED_AT_ONCE)

    async def _keep_email_properties(self) -> None:
        """Notes which properties are new in the list."""
        names = self.address_rules.properties
        if not await self.database.read(reset_addresses.is_list, names):
            await self.database.write(reset_addresses.replace_list, names)

    @classmethod
    def stopped(cls, backend_id: str, process: Process, reason: DatabaseUnusable) -> "Backend":
        """A backend whose file cannot be used: calls that need it get -32603. Nothing of it runs."""
        return cls(backend_id, process, UnusableDatabase(reason))

    @property
    def dialect(self) -> Dialect:
        """What is different in the SQL of the engine."""
        return self._engine.dialect

    def note_missing_collection(self, name: str) -> None:
        """Tells the observer of a collection that the app has named."""
        self.mailbag.observer.collection_missing(self.id, name)

    @property
    def is_stopped(self) -> bool:
        return isinstance(self.database, UnusableDatabase)

    @property
    def login_token_rules(self) -> login_tokens.TokenRules:
        settings, throttle = self.config.auto_login, self._throttle_settings
        return login_tokens.TokenRules(
            valid=settings.valid_minutes * MINUTE,
            grace=settings.grace_minutes * MINUTE,
            most_uses=throttle.auto_logins_per_family if throttle.enabled else None,
            window=throttle.window_minutes * MINUTE,
        )

    @property
    def oldest_reset_token(self) -> int:
        """Password reset tokens made up to this time have expired."""
        return self.clock() - self.config.password_reset.valid_minutes * MINUTE

    async def measure(self) -> Sizes:
        """Beside the calls, which wait for none of it. Raises StoreFailed."""
        used_after, created_after = self.session_window.ended(self.clock())
        return await asyncio.to_thread(self._engine.measure, used_after=used_after, created_after=created_after)

    async def find_session(self, digest: bytes, *, with_properties: bool) -> sessions.Session | None:
        """The session unless it has ended; notes now and then that it is in use."""
        now = self.clock()
        session = await self.database.read(
            sessions.find, digest, self.session_window.ended(now), with_properties=with_properties
        )
        # A read is not a write: once a minute is enough, or more often where sessions idle out fast.
        if session and now - session.used_at >= min(MINUTE, self.session_window.idle // 10):
            self._touch(digest, now)
        return session

    def _touch(self, digest: bytes, now: int) -> None:
        """Not waited for: a full disk must not fail a read."""

        async def touch() -> None:
            try:
                await self.database.write(sessions.touch, digest, now)
            except StoreFailed as error:  # in one line: on a full disk every call comes here
                log.warning("backend %s: cannot note that a session is in use: %s", self.id, error)

        task = asyncio.create_task(touch())
        self._touches.add(task)
        task.add_done_callback(self._touches.discard)
