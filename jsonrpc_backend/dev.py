"""What `serve --dev` tells whom: mails are printed; keys and mails are shown on pages that are for this machine only.

The caller decides to serve those only when the server is bound to a loopback address, and requests must name such an
address too, or a web page elsewhere could read them by letting its own name point here (DNS rebinding).
"""

import ipaddress
from collections.abc import Callable

from aiohttp import web
from yarl import URL

from jsonrpc_backend.mail.outbox import Kept, MailListener


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
