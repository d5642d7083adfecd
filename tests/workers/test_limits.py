"""Limits hold for all workers together, and one of them does what is done for all."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.mailbox import Mailbox
from tests.operators import KEY_HEADER
from tests.patience import HANG_SECONDS
from tests.wire import FORM, Wire
from tests.workers.conftest import WORKERS, ServerOfWorkers, until

pytestmark = pytest.mark.slow

TRIES = 40
ALLOWED = 5


@pytest.fixture
async def scattered() -> AsyncIterator[aiohttp.ClientSession]:
    """A connection for each request, so that all workers get some."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as session:
        yield session


async def test_guesses_under_way(started: ServerOfWorkers, scattered: aiohttp.ClientSession) -> None:
    await Wire(scattered, started).register()
    guesser = Wire(scattered, started, "of a stranger")
    tries = [guesser.call("User.login", username="me@example.com", password=f"wrong-{n}") for n in range(TRIES)]
    codes = Counter([answer.code for answer in await asyncio.gather(*tries)])
    assert codes.keys() <= {-32602, 9999}
    assert 0 < codes[-32602] <= ALLOWED
    # One that was noted just when another began counts twice for that one, which is then told to come again.
    for _ in range(ALLOWED - codes[-32602]):
        assert (await guesser.call("User.login", username="me@example.com", password="wrong")).code == -32602
    again = [guesser.call("User.login", username="me@example.com", password="wrong") for _ in range(4 * WORKERS)]
    assert {answer.code for answer in await asyncio.gather(*again)} == {9999}


async def test_wrong_management_keys(made: ServerOfWorkers, scattered: aiohttp.ClientSession) -> None:
    made.configure(f"[throttle]\nfailed_logins_per_address = {ALLOWED}")
    made.start()
    call = json.dumps({"jsonrpc": "2.0", "method": "User.get", "params": {"_id": "u"}, "id": 1})
    headers = {KEY_HEADER: "wrong", "Content-Type": FORM}

    async def knock() -> int:
        async with scattered.post(f"{made.url}/manage/json-rpc/app", data=call, headers=headers) as response:
            code: int = (await response.json())["error"]["code"]
            return code

    codes = Counter(await asyncio.gather(*(knock() for _ in range(TRIES))))
    assert codes.keys() <= {4, 9999}
    assert 0 < codes[4] <= ALLOWED
    for _ in range(ALLOWED - codes[4]):  # as above
        assert await knock() == 4
    assert {await knock() for _ in range(4 * WORKERS)} == {9999}


async def test_mails_are_sent_at_once_whoever_is_killed(
    made: ServerOfWorkers, http: aiohttp.ClientSession, mailbox: Mailbox
) -> None:
    made.configure(f"[smtp]\nhost = '127.0.0.1'\nport = {mailbox.port}\nsecurity = 'none'")
    made.start()
    for number in range(2 * WORKERS):
        name = f"user{number}@example.com"
        await Wire(http, made, name).register(name)
        asking = Wire(http, made, "another device")
        assert (await asking.call("User.sendPasswordResetToken", username=name)).result == "OK"
        mail = await mailbox.next()
        assert mail.envelope.rcpt_tos == [name]
        # One that is killed before it has noted that would send it again.
        await made.read_more_later(f"mail {number + 1} sent")
        victim = min(made.workers())
        os.kill(victim, signal.SIGKILL)
        await until(lambda: victim not in made.workers() and len(made.workers()) == WORKERS)  # noqa: B023
        await made.read_more_later("another one takes its place")


async def test_readyz_speaks_for_all(started: ServerOfWorkers, scattered: aiohttp.ClientSession) -> None:
    async def status() -> int:
        async with scattered.get(f"{started.url}/readyz") as response:
            return response.status

    assert {await status() for _ in range(4 * WORKERS)} == {200}
    victim = started.workers()[0]
    os.kill(victim, signal.SIGSTOP)
    try:
        async with asyncio.timeout(HANG_SECONDS):
            assert await status() == 503
    finally:
        os.kill(victim, signal.SIGCONT)
    async with asyncio.timeout(HANG_SECONDS):
        while await status() != 200:
            pass  # it has to answer what it was asked before
