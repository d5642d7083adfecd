"""What the audit log remembers of what operators do, and what it does not."""

import getpass
import json
import re
from typing import Any

import aiohttp
import pytest

from tests.conftest import StartServer
from tests.operators import KEY, KEYS, Operator
from tests.servers import InProcessServer
from tests.shell import QuickShell, Shell

SECRETS = ["geheimes-passwort", "geheimer-wert", "geheimer-name", KEY]


def entries(server: InProcessServer) -> list[Any]:
    rows = server.rows("SELECT created_at, via, actor, method, user_ids, address FROM audit ORDER BY key")
    return [(*row[:4], json.loads(row[4]), row[5]) for row in rows]


async def test_changes_are_remembered_with_who_and_whom(http: aiohttp.ClientSession, start: StartServer) -> None:
    keys = [{"label": "shop", "key": KEY}, {"label": "support desk", "key": "management-key-2"}]
    settings = {"server": {"trusted_proxies": ["127.0.0.1"]}, "backends": {"app": {"management_keys": keys}}}
    server = await start(settings)
    shop, support = Operator(http, server), Operator(http, server, "management-key-2")
    first, second = await shop.create("anna"), await shop.create("bert")
    server.clock.advance(seconds=5)
    update = {"jsonrpc": "2.0", "method": "User.update", "params": {"_id": first, "user": {"age": 1}}, "id": 1}
    await support.send(update, **{"X-Forwarded-For": "2001:db8::7"})
    await support.call("User.delete", idList=[second, "u0", first])
    time = server.clock.now
    assert entries(server) == [
        (time - 5000, "management key", "shop", "User.create", [first], "127.0.0.1"),
        (time - 5000, "management key", "shop", "User.create", [second], "127.0.0.1"),
        (time, "management key", "support desk", "User.update", [first], "2001:db8::7"),
        (time, "management key", "support desk", "User.delete", [second, first], "127.0.0.1"),
    ]


async def test_what_changes_nothing_is_not_remembered(operator: Operator) -> None:
    user_id = await operator.create("anna")
    await operator.call("User.get", _id=user_id)
    await operator.names()
    await operator.call("User.create", username="anna", password="password")
    await operator.call("User.update", _id="u0", user={"age": 1})
    await operator.call("User.update", _id=user_id, user={"age": 1, "text": "x" * 512_000})
    await operator.call("User.delete", idList=["u0"])
    operator.key = "wrong"
    await operator.call("User.delete", idList=[user_id])
    assert [entry[3] for entry in entries(operator.server)] == ["User.create"]


async def test_no_value_is_remembered(operator: Operator) -> None:
    user_id = await operator.create("geheimer-name-1", "geheimes-passwort", text="geheimer-wert")
    await operator.call("User.update", _id=user_id, user={"_username": "geheimer-name-2", "text": "geheimer-wert-2"})
    assert len(entries(operator.server)) == 2
    assert not [secret for secret in SECRETS if secret in json.dumps(operator.server.rows("SELECT * FROM audit"))]


async def test_old_entries_go(http: aiohttp.ClientSession, start: StartServer) -> None:
    settings = {"backends": {"app": {**KEYS, "keep_audit_days": 2}}}
    server = await start(settings)
    operator = Operator(http, server)
    await operator.create("anna")
    server.clock.advance(minutes=24 * 60)
    await operator.create("bert")
    server.clock.advance(minutes=24 * 60)
    await start(settings, server.clock)  # on the same file: a server purges when it starts
    while len(entries(server)) == 2:
        await operator.names()
    assert [entry[0] for entry in entries(server)] == [server.clock.now - 24 * 60 * 60_000]


# --- the command line ------------------------------------------------------------------------------------


