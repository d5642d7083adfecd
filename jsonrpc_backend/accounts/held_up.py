"""Whom the limits on guessing hold up now, and letting them go on.

The file holds digests only, of users and of addresses; but failures about users who exist name them by their key.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from jsonrpc_backend.accounts.scopes import ADDRESS, scope, unknown_devices
from jsonrpc_backend.accounts.throttle import Limited
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.clock import MINUTE
from jsonrpc_backend.config import ThrottleConfig
from jsonrpc_backend.store import attempts
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import User

MOST = 1000  # users at a time

_OF_NETWORKS = (ADDRESS, Limited.REGISTRATION.name, Limited.RESET_REQUEST.name)


@dataclass(frozen=True, slots=True)
class HeldUp:
    """A user as whom nobody can sign in from somewhere, on some device, until a time (ms since 1970 UTC)."""

    id: str
    username: str
    until: int


def list_users(db: Db, config: ThrottleConfig, now: int) -> list[HeldUp]:
    """At most 1,000 of them, those first who have to wait for longest."""
    if not config.enabled:
        return []
    window, each, together = (
        config.window_minutes * MINUTE,
        config.failed_logins_per_user,
        config.failed_logins_per_user_unknown_devices,
    )
    found: dict[str, HeldUp] = {}
    for entry in attempts.list_of_users(db, after=now - window, until=now, least=min(each, together)):
        most = together if entry.scope == unknown_devices(username_key(entry.username)) else each
        reached = attempts.nth_latest(db, entry.scope, most, after=now - window, until=now)
        if reached is not None:
            until = max(reached + window, found[entry.id].until if entry.id in found else 0)
            found[entry.id] = HeldUp(entry.id, entry.username, until)
    return sorted(found.values(), key=lambda user: (-user.until, user.username))[:MOST]


def clear_user(db: Db, user: User) -> int:
    """Forgets the failures about a user, wherever they were; returns how many counts. Those of addresses stay."""
    return attempts.remove_of_user(db, user.key)


def clear_networks(db: Db, networks: Sequence[str]) -> int:
    """Forgets what counts for these; returns how many counts."""
    return attempts.remove(db, [scope(name, network) for name in _OF_NETWORKS for network in networks])
