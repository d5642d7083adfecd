"""Servers of several workers, as processes."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.patience import HANG_SECONDS
from tests.servers import API_KEY, ServerProcess

WORKERS = 2

CONFIG = f"""
[server]
workers = {WORKERS}
[passwords]
memory_kib = 64
iterations = 1
[metrics]
enabled = true
port = 0
"""


class ServerOfWorkers(ServerProcess):
    """The command to begin with is the parent."""

    @property
    def parent(self) -> int:
        assert self.process is not None
        return self.process.pid

    def workers(self) -> list[int]:
        """The processes that are there now."""
        children = Path(f"/proc/{self.parent}/task/{self.parent}/children")
        return [int(pid) for pid in children.read_text(encoding="ascii").split()]

    def configure(self, text: str, app: str = "") -> None:
        """Writes the configuration file; `app` goes into the table of the backend."""
        file = self.data_dir.parent / "config.toml"
        file.write_text(f'{CONFIG}{text}\n[backends.app]\napi_key = "{API_KEY}"\n{app}\n', encoding="utf-8")
        file.chmod(0o600)

    def start(self) -> Self:
        super().start()
        self.api_key = API_KEY  # which it does not print
        return self

    def start_in_vain(self) -> tuple[int, str]:
        """The exit code, and what it has printed."""
        with pytest.raises(pytest.fail.Exception, match="has not printed") as failure:
            self.start()
        assert self.process is not None
        output, _ = self.process.communicate(timeout=HANG_SECONDS)
        return self.process.returncode, f"{failure.value}{output}"

    def read_more(self, text: str) -> str:
        """What it has printed since, up to this."""
        new = self.read_until(text)
        self.output += new
        return new

    async def read_more_later(self, text: str) -> str:
        return await asyncio.to_thread(self.read_more, text)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while not condition():  # noqa: ASYNC110 (of another process)
            await asyncio.sleep(0.01)


def is_there(pid: int) -> bool:
    """Whether a process runs; one that is dead, and not buried yet, does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.fixture
def made(tmp_path: Path) -> Iterator[ServerOfWorkers]:
    """One that is configured, and not started yet."""
    server = ServerOfWorkers(tmp_path / "data", ["--config", "config.toml"], number_of_workers=None, api_key=API_KEY)
    server.configure("")
    yield server
    if server.process is not None and server.process.poll() is None:
        assert server.stop() == 0


@pytest.fixture
def started(made: ServerOfWorkers) -> ServerOfWorkers:
    return made.start()
