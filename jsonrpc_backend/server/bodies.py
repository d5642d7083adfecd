"""Receives the bodies of requests: not too large, not for too long, and in pieces that cost no more than they bring."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol, cast

from aiohttp import web

from jsonrpc_backend.config import ServerConfig
from jsonrpc_backend.errors import CallLimitExceeded, InvalidRequest, ParseError
from jsonrpc_backend.fairness.memory import RETRY_SECONDS
from jsonrpc_backend.fairness.share import Share

# Each chunk of a chunked body is work, however small it is. What is written around the chunks may take this much, head
# of the request included, and an eighth of the body: chunks of 50 bytes or more can go on for ever.
FRAMING_BYTES = 16 * 1024
FRAMING_SHARE = 1 / 8

# A body that comes in crumbs is not read at each of them. The first ones are: most often the rest is just behind.
CRUMB_BYTES = 1024
CRUMBS_READ_AT_ONCE = 16
PAUSE_SECONDS = 0.02


class Line(Protocol):
    """What is known of the connection that a request comes on."""

    received: int  # bytes since the request began
    hangs_up: bool  # set it for one that is to end with the answer, whatever is still being sent


class Bodies:
    """Those of one endpoint."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._stopping = False
        self._deadlines: set[asyncio.Timeout] = set()  # of those that are being received

    def stop(self) -> None:
        """The server stops and receives no more: nobody waits for the rest of a body."""
        self._stopping = True
        for deadline in self._deadlines:
            deadline.reschedule(0)

    def is_refused(self, request: web.BaseRequest) -> bool:
        """Whether the head alone says that the body is too large or encoded."""
        return request.headers.get("Content-Encoding", "identity").lower() != "identity" or (
            request.content_length is not None and request.content_length > self._config.max_body_bytes
        )

    async def read(self, request: web.BaseRequest, share: Share) -> bytes:
        """The whole body.

        Raises InvalidRequest if it is encoded, too large, too slow or in too many chunks, ParseError if broken,
        CallLimitExceeded if there is no room for it now or the server stops.
        """
        if self.is_refused(request):
            raise InvalidRequest
        try:
            if request.content.is_eof():  # most come with their head, and need no time limit
                return self._taken(request.content.read_nowait(), share)
            body = bytearray()
            async with self._time_to_receive():
                async for piece in _pieces(request):
                    body += self._taken(piece, share, already=len(body))
            return bytes(body)
        except TimeoutError as error:
            raise (CallLimitExceeded(RETRY_SECONDS) if self._stopping else InvalidRequest()) from error
        except (web.RequestPayloadError, OSError, RuntimeError) as error:
            raise ParseError from error  # broken framing, or the client has hung up (RuntimeError: before we looked)

    def _taken(self, piece: bytes, share: Share, *, already: int = 0) -> bytes:
        """A part of a body, counted. Raises InvalidRequest when the body is too large, CallLimitExceeded."""
        if already + len(piece) > self._config.max_body_bytes:
            raise InvalidRequest
        share.take(len(piece))
        return piece

    @contextlib.asynccontextmanager
    async def _time_to_receive(self) -> AsyncIterator[None]:
        """Raises TimeoutError inside when it takes too long, and as soon as the server stops."""
        async with asyncio.timeout(0 if self._stopping else self._config.body_timeout_seconds) as deadline:
            self._deadlines.add(deadline)
            try:
                yield
            finally:
                self._deadlines.remove(deadline)


async def _pieces(request: web.BaseRequest) -> AsyncIterator[bytes]:
    """What has come, again and again until all has. Raises InvalidRequest where it is chunks more than content."""
    line, crumbs = cast(Line, request.protocol), 0
    while piece := await request.content.readany():
        if request.content_length is None and _is_mostly_framing(line.received, request.content.total_bytes):
            line.hangs_up = True  # to read the rest, and drop it, would be the same work
            raise InvalidRequest
        yield piece
        crumbs += len(piece) < CRUMB_BYTES
        if crumbs > CRUMBS_READ_AT_ONCE and not request.content.is_eof():
            await _let_some_gather(request)


def _is_mostly_framing(received: int, content: int) -> bool:
    return received - content > FRAMING_BYTES + content * FRAMING_SHARE


async def _let_some_gather(request: web.BaseRequest) -> None:
    """The system keeps what comes meanwhile: nothing wakes up for it."""
    transport = request.transport
    if transport is None:
        return
    transport.pause_reading()
    try:
        await asyncio.sleep(PAUSE_SECONDS)
    finally:
        transport.resume_reading()
