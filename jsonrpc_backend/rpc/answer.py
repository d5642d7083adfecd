"""Answers: from what a method returns or raises to the bytes that are sent."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonrpc_backend.errors import RpcError


@dataclass(frozen=True, slots=True)
class Encoded:
    """A result that is JSON already: properties are passed on as they are stored, be they large or small.

    `opened_session` is the id of the session that the method has opened.
    """

    json: bytes = field(repr=False)
    opened_session: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class Answer:
    """`json` is None for nothing but notifications. `opened_session` goes into a header of the response."""

    json: bytes | None = field(repr=False)
    opened_session: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, response: Mapping[str, Any], *, is_wanted: bool) -> "Answer":
        """Encodes a response object, unless it is to a notification."""
        if "error" in response:
            return cls(_to_json(response) if is_wanted else None)
        result = response["result"]
        encoded = result if isinstance(result, Encoded) else Encoded(_to_json(result))
        return cls(_around(encoded.json, response["id"]) if is_wanted else None, encoded.opened_session)

    @classmethod
    def of_error(cls, error: RpcError, request_id: Any = None) -> "Answer":
        """For what went wrong outside a method."""
        return cls(_to_json({"jsonrpc": "2.0", "error": error.to_object(), "id": request_id}))


NO_ANSWER = Answer(None)


def _around(result: bytes, request_id: Any) -> bytes:
    return b"".join([b'{"jsonrpc":"2.0","result":', result, b',"id":', _to_json(request_id), b"}"])


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _to_json(value: Any) -> bytes:
    try:
        return _compact.encode(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()  # an echoed id with a lone surrogate