def test_commands_are_remembered_and_listed(quick: QuickShell) -> None:
    for name in ("anna", "bert"):
        quick.ok("user", "add", name, "--password-stdin", stdin="geheimes-passwort")
    quick.ok("user", "passwd", "anna", "--password-stdin", stdin="geheimes-passwort-2")
    quick.ok("user", "delete", "bert", "--yes")
    ids = re.findall(r"u[0-9a-f-]{36}", quick.ok("user", "list"))
    listed = json.loads(quick.ok("audit", "list", "--json"))
    assert [entry["method"] for entry in listed] == ["user delete", "user passwd", "user add", "user add"]
    assert [entry["userIds"] for entry in listed[1:3:2]] == [ids]
    assert listed[0]["userIds"] == listed[2]["userIds"]
    assert {(entry["via"], entry["actor"], entry["address"]) for entry in listed} == {
        ("command line", getpass.getuser(), None)
    }
    assert all(entry["time"] > 1_700_000_000_000 for entry in listed)
    lines = quick.ok("audit", "list", "--last", "2").splitlines()
    who = re.escape(f"command line ({getpass.getuser()})")
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  {who}  user delete  {listed[0]['userIds'][0]}", lines[0])
    assert len(lines) == 2
    assert not [secret for secret in SECRETS if secret in quick.ok("audit", "list", "--json")]


def test_moving_users_is_remembered(quick: QuickShell) -> None:
    (quick.folder / "users.jsonl").write_text(
        "\n".join(json.dumps({"username": f"u{n}@example.com"}) for n in range(5))
    )
    quick.ok("user", "import", "users.jsonl", "--dry-run")
    smtp = {"JSONRPC_BACKEND_SMTP_HOST": "localhost"}
    quick.ok("user", "import", "users.jsonl", "--send-reset", "--yes", **smtp)
    (quick.folder / "users.jsonl").write_text('{"username": "u3@example.com", "age": 1}\n{"username": "carl"}')
    quick.fails(1, "user", "import", "users.jsonl")
    quick.ok("user", "import", "users.jsonl", "--existing", "update")
    quick.ok("user", "export", "-")
    quick.ok("user", "send-reset", "--email-property", "email", "--yes", **smtp)
    quick.ok("user", "send-reset", "--stop")
    quick.ok("user", "send-reset", "--stop")
    ids = {user["_username"]: user["_id"] for user in json.loads(quick.ok("user", "list", "--json"))}
    first = [ids[f"u{number}@example.com"] for number in range(5)]
    listed = json.loads(quick.ok("audit", "list", "--json"))
    assert [(entry["method"], entry["userIds"], entry["users"]) for entry in reversed(listed)] == [
        ("user import", first, 5),
        ("user send-reset", first, 5),
        ("user import", [first[3], ids["carl"]], 2),
        ("user export", [], 6),
        ("user send-reset --stop", [], 5),
    ]
    assert quick.ok("audit", "list", "--last", "1").endswith("  user send-reset --stop  5 users\n")


def test_who_runs_a_command_is_not_taken_from_the_environment(shell: Shell) -> None:
    shell.ok("user", "add", "anna", "--password-stdin", stdin="password", LOGNAME="nobody-1", USER="nobody-1")
    assert "nobody-1" not in shell.ok("audit", "list")


def test_command_that_fails_is_not_remembered(quick: QuickShell) -> None:
    quick.ok("user", "add", "anna", "--password-stdin", stdin="password")
    quick.fails(1, "user", "add", "ANNA", "--password-stdin", stdin="password")
    quick.fails(1, "user", "delete", "nobody", "--yes")
    assert len(json.loads(quick.ok("audit", "list", "--json"))) == 1


async def test_management_is_listed_beside_commands(operator: Operator, quick: QuickShell) -> None:
    ids = [await operator.create(f"user{number}") for number in range(5)]
    await operator.call("User.delete", idList=ids)
    data = str(operator.server.database_path().parent)
    first = quick.ok("audit", "list", "--data", data).splitlines()[0]
    assert first.endswith(f"management key (tests) from 127.0.0.1  User.delete  {ids[0]} {ids[1]} {ids[2]} and 2 more")


@pytest.mark.parametrize("most", ["0", "-1", "x"])
def test_wrong_number_of_entries(quick: QuickShell, most: str) -> None:
    assert "--last" in quick.fails(2, "audit", "list", "--last", most)
