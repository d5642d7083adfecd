"""Passwords, tokens and keys stay where they belong, whatever fails: in no log, error, output or file.

(`tests/methods/test_secrets_at_rest.py` looks at the database file of a server on which nothing fails.)
"""

import asyncio
import json
import logging
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.config import ServerConfig
from jsonrpc_backend.methods import APP_API, MANAGEMENT_API
from jsonrpc_backend.rpc.schema_files import load
from jsonrpc_backend.server.app import make_app
from jsonrpc_backend.server.metrics_page import METRICS_PORT
from jsonrpc_backend.telemetry.log import logging_to
from tests.mailbox import TOKEN, Mailbox, listening
from tests.methods.test_secrets_at_rest import spellings
from tests.operators import Operator
from tests.patience import HANG_SECONDS
from tests.servers import InProcessServer, TickingClock, make_config, served_by_workers, serving_at
from tests.shell import Shell
from tests.wire import Answer, Wire

API_KEY = "planted-api-key-5f1d7a"
SMTP_PASSWORD = "planted-smtp-password-c83e"
PASSWORD, NEXT_PASSWORD, WRONG_PASSWORD = "planted-password-a41b", "planted-password-next-9c2e", "planted-wrong-7d3f"
MANAGEMENT_KEY, WRONG_KEY = "planted-management-key-2ba7", "planted-wrong-key-b90c"
PLANTED = "planted-in-any-parameter-e6b0"


def searched_folders(server: InProcessServer) -> list[Path]:
    """Where no secret may be: the data with its write-ahead log, and a backup of it."""
    data = server.database_path().parent
    return [data, data.parent / "backup"]


class Evidence:
    """All that the server has said, but results and headers, which are for the caller."""

    def __init__(self) -> None:
        self.secrets = {API_KEY, SMTP_PASSWORD, PASSWORD, NEXT_PASSWORD, WRONG_PASSWORD, PLANTED}
        self.secrets |= {MANAGEMENT_KEY, WRONG_KEY}
        self.texts: list[str] = []
        self.codes: set[int] = set()

    def take(self, wire: Wire, answer: Answer) -> None:
        self.secrets |= {secret for secret in (wire.session, wire.login_token) if secret}
        if "error" in answer.body:
            self.codes.add(answer.code)
            self.texts.append(str(answer.body) + str(answer.headers))

    def take_answer(self, answer: Answer) -> None:
        """Of the operators' API."""
        self.codes.add(answer.code if "error" in answer.body else 0)
        self.texts.append(str(answer.body) + str(answer.headers))

    def found_in(self, content: bytes) -> list[str]:
        return [secret for secret in self.secrets for spelling in spellings(secret) if spelling in content]


