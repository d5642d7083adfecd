"""Time, in milliseconds: the units, and the clocks that the program goes by."""

import time
from collections.abc import Callable

Clock = Callable[[], int]  # milliseconds, since 1970 UTC or since whenever

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def system_clock() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def since_boot() -> int:
    """Milliseconds that have passed, whatever is done to the clock; also while the machine is suspended."""
    boot_time: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS' one goes on then, too
    return time.clock_gettime_ns(boot_time) // 1_000_000
