"""`user send-reset` and `user import --send-reset`: a first password for those who were moved in without one."""

import asyncio
import contextlib
import json
import sqlite3
import time
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.config import load_config
from tests.conftest import StartServer
from tests.mailbox import Mailbox
from tests.patience import HANG_SECONDS
from tests.servers import FakeClock, InProcessServer
from tests.shell import QuickShell, Shell
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


@pytest.fixture(autouse=True)
def smtp(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line asks only whether there is a server; which one, the server that sends is told by the test."""
    monkeypatch.setenv("JSONRPC_BACKEND_SMTP_HOST", "localhost")


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
    done = moved_in(quick, "--send-reset", "--yes", "--per-minute", "6000", "--valid-hours", "48")
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
    assert quick.ok("user", "send-reset", "--yes") == "The server will mail 2 users. 1 has no mail address.\n"
    assert quick.ok("user", "send-reset", "--yes") == "The server will mail 0 users. 1 has no mail address.\n"
    printed = json.loads(
        quick.ok("user", "send-reset", "--yes", "--email-property", "email", "--per-minute", "2", "--json")
    )
    assert printed == {"requested": 1, "withoutAddress": 0}
    # The second mailing goes on behind the first.
    assert requests(quick) == [("anna@example.com", 0), ("dora@example.com", 1), ("bert", 31)]
    await mailing_server(start, mailbox, clock)
    assert (await mailbox.next()).envelope.rcpt_tos == ["anna@example.com"]
    await asyncio.to_thread(quick.ok, "user", "send-reset", "--yes")
    assert "anna@example.com" not in dict(requests(quick))  # her token is still good


async def test_who_has_a_password_by_then_gets_no_mail(
    quick: QuickShell, start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox, clock: FakeClock
) -> None:
    moved_in(quick, "--send-reset", "--yes", "--per-minute", "6000")
    quick.ok("user", "passwd", "anna@example.com", "--password-stdin", stdin="password")
    server = await mailing_server(start, mailbox, clock)
    assert (await mailbox.next()).envelope.rcpt_tos == ["dora@example.com"]
    assert mailbox.is_empty
    assert server.rows("SELECT count(*) FROM password_reset_requests") == [(0,)]


async def test_a_password_that_an_import_brings_ends_the_mailed_token(
    quick: QuickShell, start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox, clock: FakeClock
) -> None:
    """As any other password does."""
    moved_in(quick, "--send-reset", "--yes", "--per-minute", "6000")
    app = Wire(http, await mailing_server(start, mailbox, clock))
    mails = {mail.envelope.rcpt_tos[0]: mail for mail in (await mailbox.next(), await mailbox.next())}
    (quick.folder / "late.jsonl").write_text(json.dumps({"username": "anna@example.com", "password": "from before"}))
    await asyncio.to_thread(quick.ok, "user", "import", "late.jsonl", "--existing", "update")
    for username, works in (("anna@example.com", False), ("dora@example.com", True)):
        answer = await app.call(
            "User.resetPasswordAndLogin", username=username, newPassword="password", token=mails[username].token
        )
        assert (answer.session is not None) is works
    assert (await app.call("User.login", username="anna@example.com", password="from before")).session


async def test_ordinary_request_has_the_configured_time(
    quick: QuickShell, start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox, clock: FakeClock
) -> None:
    """The token of the mailing keeps its own: anybody may ask, and must not end what the operator has sent."""
    moved_in(quick, "--send-reset", "--yes", "--per-minute", "6000")
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
    await asyncio.to_thread(moved_in, quick, "--send-reset", "--yes", "--per-minute", "6000")
    await Wire(http, server).call("User.sendPasswordResetToken", username="nobody")
    recipients = {(await mailbox.next()).envelope.rcpt_tos[0] for _ in range(2)}
    assert recipients == {"anna@example.com", "dora@example.com"}


# --- before and after ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "reason"), [("en", "moved to another server"), ("ja", "新しいサーバーに移りました")]
)
async def test_mail_says_why_it_comes(
    quick: QuickShell, start: StartServer, mailbox: Mailbox, clock: FakeClock, *, language: str, reason: str
) -> None:
    moved_in(quick, "--send-reset", "--yes")
    await start({"smtp": mailbox.settings, "backends": {"app": {"language": language}}}, clock)
    mail = await mailbox.next()
    assert reason in mail.text
    assert "anna@example.com" in mail.text
    assert mail.token


def test_dry_run_says_how_many_and_who(quick: QuickShell) -> None:
    five = [{"username": f"user{number}", "email": f"{number}@example.com"} for number in range(5)]
    (quick.folder / "five.jsonl").write_text("\n".join(map(json.dumps, five)))
    quick.ok("user", "import", "five.jsonl")
    quick.ok("user", "add", "carl", "--password-stdin", stdin="password")
    dry = ("user", "send-reset", "--dry-run", "--email-property", "email")
    assert quick.ok(*dry).splitlines() == [
        "The server would mail 5 users.",
        *(f"  user{number} at {number}@example.com" for number in range(3)),
        "  and 2 more",
    ]
    assert json.loads(quick.ok(*dry, "--json"))["samples"][0] == {"_username": "user0", "address": "0@example.com"}
    assert quick.ok("user", "send-reset", "--dry-run") == "The server would mail 0 users. 5 have no mail address.\n"
    assert requests(quick) == []


def test_nobody_is_mailed_unasked(quick: QuickShell) -> None:
    moved_in(quick)
    (quick.folder / "more.jsonl").write_text('{"username": "emil@example.com"}')
    for command in (["send-reset"], ["import", "more.jsonl", "--send-reset"]):
        assert "say --yes, or --dry-run first." in quick.fails(2, "user", *command)
    assert requests(quick) == []
    assert "emil" not in quick.ok("user", "list")


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "mailed"), [("y", 2), ("n", 0)])
def test_a_person_is_asked(quick: QuickShell, typed: str, mailed: int) -> None:
    moved_in(quick)
    shown = Shell(quick.folder).on_terminal("user", "send-reset", typed=typed + "\n")
    assert "Mail 2 users with the template welcome_back? [y/N]: " in shown
    assert ("The server will mail 2 users." in shown) is (mailed > 0)
    assert len(requests(quick)) == mailed


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "mailed"), [("y", 1), ("n", 0)])
def test_an_import_asks_when_it_is_done(quick: QuickShell, typed: str, mailed: int) -> None:
    (quick.folder / "u.jsonl").write_text('{"username": "emil@example.com"}')
    shown = Shell(quick.folder).on_terminal("user", "import", "u.jsonl", "--send-reset", typed=typed + "\n")
    assert "Mail 1 user with the template welcome_back? [y/N]: " in shown
    assert "1 added, 0 updated, 0 skipped, " in shown
    assert len(requests(quick)) == mailed


def test_without_an_smtp_server_nobody_is_asked_for(quick: QuickShell) -> None:
    moved_in(quick)
    for command in (
        ["send-reset", "--yes"],
        ["send-reset", "--dry-run"],
        ["import", "u.jsonl", "--send-reset", "--yes"],
    ):
        said = quick.fails(1, "user", *command, JSONRPC_BACKEND_SMTP_HOST="")
        assert "No SMTP server is configured (smtp.host), so nobody would get a mail." in said


async def test_stop_removes_what_has_not_been_sent(
    quick: QuickShell, start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox, clock: FakeClock
) -> None:
    """One mail is written and refused, one is not written yet; and one that a user asked for goes on."""
    moved_in(quick, "--send-reset", "--yes", "--per-minute", "1")
    mailbox.rcpt = lambda _: "451 4.3.0 try again later"
    server = await mailing_server(start, mailbox, clock)
    await Wire(http, server).call("User.sendPasswordResetToken", username="carl@example.com")
    async with asyncio.timeout(HANG_SECONDS):
        while server.rows("SELECT count(*) FROM mails WHERE attempts > 0") != [(2,)]:
            await Wire(http, server).call("User.isAuthenticated")
    assert (
        await asyncio.to_thread(quick.ok, "user", "send-reset", "--stop") == "Removed 2 mails that had not been sent.\n"
    )
    again = await asyncio.to_thread(quick.ok, "user", "send-reset", "--stop", "--json")
    assert json.loads(again) == {"stopped": 0}
    assert server.rows("SELECT recipient FROM mails") == [("carl@example.com",)]
    assert requests(quick) == []
    # Nobody has got the token, so it is in nobody's way.
    printed = await asyncio.to_thread(quick.ok, "user", "send-reset", "--yes")
    assert printed.startswith("The server will mail 2 users.")


def test_apps_cannot_choose_the_template_of_mailings() -> None:
    config = load_config({"backends": {"app": {"api_key": "k"}}}, environment={}).backends["app"]
    assert config.reset_templates == ("send_password_token",)
    assert config.mailing_templates == ("send_password_token", "welcome_back")
