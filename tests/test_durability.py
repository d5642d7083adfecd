"""What was acknowledged is there after the process has been killed, and the server is ready again.

`python -m tests.crash` is the long form, and prints how long that took.
"""

from pathlib import Path

import aiohttp
import pytest

from tests.crash import QUICK_SERVER, WRITERS, Writer, check_file, check_readiness, fill, run_rounds, write_until_killed
from tests.servers import ServerProcess
from tests.wire import Wire

pytestmark = pytest.mark.slow

ROUNDS = 10
USERS = 100_000


async def test_acknowledged_writes_survive_kill_9(tmp_path: Path) -> None:
    outcome = await run_rounds(tmp_path, ROUNDS)
    assert outcome.acknowledged > ROUNDS * WRITERS


async def test_ready_after_kill_9_with_100000_users(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    server = ServerProcess(tmp_path / "data", environment=QUICK_SERVER)
    fill(server.data_dir / "app.sqlite3", USERS)
    server.start()
    app = Wire(http, server)
    try:
        apps = [Wire(http, server, f"device-{n}") for n in range(WRITERS)]
        await write_until_killed([Writer(app, f"new-{n}") for n, app in enumerate(apps)], server)
        check_file(server.data_dir / "app.sqlite3", tmp_path / "left-behind")
        server.start()
        await check_readiness(http, server)
        answer = await app.call("User.login", username=f"user{USERS}@example.com", password="password")
        assert answer.result["user"]["nickname"] == f"User {USERS}"
    finally:
        assert server.stop() == 0
