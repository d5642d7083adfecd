"""The reference for people and programs: `/docs`, `/openrpc.json`, and in development the start page `/`.

For operators' programs there is `/manage/openrpc.json`.

The page is the files of the folder `docs`: plain HTML, CSS and ES modules, which make everything of the OpenRPC
documents. It knows no key: people enter theirs. Only in development, and only to pages on this machine (see
development.py), the server tells its API keys.
"""

import html
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.config import Config
from jsonrpc_backend.config.loopback import is_loopback
from jsonrpc_backend.errors import CallLimitExceeded, InvalidApiKey
from jsonrpc_backend.methods import APP_API
from jsonrpc_backend.methods.discover import described
from jsonrpc_backend.rpc.management import KEY_HEADER
from jsonrpc_backend.web.development import is_local
from jsonrpc_backend.web.example_apps import APPS
from jsonrpc_backend.web.missing_collections import MissingCollections
from jsonrpc_backend.web.page_headers import page_headers

FOLDER = Path(__file__).parent / "docs"

PAGE, START = "index.html", "start.html"
MAIL_PAGE = "dev/mail"
CONTENT_TYPES = {".html": "text/html", ".css": "text/css", ".mjs": "text/javascript", ".svg": "image/svg+xml"}

_HEADERS = page_headers()

_BACKEND = """\
<section class="card">
<h2>Backend <code>{id}</code></h2>
<h3>Endpoint</h3>
<div class="snippet"><pre tabindex="0"><code>{endpoint}</code></pre>
<button class="copy" type="button">Copy</button></div>
<h3>Script tag</h3>
<div class="snippet"><pre tabindex="0"><code>{tag}</code></pre>
<button class="copy" type="button">Copy</button></div>
{note}<p>For programs: <a href="openrpc.json?backend={id}">the OpenRPC document</a>.</p>
</section>
"""
_MISSING = """\
<section class="card">
<h2>Collections that an app asks for</h2>
<p>There are none of these names yet. This makes them, in a terminal; then the next call works.</p>
{lines}</section>
"""
_LINE = """\
<div class="snippet"><pre tabindex="0"><code>{line}</code></pre>
<button class="copy" type="button">Copy</button></div>
"""
_WHO_SEES_THE_KEY = "<p>The API key is shown to this machine only, on a server that is bound to 127.0.0.1.</p>\n"
_UNKNOWN_KEY = "<API key>"

_MANAGEMENT_KEY_NEEDED = (
    f"Name a backend, /manage/openrpc.json?backend=<backend id>, and send a management key of it in {KEY_HEADER},"
    " from an address that the key is for."
)

AllowOrigin = Callable[[web.Request, web.StreamResponse], None]

# What a method without params of a backend gives to who sends a request. Raises RpcError.
Ask = Callable[[web.Request, str, str], Awaitable[Any]]


