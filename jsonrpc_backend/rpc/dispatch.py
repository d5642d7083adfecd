"""From one JSON-RPC request object to its response object.

The order of checks is the contract's: the first that fails answers. jsonrpcserver has the method called and builds the
response, and is used here only: it gets one parsed request at a time and no params, for left to itself it puts
exception texts, unknown names and Python signatures into `error.data`. Its steps are called one by one, because its
entrance for everybody inspects the method's signature and starts a task at each call: 30 µs of 45.
"""

import hmac
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from jsonrpcserver import Error, Result, Success
from jsonrpcserver.async_dispatcher import call as call_method
from jsonrpcserver.dispatcher import create_request, to_response
from jsonrpcserver.response import to_serializable
from jsonrpcserver.sentinels import NOID

from jsonrpc_backend.accounts.refusals import NotNow, Refusal, Unacceptable, WrongGuess
from jsonrpc_backend.accounts.throttle import Attempt
from jsonrpc_backend.accounts.tokens import WELL_FORMED
from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.errors import (
    CallLimitExceeded,
    DeviceRequired,
    InternalError,
    InvalidApiKey,
    InvalidOperation,
    InvalidParams,
    InvalidRequest,
    InvalidSessionId,
    LoginRequired,
    MethodNotFound,
    RpcError,
)
from jsonrpc_backend.rpc.call import Call, Exchange
from jsonrpc_backend.rpc.management import ManagementCall
from jsonrpc_backend.rpc.parse import unportable
from jsonrpc_backend.rpc.registry import Method, Session
from jsonrpc_backend.rpc.schemas import ParamsSchema, label
from jsonrpc_backend.store.engine import DatabaseUnusable
from jsonrpc_backend.telemetry.events import CallEnded, Observer

log = logging.getLogger(__name__)

MAX_DEVICE_LENGTH = 255

# Parameters that the caller chooses: who complains about nothing else tells nothing of what could be guessed at.
_CHOSEN = {"newPassword"}


# Who may call: the call that the handler gets, and the params without what is reserved. Raises RpcError.
Admission = Callable[[Method, Mapping[str, Any], Exchange], Awaitable[tuple[Call | ManagementCall, dict[str, Any]]]]


