"""Answers as HTTP responses, ready bytes that are written at once.

The response objects of aiohttp take as long as its parser and its requests together; here nearly all of a head is kept
from the response before.
"""

import functools
import time
from email.utils import formatdate

from aiohttp import web
from aiohttp.http import HttpVersion, HttpVersion10, HttpVersion11

from jsonrpc_backend.rpc.answer import Answer
from jsonrpc_backend.server.cors import Cors, Headers
from jsonrpc_backend.server.http import SERVER

SESSION_HEADER = "X-Set-Monaca-Cloud-Session"


class Responses:
    """Those of one endpoint; without `cors` no page of another site can read them."""

    def __init__(self, cors: Cors | None) -> None:
        self._cors = cors

    async def send(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        """Sends an answer, and returns when the system has all of it: until then it takes memory."""
        try:
            await request.writer.write_eof(self._whole(request, answer))
        except ConnectionError:  # whoever has asked is gone
            return _LAST
        return _ONE_OF_SEVERAL if request.keep_alive else _LAST

    def _whole(self, request: web.BaseRequest, answer: Answer) -> bytes:
        for_pages = () if self._cors is None else self._cors.headers(request)
        version, head = _kept(request.version, request.keep_alive, for_pages, int(time.time()))
        if answer.opened_session is not None:
            head += f"{SESSION_HEADER}: {answer.opened_session}\r\n".encode()
        if answer.json is None:
            return b"%s 204 No Content\r\n%s\r\n" % (version, head)
        # The line break after the answer is for people who call with curl.
        return b"%s 200 OK\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s\n" % (
            version,
            head,
            len(answer.json) + 1,
            answer.json,
        )


@functools.lru_cache(64)
def _kept(version: HttpVersion, keep_alive: bool, for_pages: Headers, now: int) -> tuple[bytes, bytes]:
    """The version as a response begins with it, and the headers that each response has. `now`: seconds since 1970."""
    headers = {
        "Cache-Control": "no-store",
        "Date": formatdate(now, usegmt=True),
        "Server": SERVER,
        "X-Content-Type-Options": "nosniff",
        **dict(for_pages),
    }
    if keep_alive and version == HttpVersion10:
        headers["Connection"] = "keep-alive"
    if not keep_alive and version == HttpVersion11:
        headers["Connection"] = "close"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/{version.major}.{version.minor}".encode(), lines.encode()


class _Sent(web.StreamResponse):
    """What aiohttp gets for a response that has been sent: it looks whether the connection goes on."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._goes_on = keep_alive

    @property
    def keep_alive(self) -> bool:
        return self._goes_on

    async def prepare(self, _: web.BaseRequest) -> None:
        """Nothing is left to be sent."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to be sent."""


_ONE_OF_SEVERAL, _LAST = _Sent(keep_alive=True), _Sent(keep_alive=False)
