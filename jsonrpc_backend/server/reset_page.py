"""The page for the code of a reset mail, `/reset/<backend id>`, for apps that have none of their own.

What is typed there is posted to the same address. The server makes the call, as an app would: the page knows no API
key, and gets neither a session nor a login token.
"""

import dataclasses
import json
import secrets
from typing import Any
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from jsonrpc_backend.config import BackendConfig, Config
from jsonrpc_backend.errors import InvalidRequest, RpcError
from jsonrpc_backend.fairness.share import Shared
from jsonrpc_backend.rpc.dispatch import Dispatcher
from jsonrpc_backend.rpc.parse import parse
from jsonrpc_backend.rpc.post import Post
from jsonrpc_backend.server.endpoint import Endpoint
from jsonrpc_backend.web.reference import FOLDER, page_response

MAX_BODY_BYTES = 4096

_PAGE = "reset.html"
_PARTS = ("page.css", "japanese.mjs", "reset.mjs")
_FIELDS = ("username", "token", "newPassword")
_NO_STORE = {"Cache-Control": "no-store"}


def add_reset_pages(app: web.Application, config: Config, dispatcher: Dispatcher, shared: Shared) -> None:
    """Serves the page of each backend whose settings say so."""
    backends = {name: each for name, each in config.backends.items() if each.password_reset.page}
    if backends:
        limits = dataclasses.replace(config.server, max_body_bytes=MAX_BODY_BYTES)
        _ResetPages(backends, dispatcher, Endpoint(limits, dispatcher, shared)).add_to(app)


class _ResetPages:
    def __init__(self, backends: dict[str, BackendConfig], dispatcher: Dispatcher, endpoint: Endpoint) -> None:
        self._backends = backends
        self._dispatcher = dispatcher
        self._endpoint = endpoint

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/reset/{backend_id:[^/]+}", self._show)
        app.router.add_post("/reset/{backend_id:[^/]+}", self._take)
        app.router.add_get("/reset-page/{name}", _send_part)
        app.on_shutdown.append(self._endpoint.stop)

    def _backend(self, request: web.Request) -> tuple[str, BackendConfig]:
        backend_id = request.match_info["backend_id"]
        if backend_id not in self._backends:
            raise web.HTTPNotFound
        return backend_id, self._backends[backend_id]

    async def _show(self, request: web.Request) -> web.Response:
        self._backend(request)
        return page_response(_PAGE, (FOLDER / _PAGE).read_bytes(), _NO_STORE)

    async def _take(self, request: web.Request) -> web.Response:
        backend_id, config = self._backend(request)
        if not _is_of_the_page(request):
            raise web.HTTPForbidden(text="Only the page at this address may post here.\n", headers=_NO_STORE)

        async def work(body: bytes, post: Post) -> dict[str, Any]:
            return await self._reset(_typed(body), post, config.api_key)

        try:
            error = await self._endpoint.work_on(request, backend_id, work)
        except RpcError as refusal:
            error = refusal.to_object()
        return web.json_response({"ok": not error, "sentences": _sentences(error)}, headers=_NO_STORE)

    async def _reset(self, typed: dict[str, Any], post: Post, api_key: str) -> dict[str, Any]:
        """The error object, empty if it worked. A session is opened with it, which nobody is to have: it ends at once.

        The device is another one each time, so that the limits of one do not hold up all who use the page.
        """
        own = {"__api_key": api_key, "__device": f"reset-page-{secrets.token_hex(8)}"}
        done = await self._dispatcher.answer(_request("User.resetPasswordAndLogin", typed | own), post)
        if done.opened_session is None:
            error: dict[str, Any] = json.loads(done.json or b"{}").get("error", {})
            return error
        await self._dispatcher.answer(_request("User.logout", own | {"__session": done.opened_session}), post)
        return {}


async def _send_part(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _PARTS:
        raise web.HTTPNotFound
    return page_response(name, (FOLDER / name).read_bytes())


def _is_of_the_page(request: web.Request) -> bool:
    """Whether a page of this server posts. Browsers send `Sec-Fetch-Site` where they reach it by TLS or on loopback."""
    if request.content_type != "application/json":
        return False
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get(hdrs.ORIGIN, "")).netloc == request.host


def _typed(body: bytes) -> dict[str, Any]:
    """The fields of the page and nothing else, above all no reserved ones. Raises ParseError, InvalidRequest."""
    value = parse(body)
    if not isinstance(value, dict):
        raise InvalidRequest
    return {name: value[name] for name in _FIELDS if name in value}


def _request(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def _sentences(error: dict[str, Any]) -> dict[str, str]:
    return {name: said for name, said in (error.get("data") or {}).items() if isinstance(said, str)}
