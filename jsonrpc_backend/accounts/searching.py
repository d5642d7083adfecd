"""Which users an operator looks for, and in which order."""

from typing import Any

from jsonrpc_backend.accounts.refusals import Unacceptable
from jsonrpc_backend.accounts.usernames import username_key
from jsonrpc_backend.monaql import BindError, Condition, Dialect, QueryError, parse_query
from jsonrpc_backend.store import user_search
from jsonrpc_backend.store.user_search import UserOrder

NO_QUERY = "User query bind params are given without a user query to fill."


def sorting(name: str | None, *, descending: bool) -> UserOrder:
    """By a field or a property; None: as they were added. Raises Unacceptable for an unknown field."""
    if name is not None and name.startswith("_") and name not in user_search.FIELDS:
        known = ", ".join(user_search.FIELDS)
        raise Unacceptable({"sortProperty": f"Sort property must be the name of a property, or one of: {known}."})
    return UserOrder(name or None, descending=descending)


def search_condition(
    dialect: Dialect, name_filter: str | None, query: str | None, bind_params: list[Any] | None
) -> Condition:
    """Who is looked for; an empty filter or query means everybody. Raises Unacceptable."""
    parts = [user_search.EVERYBODY]
    if name_filter:
        parts.append(user_search.named(username_key(name_filter), dialect))
    if query and not query.isspace():
        parts.append(_query_condition(dialect, query, bind_params or []))
    elif bind_params:
        raise Unacceptable({"userQueryBindParams": NO_QUERY})
    return Condition.joined("AND", parts)


def _query_condition(dialect: Dialect, query: str, bind_params: list[Any]) -> Condition:
    try:
        return user_search.matching(parse_query(query, bind_params), dialect)
    except QueryError as error:
        raise Unacceptable({"userQuery": f"User query {error}."}) from error
    except BindError as error:
        raise Unacceptable({"userQueryBindParams": f"User query bind params {error}."}) from error
