"""Whose request it is: the address that limits are counted for."""

import functools
import ipaddress
import logging
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

log = logging.getLogger(__name__)

# What an Internet provider gives to one customer at least: whoever has one address of it has them all.
IPV6_PREFIX = 64

REMEMBERED = 2048  # clients
MAX_REMEMBERED_LENGTH = 256  # characters of X-Forwarded-For


class Proxies:
    """The proxies whose X-Forwarded-For is believed."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._trusted = [ipaddress.ip_network(network) for network in trusted]
        self._has_warned = False
        self._read = functools.lru_cache(REMEMBERED)(self._client)

    def client(self, peer: str | None, forwarded: Sequence[str]) -> str:
        """The client's address, or the network that counts as one.

        `peer`: the address at the other end of the connection; `forwarded`: each X-Forwarded-For header, in order.
        Every proxy appends whom it was called by, so what stands left of the right-most stranger is hearsay.
        """
        # The log asks at each call, and to read addresses takes 10 µs.
        is_short = sum(map(len, forwarded)) <= MAX_REMEMBERED_LENGTH
        return (self._read if is_short else self._client)(peer, tuple(forwarded))

    def _client(self, peer: str | None, forwarded: tuple[str, ...]) -> str:
        address = _parse(peer or "")
        if forwarded and address and not self._is_trusted(address):
            self._warn_of(address)
        entries = [entry for entry in ",".join(forwarded).split(",") if entry.strip()]
        while address and entries and self._is_trusted(address):
            before = _parse(entries.pop())
            if before is None:
                break  # the proxy does not say whom it was called by
            address = before
        return _counted_as(address) if address else ""

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)

    def _warn_of(self, address: IPv4Address | IPv6Address) -> None:
        """An operator who forgets the setting would see all clients share the limits of one."""
        if address.is_private and not self._has_warned:
            self._has_warned = True
            log.warning("%s sends X-Forwarded-For; if it is your proxy, list it in server.trusted_proxies", address)


def _parse(entry: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write it: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`."""
    text = entry.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _counted_as(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
