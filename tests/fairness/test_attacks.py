"""A stranger beside an attacker with one address, five and fifty: how many of the attacker's calls go before his.

Each connection of the attacker's calls again as soon as it is answered. Without turns a call of each goes before each
step of the stranger's call, and who finds a full queue is refused. Now not even one of each goes before the whole
of it: only what is under way, of 32 at a time, until the first is done. (Most counts are below 20. Answers that wait in
the tests' own sockets count, too: all of them where a busy machine holds the tests up just then, so the median tells.)
"""

from collections.abc import Awaitable, Callable
from statistics import median

import pytest

from tests.fairness.conftest import PASSWORD
from tests.fairness.crowd import Crowd, Resident
from tests.servers import ServerProcess
from tests.wire import Answer

pytestmark = pytest.mark.slow

CONNECTIONS = 200
NETWORKS = {count: [f"198.18.{number}.1" for number in range(count)] for count in (1, 5, 50)}
NEIGHBOURS = [f"198.18.0.{number}" for number in range(1, 51)]

attacked = pytest.mark.parametrize("addresses", NETWORKS.values(), ids=["one", "five", "fifty"])
attacked_from_next_door = pytest.mark.parametrize(
    "addresses", [*NETWORKS.values(), NEIGHBOURS], ids=["one", "five", "fifty", "fifty of one network"]
)


def guess(stranger: Resident) -> Callable[[], Awaitable[Answer]]:
    """A sign-in up to its hash. (What follows waits for the disk, and hashes of others do not.)"""
    return lambda: stranger.away().call("User.login", username="stranger", password="wrong")


def start_app(stranger: Resident) -> Callable[[], Awaitable[Answer]]:
    """Signs in with the token that the app keeps."""

    async def auto_login() -> Answer:
        app = stranger.away()
        answer = await app.call("User.autoLogin", loginToken=stranger.login_token)
        stranger.login_token = app.login_token
        return answer

    return auto_login


def save(stranger: Resident, size: int = 1) -> Callable[[], Awaitable[Answer]]:
    return lambda: stranger.away().call("User.saveProperty", name="text", value="x" * size)


def read(stranger: Resident) -> Callable[[], Awaitable[Answer]]:
    return lambda: stranger.away().call("User.getProperties", names=["text"])


@attacked_from_next_door
async def test_hashes(addresses: list[str], process: ServerProcess, stranger: Resident, attacker: Resident) -> None:
    """The queue is full of right passwords; those who do not get in come again at once."""
    crowd = Crowd(process, attacker.message("User.login", username="attacker", password=PASSWORD))
    async with crowd.attacking(90, addresses):
        before = [await crowd.served_before(guess(stranger), code=-32602) for _ in range(4)]
    assert crowd.refused, "the queue was never full"
    assert median(before) < 40, before  # all 60 without turns, if the stranger is let in at all


@attacked
async def test_reads_of_a_large_account(
    addresses: list[str], process: ServerProcess, stranger: Resident, large: Resident
) -> None:
    crowd = Crowd(process, large.message("User.getProperty", name="k5"))
    async with crowd.attacking(CONNECTIONS, addresses):
        before = [await crowd.served_before(read(stranger)) for _ in range(6)]
    assert median(before) < CONNECTIONS, before


@attacked
async def test_writes_to_a_large_account(
    addresses: list[str], process: ServerProcess, stranger: Resident, large: Resident
) -> None:
    crowd = Crowd(process, large.message("User.saveProperty", name="k5", value=1))
    async with crowd.attacking(CONNECTIONS, addresses):
        for call in (read, save, start_app):
            before = [await crowd.served_before(call(stranger)) for _ in range(3)]
            assert median(before) < CONNECTIONS, (call, before)


@attacked
async def test_large_bodies(
    addresses: list[str], process: ServerProcess, stranger: Resident, attacker: Resident
) -> None:
    """Batches of saves, padded."""
    call = attacker.message("User.saveProperty", name="age", value=21)
    crowd = Crowd(process, [*[call] * 30, {**call, "padding": list(range(20_000))}])
    async with crowd.attacking(40, addresses):
        before = [await crowd.served_before(save(stranger, 40_000)) for _ in range(4)]
    assert median(before) < 10, before  # of 40


async def test_users_of_one_address_take_turns(process: ServerProcess, stranger: Resident, large: Resident) -> None:
    """As where the operator has not told the proxy: everybody comes from there."""
    crowd = Crowd(process, large.message("User.saveProperty", name="k5", value=1))
    async with crowd.attacking(CONNECTIONS, ["198.18.0.1"]):
        before = [
            await crowd.served_before(
                lambda: stranger.at("198.18.0.1").call("User.saveProperty", name="text", value="")
            )
            for _ in range(5)
        ]
    assert median(before) < CONNECTIONS, before
