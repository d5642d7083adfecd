"""The mails of one backend: in its database, their content sealed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from jsonrpc_backend.clock import Clock
from jsonrpc_backend.mail.message import Content
from jsonrpc_backend.mail.seal import Seal, Unreadable
from jsonrpc_backend.mail.unusable import MailUnusable
from jsonrpc_backend.store import mails
from jsonrpc_backend.store.engine import Database
from jsonrpc_backend.store.mails import Mail
from jsonrpc_backend.telemetry.events import Observer


@dataclass(frozen=True, slots=True)
class Kept:
    """A mail as the operator reads it; `content` is None once it is sent or given up."""

    mail: Mail
    content: Content | None


MailListener = Callable[[str, Kept], None]  # called with the backend id


def read_content(mail: Mail, seal: Seal) -> Content | None:
    """What a mail says, as long as it is kept. Raises Unreadable. Blocking."""
    return None if mail.sealed is None else Content.from_json(seal.decrypt(mail.sealed))


@dataclass(frozen=True, slots=True)
class Mailbag:
    """What those who write, send and show the mails of a backend have in common."""

    backend_id: str
    database: Database
    seal: Seal
    clock: Clock
    observer: Observer
    tell_others: Callable[[str], None]  # the processes of the same server: the worker of this name has something to do

    async def check(self) -> None:
        """Raises MailUnusable for a key by which no mail could be written."""
        try:
            await asyncio.to_thread(self.seal.check)
        except Unreadable as error:
            raise MailUnusable(str(error)) from error

    async def latest(self, most: int) -> list[Kept]:
        """The newest mails, as far as they can be read."""
        found = await self.database.read(lambda db: list(mails.list_latest(db, most)))
        return [await self._open(mail) for mail in found]

    async def find(self, key: int) -> Kept | None:
        mail = await self.database.read(mails.find, key)
        return None if mail is None else await self._open(mail)

    async def _open(self, mail: Mail) -> Kept:
        try:
            return Kept(mail, await asyncio.to_thread(read_content, mail, self.seal))
        except Unreadable:
            return Kept(mail, None)

    def tell(self, outcome: str) -> None:
        """Tells the observer what has become of a mail."""
        self.observer.mail_changed(self.backend_id, outcome)
