"""What `serve --dev` adds: mails are printed, and shown on a page of their own.

The mails hold reset tokens, so the page answers on this machine only: the caller decides to serve it only when the
server is bound to a loopback address, and requests must name such an address too, or a web page elsewhere could read
it by letting its own name point here (DNS rebinding).
"""

import html
import ipaddress
from collections.abc import Callable, Mapping

from aiohttp import web
from yarl import URL

from jsonrpc_backend.mail.outbox import Kept, MailListener, state_of
from jsonrpc_backend.rpc.backend import Backend

MAILS_SHOWN = 50

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<title>Mails · jsonrpc-backend</title>
<style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }}
body {{ max-width: 44rem; margin: 0 auto; padding: 1.5rem 1rem; }}
h1 {{ font-size: 1.4rem; }}
article {{ border: 1px solid #8886; border-radius: .5rem; padding: 1rem; margin: 1rem 0; }}
h2 {{ font-size: 1rem; margin: 0; overflow-wrap: anywhere; }}
p {{ margin: .25rem 0; overflow-wrap: anywhere; opacity: .8; }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; margin: .75rem 0 0; }}
</style>
<h1>Mails of this server</h1>
{mails}
</html>
"""

_MAIL = """\
<article>
<h2>{subject}</h2>
<p>To {recipient} · backend {backend} · {state}</p>
<pre>{body}</pre>
</article>
"""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that is bound to (or was called by) this name."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_local(request: web.Request) -> bool:
    """Whether a request to a server on a loopback address was made by this machine, and names it."""
    return _names_this_machine(request) and "X-Forwarded-For" not in request.headers


def _names_this_machine(request: web.Request) -> bool:
    try:
        return is_loopback(URL(f"http://{request.host}").host or "")
    except ValueError:
        return False


def mail_printer(say: Callable[[str], None]) -> MailListener:
    """Says each new mail to the terminal."""

    def show(backend_id: str, kept: Kept) -> None:
        content = kept.content
        if content is not None:
            lines = "\n".join(f"  | {line}" for line in content.body.splitlines())
            say(f"\n  Mail of {backend_id} to {kept.mail.recipient}: {content.subject}\n{lines}\n")

    return show


def add_mail_page(app: web.Application, backends: Mapping[str, Backend], *, sends: bool) -> None:
    """Serves `/dev/mail`."""

    async def show(request: web.Request) -> web.Response:
        if not is_local(request):
            raise web.HTTPNotFound
        running = [backend for backend in backends.values() if not backend.is_stopped]
        found = [(backend.id, kept) for backend in running for kept in await backend.outbox.latest(MAILS_SHOWN)]
        found.sort(key=lambda entry: entry[1].mail.created_at, reverse=True)
        mails = "".join(_article(backend_id, kept, sends=sends) for backend_id, kept in found)
        page = _PAGE.format(mails=mails or "<p>None yet. They appear here by themselves.</p>")
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
        return web.Response(text=page, content_type="text/html", headers=headers)

    app.router.add_get("/dev/mail", show)


def _article(backend_id: str, kept: Kept, *, sends: bool) -> str:
    content = kept.content
    return _MAIL.format(
        subject=html.escape(content.subject if content else "(no longer kept)"),
        recipient=html.escape(kept.mail.recipient),
        backend=html.escape(backend_id),
        state=html.escape(state_of(kept, sends=sends)),
        body=html.escape(content.body if content else ""),
    )
