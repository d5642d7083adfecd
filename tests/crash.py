"""Kills a server again and again in the middle of writes, and looks for acknowledged writes that are lost.

python -m tests.crash --rounds 100
python -m tests.crash --rounds 10 --users 100000
"""

import argparse
import asyncio
import contextlib
import dataclasses
import itertools
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import argon2

from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from tests.patience import HANG_SECONDS
from tests.servers import ServerProcess
from tests.wire import Answer, Wire

WRITERS = 16
LATEST_KILL_SECONDS = 0.3

QUICK_SERVER = {
    "JSONRPC_BACKEND_PASSWORDS_MEMORY_KIB": "64",
    "JSONRPC_BACKEND_PASSWORDS_ITERATIONS": "1",
    "JSONRPC_BACKEND_THROTTLE_ENABLED": "false",
}


@dataclass(frozen=True)
class Account:
    """What a user's state must be, going by the answers. `password` is None when there is no such user."""

    username: str
    password: str | None = None
    counter: int | None = None
    live_sessions: frozenset[str] = frozenset()
    ended_sessions: frozenset[str] = frozenset()
    families: Mapping[str, str] = field(default_factory=dict)  # of sessions
    login_token: str | None = None
    ended_tokens: frozenset[str] = frozenset()
    reset_asked: bool = False

    def changed(self, **changes: Any) -> "Account":
        return dataclasses.replace(self, **changes)

    def signed_in(self, answer: Answer) -> "Account":
        """After one more sign-in; its session and token are unknown where there was no answer."""
        assert answer.session is not None
        token = answer.result["loginToken"]
        return self.changed(
            live_sessions=self.live_sessions | {answer.session},
            families={**self.families, answer.session: family(token)},
            login_token=token,
        )

    def without(self, sessions: frozenset[str], *, kept_family: str | None = None) -> "Account":
        """After these sessions and the login token have ended, unless that is one of a family that goes on."""
        after = self.changed(live_sessions=self.live_sessions - sessions, ended_sessions=self.ended_sessions | sessions)
        if self.login_token is None or family(self.login_token) == kept_family:
            return after
        return after.changed(login_token=None, ended_tokens=self.ended_tokens | {self.login_token})

    def relatives(self, session: str) -> frozenset[str]:
        """The live sessions of the same family, this one too."""
        return frozenset(each for each in self.live_sessions if self.families[each] == self.families[session])


def family(login_token: str) -> str:
    """The half that the tokens of a family have in common."""
    return login_token[:32]


