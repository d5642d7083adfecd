"""Mails arrive once, whatever the SMTP server does meanwhile, and no call waits for it."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography.fernet import Fernet

from jsonrpc_backend.mail.seal import mail_key_path
from jsonrpc_backend.mail.smtp import Mailer
from tests.conftest import NewApp, StartServer
from tests.mailbox import CREDENTIALS, Mailbox, listening, silent_server
from tests.patience import HANG_SECONDS
from tests.ports import reserved_port
from tests.servers import FakeClock, InProcessServer, TickingClock, make_config, running
from tests.wire import Wire


@pytest.fixture
def unused_port() -> Iterator[int]:
    with reserved_port() as port:
        yield port


def smtp(port: int, **more: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "security": "none", "first_retry_seconds": 1, **more}


async def forget(wire: Wire, username: str = "me@example.com") -> None:
    answer = await wire.elsewhere().call("User.sendPasswordResetToken", username=username)
    assert answer.result == "OK"


async def arrives_once(mailbox: Mailbox, wire: Wire) -> None:
    """The mail arrives, its token works, and nothing comes after it but what is asked for after it."""
    mail = await mailbox.next()
    await wire.elsewhere("marker").register("marker@example.com")
    await forget(wire, "marker@example.com")
    assert (await mailbox.next()).envelope.rcpt_tos == ["marker@example.com"]
    assert mailbox.is_empty
    answer = await wire.elsewhere().call(
        "User.resetPasswordAndLogin", username="me@example.com", newPassword="newPassword", token=mail.token
    )
    assert answer.session


@contextlib.asynccontextmanager
async def logged(caplog: pytest.LogCaptureFixture, text: str) -> AsyncIterator[None]:
    """Waits at the end until a line with this text has been logged."""
    seen = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Watch(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if text in record.getMessage():
                loop.call_soon_threadsafe(seen.set)

    handler = Watch()
    logging.getLogger("jsonrpc_backend.mail").addHandler(handler)
    caplog.set_level(logging.INFO, "jsonrpc_backend")
    try:
        yield
        await asyncio.wait_for(seen.wait(), HANG_SECONDS)
    finally:
        logging.getLogger("jsonrpc_backend.mail").removeHandler(handler)


def last_error(server: InProcessServer) -> Any:
    return server.rows("SELECT attempts, next_at, sent_at, sealed IS NULL, last_error FROM mails")[-1]


# --- SMTP servers that do not do their work --------------------------------------------------------------


async def test_down_then_up(
    start: StartServer, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture, unused_port: int
) -> None:
    wire = Wire(http, await start({"smtp": smtp(unused_port)}, TickingClock()))
    await wire.register()
    async with logged(caplog, "mail 1 not sent, next attempt in 1 s: SMTPConnectError"):
        await forget(wire)
    async with listening(Mailbox(unused_port)) as mailbox:
        await arrives_once(mailbox, wire)


async def test_hanging_then_working(
    start: StartServer, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture, unused_port: int
) -> None:
    async with silent_server(unused_port):
        wire = Wire(http, await start({"smtp": smtp(unused_port, timeout_seconds=1)}, TickingClock()))
        await wire.register()
        async with logged(caplog, "mail 1 not sent"):
            await forget(wire)
            # While the SMTP server hangs, calls go on.
            assert (await wire.call("User.getProperties")).result == {"properties": {}}
            await forget(wire, "nobody@example.com")
    async with listening(Mailbox(unused_port)) as mailbox:
        await arrives_once(mailbox, wire)


REFUSALS: dict[str, Callable[[Mailbox], None]] = {
    "greylisting": lambda mailbox: setattr(mailbox, "rcpt", lambda _: "451 4.7.1 try again later"),
    "full disk": lambda mailbox: setattr(mailbox, "data", lambda _: "452 4.3.1 insufficient storage"),
    "dropped after the data": lambda mailbox: setattr(mailbox, "drop_after_data", True),
}


@pytest.mark.parametrize("refuse", REFUSALS.values(), ids=REFUSALS.keys())
async def test_refusing_then_accepting(
    start: StartServer,
    http: aiohttp.ClientSession,
    mailbox: Mailbox,
    caplog: pytest.LogCaptureFixture,
    refuse: Callable[[Mailbox], None],
) -> None:
    wire = Wire(http, await start({"smtp": mailbox.settings}, TickingClock()))
    await wire.register()
    refuse(mailbox)
    async with logged(caplog, "next attempt in 2 s"):  # the pause grows
        await forget(wire)
    mailbox.rcpt = mailbox.data = lambda _: None
    mailbox.drop_after_data = False
    await arrives_once(mailbox, wire)


async def test_refused_for_good(
    start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    server = await start({"smtp": mailbox.settings})
    wire = Wire(http, server)
    await wire.register()
    mailbox.rcpt = lambda _: "550 5.1.1 no such user me@example.com"
    async with logged(caplog, "backend app: mail 1 given up: SMTPRecipientsRefused 550"):
        await forget(wire)
    attempts, next_at, sent_at, is_gone, error = last_error(server)
    assert (attempts, next_at, sent_at, is_gone) == (1, None, None, 1)
    assert "no such user" in error
    mailbox.rcpt = lambda _: None
    await forget(wire)
    await mailbox.next()
    assert mailbox.attempts == 2


async def test_expired_before_it_could_be_sent(
    start: StartServer, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture, unused_port: int
) -> None:
    server = await start({"smtp": smtp(unused_port)})
    wire = Wire(http, server)
    await wire.register()
    async with logged(caplog, "not sent"):
        await forget(wire)
    server.clock.advance(minutes=16)
    async with logged(caplog, "mail 1 given up: expired"):
        await forget(wire, "nobody@example.com")
    assert last_error(server)[4] == "it expired before it could be sent"


# --- restarts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_smtp_before", [True, False], ids=["SMTP down", "no SMTP configured"])
async def test_restart_loses_none(
    tmp_path: Path, http: aiohttp.ClientSession, mailbox: Mailbox, unused_port: int, with_smtp_before: bool
) -> None:
    before = smtp(unused_port) if with_smtp_before else {}
    async with running(make_config(tmp_path, {"smtp": before})) as server:
        wire = Wire(http, server)
        await wire.register()
        await forget(wire)
    async with running(make_config(tmp_path, {"smtp": mailbox.settings}), later(server)) as server:
        wire.server = server
        await arrives_once(mailbox, wire)
    async with running(make_config(tmp_path, {"smtp": mailbox.settings}), later(server)) as server:
        wire.server = server
        await wire.elsewhere().register("after@example.com")
        await forget(wire, "after@example.com")
        assert (await mailbox.next()).envelope.rcpt_tos == ["after@example.com"]


def later(server: InProcessServer) -> FakeClock:
    clock = TickingClock()
    clock.now = server.clock() + 5000
    return clock


async def test_mail_under_way_at_the_end_is_finished(
    tmp_path: Path, http: aiohttp.ClientSession, mailbox: Mailbox
) -> None:
    reached = asyncio.Event()

    def reach(_: Any) -> None:
        reached.set()

    mailbox.rcpt = reach
    async with running(make_config(tmp_path, {"smtp": mailbox.settings})) as server:
        wire = Wire(http, server)
        await wire.register()
        await forget(wire)
        await asyncio.wait_for(reached.wait(), HANG_SECONDS)
    await mailbox.next()
    assert server.rows("SELECT sent_at IS NOT NULL, sealed IS NULL FROM mails") == [(1, 1)]


async def test_lost_key_file_is_said(
    tmp_path: Path,
    http: aiohttp.ClientSession,
    mailbox: Mailbox,
    caplog: pytest.LogCaptureFixture,
    unused_port: int,
) -> None:
    async with running(make_config(tmp_path, {"smtp": smtp(unused_port)})) as server:
        wire = Wire(http, server)
        await wire.register()
        async with logged(caplog, "not sent"):
            await forget(wire)
    (tmp_path / "app.mail-key").unlink()
    async with (
        logged(caplog, "mail 1 given up: unreadable"),
        running(make_config(tmp_path, {"smtp": mailbox.settings}), later(server)) as server,
    ):
        wire.server = server
        await forget(wire)
        await mailbox.next()  # new ones are sent


async def test_no_call_waits_for_the_key_file(
    start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox
) -> None:
    """On a disk that hangs, such as one in the network, reading it takes as long as it takes."""
    server = await start({"smtp": mailbox.settings})
    wire = Wire(http, server)
    await wire.register()
    key_file, key = mail_key_path(Path(server.config.server.data_dir), "app"), Fernet.generate_key().decode()
    os.mkfifo(key_file)
    await forget(wire)
    with await asyncio.to_thread(key_file.open, "w") as pipe:  # opened when somebody reads it
        saving = asyncio.create_task(wire.call("User.saveProperty", name="age", value=1))
        assert await asyncio.wait([saving], timeout=HANG_SECONDS) == ({saving}, set())
        regular = key_file.with_name("regular")
        regular.write_text(key)
        regular.replace(key_file)  # the next reader is not kept waiting
        pipe.write(key)
    assert (await saving).result == "OK"
    assert (await mailbox.next()).token


# --- encryption and authentication -----------------------------------------------------------------------


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_encrypted_with_authentication(
    tmp_path: Path, start: StartServer, http: aiohttp.ClientSession, security: str
) -> None:
    username, password = CREDENTIALS
    async with listening(Mailbox(), tls=security, folder=tmp_path) as mailbox:
        settings = smtp(
            mailbox.port,
            security=security,
            username=username,
            password=password,
            ca_file=str(tmp_path / "ca.pem"),
        )
        wire = Wire(http, await start({"smtp": settings}))
        await wire.register()
        await forget(wire)
        mail = await mailbox.next()
        assert mail.session.authenticated
        assert mail.envelope.rcpt_tos == ["me@example.com"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"password": "wrong"}, "SMTPAuthenticationError 535"),
        ({"ca_file": ""}, "SSLCertVerificationError"),
        ({"security": "none", "username": ""}, "SMTPSenderRefused 530"),
    ],
)
async def test_what_the_operator_can_mend_is_tried_again(
    tmp_path: Path,
    new_app: NewApp,
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, str],
    error: str,
) -> None:
    username, password = CREDENTIALS
    async with listening(Mailbox(), tls="starttls", folder=tmp_path) as mailbox:
        right = {"username": username, "password": password, "ca_file": str(tmp_path / "ca.pem")}
        settings = smtp(mailbox.port, **{"security": "starttls", **right, **changes})
        wire = await new_app(smtp=settings)
        await wire.register()
        async with logged(caplog, f"mail 1 not sent, next attempt in 1 s: {error}"):
            await forget(wire)
        assert mailbox.is_empty
    assert password not in caplog.text


def test_unreadable_ca_file_is_an_error(tmp_path: Path) -> None:
    config = make_config(tmp_path, {"smtp": {"host": "x", "ca_file": str(tmp_path / "gone.pem")}})
    with pytest.raises(FileNotFoundError):
        Mailer(config.smtp)
