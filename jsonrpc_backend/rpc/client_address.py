"""Where a request comes from, behind proxies too."""

import functools
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAPPED = IPv6Network("::ffff:0:0/96")


def client_address(request: web.BaseRequest, trusted_proxies: Iterable[str]) -> Address | None:
    """The right-most address of X-Forwarded-For that is no trusted proxy's, or who has connected.

    Each proxy puts the address that it was called from at the end, so what stands left of a stranger's address is
    hearsay. An entry that is no address counts as nothing: the proxy right of it is as far as can be told. None without
    an address, as on a Unix socket.
    """
    trusted = tuple(trusted_proxies)
    farthest = read_address(request.remote or "")
    entries = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    for entry in reversed(entries):
        if farthest is None or not is_within(farthest, trusted):
            break
        address = read_address(entry.strip())
        if address is None:
            break
        farthest = address
    return farthest


def read_address(text: str) -> Address | None:
    """An address; an IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`) as what it is."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def is_within(address: Address, ranges: Iterable[str]) -> bool:
    """Whether the address is in one of the ranges (addresses or networks in CIDR notation, as the settings allow)."""
    return any(address in _network(text) for text in ranges)


@functools.lru_cache(maxsize=1024)
def _network(text: str) -> Network:
    network = ip_network(text)
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        return IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))
    return network
