"""`Push.*` of the operators' API: their params are checked as documented, and nothing is sent."""

# ruff: noqa: ARG001 (nothing is done with what is sent)

from typing import Any, NoReturn

from jsonrpc_backend.accounts.searching import search_condition
from jsonrpc_backend.errors import InvalidOperation, InvalidParams
from jsonrpc_backend.rpc.management import ManagementCall
from jsonrpc_backend.rpc.registry import OF_OPERATORS, Registry

handlers = Registry(OF_OPERATORS)
method = handlers.method

SENDS_NONE = "This server sends no push notifications."
ONE_FILTER = "Say to whom in one way: by userOidList, userQuery or deviceIdList."


@method("Push.send")
async def send(
    call: ManagementCall,
    *,
    push_project_id: str,
    platform: str,
    target: str,
    build_type: str,
    title: str | None = None,
    message: str,
    badge: float | None = None,
    json: Any = None,
    extra_json: Any = None,
    user_oid_list: list[str] | None = None,
    user_query: str | None = None,
    user_query_bind_params: list[Any] | None = None,
    device_id_list: list[str] | None = None,
) -> NoReturn:
    if device_id_list is not None and not (user_oid_list is None and user_query is None):
        raise InvalidParams({"deviceIdList": ONE_FILTER})
    if user_oid_list is not None and user_query is not None:
        raise InvalidParams({"userQuery": ONE_FILTER})
    await call.post.run(search_condition, call.backend.dialect, None, user_query, user_query_bind_params)
    raise InvalidOperation(SENDS_NONE)


@method("Push.status")
async def status(call: ManagementCall, push_project_id: str, queue_id: str) -> NoReturn:
    raise InvalidOperation(SENDS_NONE)
