"""The system's limit on open files: connections count, and running out of it must not bring the server down."""

import logging
import resource

log = logging.getLogger(__name__)

ENOUGH = 65536  # to raise an unlimited limit to; some systems refuse to have none

# What the server has open beside connections: databases, mails, the event loop.
FILES_OF_PROCESS = 32
FILES_PER_BACKEND = 14
FEWEST_CONNECTIONS = 16


def raise_limit() -> None:
    """Lets the process open as many files as it may allow itself: many systems begin with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (ValueError, OSError):
            log.info("the limit on open files stays at %d", soft)


def connections_allowed(wanted: int, *, backends: int) -> int:
    """How many connections there may be at a time: `wanted`, or what the limit on open files leaves room for."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return wanted
    room = limit - FILES_OF_PROCESS - FILES_PER_BACKEND * backends
    allowed = min(wanted, max(room, FEWEST_CONNECTIONS))
    if allowed < wanted:
        log.info("at most %d connections at a time, because of the limit of %d open files", allowed, limit)
    return allowed
