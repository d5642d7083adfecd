"""What the methods that look for items have in common: criteria, order, pages, and taking turns."""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from jsonrpc_backend.collections.search import SortedBy, check_fields, is_by_id, parse_order
from jsonrpc_backend.collections.searches import TooManySearches
from jsonrpc_backend.errors import CallLimitExceeded, InvalidOperation, InvalidParams
from jsonrpc_backend.fairness import current_caller
from jsonrpc_backend.methods.item_values import item_json
from jsonrpc_backend.monaql import BindError, Dialect, Expression, QueryError, parse_query
from jsonrpc_backend.rpc.call import Call
from jsonrpc_backend.store.engine import LongQuery, TookTooLong
from jsonrpc_backend.store.items import Item

T = TypeVar("T")

MAX_ITEMS = 10_000  # of one answer
RETRY_SECONDS = 1

NOTHING_TO_BIND = "Bind params are given without criteria to fill."
TOO_LARGE = "These items take more than {:,} bytes; ask for fewer of them, or for some of their properties."
TOO_SLOW = "The search was given up after {} seconds; ask for something simpler, or let the operator add an index."


def parsed_criteria(dialect: Dialect, criteria: str | None, bind_params: Sequence[Any] | None) -> Expression | None:
    """What is looked for; None: everything. Raises InvalidParams."""
    if criteria is None or not criteria.strip():
        if bind_params:
            raise InvalidParams({"bindParams": NOTHING_TO_BIND})
        return None
    try:
        expression = parse_query(criteria, bind_params or [])
        check_fields(expression, dialect)
    except QueryError as error:
        raise InvalidParams({"criteria": f"Criteria {error}."}) from error
    except BindError as error:
        raise InvalidParams({"bindParams": f"Bind params {error}."}) from error
    return expression


def parsed_order(order_by: Sequence[str] | str | None) -> tuple[SortedBy, ...]:
    """Raises InvalidParams."""
    entries = [order_by] if isinstance(order_by, str) else order_by or []
    try:
        return parse_order([entry for entry in entries if entry.strip()])
    except ValueError as error:
        raise InvalidParams({"orderBy": str(error)}) from error


def wanted(given: Sequence[str] | str | None) -> Container[str] | None:
    """The properties that are wanted; None: all of them."""
    if given is None:
        return None
    return frozenset(name.strip() for name in (given.split(",") if isinstance(given, str) else given))


@dataclass(frozen=True, slots=True)
class Page:
    """Which of the items that are found go into the answer.

    `is_cut`: nobody has said how many; then it ends where it gets too large. Otherwise that is an error, for who pages
    would miss items.
    """

    limit: int
    offset: int
    is_cut: bool
    most_bytes: int

    @classmethod
    def wanted(cls, limit: float | None, page: float, *, most_bytes: int) -> "Page":
        """`page` from 1. JSON Schema takes 1.0 for an integer."""
        if limit is None or limit > MAX_ITEMS:
            return cls(MAX_ITEMS if page == 1 else 0, 0, is_cut=True, most_bytes=most_bytes)
        return cls(int(limit), (int(page) - 1) * int(limit), is_cut=False, most_bytes=most_bytes)

    def encoded(self, found: Iterable[Item], names: Container[str] | None, check: Callable[[], None]) -> bytes:
        """Items as JSON, joined by commas. `check` is called for each. Raises InvalidParams."""
        parts: list[bytes] = []
        size = 0
        for item in found:
            check()
            encoded = item_json(item, names)
            size += len(encoded) + 1
            if size > self.most_bytes and not self.is_cut:
                raise InvalidParams({"options.limit": TOO_LARGE.format(self.most_bytes)})
            if size > self.most_bytes and parts:
                break
            parts.append(encoded)
        return b",".join(parts)


async def searched(call: Call, expression: Expression | None, query: LongQuery[T]) -> T:
    """What the query returns; apart from other calls unless the criteria name a few items.

    Raises InvalidOperation where it takes too long, CallLimitExceeded where too many wait already.
    """
    if is_by_id(expression):
        return await call.backend.database.read(query, _no_check)
    seconds = call.backend.collection_settings.search_seconds
    share = call.post.share
    with share.turn.paused():
        try:
            async with call.backend.searches.turn(current_caller.get(), share.caller):
                share.check()  # what the searches before found is counted by now
                return await call.backend.database.search(query, seconds=seconds)
        except TooManySearches as error:
            raise CallLimitExceeded(RETRY_SECONDS) from error
        except TookTooLong as error:
            raise InvalidOperation(TOO_SLOW.format(seconds)) from error


def _no_check() -> None:
    """It is over in no time."""
