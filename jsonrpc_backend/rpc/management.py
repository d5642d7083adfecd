"""Who may call the operators' API: the holder of a management key, from an address that the key is for."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.config import ManagementKeyConfig
from jsonrpc_backend.errors import InvalidApiKey
from jsonrpc_backend.rpc.backend import Backend
from jsonrpc_backend.rpc.call import Exchange
from jsonrpc_backend.rpc.client_address import is_within, read_address
from jsonrpc_backend.rpc.registry import Method
from jsonrpc_backend.store.audit import MANAGEMENT_KEY, Operator

KEY_HEADER = "X-Monaca-Backend-Management-API-Key"


@dataclass(frozen=True, slots=True)
class ManagementCall:
    """What a handler of the operators' API gets beside its parameters."""

    backend: Backend
    exchange: Exchange
    operator: Operator

    @property
    def now(self) -> int:
        """Milliseconds since 1970 UTC."""
        return self.backend.clock()


async def admit_operator(
    _: Method, params: Mapping[str, Any], exchange: Exchange
) -> tuple[ManagementCall, dict[str, Any]]:
    """The call, and its params: none is reserved. Raises InvalidApiKey, whatever the reason."""
    backend = exchange.backends.get(exchange.backend_id)
    entry = _entry(backend.config.management_keys, exchange) if backend else None
    if backend is None or entry is None:
        raise InvalidApiKey
    return ManagementCall(backend, exchange, Operator(MANAGEMENT_KEY, entry.label, exchange.address)), dict(params)


def _entry(entries: tuple[ManagementKeyConfig, ...], exchange: Exchange) -> ManagementKeyConfig | None:
    """The entry of the key that was sent, if it may be used from there. All are compared, each in constant time."""
    matching = [entry for entry in entries if hmac.compare_digest(_digest(entry.key), _digest(exchange.management_key))]
    return next((entry for entry in matching if _is_allowed(exchange.address, entry.ip_ranges)), None)


def _digest(key: str) -> bytes:
    # Of one length whatever is sent; a header may hold bytes that are no UTF-8.
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()


def _is_allowed(address: str, ranges: tuple[str, ...]) -> bool:
    found = read_address(address)
    return not ranges or (found is not None and is_within(found, ranges))
