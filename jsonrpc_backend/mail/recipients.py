"""How many mails one address gets, whoever causes them: a limit over all users and all backends of a server.

Anybody can register with somebody else's address. What accounts that are minutes old may cause is a small part of the
limit, so that they cannot use up what others need. A username is unique, and mails to an address that is the user's own
username count apart: nobody else can use them up. And so do mails that users send to each other: they keep no reset
mail from anybody.
"""

import collections
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import NamedTuple

from jsonrpc_backend.accounts.reset_addresses import recipient_key
from jsonrpc_backend.clock import MINUTE
from jsonrpc_backend.config import ThrottleConfig

# In the place of who has asked for a reset mail: the mails that users send to each other.
BY_USERS = b"users"


def mailbox_key(address: str) -> str:
    """What addresses have in common by which one mailbox can be flooded: many providers ignore a `+tag`."""
    name, _, domain = recipient_key(address).rpartition("@")
    return f"{name[0]}{name[1:].partition('+')[0]}@{domain}" if name else domain


class Written(NamedTuple):
    """A mail: when it was written (ms since 1970 UTC), and whether the account was minutes old then."""

    at: int
    for_new_account: bool


@dataclass
class Recipients:
    """Mails of the latest window by where they went. Who writes one holds the lock from asking to noting it."""

    config: ThrottleConfig
    lock: AbstractAsyncContextManager[None]
    tell: Callable[[str, int, bool, bool], None]  # the other processes of the server, whose `hear` takes the same
    _written: dict[tuple[str, bool], list[Written]] = field(default_factory=lambda: collections.defaultdict(list))

    @property
    def window(self) -> int:
        """In ms."""
        return self.config.window_minutes * MINUTE

    def is_new(self, created_at: int, now: int) -> bool:
        """Whether an account is minutes old."""
        return now - created_at < self.window

    def wait(self, address: str, now: int, *, for_new_account: bool, by_user: bool = False) -> int:
        """How long no other mail may be written to an address, in ms; 0: one may be."""
        if not self.config.enabled:
            return 0
        recent = self._recent((mailbox_key(address), by_user), now)
        wait = self._wait(recent, self.config.mails_per_recipient, now)
        if for_new_account:
            new = [mail for mail in recent if mail.for_new_account]
            wait = max(wait, self._wait(new, self.config.mails_per_recipient_of_new_accounts, now))
        return wait

    def _wait(self, recent: list[Written], most: int, now: int) -> int:
        return sorted(recent)[-most].at + self.window - now if len(recent) >= most else 0

    def note(self, address: str, mail: Written, *, by_user: bool = False) -> None:
        """A mail to an address is in the outbox."""
        self.hear(mailbox_key(address), *mail, by_user)
        self.tell(mailbox_key(address), *mail, by_user)

    def hear(self, mailbox: str, at: int, for_new_account: bool, by_user: bool) -> None:
        """The same, of any process."""
        self._written[mailbox, by_user].append(Written(at, for_new_account))

    def note_all(self, mails: Iterable[tuple[str, int, int]], *, by_user: bool = False) -> None:
        """Those of before the start: address, time, and when the user had registered."""
        for address, at, created_at in mails:
            self.hear(mailbox_key(address), at, self.is_new(created_at, at), by_user)

    def forget_old(self, now: int) -> None:
        """Drops what counts no more, so that memory does not grow with every address ever written to."""
        for key in list(self._written):
            if not self._recent(key, now):
                del self._written[key]

    def _recent(self, key: tuple[str, bool], now: int) -> list[Written]:
        if key not in self._written:
            return []
        # What was written later than now was so under a clock that was ahead.
        recent = [mail for mail in self._written[key] if now - self.window < mail.at <= now]
        self._written[key] = recent
        return recent
