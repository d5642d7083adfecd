"""What has become of a mail."""

import enum

from jsonrpc_backend.store.mails import Mail


class State(enum.Enum):
    """The words that programs get."""

    SENT = "sent"
    GIVEN_UP = "given_up"
    KEPT = "kept"  # there is no SMTP server to send it
    WAITING = "waiting"

    @classmethod
    def of(cls, mail: Mail, *, sends: bool) -> "State":
        """`sends`: whether there is an SMTP server."""
        if mail.sent_at is not None:
            return cls.SENT
        if mail.next_at is None:
            return cls.GIVEN_UP
        return cls.WAITING if sends else cls.KEPT
