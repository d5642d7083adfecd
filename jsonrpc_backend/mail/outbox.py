"""From mails to the SMTP server."""

import asyncio
import logging
import math

from jsonrpc_backend.accounts.mail_address import parse_address
from jsonrpc_backend.accounts.reset_tokens import without_reset_tokens
from jsonrpc_backend.clock import SECOND
from jsonrpc_backend.config import SmtpConfig
from jsonrpc_backend.mail.mailbag import Mailbag, MailListener, read_content
from jsonrpc_backend.mail.message import Content, compose, sender_address
from jsonrpc_backend.mail.seal import Unreadable
from jsonrpc_backend.mail.smtp import Mailer, NotSent, unusable_certificates
from jsonrpc_backend.mail.unusable import MailUnusable
from jsonrpc_backend.mail.worker import PAUSE_AFTER_FAULT_SECONDS, Worker
from jsonrpc_backend.store import mails
from jsonrpc_backend.store.engine import StoreFailed
from jsonrpc_backend.store.mails import Mail

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 300


class Outbox(Worker):
    """Sends the mails of one backend, each until it is taken over or given up. Without an SMTP server they are kept.

    `on_mail` sees each of them.
    """

    name = "outbox"

    def __init__(self, mailbag: Mailbag, smtp: SmtpConfig, on_mail: MailListener | None) -> None:
        super().__init__(mailbag)
        self._smtp = smtp
        self._on_mail = on_mail
        self._mailer: Mailer | None = None

    async def check(self) -> None:
        """Raises MailUnusable for certificates by which no mail could be sent."""
        if reason := await asyncio.to_thread(unusable_certificates, self._smtp):
            raise MailUnusable(f"smtp.ca_file: {reason}")

    async def take(self, key: int) -> None:
        """A mail has been written."""
        self.mailbag.tell("written")
        self.wake()
        if self._on_mail is not None and (kept := await self.mailbag.find(key)) is not None:
            self._on_mail(self.mailbag.backend_id, kept)

    async def work(self) -> float:
        if not self._smtp.host:
            return math.inf
        if self._mailer is None:
            self._mailer = await asyncio.to_thread(Mailer, self._smtp)
        while not self.is_stopping:
            mail = await self.mailbag.database.read(mails.next_due)
            if mail is None or mail.next_at is None:
                return math.inf
            seconds = (mail.next_at - self.mailbag.clock()) / SECOND
            if 0 < seconds <= LONGEST_PAUSE_SECONDS:  # a longer one comes of a clock that was ahead
                return seconds
            await self._attempt(mail, self._mailer)
        return 0

    async def _attempt(self, mail: Mail, mailer: Mailer) -> None:
        try:
            if mail.expires_at <= self.mailbag.clock():
                raise NotSent("it expired before it could be sent", summary="expired", permanent=True)
            content = await asyncio.to_thread(read_content, mail, self.mailbag.seal)
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
        message = await asyncio.to_thread(
            compose, content, recipient=recipient, message_id=mail.message_id, created_at=mail.created_at
        )
        recipients = [mail.recipient] + ([content.bcc] if content.bcc else [])
        await mailer.send(message, sender_address(content.sender).addr_spec, recipients)

    async def _note_sent(self, mail: Mail) -> None:
        """Keeps at it until it is noted: else the mail would be sent again."""
        while True:
            try:
                await self.mailbag.database.write(mails.mark_sent, mail.key, self.mailbag.clock())
            except StoreFailed:
                log.exception("backend %s: cannot note that mail %d is sent", self.mailbag.backend_id, mail.key)
                await asyncio.sleep(PAUSE_AFTER_FAULT_SECONDS)
            else:
                self.mailbag.tell("sent")
                log.info("backend %s: mail %d sent", self.mailbag.backend_id, mail.key)
                return

    def _without_secrets(self, text: str) -> str:
        """What an SMTP server said, which may repeat what it was sent."""
        password = self._smtp.password
        return without_reset_tokens(text.replace(password, "…") if password else text)

    async def _note_failure(self, mail: Mail, failure: NotSent) -> None:
        """Plans the next attempt, after a pause that doubles each time, or gives the mail up."""
        pause = min(self._smtp.first_retry_seconds * 2**mail.attempts, LONGEST_PAUSE_SECONDS)
        next_at: int | None = self.mailbag.clock() + pause * SECOND
        if failure.permanent or next_at is None or next_at >= mail.expires_at:
            next_at = None
        await self.mailbag.database.write(mails.mark_failed, mail.key, self._without_secrets(str(failure)), next_at)
        self.mailbag.tell("given_up" if next_at is None else "failed")
        if next_at is None:
            log.error("backend %s: mail %d given up: %s", self.mailbag.backend_id, mail.key, failure.summary)
        else:
            log.warning(
                "backend %s: mail %d not sent, next attempt in %d s: %s",
                self.mailbag.backend_id,
                mail.key,
                pause,
                failure.summary,
            )
