"""Which items an operator looks for, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jsonrpc_backend.accounts.refusals import Unacceptable
from jsonrpc_backend.collections import definitions
from jsonrpc_backend.collections.search import BY_TIME, SORTED_BY, Found, Search, SortedBy, check_fields
from jsonrpc_backend.monaql import BindError, Dialect, Expression, QueryError, parse_query
from jsonrpc_backend.store.engine import Db

NO_QUERY = "Item query bind params are given without an item query to fill."


@dataclass(frozen=True, slots=True)
class OperatorSearch:
    """Items of one collection, whoever may read them."""

    collection: str
    dialect: Dialect
    expression: Expression | None
    order: tuple[SortedBy, ...]

    @classmethod
    def parsed(
        cls,
        collection: str,
        dialect: Dialect,
        *,
        query: str | None,
        bind_params: Sequence[Any] | None,
        sorted_by: str | None,
        descending: bool,
    ) -> "OperatorSearch":
        """Raises Unacceptable."""
        return cls(collection, dialect, _parsed(dialect, query, bind_params), _sorting(sorted_by, descending))

    def find(self, db: Db, *, page: int, items_in_page: int) -> Found:
        """`page` from 1. Raises NoSuchCollection."""
        return self._search(db).find(db, limit=items_in_page, offset=(page - 1) * items_in_page)

    def all_keys(self, db: Db) -> list[int]:
        """Raises NoSuchCollection."""
        return self._search(db).all_keys(db)

    def _search(self, db: Db) -> Search:
        collection = definitions.named(db, self.collection)
        return Search(collection, None, self.dialect, self.expression, order=self.order)


def _parsed(dialect: Dialect, query: str | None, bind_params: Sequence[Any] | None) -> Expression | None:
    if not query or query.isspace():
        if bind_params:
            raise Unacceptable({"itemQueryBindParams": NO_QUERY})
        return None
    try:
        expression = parse_query(query, bind_params or [])
        check_fields(expression, dialect)
    except QueryError as error:
        raise Unacceptable({"itemQuery": f"Item query {error}."}) from error
    except BindError as error:
        raise Unacceptable({"itemQueryBindParams": f"Item query bind params {error}."}) from error
    return expression


def _sorting(name: str | None, descending: bool) -> tuple[SortedBy, ...]:
    if name and name.startswith("_") and name not in SORTED_BY:
        known = ", ".join(SORTED_BY)
        raise Unacceptable({"sortProperty": f"Sort property must be the name of a property, or one of: {known}."})
    return (SortedBy(name or BY_TIME[0].name, descending=descending),)