class Dispatcher:
    """Calls the methods of one registry, for those whom its admission lets in."""

    def __init__(self, methods: Mapping[str, Method], admit: Admission, observer: Observer) -> None:
        self._methods = methods
        self._admit = admit
        self._observer = observer
        self._schemas: dict[str, dict[str, ParamsSchema]] = {}  # by backend id and method

    def add(self, backend: Backend) -> None:
        """Compiles the schemas of all methods with the settings of a backend, before it is called."""
        schemas = {name: ParamsSchema.of(method.schema, backend.config) for name, method in self._methods.items()}
        self._schemas[backend.id] = schemas

    async def answer(self, element: Any, exchange: Exchange) -> dict[str, Any] | None:
        """The response object for one element; None for a notification."""
        began = time.perf_counter()
        try:
            request = create_request(_read_envelope(element))
        except InvalidRequest as error:
            self.note_refusal(exchange, error, began)
            return error_response(error, echoable_id(element))
        call = (request.method, element.get("params", {}), exchange)
        result = await call_method(request, call, self._call_for_jsonrpcserver)
        if request.id is NOID:
            return None
        return cast("dict[str, Any]", to_serializable(to_response(request, result)))

    async def _call_for_jsonrpcserver(self, call: tuple[str, Any, Exchange]) -> Result:
        try:
            return Success(await self.call(*call))
        except RpcError as error:
            return Error(**error.to_object())

    async def call(self, name: str, params: Any, exchange: Exchange) -> Any:
        """What a method returns; the observer is told. Raises RpcError."""
        began, request_id = time.perf_counter(), _new_request_id()
        try:
            result = await self._run(self._find(name), params, exchange, request_id)
        except RpcError as error:
            self._note(exchange, request_id, name, error.code, began)
            raise
        self._note(exchange, request_id, name, 0, began)
        return result

    def _find(self, name: str) -> Method:
        method = self._methods.get(name)
        if method is None:
            raise MethodNotFound
        return method

    async def _run(self, method: Method, params: Any, exchange: Exchange, request_id: str) -> Any:
        """Translates whatever goes wrong into what the client is told. Raises RpcError."""
        try:
            return await self._call_admitted(method, params, exchange)
        except RpcError:
            raise
        except Refusal as refusal:
            raise _translated(refusal, method) from refusal
        except DatabaseUnusable as stopped:
            told = {"request_id": request_id}
            log.error("request %s: %s failed, the backend is stopped: %s", request_id, method.name, stopped, extra=told)
            raise InternalError(request_id) from stopped
        except Exception as error:
            log.exception("request %s: %s failed", request_id, method.name, extra={"request_id": request_id})
            raise InternalError(request_id) from error

    async def _call_admitted(self, method: Method, params: Any, exchange: Exchange) -> Any:
        if not isinstance(params, dict):
            raise InvalidParams({"params": "Params must be an object with named parameters."})
        call, own = await self._admit(method, params, exchange)
        if not isinstance(call, Call) or not call.signed_in:
            return await self._handle(method, call, own)
        lanes, user = call.backend.lanes, (str(call.user.key),)
        await lanes.begin(user, call.exchange.turn)
        try:
            return await self._handle(method, call, own)
        finally:
            lanes.end(user)

    async def _handle(self, method: Method, call: Call | ManagementCall, own: dict[str, Any]) -> Any:
        schema = self._schemas[call.backend.id][method.name]
        if not isinstance(call, Call) or method.limited is None:
            return await method.handler(call, **await _check_params(method, schema, call, own))
        # Before the schema, so that malformed guesses count too.
        async with call.backend.throttle.admitted(method.limited, _attempt(method, call, own)):
            return await method.handler(call, **await _check_params(method, schema, call, own))

    def note_refusal(self, exchange: Exchange, error: RpcError, began: float) -> None:
        """Tells the observer of what was answered before it was known which method is called."""
        self._note(exchange, _new_request_id(), None, error.code, began)

    def _note(self, exchange: Exchange, request_id: str, method: str | None, code: int, began: float) -> None:
        self._observer.call_ended(
            CallEnded(
                request_id,
                exchange.backend_id,
                exchange.backend_id in exchange.backends,
                method,
                method in self._methods,
                code,
                time.perf_counter() - began,
                exchange.client,
            )
        )


def _new_request_id() -> str:
    return f"{random.getrandbits(64):016x}"


def error_response(error: RpcError, request_id: Any = None) -> dict[str, Any]:
    """The response object for an error that happened outside a method."""
    return {"jsonrpc": "2.0", "error": error.to_object(), "id": request_id}


# --- envelope --------------------------------------------------------------------------------------------


def _read_envelope(element: Any) -> dict[str, Any]:
    """The method's name and, unless it is a notification, the id, for jsonrpcserver. Raises InvalidRequest."""
    if (
        not isinstance(element, dict)
        or element.get("jsonrpc") != "2.0"
        or not isinstance(element.get("method"), str)
        or not isinstance(element.get("params", {}), dict | list)
        or ("id" in element and not _is_id(element["id"]))
    ):
        raise InvalidRequest
    return {name: element[name] for name in ("method", "id") if name in element}


def _is_id(value: Any) -> bool:
    return value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))


def echoable_id(element: Any) -> Any:
    """The id of an invalid request where it can be told, else null."""
    request_id = element.get("id") if isinstance(element, dict) else None
    return request_id if _is_id(request_id) else None


