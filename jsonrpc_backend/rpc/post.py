"""One HTTP request with calls in it, as far as they have to know it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from jsonrpc_backend.fairness.addresses import Address, Network, networks_of
from jsonrpc_backend.fairness.share import Share

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Post:
    """For which backend it is, from whom, and what it brings. `is_gone`: whether who sent it has hung up."""

    backend_id: str
    address: Address | None
    is_gone: Callable[[], bool]
    share: Share
    management_key: str = field(default="", repr=False)
    languages: str = ""  # those that who sent it reads, as `Accept-Language` says
    may_hold_unportable: bool = False  # what is checked in params only where the body can hold any of it

    @property
    def client(self) -> str:
        """Whom limits are counted for: the address, or the network that counts as one; empty for none."""
        return self.share.caller[-1]

    def networks(self) -> tuple[Network, ...]:
        """The same, and the networks around it for which limits are counted too."""
        return networks_of(self.address)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work(…)` returns or raises; work in proportion to a large body leaves the event loop."""
        return await self.share.run(self.share.received, work, *args, **kwargs)
