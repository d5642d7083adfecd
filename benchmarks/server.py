"""The servers that are measured, as processes: started, watched through /proc, stopped."""

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measured import Cpu
from benchmarks.operations import API_KEY, BACKEND_ID, call

ROOT = Path(__file__).resolve().parent.parent
HASHING_NICENESS = 19  # the server gives it to its hash threads and to no others
KIB = 1024

_CONFIG = f"""\
[server]
data_dir = "data"
port = 0
[throttle]
enabled = false
[backends.{BACKEND_ID}]
api_key = "{API_KEY}"
"""


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    process: "subprocess.Popen[Any]"

    def cpu(self) -> Cpu:
        """Processor time since its start, of its workers too."""
        hashing = rest = 0.0
        for process in self._processes():
            for task in Path(f"/proc/{process}/task").iterdir():
                seconds = int((task / "schedstat").read_text().split()[0]) / 1e9
                if os.getpriority(os.PRIO_PROCESS, int(task.name)) == HASHING_NICENESS:
                    hashing += seconds
                else:
                    rest += seconds
        return Cpu(hashing, rest)

    def memory(self) -> int:
        """Resident memory now, bytes, all processes together."""
        return self._status("VmRSS")

    def peak_memory(self) -> int:
        """The most resident memory since its start, bytes."""
        return self._status("VmHWM")

    def _status(self, name: str) -> int:
        texts = [Path(f"/proc/{process}/status").read_text() for process in self._processes()]
        return sum(int(re.findall(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)[0]) * KIB for text in texts)

    def _processes(self) -> list[int]:
        """Its process and its workers'."""
        found = [self.process.pid]
        for process in found:
            for children in Path(f"/proc/{process}/task").glob("*/children"):
                found += map(int, children.read_text().split())
        return found


def write_config(folder: Path) -> Path:
    """The configuration of the server in `folder`, where its data will be; returns the database's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(_CONFIG, encoding="utf-8")
    return folder / "data" / f"{BACKEND_ID}.sqlite3"


@contextlib.contextmanager
def running(module: str, *arguments: str, log: Path, **environment: str) -> Iterator[Server]:
    """A Python module that serves, and prints where, on a free port; its lines about calls go to a file."""
    with log.open("ab") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=ROOT,
            env=os.environ | environment,
            preexec_fn=_allow_many_connections,  # noqa: PLW1509 (no threads here yet)
        )
    try:
        yield Server(_printed_port(process, log), process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def real_server(folder: Path, *, workers: int | None = None) -> contextlib.AbstractContextManager[Server]:
    """`jsonrpc-backend serve` on the database in `folder`, with its defaults but for throttling.

    `workers`: how many; None: as many as it has by default.
    """
    arguments = ["serve", "--config", str(folder / "config.toml")]
    settings = {} if workers is None else {"JSONRPC_BACKEND_SERVER_WORKERS": str(workers)}
    return running("jsonrpc_backend", *arguments, log=folder / "server.log", **settings)


def bare_server(folder: Path) -> contextlib.AbstractContextManager[Server]:
    """aiohttp alone."""
    return running("benchmarks.bare", log=folder / "bare.log")


def time_to_first_answer(folder: Path) -> float:
    """Seconds from the start of the process to the answer to a first call."""
    begin = time.perf_counter()
    with real_server(folder) as server:
        body = json.dumps(call("User.isAuthenticated", None)).encode()
        url = f"http://127.0.0.1:{server.port}/json-rpc/{BACKEND_ID}"
        with urllib.request.urlopen(url, body) as response:
            assert json.load(response)["result"] is False
        return time.perf_counter() - begin


def _allow_many_connections() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _printed_port(process: "subprocess.Popen[str]", log: Path) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"http://[^/\s]+:(\d+)/json-rpc/", line)
        if found:
            return int(found[1])
    raise RuntimeError(f"the server has stopped before it listened:\n{log.read_text()}")
