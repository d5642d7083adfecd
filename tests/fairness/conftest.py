from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.fairness.crowd import Resident
from tests.servers import API_KEY, ServerProcess
from tests.servers import served as serve_process

# The tests come from 127.0.0.1 and pass for a proxy, so that they can say where each client is.
SETTINGS = f"""\
[server]
trusted_proxies = ["127.0.0.1"]
[passwords]
memory_kib = 8192
iterations = 1
workers = 1
max_queue = 60
[throttle]
enabled = false
[backends.app]
api_key = "{API_KEY}"
"""

PASSWORD = "password"


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server in a process of its own, so that what it has to do does not hold up those who call."""
    folder: Path = tmp_path_factory.mktemp("fairness")
    (folder / "config.toml").write_text(SETTINGS, encoding="utf-8")
    with serve_process(folder / "data", "--config", str(folder / "config.toml")) as server:
        server.api_key = API_KEY
        yield server


async def signed_in(http: aiohttp.ClientSession, process: ServerProcess, name: str, **properties: Any) -> Resident:
    app = Resident(http, process, name).away()
    if "error" in (await app.call("User.register", username=name, password=PASSWORD, properties=properties)).body:
        assert (await app.call("User.login", username=name, password=PASSWORD)).session  # as a test before
    return app


@pytest.fixture
async def stranger(http: aiohttp.ClientSession, process: ServerProcess) -> Resident:
    return await signed_in(http, process, "stranger")


@pytest.fixture
async def attacker(http: aiohttp.ClientSession, process: ServerProcess) -> Resident:
    return await signed_in(http, process, "attacker")


@pytest.fixture
async def large(http: aiohttp.ClientSession, process: ServerProcess) -> Resident:
    """An attacker whose properties take as much as they may, in many small values."""
    value = {"a": 1, "b": "x" * 20, "c": [1, 2.5]}
    return await signed_in(http, process, "large", **{f"k{number}": value for number in range(9000)})
