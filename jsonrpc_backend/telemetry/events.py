"""What happens while the server runs, told to whoever watches it: the log of calls, the metrics."""

from collections.abc import Iterable
from typing import NamedTuple


class CallEnded(NamedTuple):
    """One element of a request has its answer.

    `backend_id` and `method` are what the client has sent, of any length and content; a name that is not known must be
    bounded and escaped before it is shown. `method` is None where there was no readable request.
    """

    request_id: str
    backend_id: str
    backend_known: bool
    method: str | None
    method_known: bool
    code: int  # of the error; 0: success
    seconds: float
    client: str  # the address that limits are counted for; empty for none


class Observer:
    """Is told what happens, and must neither block nor raise. Does nothing; observers override what they care for."""

    def call_ended(self, call: CallEnded) -> None:
        """On the event loop, once for each element of a batch."""

    def password_hashed(self, seconds: float) -> None:
        """On a thread of Argon2's: so long took one computation."""

    def mail_changed(self, backend_id: str, outcome: str) -> None:
        """On the event loop: a mail was `written` or `sent`, an attempt has `failed`, or it was `given_up`."""

    def collection_missing(self, backend_id: str, name: str) -> None:
        """On the event loop: an app has named a collection that there is not; what it has sent may be any string."""


class Observers(Observer):
    """Tells several."""

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = tuple(observers)

    def call_ended(self, call: CallEnded) -> None:
        for observer in self._observers:
            observer.call_ended(call)

    def password_hashed(self, seconds: float) -> None:
        for observer in self._observers:
            observer.password_hashed(seconds)

    def mail_changed(self, backend_id: str, outcome: str) -> None:
        for observer in self._observers:
            observer.mail_changed(backend_id, outcome)

    def collection_missing(self, backend_id: str, name: str) -> None:
        for observer in self._observers:
            observer.collection_missing(backend_id, name)
