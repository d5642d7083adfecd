"""Mails for the operator: `mail list | show | send-test`, and `serve --dev`."""

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.mailbox import TOKEN, Mailbox
from tests.patience import HANG_SECONDS
from tests.servers import ServerProcess, served
from tests.shell import QuickShell, Shell
from tests.wire import Wire

pytestmark = pytest.mark.slow


async def forgotten(http: aiohttp.ClientSession, server: ServerProcess, username: str = "me@example.com") -> Wire:
    wire = Wire(http, server)
    await wire.register(username)
    await wire.elsewhere().call("User.sendPasswordResetToken", username=username)
    return wire


def listed(shell: Shell) -> list[dict[str, Any]]:
    """The mails, as soon as there is one: the server writes them after it has answered."""
    deadline = time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline:
        mails: list[dict[str, Any]] = json.loads(shell.ok("mail", "list", "--json"))
        if mails:
            return mails
    raise AssertionError("no mail was written")


# --- without SMTP ----------------------------------------------------------------------------------------


async def test_kept_mail_opens_the_account(
    quick: QuickShell, served: ServerProcess, http: aiohttp.ClientSession
) -> None:
    assert re.search(r"Mails       kept; read them with: \S*jsonrpc-backend mail list --data ", served.output)
    wire = await forgotten(http, served)
    (mail,) = listed(quick)
    assert (mail["to"], mail["attempts"], mail["sentAt"]) == ("me@example.com", 0, None)
    assert (mail["state"], mail["nextAt"]) == ("kept", None)
    shown = json.loads(quick.ok("mail", "show", str(mail["key"]), "--json"))
    (token,) = TOKEN.findall(shown["body"])
    assert token in quick.ok("mail", "show", str(mail["key"]))
    assert re.search(r"1  me@example.com  kept 20\d\d-", quick.ok("mail", "list"))
    answer = await wire.elsewhere().call(
        "User.resetPasswordAndLogin", username="me@example.com", newPassword="newPassword", token=token
    )
    assert answer.session
    assert token.encode() not in b"".join(file.read_bytes() for file in served.data_dir.glob("app.sqlite3*"))


def test_unknown_mail(quick: QuickShell, served: ServerProcess) -> None:
    assert "There is no mail 7." in quick.fails(1, "mail", "show", "7")
    assert "No SMTP server is configured (smtp.host)" in quick.fails(1, "mail", "send-test", "a@example.com")


# --- send-test -------------------------------------------------------------------------------------------


