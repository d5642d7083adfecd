"""Who may call the operators' API: the holder of a management key, from an address that the key is for."""

import hashlib
import hmac
import logging
import math
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.backend.siblings import Siblings
from jsonrpc_backend.clock import MINUTE, SECOND, Clock
from jsonrpc_backend.config import ManagementKeyConfig, ThrottleConfig
from jsonrpc_backend.errors import CallLimitExceeded, InvalidApiKey
from jsonrpc_backend.fairness.addresses import Address, Network, Ranges
from jsonrpc_backend.rpc.post import Post
from jsonrpc_backend.rpc.registry import Method
from jsonrpc_backend.store.audit import MANAGEMENT_KEY, Act, Operator

log = logging.getLogger(__name__)

KEY_HEADER = "X-Monaca-Backend-Management-API-Key"
NETWORKS_REMEMBERED = 4096

_WRONG_KEY = "wrong management key"


@dataclass(frozen=True, slots=True)
class ManagementCall:
    """What a handler of the operators' API gets beside its parameters."""

    backend: Backend
    post: Post
    operator: Operator
    method: str

    @property
    def now(self) -> int:
        """Milliseconds since 1970 UTC."""
        return self.backend.clock()

    @property
    def act(self) -> Act:
        """What is done, for the audit log."""
        return Act(self.operator, self.method, self.now)

    async def hash(self, password: str) -> str:
        """A new hash, within the share of this key's holder. Raises TooManyHashes."""
        caller = (f"management key {self.operator.actor}",)
        with self.post.share.turn.paused():
            return await self.backend.passwords.hash(password, caller=caller, is_gone=self.post.is_gone)


class Door:
    """Where operators come in.

    Wrong keys are limited per address and network, as failed sign-ins are, but in memory: each would be a write to the
    disk otherwise. A right key is let in all the same, for strangers must not lock operators out; it is long enough to
    stand the guesses that an address can make.
    """

    def __init__(self, config: ThrottleConfig, clock: Clock, siblings: Siblings) -> None:
        """`clock` goes on steadily, in ms."""
        self._wrong_keys = _WrongKeys(config, clock, siblings) if config.enabled else None

    async def admit(
        self, method: Method, params: Mapping[str, Any], backend: Backend | None, post: Post
    ) -> tuple[ManagementCall, dict[str, Any]]:
        """The call, and its params: none is reserved.

        Raises InvalidApiKey, whatever the reason, and CallLimitExceeded instead where that happens too often.
        """
        entry = _entry(backend.config.management_keys, post.management_key, post.address) if backend else None
        if backend is None or entry is None:
            if self._wrong_keys is not None:
                await self._wrong_keys.note(post.networks())
            raise InvalidApiKey
        operator = Operator(MANAGEMENT_KEY, entry.label, str(post.address or ""))
        return ManagementCall(backend, post, operator, method.name), dict(params)


class _WrongKeys:
    """When they came, by network."""

    def __init__(self, config: ThrottleConfig, clock: Clock, siblings: Siblings) -> None:
        self._tell, self._lock = siblings.tell, siblings.lock(_WRONG_KEY)
        siblings.hear(_WRONG_KEY, self._hear)
        self._most, self._window, self._clock = config.failed_logins_per_address, config.window_minutes * MINUTE, clock
        self._times: OrderedDict[str, deque[int]] = OrderedDict()

    async def note(self, networks: Sequence[Network]) -> None:
        """Counts one. Raises CallLimitExceeded where there are too many already; that does not count."""
        self._check(networks)  # so that a flood waits for nobody
        async with self._lock:
            self._count(networks, self._check(networks))

    def _check(self, networks: Sequence[Network]) -> list[tuple[deque[int], int]]:
        """What has been counted, with how many there may be. Raises CallLimitExceeded."""
        now = self._clock()
        counted = [(self._recent(network.name, now), self._most * network.times) for network in networks]
        waits = [times[-most] + self._window - now for times, most in counted if len(times) >= most]
        if waits:
            raise CallLimitExceeded(math.ceil(max(waits) / SECOND))
        return counted

    def _count(self, networks: Sequence[Network], counted: list[tuple[deque[int], int]]) -> None:
        now = self._clock()
        for (times, most), network in zip(counted, networks, strict=True):
            times.append(now)
            if len(times) == most:
                log.warning("%d wrong management keys from %s", most, network.name or "an unknown address")
        self._tell(_WRONG_KEY, [network.name for network in networks])

    def _hear(self, names: Sequence[str]) -> None:
        """Another process of the server has counted one."""
        now = self._clock()
        for name in names:
            self._recent(name, now).append(now)

    def _recent(self, name: str, now: int) -> deque[int]:
        times = self._times.setdefault(name, deque())
        self._times.move_to_end(name)
        while len(self._times) > NETWORKS_REMEMBERED:
            self._times.popitem(last=False)
        while times and times[0] <= now - self._window:
            times.popleft()
        return times


def _entry(entries: tuple[ManagementKeyConfig, ...], sent: str, address: Address | None) -> ManagementKeyConfig | None:
    """The entry of the key that was sent, if it may be used from there. All are compared, each in constant time."""
    matching = [entry for entry in entries if hmac.compare_digest(_digest(entry.key), _digest(sent))]
    return next((entry for entry in matching if _is_allowed(address, entry.ip_ranges)), None)


def _digest(key: str) -> bytes:
    # Of one length whatever is sent; a header may hold bytes that are no UTF-8.
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()


def _is_allowed(address: Address | None, ranges: tuple[str, ...]) -> bool:
    return not ranges or (address is not None and address in Ranges(ranges))
