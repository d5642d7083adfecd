"""Puts the demo into a backend that has no users yet: those of `users.jsonl`, and a password reset that one asks for.

With them come two collections. The file is one that `user import` reads. Ids, names and times in it are fixed, so every
demo is the same one, and a later start knows its users.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonrpc_backend.accounts import look_alikes
from jsonrpc_backend.accounts.changes import registration
from jsonrpc_backend.accounts.changes.registration import NewUser
from jsonrpc_backend.accounts.stand_ins import draw_lot
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.config import DEFAULT_EMAIL_PROPERTY, BackendConfig
from jsonrpc_backend.config.mail_templates import DEFAULT_TEMPLATE
from jsonrpc_backend.demo import collections as demo_collections
from jsonrpc_backend.fairness import current_caller
from jsonrpc_backend.store import audit, password_resets, users
from jsonrpc_backend.store.audit import Act
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import User

PASSWORD = "demo-password"  # noqa: S105 (of every user of the demo, and in the documents)

_USERS = Path(__file__).parent / "users.jsonl"


async def seed(backend: Backend, act: Act, *, sends: bool) -> str:
    """Makes the demo unless it is there or the backend has users of its own; says what there is to see.

    `sends`: whether mails go out. Nobody asks for one then: the addresses are nobody's.
    """
    people = [json.loads(line) for line in _USERS.read_text(encoding="utf-8").splitlines()]
    there = await backend.database.read(_there, [person["_id"] for person in people])
    if not there:
        # One hash for all of them: that takes 20 ms instead of a second.
        password_hash = await backend.passwords.hash(PASSWORD, caller=current_caller.get())
        newcomers = [_Newcomer.of(person, password_hash) for person in people]
        there = await backend.database.write(_make, newcomers, backend.config, act, asks=not sends)
        backend.resets.wake()
    if not there:
        return f"not made: {backend.id} has users of its own. Take another folder, with --data"
    # Who has changed the password, in an example app perhaps, is not the one to name.
    shown = next((user for user in there if user.password_version == 1), there[0])
    return f"{len(there)} users in {backend.id}; sign in as {shown.username} with the password {PASSWORD}"


def _there(db: Db, ids: list[str]) -> list[User]:
    return [user for user in (users.find_by_id(db, each) for each in ids) if user is not None]


@dataclass(frozen=True, slots=True)
class _Newcomer:
    """A user to be, and since when (ms since 1970 UTC)."""

    user: NewUser
    created_at: int

    @classmethod
    def of(cls, person: dict[str, Any], password_hash: str) -> "_Newcomer":
        properties = {name: value for name, value in person.items() if not name.startswith("_")}
        encoded = users.encode_properties(properties)
        created_at = round(datetime.fromisoformat(person["_createdAt"]).timestamp() * 1000)
        return cls(NewUser(person["_id"], person["_username"], password_hash, encoded, draw_lot()), created_at)


def _make(db: Db, newcomers: list[_Newcomer], settings: BackendConfig, act: Act, *, asks: bool) -> list[User]:
    """The users, the first of whom `asks` for a reset mail. None where others are."""
    if next(users.list_all(db), None) is not None:
        return []
    made = [registration.insert(db, newcomer.user, newcomer.created_at) for newcomer in newcomers]
    look_alikes.note_all(db, settings)
    audit.record(db, act, [user.id for user in made])
    demo_collections.make(db, act)
    if asks:
        key = username_key(made[0].username)
        password_resets.insert_request(db, key, DEFAULT_EMAIL_PROPERTY, DEFAULT_TEMPLATE, requester=b"demo", share=None)
    return made
