"""From requests to mails: password resets that were asked for, and what users are to be told about addresses."""

import asyncio
import math

from jsonrpc_backend.clock import SECOND
from jsonrpc_backend.mail.mailbag import Mailbag
from jsonrpc_backend.mail.outbox import Outbox
from jsonrpc_backend.mail.recipients import BY_USERS
from jsonrpc_backend.mail.worker import Worker
from jsonrpc_backend.mail.writer import MailWriter
from jsonrpc_backend.store import address_notices, mails, password_resets
from jsonrpc_backend.store.engine import Db


class Resets(Worker):
    """Has the mails of one backend written."""

    name = "writing of mails"
    seconds_before_work = 0.1  # so that the work for a user who exists does not slow down the answer that causes it

    def __init__(self, mailbag: Mailbag, writer: MailWriter, outbox: Outbox) -> None:
        super().__init__(mailbag)
        self._writer = writer
        self._recipients = writer.recipients
        self._outbox = outbox

    async def recall(self) -> None:
        """Takes the mails of before the start into account."""
        after = self.mailbag.clock() - self._recipients.window
        read = self.mailbag.database.read
        self._recipients.note_all(await read(mails.list_recipients, but=BY_USERS, after=after))
        self._recipients.note_all(await read(mails.list_recipients_of, BY_USERS, after=after), by_user=True)

    async def work(self) -> float:
        while (seconds := await self._seconds_to_next()) <= 0 and not self.is_stopping:
            await self._write_next()
        self._recipients.forget_old(self.mailbag.clock())
        return seconds

    async def _seconds_to_next(self) -> float:
        due = await self.mailbag.database.read(_next_due)
        return (due - self.mailbag.clock()) / SECOND

    async def _write_next(self) -> None:
        # Before the transaction, which all other writes wait for: the first time it makes a file.
        encrypt = await asyncio.to_thread(self.mailbag.seal.load)
        async with self._recipients.lock:
            mail = await self.mailbag.database.write(self._writer.write_next, encrypt)
            if mail is not None and mail.counted is not None:
                self._recipients.note(mail.recipient, mail.counted)
        if mail is not None:
            await self._outbox.take(mail.key)


def _next_due(db: Db) -> float:
    """When the next mail is to be written, in ms since 1970 UTC."""
    due = (password_resets.next_due(db), address_notices.next_due(db))
    return min((time for time in due if time is not None), default=math.inf)
