"""Opens the backends when the server starts, and closes them at the end."""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence

from aiohttp import web

from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.backend.process import Process
from jsonrpc_backend.rpc.dispatch import Dispatcher
from jsonrpc_backend.store.engine import DatabaseUnusable

log = logging.getLogger(__name__)

BACKENDS = web.AppKey("backends", dict[str, Backend])  # filled when the application starts


async def opened(
    backends: dict[str, Backend], process: Process, dispatchers: Sequence[Dispatcher], check_start: Callable[[], None]
) -> AsyncIterator[None]:
    """Opens all that are configured and tells the dispatchers of them; closes them and the process's hasher at the end.

    Raises DatabaseUnusable where none can be served, and what `check_start` raises, which is called before each.
    """
    try:
        async with contextlib.AsyncExitStack() as stack:
            for backend_id in process.config.backends:
                check_start()
                backend = await _open_or_stop(backend_id, process, stack)
                for dispatcher in dispatchers:
                    dispatcher.add(backend)
                backends[backend_id] = backend
            if all(backend.is_stopped for backend in backends.values()):
                raise DatabaseUnusable(process.data_dir, "no backend can be served; each is named above")
            yield
    finally:
        process.passwords.close()


async def _open_or_stop(backend_id: str, process: Process, stack: contextlib.AsyncExitStack) -> Backend:
    """The backend, open until the stack ends; stopped where its file cannot be used while others may be fine.

    Raises DatabaseUnusable where it is the only one.
    """
    try:
        return await stack.enter_async_context(Backend.open(backend_id, process))
    except DatabaseUnusable as reason:
        if len(process.config.backends) == 1:
            raise
        log.error("backend %s is stopped: %s", backend_id, reason)
        return Backend.stopped(backend_id, process, reason)
