"""Mails that users send to each other: a template of the operator's, filled in by the app."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.accounts.disk_room import DiskRoom
from jsonrpc_backend.accounts.mail_address import parse_address
from jsonrpc_backend.accounts.refusals import AccountGone, NotNow, Unacceptable
from jsonrpc_backend.accounts.throttle import Throttle
from jsonrpc_backend.accounts.whom import NO_SUCH_USER
from jsonrpc_backend.clock import DAY, SECOND
from jsonrpc_backend.config import DEFAULT_EMAIL_PROPERTY, USERNAME, BackendConfig
from jsonrpc_backend.config.mail_templates import RESET_TOKEN
from jsonrpc_backend.mail.mailbag import Mailbag
from jsonrpc_backend.mail.message import Content, MailTooLarge, fill, new_message_id
from jsonrpc_backend.mail.outbox import Outbox
from jsonrpc_backend.mail.recipients import BY_USERS, Recipients, Written
from jsonrpc_backend.store import mails, users
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import Account, User

VALID = DAY  # how long a mail is tried
MAX_BYTES = 256 * 1024  # of subject and text

NO_SUCH_TEMPLATE = "There is no such template of mails between users."
NO_ADDRESS = "The user has no mail address there."
TOO_LARGE = f"Filled in with these the mail takes more than {MAX_BYTES:,} bytes."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an app asks for. `email_property`: where the recipient's address is, if it says so."""

    recipient_id: str
    template: str
    values: Mapping[str, Any]
    email_property: str | None


@dataclass(frozen=True, slots=True)
class UserMails:
    """Those of one backend."""

    _mailbag: Mailbag
    _config: BackendConfig
    _throttle: Throttle
    _room: DiskRoom
    _recipients: Recipients
    _outbox: Outbox

    async def send(self, sender: Account, wanted: Wanted) -> None:
        """Puts a mail into the outbox. The sender is never told where it goes.

        Raises Unacceptable (about `recipient`, `template`, `email_property` or `values`), AccountGone, NotNow.
        """
        if wanted.template not in self._config.app_templates:
            raise Unacceptable({"template": NO_SUCH_TEMPLATE})
        recipient = _known(await self._mailbag.database.read(users.find_by_id, wanted.recipient_id))
        address = _address(recipient, wanted)
        # Before the transaction, which all other writes wait for.
        sealed = await asyncio.to_thread(self._sealed, recipient, wanted)
        async with self._recipients.lock:
            key = await self._mailbag.database.write(self._write, sender, recipient, address, wanted.template, sealed)
            self._recipients.note(address, Written(self._mailbag.clock(), self._is_new(recipient)), by_user=True)
        await self._outbox.take(key)

    def _sealed(self, recipient: User, wanted: Wanted) -> bytes:
        return self._mailbag.seal.load()(self._filled(recipient, wanted).to_json())

    def _filled(self, recipient: User, wanted: Wanted) -> Content:
        given = {name: value for name, value in wanted.values.items() if value is not None}
        values = {**recipient.properties, "USERNAME": recipient.username, **given, RESET_TOKEN: None}
        try:
            return fill(self._config.mail_templates[wanted.template], values, MAX_BYTES)
        except MailTooLarge as error:
            raise Unacceptable({"values": TOO_LARGE}) from error

    def _write(self, db: Db, sender: Account, recipient: User, address: str, template: str, sealed: bytes) -> int:  # noqa: PLR0917
        """A unit of a transaction; the mail's key."""
        if not users.exists(db, sender.key):
            raise AccountGone
        _known(recipient if users.exists(db, recipient.key) else None)
        now = self._mailbag.clock()
        self._throttle.count_mail(db, sender)
        wait = self._recipients.wait(address, now, for_new_account=self._is_new(recipient), by_user=True)
        if wait:
            raise NotNow(math.ceil(wait / SECOND))
        self._room.check(db)
        return mails.insert(
            db,
            user_key=recipient.key,
            message_id=new_message_id(self._config.mail_templates[template]),
            template=template,
            recipient=address,
            sealed=sealed,
            now=now,
            expires_at=now + VALID,
            share=BY_USERS,
        )

    def _is_new(self, recipient: User) -> bool:
        return self._recipients.is_new(recipient.created_at, self._mailbag.clock())


def _known(recipient: User | None) -> User:
    if recipient is None:
        raise Unacceptable({"recipient": NO_SUCH_USER})
    return recipient


def _address(recipient: User, wanted: Wanted) -> str:
    name = wanted.email_property or DEFAULT_EMAIL_PROPERTY
    address = parse_address(recipient.username if name == USERNAME else recipient.properties.get(name))
    if address is None:
        raise Unacceptable({"email_property" if wanted.email_property else "recipient": NO_ADDRESS})
    return address.addr_spec
