"""One HTTP exchange, and what can go wrong in it."""

import asyncio
import functools
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from jsonrpc_backend.errors import ConnectionFailed, InvalidResponse, InvalidStatus, RpcError, TimedOut

_SESSION_HEADER = "X-Set-Monaca-Cloud-Session"
_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    # Not compressed: a small body must not be able to unfold into gigabytes.
    "Accept-Encoding": "identity",
}
# Bytes. A full batch (50) of the largest users (512,000 bytes, up to three times that when escaped) is 77 million.
MAX_RESPONSE_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    session_header: str | None = field(repr=False)
    body: bytes = field(repr=False)


class Transport:
    """Exchanges with one address. `timeout`, in seconds, covers everything from connecting to the last byte.

    `headers` are sent beside those that every request has.
    """

    def __init__(self, endpoint: URL, timeout: float, headers: Mapping[str, str] | None = None) -> None:
        self._endpoint = endpoint
        self._headers = {**_HEADERS, **(headers or {})}
        self._timeout = timeout
        self._http: aiohttp.ClientSession | None = None
        self._closed = False

    async def post(self, body: bytes, statuses: Collection[int]) -> Answer:
        """Raises TimedOut, InvalidStatus (not one of `statuses`), InvalidResponse or ConnectionFailed."""
        # aiohttp warns of large bytes: it would write them in one go.
        return await self._exchange("POST", io.BytesIO(body), statuses)

    async def get(self, statuses: Collection[int]) -> Answer:
        """Raises the same."""
        return await self._exchange("GET", None, statuses)

    async def _exchange(self, method: str, data: io.BytesIO | None, statuses: Collection[int]) -> Answer:
        request = functools.partial(self._open_http().request, allow_redirects=False)
        try:
            async with (
                asyncio.timeout(self._timeout),
                request(method, self._endpoint, data=data, headers=self._headers) as response,
            ):
                if response.status not in statuses:
                    raise InvalidStatus({"status": response.status})
                return Answer(response.headers.get(_SESSION_HEADER), await _read(response))
        except TimeoutError:
            failure: RpcError = TimedOut()
        except (aiohttp.ClientError, OSError) as error:
            failure = _failure(error)
        # Outside the handler: aiohttp's exceptions hold the headers of the answer, and with them the session id.
        raise failure

    async def close(self) -> None:
        self._closed = True
        if self._http is not None:
            await self._http.close()

    def _open_http(self) -> aiohttp.ClientSession:
        if self._closed:
            raise RuntimeError("the client is closed")
        if self._http is None:
            self._http = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._http


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_RESPONSE_BYTES:
            raise InvalidResponse({"reason": f"It is longer than {MAX_RESPONSE_BYTES} bytes."})
    return bytes(body)


def _failure(error: aiohttp.ClientError | OSError) -> RpcError:
    if isinstance(error, aiohttp.ClientResponseError):
        return InvalidResponse({"reason": "It is not HTTP."})
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError | aiohttp.InvalidURL):
        return ConnectionFailed({"reason": f"{error}."})  # names host, port and cause; nothing was exchanged yet
    return ConnectionFailed({"reason": "The connection was lost before the answer was complete."})
