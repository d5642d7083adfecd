"""The page of the mails in development, `/dev/mail`.

The mails hold reset tokens, so the page answers on this machine only; see development.py.
"""

import html
import re
from collections.abc import Iterator, Mapping

from aiohttp import web

from jsonrpc_backend.accounts.reset_tokens import reset_tokens_in
from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.mail.mailbag import Kept
from jsonrpc_backend.mail.state import in_words
from jsonrpc_backend.web.development import is_local
from jsonrpc_backend.web.reference import FOLDER, MAIL_PAGE, page_response

MAILS_SHOWN = 50

_PAGE = "mail.html"
_LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")

_MAIL = """\
<article class="card" id="{id}">
<h2>{subject}</h2>
<p class="faint">To {recipient} · backend {backend} · <span class="state">{state}</span></p>
{copied}<pre class="mail">{body}</pre>
</article>
"""
_COPIED = """\
<div class="snippet line"><pre tabindex="0"><code>{text}</code></pre>
<button class="copy" type="button">Copy</button></div>
"""


def add_mail_page(app: web.Application, backends: Mapping[str, Backend], *, sends: bool) -> None:
    """Serves the page. Its script asks for it again and takes over what is new."""

    async def show(request: web.Request) -> web.Response:
        if not is_local(request):
            raise web.HTTPNotFound
        running = [backend for backend in backends.values() if not backend.is_stopped]
        found = [(backend.id, kept) for backend in running for kept in await backend.mailbag.latest(MAILS_SHOWN)]
        found.sort(key=lambda entry: entry[1].mail.created_at, reverse=True)
        page = (FOLDER / _PAGE).read_text(encoding="utf-8")
        filled = page.format(
            mails="".join(_article(backend_id, kept, sends=sends) for backend_id, kept in found),
            none=" hidden" if found else "",
            shown=MAILS_SHOWN,
        )
        return page_response(_PAGE, filled.encode(), {"Cache-Control": "no-store"})

    app.router.add_get(f"/{MAIL_PAGE}", show)


def _article(backend_id: str, kept: Kept, *, sends: bool) -> str:
    content = kept.content
    body = content.body if content else ""
    return _MAIL.format(
        id=html.escape(f"{backend_id}-{kept.mail.key}"),
        subject=html.escape(content.subject if content else "(no longer kept)"),
        recipient=html.escape(kept.mail.recipient),
        backend=html.escape(backend_id),
        state=html.escape(in_words(kept.mail, sends=sends)),
        copied="".join(_COPIED.format(text=html.escape(text)) for text in _to_copy(body)),
        body=html.escape(body),
    )


def _to_copy(body: str) -> Iterator[str]:
    """What a mail is read for: its token, and links with a token in them or not."""
    links = _LINK.findall(body)
    yield from links
    yield from (token for token in reset_tokens_in(body) if not any(token in link for link in links))
