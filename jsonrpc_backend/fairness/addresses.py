"""Where a request comes from, behind proxies too: limits are counted for it, and management keys are bound to it."""

import functools
import ipaddress
import logging
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple

from jsonrpc_backend.fairness import Caller

log = logging.getLogger(__name__)

Address = IPv4Address | IPv6Address

# Whose addresses count as one, by the length of the prefix, and how many times the limit of a single one they share.
# IPv6: providers give a customer a /64 at least, often a /56, and a /48 for the asking: whoever has one address of it
# has them all. IPv4: a /24 is the smallest network that is rented and routed. One address may stand for thousands of
# people (carrier-grade NAT), so that a network gets fewer times the limit than it has addresses, but many.
_PREFIXES = {4: ((32, 1), (24, 16)), 6: ((64, 1), (56, 4), (48, 16))}

REMEMBERED = 2048  # clients
MAX_REMEMBERED_LENGTH = 256  # characters of X-Forwarded-For

_MAPPED = IPv6Network("::ffff:0:0/96")


class Ranges:
    """Addresses and networks (CIDR), as the settings allow them; IPv4 may be written as IPv6."""

    def __init__(self, ranges: Iterable[str]) -> None:
        self._networks = [_network(text) for text in ranges]

    def __contains__(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _network(text: str) -> IPv4Network | IPv6Network:
    network = ipaddress.ip_network(text)
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        return IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))
    return network


class Proxies:
    """The proxies whose X-Forwarded-For is believed."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._trusted = Ranges(trusted)
        self._has_warned = False
        self._read = functools.lru_cache(REMEMBERED)(self._find)

    def find_client(self, peer: str | None, forwarded: Sequence[str]) -> Address | None:
        """The client's address; None where it has none, as on a Unix socket.

        `peer`: the address at the other end of the connection; `forwarded`: each X-Forwarded-For header, in order.
        Every proxy appends whom it was called by, so what stands left of the right-most stranger is hearsay.
        """
        # The log asks at each call, and to read addresses takes 10 µs.
        is_short = sum(map(len, forwarded)) <= MAX_REMEMBERED_LENGTH
        return (self._read if is_short else self._find)(peer, tuple(forwarded))

    def _find(self, peer: str | None, forwarded: tuple[str, ...]) -> Address | None:
        address = _parse(peer or "")
        if forwarded and address and address not in self._trusted:
            self._warn_of(address)
        entries = [entry for entry in ",".join(forwarded).split(",") if entry.strip()]
        while address and entries and address in self._trusted:
            before = _parse(entries.pop())
            if before is None:
                break  # the proxy does not say whom it was called by
            address = before
        return address

    def _warn_of(self, address: Address) -> None:
        """An operator who forgets the setting would see all clients share the limits of one."""
        if address.is_private and not self._has_warned:
            self._has_warned = True
            log.warning("%s sends X-Forwarded-For; if it is your proxy, list it in server.trusted_proxies", address)


def _parse(entry: str) -> Address | None:
    """An address as proxies write it: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.

    An IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`) as what it is.
    """
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


class Network(NamedTuple):
    """Addresses that count as one; they share so many `times` the limit of a single one."""

    name: str
    times: int


def networks_of(address: Address | None) -> tuple[Network, ...]:
    """Whom limits are counted for, the narrowest first; one without a name where there is no address."""
    if address is None:
        return (Network("", 1),)
    return tuple(Network(_name(address, prefix), times) for prefix, times in _PREFIXES[address.version])


@functools.lru_cache(REMEMBERED)
def caller_at(address: Address | None) -> Caller:
    """Who takes turns with others: the networks, the widest first, and the address."""
    return tuple(network.name for network in reversed(networks_of(address)))


def counted_as(address: Address | None) -> str:
    """Whom limits are counted for first of all: the address, or the network that counts as one; empty for none."""
    return "" if address is None else _name(address, _PREFIXES[address.version][0][0])


def _name(address: Address, prefix: int) -> str:
    if prefix == address.max_prefixlen:
        return str(address)
    return str(ipaddress.ip_network((address, prefix), strict=False))
