"""What `serve --dev` tells whom: mails are printed; keys and mails are shown on pages that are for this machine only.

The caller decides to serve those only when the server is bound to a loopback address, and requests must name such an
address too, or a web page elsewhere could read them by letting its own name point here (DNS rebinding).
"""

from collections.abc import Callable

from aiohttp import web
from yarl import URL

from jsonrpc_backend.config.loopback import is_loopback
from jsonrpc_backend.mail.mailbag import Kept, MailListener

# What proxies and tunnels add, beside X-Forwarded-…: through one of them, this machine may stand for any other.
_ADDED_ON_THE_WAY = frozenset(
    {
        "cdn-loop",
        "cf-connecting-ip",
        "cf-connecting-ipv6",
        "cf-ray",
        "client-ip",
        "fastly-client-ip",
        "fly-client-ip",
        "forwarded",
        "true-client-ip",
        "via",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-envoy-external-address",
        "x-original-forwarded-for",
        "x-original-host",
        "x-originating-ip",
        "x-real-ip",
        "x-remote-addr",
        "x-remote-ip",
    }
)


def is_local(request: web.Request) -> bool:
    """Whether a request to a server on a loopback address was made by this machine, and names it."""
    return _names_this_machine(request) and not any(map(_is_added_on_the_way, request.headers))


def _is_added_on_the_way(name: str) -> bool:
    return name.lower().startswith("x-forwarded") or name.lower() in _ADDED_ON_THE_WAY


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