async def in_background(shell: Shell, *arguments: str, **environment: str) -> tuple[int, str]:
    """Runs a command while this event loop goes on serving mail."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "jsonrpc_backend",
        *arguments,
        cwd=shell.folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


def environment(mailbox: Mailbox) -> dict[str, str]:
    return {f"JSONRPC_BACKEND_SMTP_{key.upper()}": str(value) for key, value in mailbox.settings.items()}


async def test_send_test_sends(shell: Shell, mailbox: Mailbox) -> None:
    code, output = await in_background(shell, "mail", "send-test", "you@example.com", **environment(mailbox))
    assert (code, output) == (0, "The SMTP server 127.0.0.1 has accepted a mail to you@example.com.\n")
    mail = await mailbox.next()
    assert mail.envelope.rcpt_tos == ["you@example.com"]
    assert "TEST-TEST-TEST" in mail.text


async def test_send_test_says_what_the_server_said(shell: Shell, mailbox: Mailbox) -> None:
    mailbox.rcpt = lambda _: "550 5.1.1 mailbox unavailable"
    code, output = await in_background(shell, "mail", "send-test", "you@example.com", **environment(mailbox))
    assert code == 1
    assert "mailbox unavailable" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["not an address"], "not an address is not a mail address."),
        (
            ["a@example.com", "--template", "x"],
            "There is no template x; there is send_password_token, address_changed, welcome_back.",
        ),
    ],
)
def test_send_test_refusals(quick: QuickShell, mailbox: Mailbox, arguments: list[str], message: str) -> None:
    assert message in quick.fails(2, "mail", "send-test", *arguments, **environment(mailbox))


# --- serve --dev -----------------------------------------------------------------------------------------


async def page(http: aiohttp.ClientSession, server: ServerProcess, **headers: str) -> tuple[int, str]:
    async with http.get(f"{server.url}/dev/mail", headers=headers) as response:
        if response.status == 200:
            assert response.content_type == "text/html"
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
            assert response.headers["Cache-Control"] == "no-store"
        return response.status, await response.text()


async def test_dev_prints_and_shows_mails(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    with served(tmp_path / "data", "--dev") as server:
        assert f"Mails       {server.url}/dev/mail" in server.output
        assert "None yet." in (await page(http, server))[1]
        await forgotten(http, server)
        printed = server.read_until("your password stays as it is.")
        (token,) = TOKEN.findall(printed)
        status, text = await page(http, server)
        assert status == 200
        assert token in text
        assert "me@example.com" in text


async def test_page_shows_values_as_text(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    (tmp_path / "config.toml").write_text(
        '[backends.app]\napi_key = "k"\n[backends.app.mail_templates.send_password_token]\n'
        'subject = "<b>%nick%"\nfrom = "a@example.com"\nbody = "%nick% %PASSWORD_RESET_TOKEN%"\n'
    )
    with served(tmp_path / "data", "--dev") as server:
        server.api_key = "k"
        wire = Wire(http, server)
        await wire.register(nick="<script>alert(1)</script>{x}")
        await wire.elsewhere().call("User.sendPasswordResetToken", username="me@example.com")
        server.read_until("Mail of app")
        text = (await page(http, server))[1]
    assert "<script>" not in text
    assert "&lt;b&gt;&lt;script&gt;alert(1)&lt;/script&gt;{x}" in text


async def test_page_has_what_a_mail_is_read_for_to_copy(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    """A link, and not once more the token in it."""
    (tmp_path / "config.toml").write_text(
        '[backends.app]\napi_key = "k"\n[backends.app.mail_templates.send_password_token]\n'
        'subject = "s"\nfrom = "a@example.com"\n'
        'body = "Go to https://example.com/?token=%PASSWORD_RESET_TOKEN%&user=me, or to <http://example.com/help>."\n'
    )
    with served(tmp_path / "data", "--dev") as server:
        server.api_key = "k"
        wire = Wire(http, server)
        await wire.register()
        await wire.elsewhere().call("User.sendPasswordResetToken", username="me@example.com")
        (token,) = TOKEN.findall(server.read_until("help"))
        text = (await page(http, server))[1]
    assert re.findall("<code>(http.*|[A-Z0-9-]{14})</code>", text) == [
        f"https://example.com/?token={token}&amp;user=me",
        "http://example.com/help",
    ]


async def test_page_is_for_this_machine_only(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    with served(tmp_path / "data", "--dev") as server:
        assert (await page(http, server, Host="localhost:8080"))[0] == 200
        for headers in ({"Host": "evil.example.com"}, {"X-Forwarded-For": "192.0.2.1"}, {"Host": "127.0.0.1.nip.io"}):
            assert (await page(http, server, **headers))[0] == 404
    with served(tmp_path / "data", "--dev", "--host", "0.0.0.0") as server:
        assert "the page /dev/mail needs a server bound to 127.0.0.1" in server.output
        assert (await page(http, server))[0] == 404
    with served(tmp_path / "data") as server:
        assert (await page(http, server))[0] == 404


# --- what an operator may have broken --------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"damaged\n", b"A" * 43 + b"=\n"], ids=["damaged", "another key"])
async def test_damaged_key_file_is_said(
    shell: Shell, served: ServerProcess, http: aiohttp.ClientSession, content: bytes
) -> None:
    await forgotten(http, served)
    (mail,) = listed(shell)
    (served.data_dir / "app.mail-key").write_bytes(content)
    error = shell.fails(1, "mail", "show", str(mail["key"]))
    assert "Mail 1 cannot be decrypted: its key file is gone or damaged." in error


def test_missing_certificates_are_said(quick: QuickShell) -> None:
    settings = {"JSONRPC_BACKEND_SMTP_HOST": "localhost", "JSONRPC_BACKEND_SMTP_CA_FILE": "gone.pem"}
    error = quick.fails(1, "mail", "send-test", "you@example.com", **settings)
    assert "The certificates of smtp.ca_file cannot be read: No such file or directory." in error


async def test_page_with_a_broken_host_header(tmp_path: Path) -> None:
    with served(tmp_path / "data", "--dev") as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
        writer.write(b"GET /dev/mail HTTP/1.1\r\nHost: [::1\r\nConnection: close\r\n\r\n")
        status = await reader.readline()
        writer.close()
        await writer.wait_closed()
    assert status.split()[1] in {b"400", b"404"}
