"""JSON-RPC 2.0 as bytes: requests are built and responses are read here, without any input or output."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import quote

from yarl import URL

from jsonrpc_backend.errors import InvalidResponse, RpcError

RESERVED = frozenset({"__api_key", "__device", "__session"})


@dataclass(frozen=True, slots=True)
class Notification:
    """An entry of a batch that asks for no answer; its place in the results is `None`."""

    method: str
    params: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """One call; a notification has no id. Parameters may hold passwords and are kept out of the repr."""

    method: str
    params: Mapping[str, Any] = field(repr=False)
    id: int | None

    def to_object(self, reserved: Mapping[str, str]) -> dict[str, Any]:
        request: dict[str, Any] = {
            "jsonrpc": "2.0",
            "method": self.method,
            "params": {**self.params, **reserved},
        }
        if self.id is not None:
            request["id"] = self.id
        return request


def endpoint(url: str, backend_id: str, path: str = "/json-rpc") -> URL:
    """The address that all calls go to. ValueError for what is no address of a server."""
    if backend_id in {"", ".", ".."}:
        raise ValueError("backend_id must name a backend")
    return address(url, f"{path}/{quote(backend_id, safe='')}")


def address(url: str, path: str) -> URL:
    """What a server has under an encoded path. ValueError for what is no address of a server."""
    server = URL(url)
    # An address with a password in it would show up in messages; a query or fragment means a mix-up.
    if server.scheme not in {"http", "https"} or not server.host or server.user or server.password:
        raise ValueError("url must look like https://host or https://host:port/path, without a user or password")
    if server.query_string or server.fragment:
        raise ValueError("url must have no query and no fragment")
    try:
        server.host.encode("idna")  # what the look-up will do
    except UnicodeError:
        raise ValueError("url must have the name of a host") from None
    return URL(f"{str(server).rstrip('/')}{path}", encoded=True)


def merged_params(params: Mapping[str, Any] | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """`params` and the keyword arguments beside it as one object; a name may not be in both, nor be a reserved one."""
    merged = dict(params or {})
    if not all(isinstance(name, str) for name in merged):
        raise TypeError("names of parameters must be strings")
    if twice := merged.keys() & more.keys():
        raise TypeError(f"given twice: {', '.join(sorted(twice))}")
    merged.update(more)
    if taken := merged.keys() & RESERVED:
        raise ValueError(f"reserved names of parameters: {', '.join(sorted(taken))}")
    return merged


def given(**optional: Any) -> dict[str, Any]:
    """The parameters that have a value; one that is left out takes the server's default."""
    return {name: value for name, value in optional.items() if value is not None}


def encode(message: object) -> bytes:
    """JSON as UTF-8. ValueError or TypeError, which repeat no value, for what cannot be sent."""
    try:
        # Not escaped to ASCII: that could double the size, and the server's limit counts bytes.
        return json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        problem = "a string with a lone surrogate"
    except RecursionError:
        problem = "a value that is nested too deeply"
    # Outside the handler, here and in `parse`: the cause holds the whole text, and with it passwords or tokens.
    raise ValueError(f"not to be sent as JSON: {problem}")


def read(body: bytes, ids: Sequence[int], *, batch: bool) -> dict[int, Any]:
    """For each id that was sent the result, or the `RpcError`, that answers it.

    Raises InvalidResponse for what is no answer, and the server's error if one answers a whole batch.
    """
    if not ids:
        if body:
            _raise_error(parse(body))
        return {}
    return _read_batch(body, ids) if batch else {ids[0]: _read_single(body, ids[0])}


def _read_single(body: bytes, request_id: int) -> Any:
    answered, outcome = _read_response(parse(body))
    # An error that concerns the body as a whole (too large, not understood) comes without an id.
    if not (_in([request_id], answered) or (answered is None and isinstance(outcome, RpcError))):
        raise _invalid("The id is not the one of the request.")
    return outcome


def _read_batch(body: bytes, ids: Sequence[int]) -> dict[int, Any]:
    """The responses may come in any order."""
    document = parse(body)
    if not isinstance(document, list):
        _raise_error(document)
    outcomes = dict(map(_read_response, document))
    if not len(outcomes) == len(document) == len(ids) or not all(_in(ids, answered) for answered in outcomes):
        raise _invalid("It does not hold one response to each request of the batch.")
    return outcomes


def _raise_error(document: Any) -> NoReturn:
    """For an answer that can only be an error about the whole body."""
    answered, outcome = _read_response(document)
    if answered is None and isinstance(outcome, RpcError):
        raise outcome
    raise _invalid("It answers something that was not asked.")


def parse(body: bytes) -> Any:
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(body.decode(), parse_constant=_no_constant)
    raise _invalid("It is not JSON.")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _read_response(response: Any) -> tuple[Any, Any]:
    """Id and outcome of one response object."""
    if not isinstance(response, dict) or response.get("jsonrpc") != "2.0" or "id" not in response:
        raise _invalid("It is not a JSON-RPC 2.0 response.")
    if ("result" in response) == ("error" in response):
        raise _invalid("It must have either a result or an error.")
    if isinstance(response["id"], list | dict):
        raise _invalid("Its id is no id.")
    return response["id"], response["result"] if "result" in response else _read_error(response["error"])


def _read_error(error: Any) -> RpcError:
    if not isinstance(error, dict) or type(error.get("code")) is not int or not isinstance(error.get("message"), str):
        raise _invalid("Its error has no code or no message.")
    return RpcError.from_object(error)


def member(result: Any, name: str) -> Any:
    """What a result has under this name. Raises InvalidResponse."""
    if not isinstance(result, dict) or name not in result:
        raise _invalid(f"The result has no `{name}`.")
    return result[name]


def _in(ids: Sequence[int], answered: Any) -> bool:
    return type(answered) is int and answered in ids  # in Python, True and 1.0 equal 1 as well


def _invalid(reason: str) -> InvalidResponse:
    # The answer itself is never repeated: it may hold a token.
    return InvalidResponse({"reason": reason})
