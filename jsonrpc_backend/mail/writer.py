"""Writes mails, in the transaction that takes what causes them: those that were asked for, those about addresses."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from typing import Any

from jsonrpc_backend.accounts import reset_addresses
from jsonrpc_backend.accounts.mail_address import parse_address
from jsonrpc_backend.accounts.reset_tokens import as_typed, new_reset_token
from jsonrpc_backend.accounts.tokens import digest
from jsonrpc_backend.clock import DAY, MINUTE, SECOND, Clock
from jsonrpc_backend.config import BackendConfig, ThrottleConfig
from jsonrpc_backend.config.mail_templates import ADDRESS_CHANGED
from jsonrpc_backend.mail.message import fill, new_message_id
from jsonrpc_backend.mail.recipients import BY_USERS, Recipients, Written, mailbox_key
from jsonrpc_backend.mail.seal import Encrypt
from jsonrpc_backend.store import address_notices, mails, password_resets, users
from jsonrpc_backend.store.address_notices import Notice
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.password_resets import ResetRequest
from jsonrpc_backend.store.users import NO_PASSWORD, User

log = logging.getLogger(__name__)

NOTICE_VALID = DAY  # how long a mail about an address is tried

# In the place of who has asked for a reset mail, so that these mails have a limit of their own.
NOTICES = b"notices"


@dataclass(frozen=True, slots=True)
class NewMail:
    """A mail that was written; `counted` where it counts for all who write to that recipient."""

    key: int
    recipient: str
    counted: Written | None


@dataclass(frozen=True, slots=True)
class _Letter:
    """What is to be written: a template by its name, its values, until when it is of use, and in whose share."""

    user: User
    recipient: Address
    template: str
    values: Mapping[str, Any]
    expires_at: int
    share: bytes | None


@dataclass(frozen=True, slots=True)
class MailWriter:
    """Writes the mails of one backend."""

    _backend_id: str
    _config: BackendConfig
    _throttle: ThrottleConfig
    recipients: Recipients
    _clock: Clock

    def write_next(self, db: Db, encrypt: Encrypt) -> NewMail | None:
        """Takes what has waited for longest, and writes the mail that comes of it, if any. A unit of a transaction."""
        letter = self._take_next(db)
        return None if letter is None else self._write(db, letter, encrypt)

    def _take_next(self, db: Db) -> _Letter | None:
        taken = address_notices.take(db, self._clock())
        if taken is not None:
            return self._tell(db, *taken)
        request = password_resets.take_request(db, self._clock())
        return None if request is None else self._answer(db, request)

    # --- reset requests --------------------------------------------------------------------------------------

    def _answer(self, db: Db, request: ResetRequest) -> _Letter | None:
        user = users.find_by_username(db, request.username_key)
        # The template may have gone from the configuration since the request was stored.
        if user is None or user.disabled_at is not None or request.template not in self._config.mailing_templates:
            return None
        if request.is_mailing and user.password_hash != NO_PASSWORD:
            return None  # who has chosen a password meanwhile needs no mail
        name, now = request.email_property, self._clock()
        reset_addresses.note_request(db, user, name, reset_addresses.rules_of(self._config), now)
        recipient = parse_address(reset_addresses.counting(db, user, name, now))
        if recipient is None:
            log.info("backend %s: no reset mail, %s holds no mail address that counts", self._backend_id, name)
            return None
        if self._is_too_soon(db, user, request, recipient.addr_spec):
            return None
        return self._give_token(db, user, request, recipient)

    def _is_too_soon(self, db: Db, user: User, request: ResetRequest, recipient: str) -> bool:
        """Nobody is told: that would tell that the user exists. The newest mail there has a token that can be used.

        Times later than now do not count: the clock was ahead.
        """
        if not self._throttle.enabled:
            return False
        now, latest = self._clock(), password_resets.latest_token_time(db, user.key, request.requester)
        interval = self._config.password_reset.interval_seconds * SECOND
        if latest is not None and 0 <= now - latest < interval:
            return True
        return self._has_enough(db, user, recipient, request.share)

    def _give_token(self, db: Db, user: User, request: ResetRequest, recipient: Address) -> _Letter:
        token, now, valid = new_reset_token(), self._clock(), self._config.password_reset.valid_minutes
        expires_at = now + (request.valid_minutes or valid) * MINUTE
        password_resets.replace_token(
            db,
            user.key,
            request.requester,
            digest(as_typed(token)),
            created_after=now - valid * MINUTE,
            now=now,
            recipient=recipient.addr_spec,
            expires_at=expires_at if request.is_mailing else None,
        )
        values = {"PASSWORD_RESET_TOKEN": token}
        return _Letter(user, recipient, request.template, values, expires_at, request.share)

    # --- notices ---------------------------------------------------------------------------------------------

    def _tell(self, db: Db, key: int, notice: Notice) -> _Letter | None:
        user, recipient = users.get(db, notice.user_key), parse_address(notice.recipient)
        if recipient is None:
            return None
        if self._throttle.enabled and self._has_enough(db, user, recipient.addr_spec, NOTICES):
            # Else what the limits hold up could hide the change that matters.
            address_notices.put_back(db, key, notice, self._clock() + MINUTE)
            return None
        values = {
            "PROPERTY_NAME": notice.property,
            "NEW_ADDRESS": notice.address or "-",
            "COUNTS_FROM": datetime.fromtimestamp(notice.counts_from // 1000, UTC).strftime("%Y-%m-%d %H:%M UTC"),
        }
        return _Letter(user, recipient, ADDRESS_CHANGED, values, self._clock() + NOTICE_VALID, NOTICES)

    # --- both ------------------------------------------------------------------------------------------------

    def _has_enough(self, db: Db, user: User, recipient: str, share: bytes | None) -> bool:
        """Whether the limits say that no other mail goes there now."""
        now = self._clock()
        window_began = now - self._throttle.window_minutes * MINUTE
        written = mails.count_to(db, user.key, recipient, share, after=window_began, until=now)
        if written >= self._throttle.reset_mails_per_user:
            return True
        if self._is_own_username(user, recipient):
            # These have their limits, and take nothing from the mails with which the owner recovers.
            but = (NOTICES, BY_USERS)
            asked = mails.count_all_to(db, user.key, recipient, but=but, after=window_began, until=now)
            return share != NOTICES and asked >= self._throttle.mails_per_recipient
        is_new = self.recipients.is_new(user.created_at, now)
        return self.recipients.wait(recipient, now, for_new_account=is_new) > 0

    def _is_own_username(self, user: User, recipient: str) -> bool:
        """Whether nobody else can have caused mails to this address in this backend, but who has registered it.

        One with a `+tag` is none: there are as many of them as one likes, and all lead to one mailbox.
        """
        is_new = self.recipients.is_new(user.created_at, self._clock())
        has_tag = mailbox_key(recipient) != reset_addresses.recipient_key(recipient)
        return not is_new and not has_tag and reset_addresses.is_same(user.username, recipient)

    def _write(self, db: Db, letter: _Letter, encrypt: Encrypt) -> NewMail:
        template, user, now = self._config.mail_templates[letter.template], letter.user, self._clock()
        address = letter.recipient.addr_spec
        content = fill(template, {**user.properties, **letter.values, "USERNAME": user.username})
        key = mails.insert(
            db,
            user_key=user.key,
            message_id=new_message_id(template),
            template=letter.template,
            recipient=address,
            sealed=encrypt(content.to_json()),
            now=now,
            expires_at=letter.expires_at,
            share=letter.share,
        )
        is_counted = not self._is_own_username(user, address)
        counted = Written(now, self.recipients.is_new(user.created_at, now)) if is_counted else None
        return NewMail(key, address, counted)
