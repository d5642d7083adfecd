"""A user as the server describes one."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from jsonrpc_backend.errors import InvalidResponse

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class User:
    """The signed-in user, as of the answer that it came in; times are in UTC.

    `disabled_at`: since when the user may not sign in, as operators see it.
    """

    id: str
    username: str
    created_at: datetime
    updated_at: datetime
    properties: dict[str, Any] = field(hash=False)
    disabled_at: datetime | None = None

    @staticmethod
    def from_object(user: Any) -> "User":
        """The `user` member of a result. Raises InvalidResponse if it is none."""
        if isinstance(user, dict) and isinstance(user.get("_id"), str) and isinstance(user.get("_username"), str):
            created, updated = read_time(user.get("_createdAt")), read_time(user.get("_updatedAt"))
            if created and updated:
                properties = {name: value for name, value in user.items() if not name.startswith("_")}
                disabled = read_time(user.get("_disabledAt"))
                return User(user["_id"], user["_username"], created, updated, properties, disabled)
        raise InvalidResponse({"reason": "The result holds no user."})


def read_time(milliseconds: Any) -> datetime | None:
    """Milliseconds since 1970 as a time in UTC; None for what is none."""
    if type(milliseconds) is not int:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
