"""Who goes next, and who gives way."""

import asyncio

import pytest

from jsonrpc_backend.fairness import Caller
from jsonrpc_backend.fairness.queue import Queue
from jsonrpc_backend.fairness.room import Room
from jsonrpc_backend.fairness.turns import Lanes, Turn, Turns
from tests.patience import HANG_SECONDS

pytestmark = pytest.mark.slow

HOME: Caller = ("192.0.2.0/24", "192.0.2.1")
NEXT_DOOR: Caller = ("192.0.2.0/24", "192.0.2.2")
AWAY: Caller = ("203.0.113.0/24", "203.0.113.9")


def filled(*entries: tuple[Caller, str]) -> Queue[str]:
    queue: Queue[str] = Queue()
    for caller, item in entries:
        queue.put(caller, item)
    return queue


def taken(queue: Queue[str]) -> list[str]:
    return [queue.take() for _ in range(len(queue))]


def test_one_caller_is_served_in_the_order_of_asking() -> None:
    assert taken(filled(*((HOME, str(number)) for number in range(5)))) == ["0", "1", "2", "3", "4"]


def test_networks_take_turns_then_addresses_then_users() -> None:
    queue = filled(
        ((*HOME, "anna"), "a1"),
        ((*HOME, "anna"), "a2"),
        ((*HOME, "ben"), "b1"),
        ((*HOME, "ben"), "b2"),
        *((NEXT_DOOR, f"n{number}") for number in range(4)),
        *((AWAY, f"x{number}") for number in range(8)),
    )
    order = taken(queue)
    assert {item[0] == "x" for item in order[0::2]} != {item[0] == "x" for item in order[1::2]}
    at_home = [item for item in order if item[0] != "x"]
    assert {item[0] == "n" for item in at_home[0::2]} != {item[0] == "n" for item in at_home[1::2]}
    assert [item for item in at_home if item[0] != "n"] == ["a1", "b1", "a2", "b2"]


def test_who_has_asked_for_least_lately_goes_first() -> None:
    queue = filled(*((HOME, f"h{number}") for number in range(4)))
    assert [queue.take(), queue.take()] == ["h0", "h1"]
    queue.put(AWAY, "newcomer")
    queue.put(AWAY, "again")
    assert taken(queue) == ["newcomer", "again", "h2", "h3"]


def test_what_is_asked_for_counts_as_it_costs() -> None:
    queue: Queue[str] = Queue()
    queue.put(HOME, "large", cost=100)
    queue.put(AWAY, "small", cost=3)
    assert taken(queue) == ["small", "large"]


def test_what_a_turn_has_cost_counts() -> None:
    queue = filled((HOME, "h1"), (AWAY, "a1"), (HOME, "h2"), (AWAY, "a2"))
    assert queue.take() == "h1"
    queue.charge(HOME, 5)
    assert taken(queue) == ["a1", "a2", "h2"]


def test_what_is_put_back_comes_before_the_others_of_its_caller() -> None:
    queue = filled((HOME, "1"), (HOME, "2"), (HOME, "3"))
    queue.put_back(HOME, queue.take())
    assert queue.next() == "1"
    assert taken(queue) == ["1", "2", "3"]


def test_the_newest_of_whoever_has_most_gives_way() -> None:
    queue = filled((HOME, "h1"), (NEXT_DOOR, "n1"), (NEXT_DOOR, "n2"), (AWAY, "a1"), (AWAY, "a2"))
    queue.put(("10.0.0.0/24", "10.0.0.1"), "stranger")
    assert queue.drop() == "n2"
    assert queue.drop() in {"n1", "h1", "a2"}
    assert len(queue) == 4
    assert "stranger" in taken(queue)


def test_who_was_refused_and_comes_again_does_not_get_ahead() -> None:
    queue = filled((HOME, "h1"), (AWAY, "a1"))
    for number in range(5):
        queue.put(HOME, f"again{number}")
        assert queue.drop() == f"again{number}"
    assert queue.take() == "a1"


def test_what_was_used_is_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("jsonrpc_backend.fairness.queue.time.monotonic", lambda: now)
    queue = filled((HOME, "h1"))
    queue.charge(HOME, 100)
    assert queue.take() == "h1"
    now += 3600
    queue.put(HOME, "h2")
    queue.put(AWAY, "a1")
    assert taken(queue) == ["h2", "a1"], "in the order of asking, like two who have never come"


async def test_turns_are_handed_on_even_if_somebody_gives_up() -> None:
    turns, order = Turns(at_once=1), list[str]()

    async def work(caller: Caller, name: str) -> None:
        async with Turn(turns, caller):
            order.append(name)
            await asyncio.sleep(0)

    async with Turn(turns, HOME) as first:
        tasks = [asyncio.create_task(work(HOME, f"h{number}")) for number in range(3)]
        tasks.append(asyncio.create_task(work(AWAY, "stranger")))
        await asyncio.sleep(0)
        tasks[0].cancel()
        await first.renew()  # lets one go first, and comes back
        order.append("first again")
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order[0] in {"h1", "stranger"}
    assert sorted(order) == ["first again", "h1", "h2", "stranger"]
    async with asyncio.timeout(HANG_SECONDS), Turn(turns, HOME):
        pass


async def test_whoever_waits_elsewhere_lets_others_go() -> None:
    turns = Turns(at_once=1)
    async with asyncio.timeout(HANG_SECONDS), Turn(turns, HOME) as turn:
        with turn.paused():
            async with Turn(turns, AWAY):
                pass


async def test_one_user_has_so_many_lanes() -> None:
    lanes, turns = Lanes(at_once=2), Turns(at_once=10)
    under_way = most = 0

    async def work(user: str) -> None:
        nonlocal under_way, most
        async with Turn(turns, HOME) as turn:
            await lanes.begin((user,), turn)
            under_way += user == "anna"
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= user == "anna"
            lanes.end((user,))

    async with asyncio.timeout(HANG_SECONDS):
        await asyncio.gather(*(work("anna") for _ in range(50)), *(work("ben") for _ in range(2)))
    assert most == 2


async def test_nobody_holds_more_room_than_he_leaves_free() -> None:
    room = Room(1000)
    async with asyncio.timeout(HANG_SECONDS):
        await room.enter(HOME, 300)
        waiting = asyncio.create_task(room.enter(HOME, 300))
        await asyncio.sleep(0)
        assert not waiting.done()
        await room.enter(AWAY, 200)
        room.leave(HOME, 300)
        await asyncio.sleep(0)
        assert not waiting.done(), "an address may hold half of what is left: 250"
        room.leave(AWAY, 200)
        await waiting
        room.leave(HOME, 300)


async def test_what_is_larger_than_the_room_has_it_alone() -> None:
    room = Room(1000)
    async with asyncio.timeout(HANG_SECONDS):
        await room.enter(HOME, 5000)
        waiting = asyncio.create_task(room.enter(AWAY, 1))
        await asyncio.sleep(0)
        assert not waiting.done()
        room.leave(HOME, 5000)
        await waiting
