"""Which hosts are this machine."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that is bound to (or was called by) this name."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
