"""Who may call a method of the app API: checks of the API key, the device, the session id and the sign-in state.

Their order is the contract's.
"""

import hmac
from collections.abc import Mapping
from typing import Any

from jsonrpc_backend.accounts.tokens import WELL_FORMED
from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.errors import DeviceRequired, InvalidApiKey, InvalidOperation, InvalidSessionId, LoginRequired
from jsonrpc_backend.rpc.call import Call
from jsonrpc_backend.rpc.management import ManagementCall
from jsonrpc_backend.rpc.parse import unportable
from jsonrpc_backend.rpc.post import Post
from jsonrpc_backend.rpc.registry import Method, SessionRule

MAX_DEVICE_LENGTH = 255

_RESERVED = frozenset({"__api_key", "__device", "__session"})


async def admit_app(
    method: Method, params: Mapping[str, Any], backend: Backend | None, post: Post
) -> tuple[Call | ManagementCall, dict[str, Any]]:
    """The call, and its params without what is reserved. Raises RpcError by the first check that fails."""
    call = _admit_anybody(backend, post) if method.for_anybody else _identify_app(params, backend, post)
    await _check_sign_in(method, call)
    return call, {name: value for name, value in params.items() if name not in _RESERVED}


def _identify_app(params: Mapping[str, Any], backend: Backend | None, post: Post) -> Call:
    """Checks the three reserved keys, in this order: API key, device, session id."""
    if backend is None or not _is_key(params.get("__api_key"), backend):
        raise InvalidApiKey
    device, session_id = params.get("__device"), params.get("__session")
    if not isinstance(device, str) or not 1 <= len(device) <= MAX_DEVICE_LENGTH or unportable(device):
        raise DeviceRequired
    if session_id is not None and not (isinstance(session_id, str) and WELL_FORMED.fullmatch(session_id)):
        raise InvalidSessionId
    return Call(backend, device, post, session_id)


def _admit_anybody(backend: Backend | None, post: Post) -> Call:
    """Programs that look methods up do not know our reserved keys; they may send them, and nobody reads them."""
    if backend is None:
        raise InvalidApiKey
    return Call(backend, device="", post=post)


def _is_key(value: Any, backend: Backend) -> bool:
    return isinstance(value, str) and hmac.compare_digest(
        value.encode(errors="surrogatepass"), backend.config.api_key.encode()
    )


async def _check_sign_in(method: Method, call: Call) -> None:
    if method.session is not SessionRule.IGNORED:
        signed_in = await call.identify(with_properties=method.reads_properties)
        if method.session is SessionRule.REQUIRED and not signed_in:
            raise LoginRequired
        if method.session is SessionRule.IF_GIVEN and call.session_id is not None and not signed_in:
            raise LoginRequired
        if method.session is SessionRule.FORBIDDEN and signed_in:
            raise InvalidOperation("This cannot be used while signed in; sign out first.")
    reason = method.unavailable(call.backend.config)
    if reason is not None:
        raise InvalidOperation(reason)