def _translated(refusal: Refusal, method: Method) -> RpcError:
    """What accounts refuse, in the contract's words."""
    match refusal:
        case WrongGuess():
            return InvalidParams(method.wrong)
        case Unacceptable(complaints=complaints):
            return InvalidParams({method.blames.get(name, name): sentence for name, sentence in complaints.items()})
        case NotNow(retry_after=seconds, reason=reason):
            return CallLimitExceeded(seconds, reason)
        case _:  # AccountGone
            return LoginRequired()


# --- the order of checks ---------------------------------------------------------------------------------

_RESERVED = frozenset({"__api_key", "__device", "__session"})


async def admit_app(
    method: Method, params: Mapping[str, Any], exchange: Exchange
) -> tuple[Call | ManagementCall, dict[str, Any]]:
    """The admission of the app API: API key, device, session id, sign-in state."""
    call = _admit_anybody(exchange) if method.for_anybody else _identify_app(params, exchange)
    await _check_sign_in(method, call)
    return call, {name: value for name, value in params.items() if name not in _RESERVED}


def _identify_app(params: Mapping[str, Any], exchange: Exchange) -> Call:
    """Checks the three reserved keys, in this order: API key, device, session id."""
    backend = exchange.backends.get(exchange.backend_id)
    if backend is None or not _is_key(params.get("__api_key"), backend):
        raise InvalidApiKey
    device, session_id = params.get("__device"), params.get("__session")
    if not isinstance(device, str) or not 1 <= len(device) <= MAX_DEVICE_LENGTH or unportable(device):
        raise DeviceRequired
    if session_id is not None and not (isinstance(session_id, str) and WELL_FORMED.fullmatch(session_id)):
        raise InvalidSessionId
    return Call(backend, device, exchange, session_id)


def _admit_anybody(exchange: Exchange) -> Call:
    """Programs that look methods up do not know our reserved keys; they may send them, and nobody reads them."""
    backend = exchange.backends.get(exchange.backend_id)
    if backend is None:
        raise InvalidApiKey
    return Call(backend, device="", exchange=exchange)


def _is_key(value: Any, backend: Backend) -> bool:
    return isinstance(value, str) and hmac.compare_digest(
        value.encode(errors="surrogatepass"), backend.config.api_key.encode()
    )


async def _check_sign_in(method: Method, call: Call) -> None:
    if method.session is not Session.IGNORED:
        signed_in = await call.identify(with_properties=method.reads_properties)
        if method.session is Session.REQUIRED and not signed_in:
            raise LoginRequired
        if method.session is Session.FORBIDDEN and signed_in:
            raise InvalidOperation("This cannot be used while signed in; sign out first.")
    reason = method.unavailable(call.backend.config)
    if reason is not None:
        raise InvalidOperation(reason)


def _attempt(method: Method, call: Call, params: Mapping[str, Any]) -> Attempt:
    username = call.user.username if method.session is Session.REQUIRED else params.get("username")
    return Attempt(call.exchange.networks(), call.device, username, params.get("loginToken"), params.get("token"))


class _MalformedGuess(InvalidParams, WrongGuess):
    """What cannot be right is wrong: with a method that has guesses limited it counts as one."""


async def _check_params(
    method: Method, schema: ParamsSchema, call: Call | ManagementCall, params: dict[str, Any]
) -> dict[str, Any]:
    """The params under their Python names. Raises InvalidParams with a sentence for each that is wrong."""
    given = schema.without_absent(params)

    def check() -> dict[str, str]:
        found = schema.complaints(given)
        return found | _unportable_params(method, given) if call.exchange.may_hold_unportable else found

    complaints = await call.exchange.run(check)
    if complaints:
        raise _MalformedGuess(complaints) if complaints.keys() - _CHOSEN else InvalidParams(complaints)
    return {method.keywords[name]: value for name, value in given.items()}


def _unportable_params(method: Method, params: Mapping[str, Any]) -> dict[str, str]:
    complaints = {name: unportable(params[name]) for name in method.keywords if name in params}
    return {name: f"{label(name)} {complaint}." for name, complaint in complaints.items() if complaint}
