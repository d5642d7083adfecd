"""What an account leaves behind, however much that is: removed in steps, between which others write."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.accounts.changes.sign_out import ROWS_AT_ONCE
from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.server.app import make_app
from jsonrpc_backend.server.backends import BACKENDS
from jsonrpc_backend.store.users import MAX_PROPERTIES_BYTES
from tests.operators import KEYS, Operator, add_users
from tests.patience import HANG_SECONDS
from tests.servers import FakeClock, InProcessServer, make_config, serving_at
from tests.shell import QuickShell
from tests.wire import Answer, Wire

FEW = 20  # rows: what a call changes beside those that it removes in steps

COUNT = (
    "SELECT (SELECT count(*) FROM login_tokens), (SELECT count(*) FROM login_families), (SELECT count(*) FROM sessions)"
)
OF_ONE_SIGN_IN = [(1, 1, 1)]
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"


@dataclass
class Stage:
    """The account of a user who has very many rows, and another one."""

    server: InProcessServer
    backend: Backend
    large: Wire
    other: Wire

    def fill(self, *, families: int, tokens: int, sessions: int = 1) -> None:
        """So many families more, each with so many tokens, and sessions."""
        now = self.server.clock.now
        self.server.execute(
            f"INSERT INTO login_families (user_key, device, renewed_at) {NUMBERS} SELECT 1, 'filled', ?2 FROM n",
            families,
            now,
        )
        self.server.execute(
            "INSERT INTO login_tokens (digest, family_key, created_at)"
            f" {NUMBERS} SELECT randomblob(32), key, ?2 FROM n, login_families WHERE device = 'filled'",
            tokens,
            now,
        )
        self.server.execute(
            "INSERT INTO sessions (digest, user_key, created_at, used_at)"
            f" {NUMBERS} SELECT randomblob(32), 1, ?2, ?2 FROM n",
            sessions,
            now,
        )

    def rows(self) -> int:
        return sum(self.server.rows(COUNT)[0])

    async def changes(self) -> int:
        """How many rows the server has changed until now, seen by one more of its writes."""
        return await self.backend.database.write(lambda db: db.execute("SELECT total_changes()").fetchone()[0])


@contextlib.asynccontextmanager
async def stage_in(folder: Path, http: aiohttp.ClientSession, clock: FakeClock) -> AsyncIterator[Stage]:
    config = make_config(folder, {"backends": {"app": KEYS}})
    app = make_app(config, clock=clock)
    async with serving_at(app) as port:
        url = f"http://127.0.0.1:{port}"
        server = InProcessServer(url, config, clock, management_url=url)
        yield Stage(server, app[BACKENDS]["app"], Wire(http, server), Wire(http, server, "device-2"))


@pytest.fixture
async def stage(tmp_path: Path, http: aiohttp.ClientSession) -> AsyncIterator[Stage]:
    async with stage_in(tmp_path / "data", http, FakeClock()) as stage:
        await stage.large.register()
        await stage.other.register("you@example.com")
        yield stage


async def until_rows(stage: Stage, expected: list[Any]) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while stage.server.rows(COUNT) != expected:
            await stage.other.call("User.isAuthenticated")


@contextlib.asynccontextmanager
async def saving(app: Wire, answers: list[Answer]) -> AsyncIterator[None]:
    """Inside somebody saves again and again."""

    async def save() -> None:
        while True:
            answers.append(await app.call("User.saveProperty", name="n", value=len(answers)))

    task = asyncio.create_task(save())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "params", "left"),
    [
        ("User.unregister", {"password": "password"}, OF_ONE_SIGN_IN),
        ("User.updatePassword", {"oldPassword": "password", "newPassword": "passw0rd"}, [(2, 2, 2)]),
    ],
)
@pytest.mark.parametrize(
    "shape",
    [{"families": 20, "tokens": 10_000}, {"families": 30_000, "tokens": 1, "sessions": 20_000}],
    ids=["many tokens", "many sign-ins"],
)
async def test_others_write_while_very_many_rows_are_removed(
    method: str, params: dict[str, Any], left: list[Any], shape: dict[str, int], stage: Stage
) -> None:
    stage.fill(**shape)
    rows = stage.rows() - FEW
    call = asyncio.create_task(stage.large.call(method, **params))
    changes, saved = [await stage.changes()], list[Answer]()
    async with asyncio.timeout(HANG_SECONDS), saving(stage.other, saved):
        while changes[-1] < changes[0] + rows:
            changes.append(await stage.changes())
    assert (await call).result == "OK"
    assert len(saved) > 5
    assert {answer.result for answer in saved} == {"OK"}
    # The server's next step is done before the test's or after it: two steps of it between two of the test's.
    assert max(later - earlier for earlier, later in itertools.pairwise(changes)) <= 2 * ROWS_AT_ONCE + FEW
    await until_rows(stage, left)


async def test_the_account_is_gone_at_once(stage: Stage) -> None:
    stage.fill(families=900, tokens=20, sessions=900)
    kept = stage.large.tab()
    assert (await stage.large.call("User.unregister", password="password")).result == "OK"
    assert (await kept.call("User.isAuthenticated")).result is False
    assert (await kept.call("User.autoLogin", loginToken=kept.login_token)).code == -32602
    await stage.large.register()
    assert (await stage.large.call("User.isAuthenticated")).result is True
    await until_rows(stage, [(2, 2, 2)])
    assert (await stage.large.call("User.autoLogin", loginToken=stage.large.login_token)).session


@pytest.mark.slow
async def test_what_is_left_is_removed_after_a_restart(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    clock = FakeClock()
    async with stage_in(tmp_path, http, clock) as stage:
        await stage.large.register()
        await stage.other.register("you@example.com")
        stage.fill(families=20, tokens=2_500)
        assert (await stage.large.call("User.unregister", password="password")).result == "OK"
    assert stage.rows() > 25_000, "the server has stopped in between"
    async with stage_in(tmp_path, http, clock) as stage:
        await until_rows(stage, OF_ONE_SIGN_IN)
        await stage.changes()
        assert stage.server.rows("SELECT * FROM leftovers") == []


async def test_small_accounts_leave_nothing(stage: Stage) -> None:
    await stage.large.call("User.login", username="me@example.com", password="password")
    assert (await stage.large.call("User.unregister", password="password")).result == "OK"
    assert stage.server.rows(COUNT) == OF_ONE_SIGN_IN
    assert stage.server.rows("SELECT * FROM leftovers") == []


async def test_many_sign_ins_on_the_device_of_a_logout(stage: Stage) -> None:
    stage.fill(families=900, tokens=2)
    stage.server.execute("UPDATE login_families SET device = 'device-1' WHERE device = 'filled'")
    assert (await stage.large.call("User.logout")).result == "OK"
    assert stage.server.rows(COUNT) != [(1, 1, 2)]
    await stage.backend.purge.run()
    assert stage.server.rows(COUNT) == [(1, 1, 2)]


@pytest.mark.parametrize(
    ("number", "length", "transactions"),
    [pytest.param(3000, 0, 6, id="small"), pytest.param(20, MAX_PROPERTIES_BYTES - 100, 20, id="large")],
)
async def test_many_users_are_deleted_in_several_transactions(
    number: int, length: int, transactions: int, stage: Stage, http: aiohttp.ClientSession
) -> None:
    await stage.backend.database.write(lambda db: add_users(db, number, {"p": "x" * length}))
    ids = [f"u{each}" for each in range(number)]
    assert (await Operator(http, stage.server).call("User.delete", idList=ids)).result == "OK"
    assert stage.server.rows("SELECT count(*) FROM users") == [(2,)]
    entries = [json.loads(row) for (row,) in stage.server.rows("SELECT user_ids FROM audit ORDER BY key")]
    assert [each for entry in entries for each in entry] == ids
    assert len(entries) == transactions


async def test_the_command_line_leaves_the_rest_to_the_server(stage: Stage, quick: QuickShell) -> None:
    stage.fill(families=10, tokens=1_000)
    quick.ok("user", "delete", "me@example.com", "--yes")
    assert (await stage.large.call("User.isAuthenticated")).result is False
    assert stage.rows() > 9_000
    await stage.backend.purge.run()
    assert stage.server.rows(COUNT) == OF_ONE_SIGN_IN
