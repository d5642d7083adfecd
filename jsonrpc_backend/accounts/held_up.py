"""Whom the limits on guessing hold up now, and letting them go on.

The file holds digests only, of users and of addresses; but failures about users who exist name them by their key.
"""

import ipaddress
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.accounts.refusals import Unacceptable
from jsonrpc_backend.accounts.scopes import ADDRESS, scope, unknown_devices
from jsonrpc_backend.accounts.throttle import Limited
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.accounts.whom import Whom
from jsonrpc_backend.clock import MINUTE
from jsonrpc_backend.config import ThrottleConfig
from jsonrpc_backend.fairness.addresses import networks_of
from jsonrpc_backend.store import attempts, audit
from jsonrpc_backend.store.audit import Act
from jsonrpc_backend.store.engine import Db

MOST = 1000  # users at a time
NO_ADDRESS = "Address must be an IP address, such as 192.0.2.1 or 2001:db8::1."

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


def clear_user(db: Db, whom: Whom, act: Act) -> int:
    """Forgets the failures about somebody, wherever they were; returns how many counts. Those of addresses stay.

    Raises NoSuchUser.
    """
    user = whom(db)
    removed = attempts.remove_of_user(db, user.key)
    audit.record(db, act, [user.id])
    return removed


def clear_address(db: Db, address: str, act: Act) -> int:
    """Forgets what counts for an address and the networks around it; returns how many counts. Raises Unacceptable."""
    try:
        networks = networks_of(ipaddress.ip_address(address))
    except ValueError as error:
        raise Unacceptable({"address": NO_ADDRESS}) from error
    removed = attempts.remove(db, [scope(name, network.name) for name in _OF_NETWORKS for network in networks])
    audit.record(db, act, [])
    return removed


def held_up_object(user: HeldUp) -> dict[str, Any]:
    """Somebody who is held up, as operators see that."""
    return {"_id": user.id, "_username": user.username, "until": user.until}
