"""What the operators' methods that list have in common: one search at a time, and answers that fit into memory."""

from collections.abc import Callable, Iterable

from jsonrpc_backend.errors import InvalidOperation, InvalidParams
from jsonrpc_backend.rpc.answer import Encoded
from jsonrpc_backend.rpc.management import ManagementCall
from jsonrpc_backend.store.engine import LongQuery, TookTooLong

TOO_MUCH = "These items take more than {:,} bytes; ask for fewer of them, or for some of their properties."
TOO_SLOW = "The search was given up after {} seconds; ask for something simpler, or raise management.search_seconds."


async def listed(call: ManagementCall, search: LongQuery[bytes]) -> Encoded:
    """What a search gives, apart from other calls. Raises InvalidOperation where it takes too long."""
    share, seconds = call.post.share, call.backend.search_seconds
    with share.turn.paused():
        async with call.backend.searching:
            share.check()  # what the searches before found is counted by now
            try:
                result = await call.backend.database.read_long(search, seconds=seconds)
            except TookTooLong as error:
                raise InvalidOperation(TOO_SLOW.format(seconds)) from error
            share.add_list(len(result))
    return Encoded(result)


def page_json(found: Iterable[bytes], total: int, check: Callable[[], None], *, most_bytes: int) -> bytes:
    """Users or items, each as JSON, as a page of `total`. `check` is called for each.

    Raises InvalidParams where they would take more memory than they may.
    """
    parts, size = [], 0
    for encoded in found:
        check()
        size += len(encoded) + 1
        if size > most_bytes:
            raise InvalidParams({"itemsInPage": TOO_MUCH.format(most_bytes)})
        parts.append(encoded)
    return b'{"items":[%s],"totalItems":%d}' % (b",".join(parts), total)
