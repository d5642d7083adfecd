"""`user sessions`: where a user is signed in, and signing out."""

import json
import sqlite3
from typing import Any

import click

from jsonrpc_backend.accounts import changes
from jsonrpc_backend.cli.answer import print_json, tell
from jsonrpc_backend.cli.audit import record
from jsonrpc_backend.cli.on_users import only_in_file
from jsonrpc_backend.cli.table import print_table
from jsonrpc_backend.cli.target import Target, json_option, on_backend, readable_time
from jsonrpc_backend.cli.users_in_file import find_user
from jsonrpc_backend.cli.wording import counted
from jsonrpc_backend.rpc.backend import MINUTE, system_clock
from jsonrpc_backend.store import login_tokens, sessions
from jsonrpc_backend.store.sessions import SignedIn
from jsonrpc_backend.store.users import User

ID_LENGTH = 12  # hexadecimal digits of a session's digest: enough to tell one user's sessions apart


@click.command("sessions")
@click.argument("name")
@click.option(
    "--revoke", metavar="SESSION|all", help="Sign out of one session, or of all and of auto-login everywhere."
)
@only_in_file("look at sessions or end them")
@on_backend()
@json_option
def show_sessions(target: Target, name: str, revoke: str | None, as_json: bool) -> None:
    """List the sessions of the user NAME (a username or an id), latest use first, or end them.

    Shown are a short id, the times of sign-in and of the latest use (UTC), and the device where it is known.
    """
    if revoke is not None:
        count = target.write(lambda db: _revoke(db, target, find_user(db, name), revoke))
        tell(f"Ended {counted(count, 'session')}.", {"ended": count}, as_json=as_json)
        return
    found = target.read(lambda db: _live(db, target, find_user(db, name)))
    if as_json:
        print_json([_object(session) for session in found])
        return
    rows = (
        [_short_id(each), readable_time(each.created_at), readable_time(each.used_at), _device(each.device)]
        for each in found
    )
    print_table(["session", "signed in", "last used", "device"], rows, empty="No sessions.")


def _live(db: sqlite3.Connection, target: Target, user: User) -> list[SignedIn]:
    now = system_clock()
    return sessions.list_of_user(
        db,
        user.key,
        used_after=now - target.backend.session_idle_minutes * MINUTE,
        created_after=now - target.backend.session_valid_minutes * MINUTE,
    )


def _revoke(db: sqlite3.Connection, target: Target, user: User, which: str) -> int:
    """Ends sessions, with the login tokens of the same sign-in; returns how many sessions."""
    live = _live(db, target, user)
    chosen = live if which == "all" else [session for session in live if _short_id(session) == which.lower()]
    if which == "all":
        changes.sign_out_everywhere(db, user)
    elif not chosen:
        raise click.ClickException(f"There is no session {which} of {user.username}.")
    else:
        for session in chosen:
            sessions.end(db, session.digest)
            if session.family_key is not None:
                login_tokens.end_family(db, session.family_key)
    record(db, "user sessions --revoke", [user.id])
    return len(chosen)


def _short_id(session: SignedIn) -> str:
    return session.digest.hex()[:ID_LENGTH]


def _device(device: str | None) -> str:
    """A device calls itself what it likes; see that it stays on its line."""
    if device is None:
        return "-"
    return device if device.isprintable() else json.dumps(device)


def _object(session: SignedIn) -> dict[str, Any]:
    return {
        "id": _short_id(session),
        "createdAt": session.created_at,
        "usedAt": session.used_at,
        "device": session.device,
    }
