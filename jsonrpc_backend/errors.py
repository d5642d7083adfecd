"""Every error that crosses the wire, one class for each code.

The server raises these and the dispatcher writes them into responses; the Python client turns a response
back into the same class. Codes -11, -12 and -13 are the clients' own: the server never sends them.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class RpcError(Exception):
    """A JSON-RPC error: `code`, `message` and, for some codes, a `data` object.

    Raised as such only by the client, for a code that it has no class for (from 10000 on they are an app's own).
    """

    code: int = 0
    message: str = ""
    _classes: ClassVar[dict[int, type["RpcError"]]] = {}

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, code: int | None = None, message: str | None = None
    ) -> None:
        self.data: Mapping[str, Any] | None = data
        if code is not None:
            self.code = code
        if message is not None:
            self.message = message
        super().__init__(self.code, self.message, data)

    def __init_subclass__(cls) -> None:
        # A subclass that refines another one (same code) is raised locally, never rebuilt from a response.
        if cls.code not in RpcError._classes:
            RpcError._classes[cls.code] = cls

    def __str__(self) -> str:
        text = f"{self.message} (code {self.code})"
        return f"{text}: {' '.join(map(str, self.data.values()))}" if self.data else text

    def to_object(self) -> dict[str, Any]:
        """The `error` member of a response."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = dict(self.data)
        return error

    @staticmethod
    def from_object(error: Mapping[str, Any]) -> "RpcError":
        """The exception for the `error` member of a response."""
        data = error.get("data")
        mapping = data if isinstance(data, Mapping) or data is None else {"data": data}
        return _rebuild(RpcError._classes.get(error["code"], RpcError), mapping, error["code"], error["message"])

    def __reduce__(self) -> tuple[Any, ...]:
        # Classes with constructors of their own could not be pickled by their args, as process pools need it.
        return _rebuild, (type(self), self.data, self.code, self.message)


def _rebuild(cls: type[RpcError], data: Mapping[str, Any] | None, code: int, message: str) -> RpcError:
    instance = cls.__new__(cls)
    RpcError.__init__(instance, data, code=code, message=message)
    return instance


class ParseError(RpcError):
    """The body is not JSON as the server reads it.

    That is UTF-8 without a byte order mark, without duplicate keys and `NaN`, and at most 32 levels deep.
    """

    code = -32700
    message = "Parse error"


class InvalidRequest(RpcError):
    """The JSON is not a JSON-RPC 2.0 request, or the batch is empty or longer than `max_batch`.

    Or the body is too large, too slow, or has a `Content-Encoding` (other than `identity`).
    """

    code = -32600
    message = "Invalid Request"


class MethodNotFound(RpcError):
    """There is no such method."""

    code = -32601
    message = "Method not found"


class InvalidParams(RpcError):
    """Wrong parameters: `data` has a sentence for each, by its name; nested names are dotted.

    For example: `{"username": "Username is already taken."}`. In English, or in Japanese where the backend's
    `language` or the caller's `Accept-Language` says so.
    """

    code = -32602
    message = "Invalid params"
    data: Mapping[str, str]

    def __init__(self, data: Mapping[str, str]) -> None:
        super().__init__(data)


class InternalError(RpcError):
    """A fault of the server. Its log has the traceback under `data.requestId`."""

    code = -32603
    message = "Internal error"

    def __init__(self, request_id: str) -> None:
        super().__init__({"requestId": request_id})


class InvalidApiKey(RpcError):
    """The key is wrong, missing or not for this address, or there is no such backend; which of them is not told."""

    code = 4
    message = "API key invalid"


class InvalidSessionId(RpcError):
    """`__session` is not a session id at all. (An unknown or expired one only means: not signed in.)"""

    code = 10
    message = "Session id invalid"


class LoginRequired(RpcError):
    """The method needs a signed-in user."""

    code = 11
    message = "User login is required"


class DeviceRequired(RpcError):
    """`__device` is missing, or not a string of 1 to 255 characters."""

    code = 12
    message = "Device id is required"


class InvalidOperation(RpcError):
    """The method cannot be used now; `data.reason` is a sentence that says why.

    Somebody is signed in where nobody may be, auto-login is turned off, a search takes too long, or the server has
    not got what is asked for, such as push notifications.
    """

    code = 13
    message = "Invalid operation"

    def __init__(self, reason: str) -> None:
        super().__init__({"reason": reason})


class PermissionDenied(RpcError):
    """The caller may not do this."""

    code = 14
    message = "Permission denied"


class CallLimitExceeded(RpcError):
    """Too much, or too much at once; `data.retryAfter` says after how many seconds to try again.

    That may be failed sign-ins, registrations or requests for reset mails; passwords that wait to be checked, most of
    which are yours; the memory of requests under way (`server.max_bytes_in_flight`). Or the server stops. `data.reason`
    is a sentence where it is something else: the database is full, a new account has as much as it may, or the app has
    made all calls of the month.
    """

    code = 9999
    message = "Call limit exceeded"

    def __init__(self, retry_after: int, reason: str | None = None) -> None:
        super().__init__({"retryAfter": retry_after} | ({"reason": reason} if reason else {}))


class TimedOut(RpcError):
    """Client: no answer in time. Whether the call took effect is not known."""

    code = -11
    message = "Timed out"


class InvalidResponse(RpcError):
    """Client: the answer is not a JSON-RPC response to the request."""

    code = -12
    message = "Invalid response"


class InvalidStatus(RpcError):
    """Client: the HTTP status is not the one of a JSON-RPC answer; a proxy or another server answered."""

    code = -13
    message = "Invalid status"


class ConnectionFailed(InvalidStatus):
    """Client: the server could not be reached, so there is no HTTP status at all."""

    message = "Connection failed"