class Writer:
    """One installation that registers users and changes them, one call after the other, for as long as it can."""

    def __init__(self, app: Wire, prefix: str) -> None:
        self.app = app
        self.names = (f"{prefix}-{number}@example.com" for number in itertools.count())
        self.accounts: dict[str, Account] = {}
        self.under_way: Account | None = None  # what the last call makes of its account, if it was done at all
        self.acknowledged = 0

    async def run(self) -> None:
        while True:
            existing = [account for account in self.accounts.values() if account.password is not None]
            if not existing or random.random() < 0.1:
                await self.register(next(self.names))
            else:
                account = random.choice(existing)
                steps = [self.log_in, self.ask_for_reset]
                if account.live_sessions:
                    steps += [self.save, self.save, self.save, self.log_out, self.update_password, self.unregister]
                if account.login_token:
                    steps.append(self.auto_log_in)
                await random.choice(steps)(account)

    async def change(self, after: Account, method: str, session: str | None = None, **params: Any) -> Answer:
        """Makes the call that turns an account into `after`."""
        self.app.session, self.under_way = session, after
        answer = await self.app.call(method, **params)
        assert answer.result
        self.accounts[after.username], self.under_way = after, None
        self.acknowledged += 1
        return answer

    async def register(self, name: str) -> None:
        self.accounts[name] = Account(name)
        after = Account(name, "password")
        answer = await self.change(after, "User.register", username=name, password="password")
        self.accounts[name] = after.signed_in(answer)

    async def log_in(self, account: Account) -> None:
        answer = await self.change(account, "User.login", username=account.username, password=account.password)
        # Its family is another one than that of the token before, which is still good; one is enough to look at.
        self.accounts[account.username] = account.signed_in(answer)

    async def auto_log_in(self, account: Account) -> None:
        answer = await self.change(account, "User.autoLogin", loginToken=account.login_token)
        self.accounts[account.username] = account.signed_in(answer)

    async def ask_for_reset(self, account: Account) -> None:
        await self.change(account.changed(reset_asked=True), "User.sendPasswordResetToken", username=account.username)

    async def save(self, account: Account) -> None:
        counter = (account.counter or 0) + 1
        await self.change(
            account.changed(counter=counter),
            "User.saveProperties",
            random.choice([*account.live_sessions]),
            properties={"counter": counter, "filler": "x" * random.randrange(5000)},
        )

    async def log_out(self, account: Account) -> None:
        session = random.choice([*account.live_sessions])
        await self.change(account.without(account.relatives(session)), "User.logout", session)

    async def update_password(self, account: Account) -> None:
        session, password = random.choice([*account.live_sessions]), f"password-{random.randrange(1 << 30)}"
        after = account.without(account.live_sessions - {session}, kept_family=account.families[session])
        after = after.changed(password=password)
        passwords = {"oldPassword": account.password, "newPassword": password}
        await self.change(after, "User.updatePassword", session, **passwords)

    async def unregister(self, account: Account) -> None:
        after = account.without(account.live_sessions).changed(password=None, reset_asked=False)
        session = random.choice([*account.live_sessions])
        await self.change(after, "User.unregister", session, password=account.password)


# --- users who are there already ---------------------------------------------------------------------------

FILL = (
    """
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :users)
    INSERT INTO users (id, username, username_key, password_hash, created_at, updated_at, properties)
    SELECT printf('u%036d', n), printf('user%d@example.com', n), printf('user%d@example.com', n), :hash, n, n,
           printf('{"nickname":"User %d","age":21,"tags":["a","b"]}', n)
    FROM numbers
    """,
    "INSERT INTO login_families (user_key, device, renewed_at) SELECT key, 'device', :now FROM users",
    "INSERT INTO login_tokens (digest, family_key, created_at) SELECT randomblob(32), key, :now FROM login_families",
    """
    INSERT INTO sessions (digest, user_key, family_key, created_at, used_at)
    SELECT randomblob(32), user_key, key, :now, :now FROM login_families
    """,
)