def files(folders: list[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.is_file())


async def every_failure(wire: Wire, evidence: Evidence) -> None:
    """Each method with secrets in the right, in wrong and in unknown parameters, and with a wrong envelope."""
    for method in sorted(APP_API.methods):
        parameters = load(f"{method}.json")["params"]["properties"]
        for value in (PLANTED, PLANTED * 10, [PLANTED], {PLANTED: PLANTED}, f"{PLANTED} \ud800"):
            params = dict.fromkeys(parameters, value)
            for changes in (params, params | {PLANTED: value}, {"__session": f"-{PLANTED}"}, {"__api_key": PLANTED}):
                for app in (wire.tab(), wire.elsewhere()):
                    answer = await app.call(method, **changes)
                    unknown = PLANTED in changes or isinstance(value, dict)
                    if not unknown:  # the name of a parameter is repeated, its value never
                        evidence.take(app, answer)
    for body in (
        PLANTED.encode(),
        b'{"jsonrpc": "2.0", "id": 1, "method": "x", "method": "' + PLANTED.encode() + b'"}',
    ):
        evidence.take(wire, await wire.post(body))


async def a_life(wire: Wire, mailbox: Mailbox, evidence: Evidence) -> None:
    """What people do, right and wrong, with a password that was forgotten and a mail that is refused."""

    async def call(method: str, **params: Any) -> None:
        evidence.take(wire, await wire.call(method, **params))

    name = "me@example.com"
    await call("User.register", username=name, password=PASSWORD)
    await call("User.register", username=name, password=PASSWORD)
    await call("User.login", username=name, password=WRONG_PASSWORD)
    await call("User.login", username=name, password=PASSWORD)
    stale = wire.login_token
    for _ in range(2):
        await call("User.autoLogin", loginToken=wire.login_token)
    await call("User.autoLogin", loginToken=stale)
    await call("User.login", username=name, password=PASSWORD)
    await call("User.updatePassword", oldPassword=WRONG_PASSWORD, newPassword=NEXT_PASSWORD)
    await call("User.updatePassword", oldPassword=PASSWORD, newPassword=NEXT_PASSWORD)
    await call("User.unregister", password=WRONG_PASSWORD)
    refused: list[str] = []

    def refuse(envelope: Any) -> str:
        """As some servers do, repeats what it was sent."""
        refused.append(envelope.content.decode())
        return f"451 4.3.0 try again, I did not like {TOKEN.findall(refused[-1])} of {SMTP_PASSWORD}"

    mailbox.data = refuse
    evidence.take(wire, await wire.elsewhere().call("User.sendPasswordResetToken", username=name))
    async with asyncio.timeout(HANG_SECONDS):
        while not refused:
            await wire.call("User.isAuthenticated")
        mailbox.data = lambda _: None
        token = (await mailbox.next()).token
    evidence.secrets |= {token, token.replace("-", "")}
    params = {"username": name, "newPassword": PASSWORD}
    evidence.take(wire, await wire.call("User.resetPasswordAndLogin", **params, token="planted-wrong-token"))
    evidence.take(wire, await wire.call("User.resetPasswordAndLogin", **params, token=token))


async def operators(wire: Wire, server: InProcessServer, evidence: Evidence) -> None:
    """Each method of their API with secrets in all parameters; and what is right, by right and by wrong keys."""
    for key in (MANAGEMENT_KEY, WRONG_KEY, API_KEY):
        operator = Operator(wire.http, server, key)
        for method in sorted(MANAGEMENT_API.methods):
            parameters = load(f"management/{method}.json")["params"]["properties"]
            for value in (PLANTED, [PLANTED], f"{PLANTED} \ud800"):
                message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": dict.fromkeys(parameters, value)}
                async with wire.http.post(
                    operator.endpoint, json=message, headers={"X-Monaca-Backend-Management-API-Key": key}
                ) as response:
                    evidence.take_answer(Answer(await response.json(), response.headers.copy()))
        for password in (PASSWORD, PASSWORD * 10):
            created = {"username": "made@example.com", "password": password}
            evidence.take_answer(await operator.call("User.create", **created))
        listed = {"page": 1, "itemsInPage": 10}
        evidence.take_answer(await operator.call("User.list", **listed))
        query = {"userQuery": "a == ?", "userQueryBindParams": [PLANTED]}
        evidence.take_answer(await operator.call("User.list", **listed, **query))


async def a_broken_database(wire: Wire, server: InProcessServer, evidence: Evidence) -> None:
    """Every method once while its tables are gone: -32603, with a traceback in the log."""
    with sqlite3.connect(server.database_path()) as database:
        for table in ("users", "devices", "collections"):
            database.execute(f"ALTER TABLE {table} RENAME TO hidden_{table}")
    database.close()
    for method in sorted(APP_API.methods):
        parameters = load(f"{method}.json")["params"]["properties"]
        legal = {"properties": {"age": PLANTED}, "name": "age", "names": ["age"], "options": None}
        params = {name: legal.get(name, PASSWORD) for name in parameters}
        evidence.take(wire, await wire.call(method, **params))


async def everything(folder: Path, wire: Wire, mailbox: Mailbox, evidence: Evidence) -> None:
    assert isinstance(wire.server, InProcessServer)
    await a_life(wire, mailbox, evidence)
    await every_failure(wire, evidence)
    await operators(wire, wire.server, evidence)
    await asyncio.to_thread(Shell(folder).ok, "backup", "--data", str(folder / "data"), "backup")
    await a_broken_database(wire, wire.server, evidence)


@pytest.mark.slow
@pytest.mark.parametrize("log_format", ["json", "text"])
async def test_no_secret_gets_out(
    log_format: str,
    tmp_path: Path,
    http: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    evidence = Evidence()
    async with listening(Mailbox()) as mailbox:
        smtp = mailbox.settings | {"password": SMTP_PASSWORD}
        settings = {"api_key": API_KEY, "management_keys": [{"label": "shop", "key": MANAGEMENT_KEY}]}
        changes = {"backends": {"app": settings}, "smtp": smtp, "metrics": {"enabled": True, "port": 0}}
        config = make_config(tmp_path / "data", changes)
        clock = TickingClock()
        with (tmp_path / "log").open("w") as stream, logging_to(stream, ServerConfig(log_format=log_format)) as lines:
            app = make_app(config, clock=clock, elapsed=clock.elapsed, lines=lines)
            async with serving_at(app) as port:
                url = f"http://127.0.0.1:{port}"
                server = InProcessServer(url, config, clock, api_key=API_KEY, management_url=url)
                await everything(tmp_path, Wire(http, server), mailbox, evidence)
                async with http.get(f"http://127.0.0.1:{app[METRICS_PORT][0]}/metrics") as response:
                    metrics = await response.text()
                stored = {path.name: path.read_bytes() for path in files(searched_folders(server))}
    # Seen are: every kind of error, a fault's traceback, and a mail that was refused.
    assert evidence.codes >= {-32700, -32602, -32603, 4, 10, 11}
    assert "Traceback" in caplog.text
    assert "not sent" in caplog.text
    assert any(b"me@example.com" in content for content in stored.values())
    assert {name: evidence.found_in(content) for name, content in stored.items()} == {name: [] for name in stored}
    # "mail.log" is of the test's own SMTP listener.
    logged = "\n".join(caplog.handler.format(record) for record in caplog.records if record.name != "mail.log")
    assert evidence.found_in(logged.encode()) == []
    assert evidence.found_in("".join(evidence.texts).encode()) == []
    written = b"".join(line for line in (tmp_path / "log").read_bytes().splitlines(True) if b"mail.log" not in line)
    assert b"User.login" in written
    assert b"Traceback" in written
    assert evidence.found_in(written) == []
    assert b"me@example.com" not in written
    assert "jsonrpc_backend_calls_total" in metrics
    assert evidence.found_in(metrics.encode()) == []
    assert "me@example.com" not in metrics
    printed = capfd.readouterr()
    assert evidence.found_in((printed.out + printed.err).encode()) == []


@pytest.mark.slow
async def test_no_secret_gets_out_of_several_workers(tmp_path: Path) -> None:
    """Nor between them: what they tell each other is in no log and no file."""
    evidence = Evidence()
    async with listening(Mailbox()) as mailbox:
        smtp = mailbox.settings | {"password": SMTP_PASSWORD}
        settings = {"backends": {"app": {"api_key": API_KEY}}, "smtp": smtp, "metrics": {"enabled": True, "port": 0}}
        with served_by_workers(tmp_path, 2, settings) as server:
            server.api_key = API_KEY
            assert server.process is not None
            printed = asyncio.create_task(asyncio.to_thread(server.process.communicate))
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
                await a_life(Wire(http, server), mailbox, evidence)
                for url in re.findall(r"http://\S+/metrics", server.output):
                    async with http.get(url) as response:
                        evidence.texts.append(await response.text())
            stored = {path.name: path.read_bytes() for path in files([tmp_path / "data"])}
            server.process.terminate()
            logged, _ = await printed
    assert -32602 in evidence.codes
    assert any("jsonrpc_backend_calls_total" in text for text in evidence.texts)
    assert "not sent" in logged
    assert evidence.found_in(logged.encode()) == []
    assert evidence.found_in("".join(evidence.texts).encode()) == []
    assert any(b"me@example.com" in content for content in stored.values())
    assert {name: evidence.found_in(content) for name, content in stored.items()} == {name: [] for name in stored}


def test_no_secret_is_in_what_the_command_line_says(shell: Shell) -> None:
    """Nor do passwords come on command lines, where other users of the machine would see them."""
    evidence = Evidence()
    secret = {"JSONRPC_BACKEND_SMTP_PASSWORD": SMTP_PASSWORD, "JSONRPC_BACKEND_BACKENDS_APP_API_KEY": f"{API_KEY} x"}
    (shell.folder / "config.toml").write_text('[backends.app]\napi_key = "k"\n[smtp]\nport = 0\n')
    said = shell.run("check-config", **secret)
    assert said.returncode == 3
    texts = [said.stdout + said.stderr]
    (shell.folder / "config.toml").write_text(f'[backends.app]\napi_key = "{API_KEY}"\n')
    for arguments, password in (
        (["user", "add", "me@example.com"], PASSWORD),
        (["user", "add", "me@example.com"], PASSWORD),
        (["user", "add", "you@example.com"], f"{PASSWORD} x"),
        (["user", "passwd", "me@example.com"], NEXT_PASSWORD * 5),
        (["user", "passwd", "me@example.com"], NEXT_PASSWORD),
        (["user", "passwd", "nobody"], NEXT_PASSWORD),
    ):
        done = shell.run(*arguments, "--password-stdin", stdin=password)
        texts.append(done.stdout + done.stderr)
    bad: list[dict[str, Any]] = [
        {"username": "a b", "password": PASSWORD},
        {"username": "carl", "_password": f"{PASSWORD}\0"},
    ]
    bad += [{"username": "dora", "passwordHash": PLANTED}, {"username": "emil", "token": "1", "password": [PASSWORD]}]
    (shell.folder / "users.jsonl").write_text("\n".join(map(json.dumps, bad)) + "\n" + PASSWORD)
    key = {"JSONRPC_BACKEND_MANAGEMENT_KEY": WRONG_KEY}
    (shell.folder / "good.jsonl").write_text(json.dumps({"username": "good@example.com", "password": PASSWORD}))
    for moving in (
        ["import", "users.jsonl"],
        ["import", "users.jsonl", "--json", "--skip-bad"],
        ["import", "good.jsonl"],
        ["export", "-", "--with-hashes"],
        ["list", "--url", "http://127.0.0.1:1"],
    ):
        done = shell.run("user", *moving, **key)
        texts.append(done.stdout + done.stderr)
    texts += [shell.ok("user", "list"), shell.ok("user", "show", "me@example.com", "--json")]
    assert "me@example.com" in texts[-1]
    assert "good@example.com" in texts[-2]
    texts.append(shell.ok("audit", "list", "--json"))
    assert "user import" in texts[-1]
    assert evidence.found_in("".join(texts).encode()) == []
    stored = b"".join(path.read_bytes() for path in files([shell.folder / "data"]))
    assert evidence.found_in(stored) == []
