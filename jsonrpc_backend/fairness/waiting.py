"""How somebody waits and is called."""

import asyncio
from collections.abc import Callable


def call(waiting: asyncio.Future[None]) -> bool:
    """Ends the waiting of somebody; False for one who has been cancelled meanwhile."""
    if waiting.done():
        return False
    waiting.set_result(None)
    return True


async def until_called(waiting: asyncio.Future[None], *, otherwise: Callable[[], None]) -> None:
    """`otherwise` undoes the call for one who is cancelled after it, before he could go."""
    try:
        await waiting
    except asyncio.CancelledError:
        if not waiting.cancelled():
            otherwise()
        raise