def fill(path: Path, users: int) -> None:
    """Makes a database with so many users, all of them signed in: `user1@example.com` and so on, "password"."""
    values = {"users": users, "hash": argon2.PasswordHasher(1, 64, 1).hash("password"), "now": time.time_ns() // 10**6}
    path.parent.mkdir(exist_ok=True)
    with contextlib.closing(open_for_writing(path)) as db:
        db.execute("BEGIN")
        for statement in FILL:
            db.execute(statement, values)
        db.execute("COMMIT")


# --- rounds ----------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """Of all rounds: calls that were answered before a kill, and the slowest start after one."""

    acknowledged: int = 0
    slowest_start_seconds: float = 0


async def run_rounds(
    folder: Path, rounds: int, users: int = 0, *, environment: Mapping[str, str] = QUICK_SERVER
) -> Outcome:
    """Each round starts on what the killed server before it has left behind; the first with so many users.

    Raises AssertionError.
    """
    outcome, writers = Outcome(), list[Writer]()
    server = ServerProcess(folder / "data", environment=dict(environment))
    if users:
        fill(server.data_dir / "app.sqlite3", users)
    async with aiohttp.ClientSession() as http:
        for number in range(rounds + 1):
            begin = time.monotonic()
            server.start()
            await check_readiness(http, server)
            outcome.slowest_start_seconds = max(outcome.slowest_start_seconds, time.monotonic() - begin)
            await verify(writers, folder)
            if number == rounds:
                break
            apps = [Wire(http, server, f"device-{count}") for count in range(WRITERS)]
            writers = [Writer(app, f"round{number}-{count}") for count, app in enumerate(apps)]
            await write_until_killed(writers, server)
            outcome.acknowledged += sum(writer.acknowledged for writer in writers)
            check_file(server.data_dir / "app.sqlite3", folder / "left-behind")
    assert server.stop() == 0
    return outcome


async def check_readiness(http: aiohttp.ClientSession, server: ServerProcess) -> None:
    async with http.get(f"{server.url}/readyz") as response:
        assert response.status == 200


async def write_until_killed(writers: list[Writer], server: ServerProcess) -> None:
    running = [asyncio.create_task(writer.run()) for writer in writers]
    await until_acknowledged(writers, WRITERS + 1)
    await asyncio.sleep(random.uniform(0, LATEST_KILL_SECONDS))
    server.kill()
    ended = await asyncio.gather(*running, return_exceptions=True)
    assert all(isinstance(error, aiohttp.ClientError) for error in ended), ended


async def until_acknowledged(writers: list[Writer], calls: int) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while sum(writer.acknowledged for writer in writers) < calls:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def check_file(path: Path, copy: Path) -> None:
    """Checks what the kill left behind; in a copy, so that the server itself has to recover the original."""
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        shutil.copy(file, copy)
    with contextlib.closing(sqlite3.connect(copy / path.name)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


async def verify(writers: list[Writer], folder: Path) -> None:
    """Compares every account with what was answered. A call without an answer may be done or not, never in part."""
    reset_asked = stored_reset_requests(folder / "left-behind" / "app.sqlite3") if writers else set()
    await asyncio.gather(*(verify_accounts(writer, reset_asked) for writer in writers))


async def verify_accounts(writer: Writer, reset_asked: set[str]) -> None:
    for account in writer.accounts.values():
        found = await complaints(writer.app, account, reset_asked)
        if found and writer.under_way and writer.under_way.username == account.username:
            found = await complaints(writer.app, writer.under_way, reset_asked)
        assert not found, (account, writer.under_way, found)


def stored_reset_requests(path: Path) -> set[str]:
    """Who waits for a mail, or has got one."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT username_key FROM password_reset_requests UNION SELECT recipient FROM mails")
        return {name for (name,) in rows}


async def complaints(app: Wire, account: Account, reset_asked: set[str]) -> list[str]:
    return [text async for text in _complaints(app, account, reset_asked)]


async def _complaints(app: Wire, account: Account, reset_asked: set[str]) -> AsyncIterator[str]:
    for session, is_live in _each(account.live_sessions, account.ended_sessions):
        app.session = session
        if (await app.call("User.isAuthenticated")).result is not is_live:
            yield f"the session should be {'live' if is_live else 'ended'}"
    app.session = None
    for token, is_live in _each(frozenset({account.login_token} - {None}), account.ended_tokens):
        if ("result" in (await app.call("User.autoLogin", loginToken=token)).body) is not is_live:
            yield f"the login token should be {'live' if is_live else 'ended'}"
    if account.reset_asked and account.username not in reset_asked:
        yield "the reset that was asked for is forgotten"
    answer = await app.call("User.login", username=account.username, password=account.password or "password")
    if account.password is None:
        if "result" in answer.body:
            yield "there should be no such user"
    elif "result" not in answer.body or answer.result["user"].get("counter") != account.counter:
        yield f"wrong password or counter: {answer.body}"


def _each(live: frozenset[Any], ended: frozenset[Any]) -> Iterator[tuple[Any, bool]]:
    yield from ((secret, True) for secret in live)
    yield from ((secret, False) for secret in ended)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--users", type=int, default=0, help="how many there are at the beginning")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(run_rounds(Path(folder), arguments.rounds, arguments.users))
    print(
        f"{arguments.rounds} kills, {outcome.acknowledged} acknowledged writes, none lost;"
        f" ready again after {outcome.slowest_start_seconds:.2f} s at the most"
    )


if __name__ == "__main__":
    main()
