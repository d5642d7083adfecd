"""Whoever gets hold of the database file gets no password, session id or login token."""

import base64
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import NewApp
from tests.servers import InProcessServer, make_config, running
from tests.wire import Wire

PASSWORDS = ("first-password", "second-password", "wrong-password")


def file_bytes(server: InProcessServer) -> bytes:
    """The database with its write-ahead log and whatever else is in the folder."""
    files = [path for path in server.database_path().parent.rglob("*") if path.is_file()]
    assert server.database_path() in files
    return b"".join(path.read_bytes() for path in files)


def spellings(secret: str) -> set[bytes]:
    """A secret as it is, and as somebody might have encoded it."""
    plain = secret.encode()
    found = {plain, plain.upper(), plain[:-1], plain.hex().encode(), base64.b64encode(plain).rstrip(b"=")}
    if len(secret) == 64:
        found.add(bytes.fromhex(secret))
    return found


async def busy_app(wire: Wire, other: Wire) -> set[str]:
    """Does all that involves secrets; returns those that the server has seen or made."""
    secrets = set(PASSWORDS)

    def keep(app: Wire) -> None:
        secrets.update(secret for secret in (app.session, app.login_token) if secret)

    await wire.register("me@example.com", "first-password", marker="a-stored-value")
    keep(wire)
    await other.call("User.login", username="me@example.com", password="first-password")
    keep(other)
    await other.call("User.login", username="me@example.com", password="wrong-password")
    for _ in range(2):
        await wire.call("User.autoLogin", loginToken=wire.login_token)
        keep(wire)
    await wire.call("User.updatePassword", oldPassword="wrong-password", newPassword="second-password")
    await wire.call("User.updatePassword", oldPassword="first-password", newPassword="second-password")
    await wire.call("User.unregister", password="wrong-password")
    await other.call("User.login", username="me@example.com", password="second-password")
    keep(other)
    return secrets


async def test_no_secret_is_in_the_file(server: InProcessServer, wire: Wire, other: Wire) -> None:
    secrets = await busy_app(wire, other)
    stored = file_bytes(server)
    assert b"a-stored-value" in stored, "else this looks into the wrong file"
    assert len(secrets) > 8
    assert [secret for secret in secrets for spelling in spellings(secret) if spelling in stored] == []


async def test_no_secret_is_in_the_file_after_a_restart(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    config = make_config(tmp_path)
    async with running(config) as server:
        secrets = await busy_app(Wire(http, server), Wire(http, server, "device-2"))
    async with running(config) as server:
        stored = file_bytes(server)
    assert b"a-stored-value" in stored
    assert [secret for secret in secrets for spelling in spellings(secret) if spelling in stored] == []


async def test_no_secret_is_in_the_log(
    server: InProcessServer, wire: Wire, other: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever level an operator sets."""
    caplog.set_level(0)
    secrets = await busy_app(wire, other)
    assert [secret for secret in secrets if secret in caplog.text] == []


@pytest.mark.skipif(not hasattr(Path, "owner"), reason="a rule of POSIX")
async def test_file_is_the_owners_alone(new_app: NewApp) -> None:
    wire = await new_app()
    await wire.register()
    assert isinstance(wire.server, InProcessServer)
    for path in wire.server.database_path().parent.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name
