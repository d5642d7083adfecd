"""SIGHUP: the workers are replaced one by one, with the configuration read anew."""

import asyncio
import os
import signal

import aiohttp
import pytest

from tests.wire import Wire
from tests.workers.conftest import WORKERS, ServerOfWorkers, until

pytestmark = pytest.mark.slow

CALLERS = 8
NEW = "all workers are new"


class Caller:
    """Saves one value after the other over one connection as long as that is there, and then over the next one."""

    def __init__(self, app: Wire) -> None:
        self._app = app
        self.answered = 0
        self.is_enough = False

    async def run(self) -> None:
        await self._app.register(self._app.device)
        while not self.is_enough:
            answer = await self._app.call("User.saveProperty", name="number", value=self.answered)
            assert answer.result == "OK"
            self.answered += 1
        kept = await self._app.call("User.getProperty", name="number")
        assert kept.result == {"value": self.answered - 1}


async def test_no_call_is_lost_under_load(started: ServerOfWorkers, http: aiohttp.ClientSession) -> None:
    before = set(started.workers())
    callers = [Caller(Wire(http, started, f"device-{number}")) for number in range(CALLERS)]
    running = [asyncio.create_task(caller.run()) for caller in callers]
    await until(lambda: all(caller.answered for caller in callers))
    for _ in range(2):
        os.kill(started.parent, signal.SIGHUP)
        await started.read_more_later(NEW)
    await until(lambda: len(started.workers()) == WORKERS)
    answered = [caller.answered for caller in callers]
    await until(lambda: all(caller.answered > number for caller, number in zip(callers, answered, strict=True)))
    for caller in callers:
        caller.is_enough = True
    await asyncio.gather(*running)
    assert not before & set(started.workers())


async def test_new_configuration_is_in_force(started: ServerOfWorkers, http: aiohttp.ClientSession) -> None:
    app = Wire(http, started)
    assert (await app.call("User.validate", username="abc")).result == "OK"
    started.configure("", "min_username_length = 4")
    os.kill(started.parent, signal.SIGHUP)
    await started.read_more_later(NEW)
    await until(lambda: len(started.workers()) == WORKERS)
    answers = [await app.call("User.validate", username="abc") for _ in range(4)]
    assert {answer.code for answer in answers} == {-32602}


async def test_wrong_configuration_changes_nothing(started: ServerOfWorkers, http: aiohttp.ClientSession) -> None:
    before = started.workers()
    started.configure("", "min_user_length = 4")
    os.kill(started.parent, signal.SIGHUP)
    said = await started.read_more_later("min_user_length")
    assert "the workers stay as they are" in said
    assert started.workers() == before
    await Wire(http, started).register()


async def test_where_it_listens_takes_a_restart(started: ServerOfWorkers, http: aiohttp.ClientSession) -> None:
    started.configure("[management]\nhost = '127.0.0.1'\nport = 0")
    os.kill(started.parent, signal.SIGHUP)
    said = await started.read_more_later(NEW)
    assert "change by a restart only" in said
    await Wire(http, started).register()