class Reference:
    """The handlers. `allow_origin` lets pages read the document.

    In development there are `missing` collections to tell of, and files are read anew for each request.
    """

    def __init__(
        self,
        config: Config,
        backends: Mapping[str, Backend],
        allow_origin: AllowOrigin,
        missing: MissingCollections | None,
    ) -> None:
        self._config = config
        self._backends = backends
        self._allow_origin = allow_origin
        self._missing = missing
        self._development = missing is not None
        self._tells_keys = self._development and is_loopback(config.server.host)
        self._kept = {path.name: path.read_bytes() for path in FOLDER.iterdir()}

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/openrpc.json", self.send_document)
        app.router.add_get("/docs", self.send_page)
        app.router.add_get("/docs/", _without_slash)
        app.router.add_get("/docs/settings.json", self.send_settings)
        app.router.add_get("/docs/{name}", self.send_file)
        if self._development:
            app.router.add_get("/", self.send_start)

    async def send_document(self, request: web.Request) -> web.Response:
        """The backend of `?backend=`; the only one where none is named."""
        backend = self._backends.get(_backend_id(request, self._backends))
        if backend is None:
            response = web.json_response({"error": "Name a backend: /openrpc.json?backend=<backend id>"}, status=404)
        else:
            found = described(APP_API, backend)
            response = web.json_response(_with_server(found, request, f"/json-rpc/{backend.id}", backend.id))
        response.headers["Cache-Control"] = "no-cache"
        self._allow_origin(request, response)
        return response

    async def send_page(self, _: web.Request) -> web.Response:
        return page_response(PAGE, self._file(PAGE))

    async def send_file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._kept or name.endswith(".html"):
            raise web.HTTPNotFound
        return page_response(name, self._file(name))

    def _file(self, name: str) -> bytes:
        return (FOLDER / name).read_bytes() if self._development else self._kept[name]

    async def send_settings(self, request: web.Request) -> web.Response:
        """What the page need not ask for: backends; whether the operators' API is here; where the mails are."""
        headers = {**_HEADERS, "Cache-Control": "no-store"}
        settings: dict[str, Any] = {
            "backends": self._told_backends(request),
            "operators": not self._config.management.host,
        }
        if self._tells_keys and is_local(request):
            settings["mailPage"] = MAIL_PAGE
        return web.json_response(settings, headers=headers)

    def _told_backends(self, request: web.Request) -> list[dict[str, str]]:
        if self._tells_keys and is_local(request):
            return [{"id": name, "apiKey": self._config.backends[name].api_key} for name in self._backends]
        return [{"id": name} for name in self._backends] if len(self._backends) == 1 else []

    async def send_start(self, request: web.Request) -> web.Response:
        backends = self._told_backends(request)
        page = self._file(START).decode()
        filled = page.format(
            backends="".join(_backend_section(origin_of(request), entry) for entry in backends),
            examples="".join(f'<li><a href="examples/{name}/">{name}</a></li>\n' for name in APPS),
            mail="" if self._tells_keys else " hidden",
            missing=await self._missing_section(request),
        )
        return page_response(START, filled.encode(), {"Cache-Control": "no-store"})

    async def _missing_section(self, request: web.Request) -> str:
        if self._missing is None or not (self._tells_keys and is_local(request)):
            return ""
        lines = await self._missing.lines(self._backends)
        shown = "".join(_LINE.format(line=html.escape(line)) for line in lines)
        return _MISSING.format(lines=shown) if lines else ""


class ManagementReference:
    """`/manage/openrpc.json`: what the operators' `rpc.discover` gives, for those whom it gives it to, by GET."""

    def __init__(self, ask: Ask, backends: Mapping[str, Backend]) -> None:
        self._ask = ask
        self._backends = backends

    async def send_document(self, request: web.Request) -> web.Response:
        backend_id = _backend_id(request, self._backends)
        try:
            found = await self._ask(request, backend_id, "rpc.discover")
            response = web.json_response(_with_server(found, request, f"/manage/json-rpc/{backend_id}", backend_id))
        except InvalidApiKey:
            response = web.json_response({"error": _MANAGEMENT_KEY_NEEDED}, status=403)
        except CallLimitExceeded as error:
            response = web.json_response({"error": error.message}, status=429)
            response.headers["Retry-After"] = str((error.data or {})["retryAfter"])
        response.headers["Cache-Control"] = "no-store"
        return response


def _backend_id(request: web.Request, backends: Mapping[str, Backend]) -> str:
    """What `?backend=` says, of a backend or not; where it is missing, the only backend."""
    only = next(iter(backends)) if len(backends) == 1 else ""
    return request.query.get("backend", only)


def _with_server(document: Mapping[str, Any], request: web.Request, path: str, name: str) -> dict[str, Any]:
    return {**document, "servers": [{"name": name, "url": f"{origin_of(request)}{path}"}]}


def page_response(name: str, body: bytes, headers: Mapping[str, str] | None = None) -> web.Response:
    """One of the folder's files, or what was made of it."""
    content_type = CONTENT_TYPES[Path(name).suffix]
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers={**_HEADERS, **(headers or {})})


async def _without_slash(_: web.Request) -> web.Response:
    raise web.HTTPFound("../docs")  # the page's addresses are relative to that, for proxies that serve us in a folder


def origin_of(request: web.Request) -> str:
    """Where the client reached the server. A proxy in front may speak TLS; nothing but this answer depends on it."""
    scheme = "https" if request.headers.get("X-Forwarded-Proto") == "https" else request.scheme
    return f"{scheme}://{request.host}"


def _backend_section(origin: str, entry: Mapping[str, str]) -> str:
    key = entry.get("apiKey")
    attributes = f'data-backend-id="{entry["id"]}" data-api-key="{html.escape(key or _UNKNOWN_KEY)}"'
    return _BACKEND.format(
        id=html.escape(entry["id"]),
        endpoint=html.escape(f"{origin}/json-rpc/{entry['id']}"),
        tag=html.escape(f'<script src="{origin}/js/monaca.cloud.js" {attributes}></script>'),
        note=_WHO_SEES_THE_KEY if key else "",
    )
