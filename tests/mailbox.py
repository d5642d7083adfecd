"""SMTP servers for tests, real ones on real sockets: one that works, and several that do not."""

import asyncio
import contextlib
import email
import re
import warnings
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.certificates import self_signed
from tests.patience import HANG_SECONDS

TOKEN = re.compile(r"\b[3-9A-Z]{4}-[3-9A-Z]{4}-[3-9A-Z]{4}\b")

CREDENTIALS = ("mailer", "smtp-password")


@dataclass
class Arrived:
    """A message, and what the envelope said."""

    envelope: Envelope
    session: Session

    @property
    def message(self) -> EmailMessage:
        assert isinstance(self.envelope.content, bytes)
        parsed = email.message_from_bytes(self.envelope.content, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def text(self) -> str:
        content: str = self.message.get_content()
        return content.replace("\r\n", "\n")

    @property
    def token(self) -> str:
        (token,) = TOKEN.findall(self.text)
        return str(token)


Reply = Callable[[Envelope], str | None]


@dataclass
class Mailbox:
    """An SMTP listener in the test's event loop. `rcpt` and `data` may answer otherwise than with 250."""

    port: int = 0
    rcpt: Reply = lambda _: None
    data: Reply = lambda _: None
    drop_after_data: bool = False
    attempts: int = 0
    _arrived: asyncio.Queue[Arrived] = field(default_factory=asyncio.Queue)

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.attempts += 1
        refusal = self.rcpt(envelope)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.drop_after_data:
            assert server.transport is not None
            server.transport.close()
            return "451 nobody hears this"
        refusal = self.data(envelope)
        if refusal is None:
            self._arrived.put_nowait(Arrived(envelope, session))
        return refusal or "250 OK"

    async def next(self) -> Arrived:
        """The next mail that has arrived, or will."""
        return await asyncio.wait_for(self._arrived.get(), HANG_SECONDS)

    @property
    def settings(self) -> dict[str, Any]:
        """The `[smtp]` section that sends here."""
        return {"host": "127.0.0.1", "port": self.port, "security": "none", "first_retry_seconds": 1}

    @property
    def is_empty(self) -> bool:
        return self._arrived.empty()


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == tuple(
        part.encode() for part in CREDENTIALS
    )
    return AuthResult(success=is_right, handled=False)


@contextlib.asynccontextmanager
async def listening(mailbox: Mailbox, *, tls: str = "none", folder: Path | None = None) -> AsyncIterator[Mailbox]:
    """Runs the listener. With TLS (`starttls`, `tls`) it asks for CREDENTIALS; its CA is `folder / "ca.pem"`."""
    context = None if folder is None else self_signed(folder)
    options: dict[str, Any] = {"enable_SMTPUTF8": False, "hostname": "mail.test"}
    if tls != "none":
        options |= {"authenticator": _authenticate, "auth_required": True, "auth_require_tls": tls == "starttls"}
    if tls == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it does not know that the socket is encrypted already
            return SMTP(mailbox, loop=loop, **options)

    server = await loop.create_server(
        protocol,
        "127.0.0.1",
        mailbox.port,
        ssl=context if tls == "tls" else None,
    )
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()


@contextlib.asynccontextmanager
async def silent_server(port: int) -> AsyncIterator[None]:
    """Accepts connections and never says a word."""
    connections: list[asyncio.StreamWriter] = []

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        for writer in connections:
            writer.transport.abort()
