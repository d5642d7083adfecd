"""`user send-reset` and `user import --send-reset`: a first password for those who were moved in without one."""

import asyncio
import contextlib
import json
import sqlite3
import time
from typing import Any

import aiohttp
import pytest

from tests.conftest import StartServer
from tests.mailbox import Mailbox
from tests.servers import FakeClock, InProcessServer
from tests.shell import QuickShell
from tests.wire import Wire

RECORDS = [
    {"username": "anna@example.com"},
    {"username": "bert", "email": "bert@example.com"},
    {"username": "carl@example.com", "password": "secret"},
    {"username": "dora@example.com"},
]


def moved_in(quick: QuickShell, *options: str) -> dict[str, Any]:
    (quick.folder / "u.jsonl").write_text("\n".join(map(json.dumps, RECORDS)))
    done: dict[str, Any] = json.loads(quick.ok("user", "import", "u.jsonl", "--json", *options))
    return done


@pytest.fixture
def clock() -> FakeClock:
    """The command line lives by the real clock; so does the server, until it is put forward."""
    clock = FakeClock()
    clock.now = time.time_ns() // 1_000_000 + 60_000
    return clock


async def mailing_server(start: StartServer, mailbox: Mailbox, clock: FakeClock) -> InProcessServer:
    server: InProcessServer = await start({"smtp": mailbox.settings}, clock)
    return server


async def test_from_import_to_the_first_sign_in(
    quick: QuickShell, start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox, clock: FakeClock
) -> None:
    done = moved_in(quick, "--send-reset", "--per-minute", "6000", "--valid-hours", "48")
    assert (done["added"], done["requested"], done["withoutAddress"]) == (4, 2, 1)
    server = await mailing_server(start, mailbox, clock)
    mails = {mail.envelope.rcpt_tos[0]: mail for mail in (await mailbox.next(), await mailbox.next())}
    assert mails.keys() == {"anna@example.com", "dora@example.com"}
    for username, minutes, works in (("anna@example.com", 48 * 60 - 1, True), ("dora@example.com", 1, False)):
        clock.advance(minutes=minutes)
        answer = await Wire(http, server).call(
            "User.resetPasswordAndLogin", username=username, newPassword="password", token=mails[username].token
        )
        assert (answer.session is not None) is works
    assert (await Wire(http, server).call("User.login", username="anna@example.com", password="password")).session


def requests(quick: QuickShell) -> list[tuple[str, int]]:
    """Who waits for a mail, and how long after the first, in seconds."""
    with contextlib.closing(sqlite3.connect(quick.folder / "data" / "app.sqlite3")) as db:
        rows = db.execute("SELECT username_key, due_at FROM password_reset_requests ORDER BY due_at").fetchall()
    return [(key, (due - rows[0][1]) // 1000) for key, due in rows]


async def test_repeated_mailing_writes_to_nobody_twice(
    quick: QuickShell, start: StartServer, mailbox: Mailbox, clock: FakeClock
) -> None:
    moved_in(quick)
    assert quick.ok("user", "send-reset") == "The server will mail 2 users. 1 have no mail address.\n"
    assert quick.ok("user", "send-reset") == "The server will mail 0 users. 1 have no mail address.\n"
    printed = json.loads(quick.ok("user", "send-reset", "--email-property", "email", "--per-minute", "2", "--json"))
    assert printed == {"requested": 1, "withoutAddress": 0}
    # The second mailing goes on behind the first.
    assert requests(quick) == [("anna@example.com", 0), ("dora@example.com", 1), ("bert", 31)]
    await mailing_server(start, mailbox, clock)
    assert (await mailbox.next()).envelope.rcpt_tos == ["anna@example.com"]
    await asyncio.to_thread(quick.ok, "user", "send-reset")
    assert "anna@example.com" not in dict(requests(quick))  # her token is still good


async def test_who_has_a_password_by_then_gets_no_mail(
    quick: QuickShell, start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox, clock: FakeClock
) -> None:
    moved_in(quick, "--send-reset", "--per-minute", "6000")
    quick.ok("user", "passwd", "anna@example.com", "--password-stdin", stdin="password")
    server = await mailing_server(start, mailbox, clock)
    assert (await mailbox.next()).envelope.rcpt_tos == ["dora@example.com"]
    assert mailbox.is_empty
    assert server.rows("SELECT count(*) FROM password_reset_requests") == [(0,)]


async def test_ordinary_request_has_the_configured_time(
    quick: QuickShell, start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox, clock: FakeClock
) -> None:
    """The token of the mailing keeps its own: anybody may ask, and must not end what the operator has sent."""
    moved_in(quick, "--send-reset", "--per-minute", "6000")
    server = await mailing_server(start, mailbox, clock)
    mailed = (await mailbox.next()).token
    await mailbox.next()
    app = Wire(http, server)
    await app.call("User.sendPasswordResetToken", username="anna@example.com")
    token = (await mailbox.next()).token
    clock.advance(minutes=15)
    answer = await app.call(
        "User.resetPasswordAndLogin", username="anna@example.com", newPassword="password", token=token
    )
    assert answer.data == {"token": "Token is wrong, used or expired; ask for another one."}
    assert (
        await app.call("User.resetPasswordAndLogin", username="anna@example.com", newPassword="password", token=mailed)
    ).session


async def test_running_server_is_not_told(
    quick: QuickShell, start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox, clock: FakeClock
) -> None:
    """It looks by itself; sooner when there is other work."""
    server = await mailing_server(start, mailbox, clock)
    await asyncio.to_thread(moved_in, quick, "--send-reset", "--per-minute", "6000")
    await Wire(http, server).call("User.sendPasswordResetToken", username="nobody")
    recipients = {(await mailbox.next()).envelope.rcpt_tos[0] for _ in range(2)}
    assert recipients == {"anna@example.com", "dora@example.com"}
