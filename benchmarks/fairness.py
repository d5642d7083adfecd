"""What a stranger feels beside an attacker: `python -m benchmarks.fairness`. Needs Linux, as the others do.

The attacker has one address, five or fifty, and a process of his own; each of his connections calls again as soon as it
is answered. The stranger calls now and then, each time from an address that has not called before.
"""

import asyncio
import contextlib
import itertools
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks import population, server
from benchmarks.operations import BACKEND_ID, call
from jsonrpc_backend.store.users import MAX_PROPERTIES_BYTES

ADDRESSES = (1, 5, 50)
PAUSE_SECONDS = 0.02  # between two calls of the stranger's
WARM_UP_SECONDS = 1.0
STRANGER, ATTACKER = 0, 1  # sign-ins, and users

_TRUSTED = '[server]\ntrusted_proxies = ["127.0.0.1"]\n'
_VALUE = {"a": 1, "b": "x" * 20, "c": [1, 2.5]}


@dataclass(frozen=True)
class Attack:
    """What each of the attacker's connections sends, and what the stranger calls meanwhile.

    A body of None: half a request, on connections of addresses of their own, for a proxy's are everybody's.
    """

    name: str
    connections: int
    body: Any
    stranger: Any


def _login(user: int) -> Any:
    return call("User.login", None, username=population.username(user), password=population.PASSWORD)


def _save(sign_in: int, value: Any) -> Any:
    return call("User.saveProperty", sign_in, name="k1", value=value)


_PADDED = [*[_save(ATTACKER, 1)] * 49, {**_save(ATTACKER, 1), "padding": list(range(100_000))}]

ATTACKS = (
    Attack("right passwords; a sign-in", 300, _login(ATTACKER), _login(STRANGER)),
    Attack("reads of 500 KB; a sign-in", 400, call("User.getProperties", ATTACKER), _login(STRANGER)),
    Attack("one value of 500 KB; a sign-in", 400, call("User.getProperty", ATTACKER, name="k5"), _login(STRANGER)),
    Attack("updates of 500 KB; a sign-in", 400, _save(ATTACKER, 1), _login(STRANGER)),
    Attack("updates of 500 KB; an update", 400, _save(ATTACKER, 1), _save(STRANGER, 1)),
    Attack("padded batches; 40 KB saved", 40, _PADDED, _save(STRANGER, "x" * 40_000)),
    Attack("half requests; an update", 10_600, None, _save(STRANGER, 1)),
)


@click.command()
@click.option("--seconds", type=click.FloatRange(0.1), default=3.0, help="How long each measurement takes.")
@click.option("--only", default="", help="Only attacks whose names have this in them.")
def main(*, seconds: float, only: str) -> None:
    """Measure what a stranger feels: median and 99th percentile, milliseconds."""
    click.echo(f"{'the attacker; the stranger':<34}{'alone':>14}" + "".join(f"{each:>9} addr." for each in ADDRESSES))
    with tempfile.TemporaryDirectory(prefix="fairness-") as folder, _served(Path(folder)) as running:
        for attack in ATTACKS:
            if only in attack.name:
                felt = [_measure(running.port, attack, count, seconds) for count in (0, *ADDRESSES)]
                click.echo(f"{attack.name:<34}" + "".join(f"{each:>14}" for each in felt))


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[server.Server]:
    """With two users, of whom the attacker's has as many properties as one may have."""
    path = server.write_config(folder)
    config = folder / "config.toml"
    config.write_text(config.read_text().replace("[server]\n", _TRUSTED), encoding="utf-8")
    population.fill(path, users=2, sign_ins=2, progress=lambda _: None)
    size = len(json.dumps({"k0000": _VALUE}, separators=(",", ":"))) - 1
    properties = {f"k{number}": _VALUE for number in range(MAX_PROPERTIES_BYTES // size - 100)}
    with server.real_server(folder) as running:
        asyncio.run(_once(running.port, call("User.saveProperties", ATTACKER, properties=properties)))
        yield running


def _measure(port: int, attack: Attack, addresses: int, seconds: float) -> str:
    with _attacked(port, attack, addresses):
        latencies = sorted(asyncio.run(_feel(port, attack, seconds)))
    percentiles = (latencies[int(len(latencies) * share)] * 1000 for share in (0.5, 0.99))
    return " / ".join(f"{each:.0f}" for each in percentiles)


@contextlib.contextmanager
def _attacked(port: int, attack: Attack, addresses: int) -> Iterator[None]:
    if not addresses:
        yield
        return
    process = multiprocessing.get_context("spawn").Process(target=_attack, args=(port, attack, addresses))
    process.start()
    try:
        time.sleep(WARM_UP_SECONDS)
        yield
    finally:
        process.terminate()
        process.join()


# --- the stranger ----------------------------------------------------------------------------------------

_numbers = itertools.count()


async def _feel(port: int, attack: Attack, seconds: float) -> list[float]:
    latencies: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or not latencies:
        began = time.perf_counter()
        await _once(port, attack.stranger, by_proxy=attack.body is not None)
        latencies.append(time.perf_counter() - began)
        await asyncio.sleep(PAUSE_SECONDS)
    return latencies


async def _once(port: int, message: Any, *, by_proxy: bool = True) -> None:
    """On a connection of its own. Raises AssertionError when the call is refused."""
    number = next(_numbers)
    local = None if by_proxy else (f"127.{128 + number // 256}.{number % 256}.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=local)
    writer.write(_request(message, f"10.{number // 256}.{number % 256}.1"))
    answer = await _answer(reader)
    assert b'"error"' not in answer, answer[:200]
    writer.close()


# --- the attacker ----------------------------------------------------------------------------------------


def _attack(port: int, attack: Attack, addresses: int) -> None:
    """Until the process is ended. Attackers compute elsewhere: here the server goes first, its hash threads too."""
    os.nice(19)
    if attack.body is None:
        asyncio.run(_hold_from(port, attack, [f"127.{number}.0.2" for number in range(addresses)]))
    else:
        asyncio.run(_attack_from(port, attack, [f"198.18.{number}.1" for number in range(addresses)]))


async def _hold_from(port: int, attack: Attack, addresses: list[str]) -> None:
    await asyncio.gather(*(_hold(port, addresses[number % len(addresses)]) for number in range(attack.connections)))


async def _hold(port: int, address: str) -> None:
    """Half a request, and another one as soon as it is cut."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
            writer.write(b"POST /json-rpc/app HT")
            await reader.read()
            writer.close()


async def _attack_from(port: int, attack: Attack, addresses: list[str]) -> None:
    requests = [_request(attack.body, address) for address in addresses]
    await asyncio.gather(*(_repeat(port, requests[number % len(requests)]) for number in range(attack.connections)))


async def _repeat(port: int, request: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        writer.write(request)
        await _answer(reader)


def _request(message: Any, address: str) -> bytes:
    body = json.dumps(message, separators=(",", ":")).encode()
    head = f"POST /json-rpc/{BACKEND_ID} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {address}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    return await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))


if __name__ == "__main__":
    main()
