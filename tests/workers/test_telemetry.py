"""Metrics are those of all workers, and the log is one."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.wire import Wire
from tests.workers.conftest import WORKERS, ServerOfWorkers, until

CALLS = 30
LINES, LENGTH = 300, 10_000  # more than a pipe takes as a whole

PROGRAM = """
import sys
from pathlib import Path
from jsonrpc_backend.server.workers.alone import OneAtATime
from jsonrpc_backend.telemetry.output import writing

letter, folder, lines, length = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
with writing(sys.stdout, lambda lost: f"{lost} lost", OneAtATime(folder)) as output:
    for number in range(lines):
        output.put(letter * length + "\\n")
        output.flush(60)
"""


def test_lines_of_several_processes_stay_whole(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    arguments = [str(tmp_path), str(LINES), str(LENGTH)]
    writers = [subprocess.Popen([sys.executable, "-c", PROGRAM, letter, *arguments], stdout=writing) for letter in "ab"]
    os.close(writing)
    with open(reading, encoding="ascii") as stream:  # noqa: PTH123 (a descriptor)
        lines = stream.read().splitlines()
    assert [writer.wait() for writer in writers] == [0, 0]
    assert sorted(lines) == ["a" * LENGTH] * LINES + ["b" * LENGTH] * LINES


@pytest.mark.slow
async def test_metrics_add_up(started: ServerOfWorkers) -> None:
    found = re.search(r"http://\S+/metrics", started.output)
    assert found is not None
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
        app = Wire(http, started)
        for _ in range(CALLS):
            assert (await app.call("User.isAuthenticated")).result is False
        for _ in range(4 * WORKERS):  # whichever is asked
            assert await counted(http, found[0]) == (CALLS, CALLS)
        for pid in started.workers():
            os.kill(pid, signal.SIGKILL)
            await until(lambda: pid not in started.workers() and len(started.workers()) == WORKERS)  # noqa: B023
            await started.read_more_later("another one takes its place")
        assert await counted(http, found[0]) == (CALLS, CALLS)
        assert (await app.call("User.isAuthenticated")).result is False
        os.kill(started.parent, signal.SIGHUP)
        await started.read_more_later("all workers are new")
        await until(lambda: len(started.workers()) == WORKERS)
        assert await counted(http, found[0]) == (CALLS + 1, CALLS + 1)


async def counted(http: aiohttp.ClientSession, url: str) -> tuple[float, float]:
    """How many calls there were, as a counter and as a histogram say it."""
    async with http.get(url) as response:
        families = list(text_string_to_metric_families(await response.text()))
    values = {
        sample.name: sample.value
        for family in families
        for sample in family.samples
        if sample.labels.get("method") == "User.isAuthenticated" and "le" not in sample.labels
    }
    assert len({family.name for family in families}) == len(families)
    prefix = "jsonrpc_backend_call"
    return values[f"{prefix}s_total"], values[f"{prefix}_duration_seconds_count"]
