"""What limits are counted for: each scope is a digest of who does what, so that nothing of that can be read."""

import hashlib

ADDRESS = "address"  # failed sign-ins, of an address or a network


def scope(*parts: str) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()[:16]


def unknown_devices(username_key: str) -> bytes:
    """Wrong passwords of a user on devices that are not the user's, at all addresses together."""
    return scope("unknown devices", username_key)
