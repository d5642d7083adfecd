"""`/metrics`: read by Prometheus' own parser, each number moved by what it counts."""

import asyncio
import contextlib
import json
import logging
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from jsonrpc_backend.errors import RpcError
from jsonrpc_backend.methods import APP_API
from jsonrpc_backend.rpc.schema_files import load
from jsonrpc_backend.server.app import make_app
from jsonrpc_backend.store.sizes import Sizes
from jsonrpc_backend.telemetry.metrics import MetricsUnavailable
from jsonrpc_backend.telemetry.metrics.declared import SIGN_INS
from jsonrpc_backend.telemetry.metrics.meters import MAIL_OUTCOMES, SIGN_IN_OUTCOMES, Meters
from tests.collections.conftest import make_collection
from tests.documents import section
from tests.mailbox import Mailbox
from tests.patience import HANG_SECONDS
from tests.prometheus import Watched, watched
from tests.servers import make_config, serving_at
from tests.shell import Shell
from tests.wire import Wire

ROOT = Path(__file__).parent.parent


@pytest.fixture
async def prometheus(tmp_path: Path, http: aiohttp.ClientSession, mailbox: Mailbox) -> AsyncIterator[Watched]:
    async with watched(tmp_path, http, {"smtp": mailbox.settings}) as server:
        yield server


async def test_calls_are_counted_by_backend_method_and_code(prometheus: Watched, http: aiohttp.ClientSession) -> None:
    app = Wire(http, prometheus)
    await app.register()
    for _ in range(3):
        await app.call("User.isAuthenticated")
    await app.call("User.login", username="me@example.com", password="wrong")
    for name in ("User.nonsense", "x" * 1000, 'a"b\nc{}', "\x1b[31m"):
        assert (await app.call(name)).code == -32601
    await app.post(b"{")
    await app.send([1, {"jsonrpc": "2.0", "method": "User.isAuthenticated", "params": app.params({})}])
    prometheus.backend_id = "somebody-elses"
    await app.call("User.isAuthenticated")
    found = await prometheus.samples()
    counted = {tuple(sorted(labels)): value for (name, labels), value in found.items() if name.endswith("calls_total")}
    assert {tuple(value for _, value in labels): number for labels, number in counted.items()} == {
        ("app", "0", "User.register"): 1,
        ("app", "0", "User.isAuthenticated"): 4,  # the notification too
        ("app", "-32602", "User.login"): 1,
        ("app", "-32601", "(unknown)"): 4,
        ("app", "-32700", "(none)"): 1,
        ("app", "-32600", "(none)"): 1,
        ("(unknown)", "4", "User.isAuthenticated"): 1,
    }
    name = "jsonrpc_backend_call_duration_seconds"
    authenticated = ("method", "User.isAuthenticated")
    assert found[f"{name}_count", frozenset({authenticated})] == 5
    assert found[f"{name}_bucket", frozenset({authenticated, ("le", "+Inf")})] == 5
    assert 0 < found[f"{name}_sum", frozenset({authenticated})] < 5 * HANG_SECONDS


async def test_every_method_is_counted_under_its_name(prometheus: Watched, http: aiohttp.ClientSession) -> None:
    for method in APP_API.methods.values():
        await Wire(http, prometheus).call(method.name, __api_key="wrong")
        code = "0" if method.for_anybody else "4"
        assert await prometheus.value("calls_total", backend="app", method=method.name, code=code) == 1


async def signed_in(app: Wire) -> str:
    await app.register("somebody@example.com")
    return "registration"


async def wrong_password(app: Wire) -> str:
    await app.call("User.login", username="me@example.com", password="wrong")
    return "password"


async def wrong_login_token(app: Wire) -> str:
    await app.call("User.autoLogin", loginToken="0" * 64)
    return "login_token"


async def right_login_token(app: Wire) -> str:
    await app.register("somebody@example.com")
    await app.call("User.autoLogin", loginToken=app.login_token)
    return "login_token"


async def wrong_reset_token(app: Wire) -> str:
    await app.call("User.resetPasswordAndLogin", username="me@example.com", newPassword="newPassword", token="x")
    return "reset_token"


async def too_often(app: Wire) -> str:
    for _ in range(3):
        await app.call("User.login", username="me@example.com", password="wrong")
    return "password"


async def wrong_key(app: Wire) -> str:
    await app.call("User.login", __api_key="wrong", username="me@example.com", password="password")
    return "password"


async def broken_database(app: Wire) -> str:
    server = app.server
    assert isinstance(server, Watched)
    with contextlib.closing(sqlite3.connect(server.database_path())) as database, database:
        database.execute("ALTER TABLE users RENAME TO hidden")
    await app.call("User.login", username="me@example.com", password="password")
    return "password"


SIGN_IN_CASES: list[tuple[Callable[[Wire], Any], str]] = [
    (signed_in, "success"),
    (right_login_token, "success"),
    (wrong_password, "rejected"),
    (wrong_login_token, "rejected"),
    (wrong_reset_token, "rejected"),
    (too_often, "throttled"),
    (wrong_key, "not_admitted"),
    (broken_database, "failed"),
]


