"""Where a request comes from."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from jsonrpc_backend.rpc.client_address import client_address

PROXY = "10.0.0.1"


class FakeTransport:
    """The end of a connection from an address: what aiohttp asks for it."""

    def __init__(self, peer: str | None) -> None:
        self._peer = peer

    def get_extra_info(self, name: str) -> object:
        return (self._peer, 12345) if name == "peername" and self._peer is not None else None


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        # nobody believes a stranger
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["203.0.113.9"], "192.0.2.1"),
        # a trusted proxy
        (PROXY, [], PROXY),
        (PROXY, ["192.0.2.1"], "192.0.2.1"),
        (PROXY, [" 192.0.2.1 "], "192.0.2.1"),
        (PROXY, ["2001:db8::1"], "2001:db8::1"),
        (PROXY, ["::ffff:192.0.2.1"], "192.0.2.1"),
        ("::ffff:10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("2001:db8:ffff::5", ["192.0.2.1"], "192.0.2.1"),
        # what the client itself wrote stands left
        (PROXY, ["203.0.113.9, 192.0.2.1"], "192.0.2.1"),
        (PROXY, ["203.0.113.9", "192.0.2.1"], "192.0.2.1"),
        (PROXY, ["10.9.9.9, 192.0.2.1"], "192.0.2.1"),
        # several proxies
        (PROXY, ["192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        (PROXY, ["192.0.2.1", "10.0.0.2, 10.0.0.3"], "192.0.2.1"),
        (PROXY, ["203.0.113.9, 192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        (PROXY, ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        # what is no address
        (PROXY, ["nonsense"], PROXY),
        (PROXY, [""], PROXY),
        (PROXY, ["192.0.2.1, unknown"], PROXY),
        (PROXY, ["unknown, 10.0.0.2"], "10.0.0.2"),
        (PROXY, ["192.0.2.1, unknown, 10.0.0.2"], "10.0.0.2"),
        (PROXY, ["192.0.2.1,"], PROXY),
        (PROXY, ["192.0.2.256"], PROXY),
        (None, ["192.0.2.1"], None),
    ],
)
def test_client_address(peer: str | None, forwarded: list[str], expected: str | None) -> None:
    headers = CIMultiDict([("X-Forwarded-For", value) for value in forwarded])
    request = make_mocked_request("POST", "/", headers=headers, transport=FakeTransport(peer))
    found = client_address(request, ["10.0.0.0/8", "2001:db8:ffff::/48"])
    assert (found and str(found)) == expected
