"""The page that browsers get at `/`: what this server is and how to call it. Everybody may see it, so it knows no key.

Other clients get what they get at every address where nothing is.
"""

import base64
import hashlib
import html
from collections.abc import Callable

from aiohttp import hdrs, web

from jsonrpc_backend.language.translation import prefers_japanese
from jsonrpc_backend.web.reference import FOLDER, origin_of

_PAGE = """\
<!doctype html>
<html lang="{language}">
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
<h1>{title}</h1>
<p>{purpose}</p>
<h2>{calling}</h2>
<p>{how}</p>
<div class="snippet code"><pre tabindex="0"><code>{curl}</code></pre></div>
<p>{pages}</p>
<div class="snippet code"><pre tabindex="0"><code>{tag}</code></pre></div>
<h2>{heading}</h2>
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

_ENGLISH = {
    "language": "en",
    "title": "This is a server for apps",
    "purpose": "It keeps the accounts and the data of apps, which call it with JSON-RPC 2.0. There is nothing to sign"
    " in to here.",
    "calling": "To call it",
    "how": "Send a <code>POST</code> to the endpoint of the app's backend. The server's operator has the backend id and"
    " the API key.",
    "pages": "Pages get a client with one tag:",
    "heading": "Documents",
    "with reference": '<a href="docs">The reference</a> has every method, with a form to try it. Programs read'
    ' <a href="openrpc.json">openrpc.json</a>.',
    "without": "The documents of jsonrpc-backend have every method. The reference, a page to try them on, is off here;"
    " the setting <code>server.docs</code> turns it on.",
}
_JAPANESE = {
    "language": "ja",
    "title": "アプリのためのサーバーです",
    "purpose": "アプリのアカウントとデータを預かり、JSON-RPC 2.0 で呼び出されます。"
    "ここでログインするものはありません。",
    "calling": "呼び出し方",
    "how": "アプリのバックエンドのエンドポイントに <code>POST</code> を送ります。"
    "バックエンド ID と API キーは、サーバーの運営者に聞いてください。",
    "pages": "Web ページからは、タグ1つでクライアントが使えます:",
    "heading": "ドキュメント",
    "with reference": '<a href="docs">リファレンス</a>にすべてのメソッドがあり、フォームから試せます。'
    'プログラム用は <a href="openrpc.json">openrpc.json</a> です。',
    "without": "すべてのメソッドは jsonrpc-backend のドキュメントにあります。"
    "その場で試せるリファレンスはここでは無効です。設定 <code>server.docs</code> で有効になります。",
}


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
        "Vary": f"{hdrs.ACCEPT}, {hdrs.ACCEPT_LANGUAGE}",
    }

    async def send(request: web.Request) -> web.Response:
        if request.method not in {"GET", "HEAD"} or "text/html" not in request.headers.get(hdrs.ACCEPT, ""):
            return nothing_here(request)
        origin = origin_of(request)
        words = _JAPANESE if prefers_japanese(request.headers.get(hdrs.ACCEPT_LANGUAGE, "")) else _ENGLISH
        page = _PAGE.format(
            style=style,
            curl=html.escape(_CURL.format(origin=origin)),
            tag=html.escape(_TAG.format(origin=origin)),
            documents=words["with reference" if documented else "without"],
            **words,
        )
        return web.Response(text=page, content_type="text/html", charset="utf-8", headers=headers)

    app.router.add_route("*", "/", send)
