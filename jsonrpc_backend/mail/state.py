"""What has become of a mail."""

import enum
from datetime import UTC, datetime

from jsonrpc_backend.clock import SECOND
from jsonrpc_backend.store.mails import Mail


class MailState(enum.Enum):
    """The words that programs get."""

    SENT = "sent"
    GIVEN_UP = "given_up"
    KEPT = "kept"  # there is no SMTP server to send it
    WAITING = "waiting"

    @classmethod
    def of(cls, mail: Mail, *, sends: bool) -> "MailState":
        """`sends`: whether there is an SMTP server."""
        if mail.sent_at is not None:
            return cls.SENT
        if mail.next_at is None:
            return cls.GIVEN_UP
        return cls.WAITING if sends else cls.KEPT


def in_words(mail: Mail, *, sends: bool) -> str:
    """The same for people, with when or why."""
    attempts = f"{mail.attempts} {'attempt' if mail.attempts == 1 else 'attempts'}"
    match MailState.of(mail, sends=sends):
        case MailState.SENT:
            return f"sent {_time(mail.sent_at or 0)}"
        case MailState.GIVEN_UP:
            return f"given up after {attempts}: {mail.last_error}"
        case MailState.KEPT:
            return f"kept {_time(mail.created_at)}"
        case MailState.WAITING:
            return f"waiting, {attempts}" + (f", last: {mail.last_error}" if mail.last_error else "")


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
