"""How many workers a server has, and what part of its limits each of them gets.

What can be counted for all of them together is: see `Tally`. Here is what each has for itself.
"""

import dataclasses
import os
import sys

from jsonrpc_backend.config import Config

MOST_BY_ITSELF = 4


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def number_of_workers(config: Config) -> int:
    """As many as are wanted; by itself one for each core."""
    server = config.server
    # Each has to have room for a body and its answer, and for a connection.
    most = min(server.max_bytes_in_flight // (2 * server.max_body_bytes), server.max_connections)
    return max(1, min(server.workers or min(cores(), MOST_BY_ITSELF), most))


def share_of(config: Config, worker: int, workers: int) -> Config:
    """The configuration with the part of the limits that one of so many has; the first is 0."""

    def part(whole: int) -> int:
        return max(1, whole // workers + (worker < whole % workers))

    server, passwords, collections = config.server, config.passwords, config.collections
    hashes = passwords.workers or os.cpu_count() or 1
    # What waits is counted for all together, and so is what is under way beside it.
    more_searches = collections.searches - part(collections.searches)
    return dataclasses.replace(
        config,
        server=dataclasses.replace(
            server,
            max_connections=part(server.max_connections),
            max_connections_per_address=server.max_connections_per_address and part(server.max_connections_per_address),
            max_bytes_in_flight=server.max_bytes_in_flight // workers,
        ),
        passwords=dataclasses.replace(
            passwords, workers=part(hashes), max_queue=passwords.max_queue + hashes - part(hashes)
        ),
        collections=dataclasses.replace(
            collections,
            searches=part(collections.searches),
            max_waiting=collections.max_waiting + more_searches,
            max_waiting_per_address=collections.max_waiting_per_address + more_searches,
        ),
    )
