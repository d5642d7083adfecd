"""Who is connected, and who gives way where there is not room for all.

Who has the most gives way first, whatever the others do: an address that opens connections by the thousand takes them
from itself. Many people may share an address (a school, a mobile network), so nobody is refused while there is room.
"""

import functools
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol

from jsonrpc_backend.config import ServerConfig
from jsonrpc_backend.fairness.addresses import Network, Ranges, networks_of
from jsonrpc_backend.server.places import Place, Places

# A browser opens so many to one server: whoever has no more is nobody to take from.
FEW = 6

# How often those who have the most may have one of theirs cut for another one, until `renew_turns`: a flood that comes
# again and again is turned away at the door then, which costs a tenth of letting it in.
TURNS = 200

REMEMBERED = 2048  # addresses


class Cuttable(Protocol):
    def cut(self) -> None: ...


@dataclass(slots=True, eq=False)
class Spot:
    """One connection among those of its address, in the group of those that do the same; in none once it is cut."""

    connection: Cuttable
    visitor: "Visitor"
    group: "Group | None"

    def move(self, group: "Group") -> bool:
        """To the end of another group; False when it has been cut."""
        if self.group is None:
            return False
        del self.group[self]
        group[self] = None
        self.group = group
        return True


Group = dict[Spot, None]  # those that have done it for longest stand first


@dataclass(slots=True, eq=False)
class Visitor:
    """The connections of one address by what they do.

    `place` is None for the trusted proxies: they bring everybody, so what they have says nothing of anybody.
    """

    place: Place | None
    half: Group = field(default_factory=dict)  # a part of a request's head has come
    quiet: Group = field(default_factory=dict)  # nothing is under way
    busy: Group = field(default_factory=dict)

    def expendable(self, *, but: Spot | None = None) -> Spot | None:
        """The one that is missed least, of those without a request under way."""
        return next((each for group in (self.half, self.quiet) for each in group if each is not but), None)


class Crowd:
    """All connections, at most `most`."""

    def __init__(self, config: ServerConfig, most: int) -> None:
        self._most = most
        self._most_of_an_address = config.max_connections_per_address or most // 4
        self._most_of_a_network = max(most // 2, self._most_of_an_address)
        self._turns_taken = 0
        self.all: Group = {}
        self._quiet: Group = {}  # those without a request under way, the longest quiet first
        self._places = Places()
        self._visitors: dict[str, Visitor] = {}  # by the name of the address
        self._proxies, self._of_proxies = Ranges(config.trusted_proxies), Visitor(None)
        self._networks_of = functools.lru_cache(REMEMBERED)(self._find_networks)

    # --- coming and going --------------------------------------------------------------------------------

    def turns_away(self, peer: str) -> bool:
        """Whether another connection from an address is not even looked at."""
        return self._turns_taken >= TURNS and self._has_much(self._networks_of(peer))

    def enter(self, connection: Cuttable, peer: str) -> Spot | None:
        """Lets a connection in. Another one may be cut for it; None where this one is the first to give way."""
        networks = self._networks_of(peer)
        takes_turns = self._has_much(networks)
        spot = self._add(connection, networks)
        victim = self._who_gives_way(spot)
        if victim is not None:
            self._turns_taken += takes_turns
            self.cut(victim)
        return None if victim is spot else spot

    def renew_turns(self) -> None:
        """Some time has passed."""
        self._turns_taken = 0

    def _find_networks(self, peer: str) -> tuple[Network, ...]:
        """Of whom the connection is; nothing for a proxy that is trusted."""
        address = ip_address(peer.partition("%")[0])
        return () if address in self._proxies else networks_of(address)

    def _add(self, connection: Cuttable, networks: tuple[Network, ...]) -> Spot:
        visitor = self._of_proxies
        if networks:
            place = self._places.enter(networks)
            visitor = self._visitors.setdefault(place.name, Visitor(place))
        spot = Spot(connection, visitor, visitor.quiet)
        self.all[spot] = self._quiet[spot] = visitor.quiet[spot] = None
        return spot

    def leave(self, spot: Spot) -> None:
        if spot.group is None:
            return  # it has been cut
        del spot.group[spot], self.all[spot]
        self._quiet.pop(spot, None)
        spot.group = None
        place = spot.visitor.place
        if place is not None:
            self._places.leave(place)
            if not place.number:
                del self._visitors[place.name]

    def cut(self, spot: Spot) -> None:
        self.leave(spot)
        spot.connection.cut()

    # --- what they do ------------------------------------------------------------------------------------

    def head_begins(self, spot: Spot) -> None:
        """Something of a request has come."""
        spot.move(spot.visitor.half)

    def request_begins(self, spot: Spot) -> None:
        if spot.move(spot.visitor.busy):
            del self._quiet[spot]

    def request_ends(self, spot: Spot) -> None:
        if spot.move(spot.visitor.quiet):
            self._quiet[spot] = None

    # --- who gives way -----------------------------------------------------------------------------------

    def _has_much(self, networks: tuple[Network, ...]) -> bool:
        """Whether room is scarce and who comes is among those who take the most of it."""
        visitor = self._visitors.get(networks[0].name) if networks else None
        if visitor is None or visitor.place is None or 2 * len(self.all) <= self._most:
            return False
        weight = self._places.widest(visitor.place).weight
        return weight > FEW and 2 * weight >= self._places.everywhere.inside.most

    def _who_gives_way(self, newcomer: Spot) -> Spot | None:
        """None while there is room."""
        place = newcomer.visitor.place
        if len(self.all) > self._most:
            return self._of_the_heaviest(place) or next(iter(self._quiet))
        if place is not None and 2 * len(self.all) > self._most:
            return self._of_its_own(newcomer, place)
        return None

    def _of_the_heaviest(self, newcomer: Place | None) -> Spot | None:
        """None where nobody has many. One with a request under way only when no other is left, which a newcomer is."""
        if self._places.everywhere.inside.most <= FEW:
            return None
        visitor = self._visitors[self._places.everywhere.heaviest(newcomer).name]
        return visitor.expendable() or next(iter(visitor.busy))

    def _of_its_own(self, newcomer: Spot, place: Place) -> Spot | None:
        """Half of the room is taken: whoever has much makes room for himself, as far as nothing is under way."""
        network = self._places.widest(place)
        if network.weight <= self._most_of_an_address and network.number <= self._most_of_a_network:
            return None
        return self._visitors[network.heaviest(place).name].expendable(but=newcomer)
