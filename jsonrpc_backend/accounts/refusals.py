"""What this room refuses. It knows nothing of the wire: whoever speaks to the caller translates, in one place."""

from collections.abc import Mapping

from jsonrpc_backend.store.users import MAX_PROPERTIES_BYTES, PropertiesTooLarge, UsernameLooksTaken, UsernameTaken


class Refusal(Exception):
    """Whatever is refused by the rules of accounts; nothing has been changed."""


class Unacceptable(Refusal):
    """Values break a rule. `complaints`: a sentence for each that does, by what it is (`username`, `properties`, …)."""

    def __init__(self, complaints: Mapping[str, str]) -> None:
        super().__init__(*complaints.values())
        self.complaints = complaints


class WrongGuess(Refusal):
    """A password or a token is not right, or cannot be one. The limits on guessing count it."""


class NotNow(Refusal):
    """Perhaps in `retry_after` seconds. `reason`: a sentence, where it is not that somebody asks too often."""

    def __init__(self, retry_after: int, reason: str | None = None) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after
        self.reason = reason


class AccountGone(Refusal):
    """The account was deleted while the call was under way."""


# --- sentences that several places need --------------------------------------------------------------------

USERNAME_TAKEN = "Username is already taken."
USERNAME_LOOKS_TAKEN = "Username looks like another one that is taken."
TOO_LARGE = f"The properties of a user must not take more than {MAX_PROPERTIES_BYTES:,} bytes."


# What the store does not take, for `unacceptable` to say.
NOT_TAKEN = (UsernameTaken, PropertiesTooLarge)


def unacceptable(error: UsernameTaken | PropertiesTooLarge) -> Unacceptable:
    """Says what is wrong with a name or with properties that the store has not taken."""
    match error:
        case UsernameLooksTaken():
            return Unacceptable({"username": USERNAME_LOOKS_TAKEN})
        case UsernameTaken():
            return Unacceptable({"username": USERNAME_TAKEN})
        case PropertiesTooLarge():
            return Unacceptable({"properties": TOO_LARGE})