@pytest.mark.parametrize(("attempt", "outcome"), SIGN_IN_CASES)
async def test_sign_ins_by_outcome(
    tmp_path: Path, http: aiohttp.ClientSession, attempt: Callable[[Wire], Any], outcome: str
) -> None:
    throttle = {"enabled": True, "failed_logins_per_user": 2}
    async with watched(tmp_path, http, {"throttle": throttle}) as server:
        means = await attempt(Wire(http, server))
        labels = {"backend": "app", "with": means, "outcome": outcome}
        assert await server.value("sign_ins_total", **labels) == 1


async def test_sign_ins_that_are_turned_off(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    off = {"backends": {"app": {"auto_login": {"enabled": False}}}}
    async with watched(tmp_path, http, off) as server:
        await Wire(http, server).call("User.autoLogin", loginToken="0" * 64)
        labels = {"backend": "app", "with": "login_token", "outcome": "unavailable"}
        assert await server.value("sign_ins_total", **labels) == 1


def test_what_opens_a_session_says_with_what() -> None:
    opened = {
        name for name, method in APP_API.methods.items() if "signedIn" in json.dumps(load(f"{method.schema}.json"))
    }
    assert APP_API.methods.sign_ins().keys() == opened
    assert all(f"`{means}`" in SIGN_INS.meaning for means in APP_API.methods.sign_ins().values())


async def test_argon2_is_timed(prometheus: Watched, http: aiohttp.ClientSession) -> None:
    app = Wire(http, prometheus)
    await app.register()
    await app.call("User.login", username="me@example.com", password="wrong")
    assert await prometheus.value("argon2_duration_seconds_count") == 2
    assert await prometheus.value("argon2_duration_seconds_sum") > 0


@pytest.mark.slow
async def test_queue_of_argon2(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    slow = {"passwords": {"memory_kib": 64, "iterations": 1000, "workers": 1}}
    async with watched(tmp_path, http, slow) as server:
        app = Wire(http, server)
        calls = [
            asyncio.create_task(app.elsewhere().call("User.login", username="nobody", password="x")) for _ in range(4)
        ]
        running, waiting = set(), set()
        while not all(call.done() for call in calls):
            running.add(await server.value("argon2_hashes", state="running"))
            waiting.add(await server.value("argon2_hashes", state="waiting"))
        assert max(running) == 1
        assert max(waiting) >= 1
        assert await server.value("argon2_hashes", state="waiting") == 0


async def test_mails_by_outcome(prometheus: Watched, http: aiohttp.ClientSession, mailbox: Mailbox) -> None:
    app = Wire(http, prometheus)
    await app.register()

    async def ask() -> None:
        await app.elsewhere().call("User.sendPasswordResetToken", username="me@example.com")

    await ask()
    await prometheus.until("mails_total", 1, backend="app", outcome="sent")
    mailbox.data = lambda _: "451 4.3.0 later"
    await ask()
    await prometheus.until("mails_total", 1, backend="app", outcome="failed")
    mailbox.data = lambda _: "550 5.1.1 never"
    await ask()
    await prometheus.until("mails_total", 1, backend="app", outcome="given_up")
    assert await prometheus.value("mails_total", backend="app", outcome="written") == 3
    counted = {dict(labels)["outcome"] for name, labels in await prometheus.samples() if name.endswith("mails_total")}
    assert counted == set(MAIL_OUTCOMES)


async def test_sizes(prometheus: Watched, http: aiohttp.ClientSession) -> None:
    app, other = Wire(http, prometheus), Wire(http, prometheus, "device-2")
    await app.register("anna")
    await other.register("bert")
    assert await prometheus.value("users", backend="app") == 2
    assert await prometheus.value("sessions", backend="app") == 2
    await other.call("User.logout")
    assert await prometheus.value("sessions", backend="app") == 1
    make_collection(prometheus, "diary")
    make_collection(prometheus, "notes")
    for name in ("diary", "diary", "notes"):
        assert (await app.call("Collection.insert", collectionName=name, item={})).result
    assert await prometheus.value("collections", backend="app") == 2
    assert await prometheus.value("items", backend="app") == 3
    prometheus.clock.advance(minutes=1441)  # the session has idled out, though nobody has removed it yet
    assert await prometheus.value("sessions", backend="app") == 0
    file_bytes = prometheus.database_path().stat().st_size
    assert await prometheus.value("database_bytes", backend="app", file="database") == file_bytes
    assert await prometheus.value("database_bytes", backend="app", file="log") > 0
    assert await prometheus.value("connections") == 1  # the metrics' own are not among them
    assert await prometheus.value("up", backend="app") == 1
    assert await prometheus.value("process_resident_memory_bytes") == 0  # has no prefix
    assert (await prometheus.samples())["process_resident_memory_bytes", frozenset()] > 1e6


def test_sizes_of_a_database_are_not_added_up_over_processes() -> None:
    """Each worker sees the same database; what each has of its own makes a sum."""
    one, other = Meters("sse2", {}), Meters("sse2", {})
    for meters in (one, other):
        meters.show_backend("app", Sizes(users=3, sessions=4, collections=5, items=6, file_bytes=7, log_bytes=8))
        meters.show_connections(9)
    page = one.page([other.figures()]).decode()
    found = {name: float(value) for name, value in re.findall(r"(?m)^jsonrpc_backend_(\w+).* (\S+)$", page)}
    assert {name: found[name] for name in ("up", "users", "sessions", "collections", "items", "connections")} == {
        "up": 1,
        "users": 3,
        "sessions": 4,
        "collections": 5,
        "items": 6,
        "connections": 18,
    }


async def test_backend_that_is_stopped(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "broken.sqlite3").write_bytes(b"no database, certainly not" * 100)
    async with watched(tmp_path, http, {"backends": {"app": {"api_key": "a"}, "broken": {"api_key": "b"}}}) as server:
        assert await server.value("up", backend="app") == 1
        assert await server.value("up", backend="broken") == 0
        assert str(await server.value("users", backend="broken")) == "nan"


async def test_their_address_tells_no_versions(prometheus: Watched, http: aiohttp.ClientSession) -> None:
    async with http.get(prometheus.metrics_url) as found, http.get(f"{prometheus.metrics_url}/more") as not_found:
        assert (found.headers["Server"], not_found.headers["Server"]) == ("jsonrpc-backend", "jsonrpc-backend")


async def test_broken_http_at_their_address_is_no_fault(prometheus: Watched, caplog: pytest.LogCaptureFixture) -> None:
    port = int(prometheus.metrics_url.split(":")[2].split("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.closing(writer):
        writer.write(b"hello\r\n\r\n")
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.0 400 ")
    assert b"\r\nServer: jsonrpc-backend\r\n" in answer
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_metrics_are_at_their_own_address_only(prometheus: Watched, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{prometheus.url}/metrics") as response:
        assert response.status == 404
    async with http.post(prometheus.metrics_url.replace("/metrics", "/json-rpc/app"), data="{}") as response:
        assert response.status == 404


async def test_taken_address(tmp_path: Path, prometheus: Watched) -> None:
    port = int(prometheus.metrics_url.split(":")[2].split("/")[0])
    config = make_config(tmp_path / "other", {"metrics": {"enabled": True, "port": port}})
    with pytest.raises(MetricsUnavailable, match=f"metrics cannot be served at 127.0.0.1:{port}: "):
        async with serving_at(make_app(config)):
            raise AssertionError


def test_without_the_extra(shell: Shell) -> None:
    """As where it is not installed: whoever imports it is told that there is no such module."""
    gone = shell.folder / "gone"
    gone.mkdir()
    missing = "raise ModuleNotFoundError('No module named \\'prometheus_client\\'', name='prometheus_client')\n"
    (gone / "prometheus_client.py").write_text(missing)
    without = {"PYTHONPATH": str(gone), "JSONRPC_BACKEND_METRICS_ENABLED": "true"}
    said = shell.fails(3, "serve", "--port", "0", **without)
    assert re.search(
        r"metrics.enabled needs a package that is not installed: \S+ -m pip install prometheus-client", said
    )
    shell.ok("user", "add", "anna", "--password-stdin", stdin="secret", PYTHONPATH=str(gone))


# --- what is written about them --------------------------------------------------------------------------


async def families(server: Watched) -> dict[str, Any]:
    """Ours, by the names of their samples without what histograms add."""
    found = {}
    for family in text_string_to_metric_families(await server.text()):
        if family.name.startswith("jsonrpc_backend_"):
            found[family.name + ("_total" if family.type == "counter" else "")] = family
    return found


async def test_table_of_metrics(prometheus: Watched, http: aiohttp.ClientSession) -> None:
    text = section("Metrics").text
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    documented = {row[0].strip().strip("`"): set(re.findall(r"`(\w+)`", row[2])) for row in rows}
    await Wire(http, prometheus).register()
    await Wire(http, prometheus).elsewhere().call("User.sendPasswordResetToken", username="me@example.com")
    await prometheus.until("mails_total", 1, backend="app", outcome="sent")
    served = {
        name: {label for sample in family.samples for label in sample.labels} - {"le"}
        for name, family in (await families(prometheus)).items()
    }
    assert documented == served


async def test_dashboard_asks_for_metrics_that_exist(prometheus: Watched) -> None:
    dashboard = json.loads((ROOT / "examples" / "grafana-dashboard.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(queries) >= 10
    known = {family.name for family in text_string_to_metric_families(await prometheus.text())}
    asked = set(re.findall(r"\b(?:jsonrpc_backend|process)_\w+", " ".join(queries)))
    assert {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in asked} <= known | {
        re.sub("_total$", "", name) for name in known
    }
    variables = " ".join(str(variable.get("query", "")) for variable in dashboard["templating"]["list"])
    assert "jsonrpc_backend_up" in variables


def test_codes_of_sign_ins_exist() -> None:
    assert SIGN_IN_OUTCOMES.keys() - {0} <= {cls.code for cls in RpcError.__subclasses__()}
