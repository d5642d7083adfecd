"""The page that browsers get at `/`: what this server is and how to call it. Everybody may see it, so it knows no key.

Other clients get what they get at every address where nothing is.
"""

import base64
import hashlib
import html
from collections.abc import Callable

from aiohttp import hdrs, web

from jsonrpc_backend.web.reference import FOLDER, origin_of

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>jsonrpc-backend</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<header class="top"><span class="brand">jsonrpc-backend</span></header>
<main class="narrow">
<h1>This is a server for apps</h1>
<p>It keeps the user accounts of apps, which call it with JSON-RPC 2.0. There is nothing to sign in to here.</p>
<h2>To call it</h2>
<p>Send a <code>POST</code> to the endpoint of the app's backend. The server's operator has the backend id and the API
key.</p>
<div class="snippet code"><pre tabindex="0"><code>{curl}</code></pre></div>
<p>Pages get a client with one tag:</p>
<div class="snippet code"><pre tabindex="0"><code>{tag}</code></pre></div>
<h2>Documents</h2>
<p>{documents}</p>
</main>
</body>
</html>
"""

_CURL = """\
curl {origin}/json-rpc/<backend id> -d '{{
  "jsonrpc": "2.0", "id": "1", "method": "User.login",
  "params": {{"__api_key": "<API key>", "__device": "terminal",
             "username": "me@example.com", "password": "password"}}
}}'"""
_TAG = """\
<script src="{origin}/js/monaca.cloud.js"
        data-backend-id="<backend id>" data-api-key="<API key>"></script>"""

_WITH_REFERENCE = (
    '<a href="docs">The reference</a> has every method, with a form to try it. Programs read'
    ' <a href="openrpc.json">openrpc.json</a>.'
)
_WITHOUT_REFERENCE = (
    "The documents of jsonrpc-backend have every method. The reference, a page to try them on, is off here; the setting"
    " <code>server.docs</code> turns it on."
)


def add_front_page(
    app: web.Application, nothing_here: Callable[[web.Request], web.Response], *, documented: bool
) -> None:
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    headers = {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Vary": hdrs.ACCEPT,
    }
    documents = _WITH_REFERENCE if documented else _WITHOUT_REFERENCE

    async def send(request: web.Request) -> web.Response:
        if request.method not in {"GET", "HEAD"} or "text/html" not in request.headers.get(hdrs.ACCEPT, ""):
            return nothing_here(request)
        origin = origin_of(request)
        page = _PAGE.format(
            style=style,
            curl=html.escape(_CURL.format(origin=origin)),
            tag=html.escape(_TAG.format(origin=origin)),
            documents=documents,
        )
        return web.Response(text=page, content_type="text/html", charset="utf-8", headers=headers)

    app.router.add_route("*", "/", send)
