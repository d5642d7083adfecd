"""Stores a database of the current schema as SQL, for the tests of later migrations.

python -m tests.store_schema      writes tests/released_schemas/<schema>.sql; a stored one is never written again

Its users were made by the server of that time, on the clock that stands still in tests. Passwords and tokens of anna
are in the first line.
"""

import asyncio
import contextlib
import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.patience import HANG_SECONDS
from tests.servers import make_config, running
from tests.wire import Wire

FOLDER = Path(__file__).parent / "released_schemas"


async def make_database(folder: Path) -> dict[str, Any]:
    """Fills all tables through the door. Returns what the client of anna keeps."""
    async with running(make_config(folder)) as server, aiohttp.ClientSession() as http:
        anna, bert = Wire(http, server), Wire(http, server, "device-2")
        await anna.register("anna@example.com", "annas-password", age=21, tags=["a", "b"], city="Köln")
        await anna.call("User.autoLogin", loginToken=anna.login_token)
        await bert.register("bert@example.com", "berts-password")
        await bert.call("User.logout")
        guest = Wire(http, server, "device-3")
        await guest.call("User.sendPasswordResetToken", username="bert@example.com")
        async with asyncio.timeout(HANG_SECONDS):
            while not server.rows("SELECT * FROM mails"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await guest.call("User.sendPasswordResetToken", username="anna@example.com")  # is still waiting at the end
    return {"password": "annas-password", "session": anna.session, "loginToken": anna.login_token}


def dump(path: Path) -> Iterator[str]:
    """The file as SQL; what sqlite3's own dump leaves out first."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        for name in ("application_id", "user_version"):
            yield f"PRAGMA {name} = {db.execute(f'PRAGMA {name}').fetchone()[0]};"
        yield from db.iterdump()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept = asyncio.run(make_database(Path(folder)))
        path = Path(folder) / "app.sqlite3"
        with contextlib.closing(sqlite3.connect(path)) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
        file = FOLDER / f"{version}.sql"
        if file.exists():
            sys.exit(f"{file} is stored already. A released schema does not change.")
        FOLDER.mkdir(exist_ok=True)
        file.write_text("\n".join([f"-- {json.dumps(kept)}", *dump(path)]) + "\n", encoding="utf-8")
        print(f"Wrote {file}.")


if __name__ == "__main__":
    main()
