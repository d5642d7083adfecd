"""The background task of one backend that has mails written and sends them.

Answers never wait for it. Whatever it has to do is in the database, so that a restart loses nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from jsonrpc_backend.accounts.mail_address import parse_address
from jsonrpc_backend.accounts.reset_tokens import without_reset_tokens
from jsonrpc_backend.clock import Clock
from jsonrpc_backend.config import BackendConfig, SmtpConfig, ThrottleConfig
from jsonrpc_backend.mail.message import Content, compose, sender_address
from jsonrpc_backend.mail.recipients import Recipients
from jsonrpc_backend.mail.seal import Seal, Unreadable
from jsonrpc_backend.mail.smtp import Mailer, NotSent, unusable_certificates
from jsonrpc_backend.mail.state import State
from jsonrpc_backend.mail.writer import MailWriter
from jsonrpc_backend.store import mails, password_resets
from jsonrpc_backend.store.engine import Database, StoreFailed
from jsonrpc_backend.store.mails import Mail
from jsonrpc_backend.telemetry.events import Observer

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 300
SECONDS_TO_NEXT_LOOK = 10  # for what the command line has put in, of which nobody tells
PAUSE_AFTER_FAULT_SECONDS = 5
SECONDS_BEFORE_WORK = 0.1  # so that the work for a user who exists does not slow down the answer that causes it
SECONDS_TO_FINISH = 2  # for the mail under way when the server stops


@dataclass(frozen=True, slots=True)
class Kept:
    """A mail as the operator reads it; `content` is None once it is sent or given up."""

    mail: Mail
    content: Content | None


MailListener = Callable[[str, Kept], None]  # called with the backend id


def read_content(mail: Mail, seal: Seal) -> Content | None:
    """What a mail says, as long as it is kept. Raises Unreadable. Blocking."""
    return None if mail.sealed is None else Content.from_json(seal.decrypt(mail.sealed))


def state_of(kept: Kept, *, sends: bool) -> str:
    """In a few words, what has become of a mail."""
    mail = kept.mail
    attempts = f"{mail.attempts} {'attempt' if mail.attempts == 1 else 'attempts'}"
    match State.of(mail, sends=sends):
        case State.SENT:
            return f"sent {_time(mail.sent_at or 0)}"
        case State.GIVEN_UP:
            return f"given up after {attempts}: {mail.last_error}"
        case State.KEPT:
            return f"kept {_time(mail.created_at)}"
        case State.WAITING:
            return f"waiting, {attempts}" + (f", last: {mail.last_error}" if mail.last_error else "")


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


class MailUnusable(Exception):
    """Mails cannot be written or sent; the message says what is to be mended."""


class Outbox:
    """Wakes when something was put in, and when a mail is to be tried again. `on_mail` sees each new mail."""

    def __init__(
        self,
        *,
        backend_id: str,
        config: BackendConfig,
        smtp: SmtpConfig,
        database: Database,
        seal: Seal,
        clock: Clock,
        recipients: Recipients,
        throttle: ThrottleConfig,
        observer: Observer,
        on_mail: MailListener | None = None,
    ) -> None:
        self._backend_id = backend_id
        self._smtp = smtp
        self._database = database
        self._seal = seal
        self._clock = clock
        self._recipients = recipients
        self._writer = MailWriter(backend_id, config, throttle, seal, recipients, clock)
        self._observer = observer
        self._on_mail = on_mail
        self._work = asyncio.Event()
        self._stopping = False

    async def check(self) -> None:
        """Raises MailUnusable for what would keep every mail from being written or sent."""
        try:
            await asyncio.to_thread(self._seal.check)
        except Unreadable as error:
            raise MailUnusable(str(error)) from error
        if reason := await asyncio.to_thread(unusable_certificates, self._smtp):
            raise MailUnusable(f"smtp.ca_file: {reason}")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Outbox"]:
        """Works in the background; at the end lets the mail under way finish, for a while."""
        after = self._clock() - self._recipients.window
        self._recipients.note_all(await self._database.read(mails.list_recipients, after=after))
        task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            self._stopping = True
            self.wake()
            await asyncio.wait([task], timeout=SECONDS_TO_FINISH)
            task.cancel()
            await asyncio.wait([task])

    def wake(self) -> None:
        """There is something new to do."""
        self._work.set()

    async def _run(self) -> None:
        mailer: Mailer | None = None
        while not self._stopping:
            self._work.clear()
            pause: float
            try:
                await self._answer_requests()
                if self._smtp.host and mailer is None:
                    mailer = await asyncio.to_thread(Mailer, self._smtp)
                pauses = [await self._send_due(mailer) if mailer else None, await self._until_next_request()]
                pause = min([SECONDS_TO_NEXT_LOOK, *(pause for pause in pauses if pause is not None)])
            except Exception:
                log.exception("backend %s: the outbox failed", self._backend_id)
                pause = PAUSE_AFTER_FAULT_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._work.wait(), pause)
                if not self._stopping:
                    await asyncio.sleep(SECONDS_BEFORE_WORK)

    async def latest(self, most: int) -> list[Kept]:
        """The newest mails, as far as they can be read."""
        found = await self._database.read(lambda db: list(mails.list_latest(db, most)))
        return [await asyncio.to_thread(self._read, mail) for mail in found]

    def _read(self, mail: Mail) -> Kept:
        try:
            return Kept(mail, read_content(mail, self._seal))
        except Unreadable:
            return Kept(mail, None)

    # --- from requests to mails --------------------------------------------------------------------------

    async def _answer_requests(self) -> None:
        """Takes each request that is due and writes the mail that answers it, if any, in one transaction."""
        taken = True
        while taken and not self._stopping:
            async with self._recipients.lock:
                outcome = await self._database.write(self._writer.write_next)
                if outcome.written is not None:
                    self._recipients.note(outcome.recipient, outcome.written)
            taken = outcome.taken
            if outcome.key is not None:
                self._observer.mail_changed(self._backend_id, "written")
                if self._on_mail is not None:
                    await self._show(outcome.key, self._on_mail)
        self._recipients.forget_old(self._clock())

    async def _until_next_request(self) -> float | None:
        """Seconds until a request of a mailing is due; None when there is none."""
        due = await self._database.read(password_resets.next_due)
        return None if due is None else max(0, due - self._clock()) / 1000

    async def _show(self, key: int, show: MailListener) -> None:
        mail = await self._database.read(mails.find, key)
        if mail is not None:
            show(self._backend_id, await asyncio.to_thread(self._read, mail))

    # --- from mails to the SMTP server -------------------------------------------------------------------

    async def _send_due(self, mailer: Mailer) -> float | None:
        """Sends what is due; returns the seconds until the next attempt, None when nothing waits."""
        while not self._stopping:
            mail = await self._database.read(mails.next_due)
            if mail is None or mail.next_at is None:
                return None
            seconds = (mail.next_at - self._clock()) / 1000
            if 0 < seconds <= LONGEST_PAUSE_SECONDS:  # a longer one comes of a clock that was ahead
                return seconds
            await self._attempt(mail, mailer)
        return None

    async def _attempt(self, mail: Mail, mailer: Mailer) -> None:
        try:
            if mail.expires_at <= self._clock():
                raise NotSent("its token expired before it could be sent", summary="expired", permanent=True)
            content = await asyncio.to_thread(read_content, mail, self._seal)
            await self._send(mail, content, mailer)
        except Unreadable:
            await self._note_failure(mail, NotSent("its key file is gone", summary="unreadable", permanent=True))
        except NotSent as failure:
            await self._note_failure(mail, failure)
        else:
            await self._note_sent(mail)

    @staticmethod
    async def _send(mail: Mail, content: Content | None, mailer: Mailer) -> None:
        recipient = parse_address(mail.recipient)
        if content is None or recipient is None:
            raise NotSent("it has no content or recipient", summary="empty", permanent=True)
        message = compose(content, recipient=recipient, message_id=mail.message_id, created_at=mail.created_at)
        recipients = [mail.recipient] + ([content.bcc] if content.bcc else [])
        await mailer.send(message, sender_address(content.sender).addr_spec, recipients)

    async def _note_sent(self, mail: Mail) -> None:
        """Keeps at it until it is noted: else the mail would be sent again."""
        while True:
            try:
                await self._database.write(mails.mark_sent, mail.key, self._clock())
            except StoreFailed:
                log.exception("backend %s: cannot note that mail %d is sent", self._backend_id, mail.key)
                await asyncio.sleep(PAUSE_AFTER_FAULT_SECONDS)
            else:
                self._observer.mail_changed(self._backend_id, "sent")
                log.info("backend %s: mail %d sent", self._backend_id, mail.key)
                return

    def _without_secrets(self, text: str) -> str:
        """What an SMTP server said, which may repeat what it was sent."""
        password = self._smtp.password
        return without_reset_tokens(text.replace(password, "…") if password else text)

    async def _note_failure(self, mail: Mail, failure: NotSent) -> None:
        """Plans the next attempt, after a pause that doubles each time, or gives the mail up."""
        pause = min(self._smtp.first_retry_seconds * 2**mail.attempts, LONGEST_PAUSE_SECONDS)
        next_at: int | None = self._clock() + pause * 1000
        if failure.permanent or next_at is None or next_at >= mail.expires_at:
            next_at = None
        await self._database.write(mails.mark_failed, mail.key, self._without_secrets(str(failure)), next_at)
        self._observer.mail_changed(self._backend_id, "given_up" if next_at is None else "failed")
        if next_at is None:
            log.error("backend %s: mail %d given up: %s", self._backend_id, mail.key, failure.summary)
        else:
            log.warning(
                "backend %s: mail %d not sent, next attempt in %d s: %s",
                self._backend_id,
                mail.key,
                pause,
                failure.summary,
            )
