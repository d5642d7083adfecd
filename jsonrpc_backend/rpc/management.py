"""Who may call the operators' API: the holder of a management key, from an address that the key is for."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.config import ManagementKeyConfig
from jsonrpc_backend.errors import InvalidApiKey
from jsonrpc_backend.rpc.addresses import Address, Ranges
from jsonrpc_backend.rpc.backend import Backend
from jsonrpc_backend.rpc.call import Exchange
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

    async def hash(self, password: str) -> str:
        """A new hash, within the share of this key's holder. Raises TooManyHashes."""
        caller = f"management key {self.operator.actor}"
        return await self.backend.passwords.hash(password, caller=caller, is_gone=self.exchange.is_gone)


async def admit_operator(
    _: Method, params: Mapping[str, Any], exchange: Exchange
) -> tuple[ManagementCall, dict[str, Any]]:
    """The call, and its params: none is reserved. Raises InvalidApiKey, whatever the reason."""
    backend, address = exchange.backends.get(exchange.backend_id), exchange.find_address()
    entry = _entry(backend.config.management_keys, exchange.management_key, address) if backend else None
    if backend is None or entry is None:
        raise InvalidApiKey
    return ManagementCall(backend, exchange, Operator(MANAGEMENT_KEY, entry.label, str(address or ""))), dict(params)


def _entry(entries: tuple[ManagementKeyConfig, ...], sent: str, address: Address | None) -> ManagementKeyConfig | None:
    """The entry of the key that was sent, if it may be used from there. All are compared, each in constant time."""
    matching = [entry for entry in entries if hmac.compare_digest(_digest(entry.key), _digest(sent))]
    return next((entry for entry in matching if _is_allowed(address, entry.ip_ranges)), None)


def _digest(key: str) -> bytes:
    # Of one length whatever is sent; a header may hold bytes that are no UTF-8.
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()


def _is_allowed(address: Address | None, ranges: tuple[str, ...]) -> bool:
    return not ranges or (address is not None and address in Ranges(ranges))
