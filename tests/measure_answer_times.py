"""Measures whether answers tell by their time who has an account: `python -m tests.measure_answer_times [PAIRS]`.

Interleaved pairs of calls, one about a user and one about a name that nobody has, each pair from an address of its own,
with the throttle and the password parameters of every server. Prints the medians; exit code 1 if a pair of them is
further apart than 5 %.
"""

import asyncio
import contextlib
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from jsonrpc_backend.accounts.passwords import argon2_hasher
from jsonrpc_backend.accounts.stand_ins import draw_lot
from jsonrpc_backend.config import PasswordsConfig
from jsonrpc_backend.store import password_resets, users
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from tests.servers import BACKEND_ID, InProcessServer, TickingClock, make_config, running
from tests.wire import Answer, Wire

TODAY = PasswordsConfig()
OLDER = PasswordsConfig(memory_kib=8192, iterations=3)
MOST_APART = 0.05

Call = Callable[[Wire, str], Awaitable[Answer]]


@dataclass(frozen=True)
class Scenario:
    """What is called, with what parameters the stored hashes are, whether reset tokens have been sent to the users."""

    call: Call
    stored: PasswordsConfig = TODAY
    tokens_sent: bool = False


def fill(folder: Path, scenario: Scenario, number: int) -> None:
    """A backend with so many users."""
    password_hash, now = argon2_hasher(scenario.stored).hash("password"), TickingClock().now
    with contextlib.closing(open_for_writing(folder / f"{BACKEND_ID}.sqlite3")) as db:
        db.execute("BEGIN")
        for name in map(user_name, range(number)):
            user = users.insert(
                db,
                id=name,
                username=name,
                username_key=name,
                password_hash=password_hash,
                properties_json='{"nickname":"somebody"}',
                lot=draw_lot(),
                now=now,
            )
            if scenario.tokens_sent:
                password_resets.replace_token(db, user.key, b"", b"digest", created_after=0, now=now, recipient=name)
        db.execute("COMMIT")


def user_name(number: int) -> str:
    return f"user{number:04}@example.com"


class At(Wire):
    """An app on a device, at an address."""

    address = ""

    async def post(self, body: Any, **headers: str) -> Answer:
        return await super().post(body, **{"X-Forwarded-For": self.address, **headers})


async def measure(server: InProcessServer, pairs: int, call: Call) -> tuple[list[float], list[float]]:
    """Seconds of each call about a user, and about nobody."""
    known: list[float] = []
    unknown: list[float] = []
    async with aiohttp.ClientSession() as http:
        app = At(http, server)
        for number in range(-5, pairs):  # the first few warm up
            app.address = f"2001:db8:0:{number & 0xFFFF:x}::1"
            existing = (user_name(number % pairs), known)
            absent = (f"none{number % pairs:04}@example.com", unknown)
            for name, times in (existing, absent) if number % 2 else (absent, existing):
                begin = time.perf_counter()
                await call(app, name)
                if number >= 0:
                    times.append(time.perf_counter() - begin)
    return known, unknown


async def wrong_password(app: Wire, name: str) -> Answer:
    answer = await app.call("User.login", username=name, password="wrong")
    assert answer.code == -32602
    return answer


async def forgotten(app: Wire, name: str) -> Answer:
    answer = await app.call("User.sendPasswordResetToken", username=name)
    assert answer.result == "OK"
    return answer


async def wrong_reset_token(app: Wire, name: str) -> Answer:
    answer = await app.call("User.resetPasswordAndLogin", username=name, newPassword="passw0rd", token="AAAA-AAAA-AAAA")
    assert answer.code == -32602
    return answer


SCENARIOS = {
    "User.login": Scenario(wrong_password),
    "User.login, older hashes": Scenario(wrong_password, stored=OLDER),
    "User.sendPasswordResetToken": Scenario(forgotten),
    "User.resetPasswordAndLogin": Scenario(wrong_reset_token),
    "User.resetPasswordAndLogin, sent": Scenario(wrong_reset_token, tokens_sent=True),
}


async def run(scenario: Scenario, pairs: int) -> tuple[list[float], list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), scenario, pairs)
        passwords = {"memory_kib": TODAY.memory_kib, "iterations": TODAY.iterations}
        changes = {
            "server": {"trusted_proxies": ["127.0.0.1"]},
            "passwords": passwords,
            "throttle": {"enabled": True},
        }
        async with running(make_config(Path(folder), changes), TickingClock()) as server:
            return await measure(server, pairs, scenario.call)


def main(pairs: int = 200) -> int:
    worst = 0.0
    print(f"{'':32}{'user':>10}{'nobody':>10}  (medians of {pairs}, ms)")
    for name, scenario in SCENARIOS.items():
        known, unknown = (statistics.median(times) * 1000 for times in asyncio.run(run(scenario, pairs)))
        apart = abs(known - unknown) / min(known, unknown)
        worst = max(worst, apart)
        print(f"{name:32}{known:10.3f}{unknown:10.3f}  {apart:6.1%}")
    return int(worst > MOST_APART)


if __name__ == "__main__":
    sys.exit(main(*map(int, itertools.islice(sys.argv, 1, 2))))
