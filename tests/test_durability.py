"""What was acknowledged is there after the process has been killed, and the server is back soon."""

import contextlib
import time
from pathlib import Path

import aiohttp
import argon2

from jsonrpc_backend.store.database_file import open_for_writing
from tests.crash import QUICK_SERVER, WRITERS, Writer, check_file, run_rounds, write_until_killed
from tests.servers import ServerProcess
from tests.wire import Wire

ROUNDS = 10  # `python -m tests.crash --rounds 100` is the long form

USERS = 100_000
READY_SECONDS = 2

FILL = (
    """
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :users)
    INSERT INTO users (id, username, username_key, password_hash, created_at, updated_at, properties)
    SELECT printf('u%036d', n), printf('user%d@example.com', n), printf('user%d@example.com', n), :hash, n, n,
           printf('{"nickname":"User %d","age":21,"tags":["a","b"]}', n)
    FROM numbers
    """,
    "INSERT INTO login_families (user_key, device) SELECT key, 'device' FROM users",
    "INSERT INTO login_tokens (digest, family_key, created_at) SELECT randomblob(32), key, :now FROM login_families",
    """
    INSERT INTO sessions (digest, user_key, family_key, created_at, used_at)
    SELECT randomblob(32), user_key, key, :now, :now FROM login_families
    """,
)


def fill(path: Path) -> None:
    """Makes a database with 100,000 users, all of them signed in."""
    values = {"users": USERS, "hash": argon2.PasswordHasher(1, 64, 1).hash("password"), "now": time.time_ns() // 10**6}
    with contextlib.closing(open_for_writing(path)) as db:
        db.execute("BEGIN")
        for statement in FILL:
            db.execute(statement, values)
        db.execute("COMMIT")


async def test_acknowledged_writes_survive_kill_9(tmp_path: Path) -> None:
    outcome = await run_rounds(tmp_path, ROUNDS)
    assert outcome.acknowledged > ROUNDS * WRITERS


async def test_ready_soon_after_kill_9_with_100000_users(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    server = ServerProcess(tmp_path / "data", environment=QUICK_SERVER)
    fill(server.data_dir / "app.sqlite3")
    server.start()
    app, took = Wire(http, server), list[float]()
    try:
        while not took or (min(took) >= READY_SECONDS and len(took) < 3):  # others may be busy on this machine
            apps = [Wire(http, server, f"device-{n}") for n in range(WRITERS)]
            await write_until_killed([Writer(app, f"new-{len(took)}-{n}") for n, app in enumerate(apps)], server)
            check_file(server.data_dir / "app.sqlite3", tmp_path / "left-behind")
            begin = time.monotonic()
            server.start()
            async with http.get(f"{server.url}/readyz") as response:
                assert response.status == 200
            took.append(time.monotonic() - begin)
        answer = await app.call("User.login", username=f"user{USERS}@example.com", password="password")
        assert answer.result["user"]["nickname"] == f"User {USERS}"
    finally:
        assert server.stop() == 0
    print(f"ready after {min(took):.2f} s")
    assert min(took) < READY_SECONDS
