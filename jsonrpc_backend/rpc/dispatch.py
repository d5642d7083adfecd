"""From one JSON-RPC request object to its response object.

The order of checks is the contract's: the first that fails answers. jsonrpcserver has the method called and builds the
response, and is used here only: it gets one parsed request at a time and no params, for left to itself it puts
exception texts, unknown names and Python signatures into `error.data`. Its steps are called one by one, because its
entrance for everybody inspects the method's signature and starts a task at each call: 30 µs of 45.
"""

import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from jsonrpcserver import Error, Result, Success
from jsonrpcserver.async_dispatcher import call as call_method
from jsonrpcserver.dispatcher import create_request, to_response
from jsonrpcserver.response import to_serializable

from jsonrpc_backend.accounts.refusals import NotNow, Refusal, Unacceptable, WrongGuess
from jsonrpc_backend.accounts.throttle import Attempt
from jsonrpc_backend.backend.backend import Backend
from jsonrpc_backend.errors import (
    CallLimitExceeded,
    InternalError,
    InvalidParams,
    InvalidRequest,
    LoginRequired,
    MethodNotFound,
    RpcError,
)
from jsonrpc_backend.language.translation import in_japanese, prefers_japanese
from jsonrpc_backend.rpc.answer import NO_ANSWER, Answer
from jsonrpc_backend.rpc.call import Call
from jsonrpc_backend.rpc.management import ManagementCall
from jsonrpc_backend.rpc.params import check_params
from jsonrpc_backend.rpc.post import Post
from jsonrpc_backend.rpc.registry import Method, SessionRule
from jsonrpc_backend.rpc.schemas import ParamsSchema
from jsonrpc_backend.store.engine import DatabaseUnusable
from jsonrpc_backend.telemetry.events import CallEnded, Observer

log = logging.getLogger(__name__)

# Who may call: the call that the handler gets, and the params without what is reserved. Raises RpcError.
Admission = Callable[
    [Method, Mapping[str, Any], Backend | None, Post], Awaitable[tuple[Call | ManagementCall, dict[str, Any]]]
]


class Dispatcher:
    """Calls the methods of one registry, for those whom its admission lets in."""

    def __init__(self, methods: Mapping[str, Method], admit: Admission, observer: Observer) -> None:
        self._methods = methods
        self._admit = admit
        self._observer = observer
        self._backends: dict[str, Backend] = {}
        self._schemas: dict[str, dict[str, ParamsSchema]] = {}  # by backend id and method

    def add(self, backend: Backend) -> None:
        """Compiles the schemas of all methods with the settings of a backend; it can be called from now on."""
        schemas = {name: ParamsSchema.of(method.schema, backend.config) for name, method in self._methods.items()}
        self._schemas[backend.id] = schemas
        self._backends[backend.id] = backend

    async def answer(self, element: Any, post: Post) -> Answer:
        """The answer to one element of a body."""
        began = time.perf_counter()
        try:
            post.share.check()
            request = create_request(_read_envelope(element))
        except (CallLimitExceeded, InvalidRequest) as error:
            self.note_refusal(post, error, began)
            return NO_ANSWER if _is_unanswered(element, error) else Answer.of_error(error, _echoable_id(element))
        call = (request.method, element.get("params", {}), post)
        result = await call_method(request, call, self._call_for_jsonrpcserver)
        response = cast("dict[str, Any]", to_serializable(to_response(request, result)))
        return Answer.of(response, is_wanted="id" in element)

    async def _call_for_jsonrpcserver(self, call: tuple[str, Any, Post]) -> Result:
        try:
            return Success(await self.call(*call))
        except RpcError as error:
            return Error(**self._told(error, call[2]).to_object())

    async def call(self, name: str, params: Any, post: Post) -> Any:
        """What a method returns; the observer is told. Raises RpcError."""
        began, request_id = time.perf_counter(), _new_request_id()
        try:
            result = await self._run(self._find(name), params, post, request_id)
        except RpcError as error:
            self._note(post, request_id, name, error.code, began)
            raise
        self._note(post, request_id, name, 0, began)
        return result

    def _told(self, error: RpcError, post: Post) -> RpcError:
        """The error with its sentences in the language of the backend, or else of the caller."""
        backend = self._backends.get(post.backend_id)
        language = backend.config.language if backend else ""
        if not error.data or not (language == "ja" or (not language and prefers_japanese(post.languages))):
            return error
        data = {name: in_japanese(said) if isinstance(said, str) else said for name, said in error.data.items()}
        return RpcError(data, code=error.code, message=error.message)

    def _find(self, name: str) -> Method:
        method = self._methods.get(name)
        if method is None:
            raise MethodNotFound
        return method

    async def _run(self, method: Method, params: Any, post: Post, request_id: str) -> Any:
        """Translates whatever goes wrong into what the client is told. Raises RpcError."""
        try:
            return await self._call_admitted(method, params, post)
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

    async def _call_admitted(self, method: Method, params: Any, post: Post) -> Any:
        if not isinstance(params, dict):
            raise InvalidParams({"params": "Params must be an object with named parameters."})
        call, own = await self._admit(method, params, self._backends.get(post.backend_id), post)
        if isinstance(call, Call) and not method.for_anybody:
            call.backend.call_limit.count()
        if not isinstance(call, Call) or not call.signed_in:
            return await self._handle(method, call, own)
        lanes, user = call.backend.lanes, (str(call.user.key),)
        await lanes.begin(user, post.share.turn)
        try:
            return await self._handle(method, call, own)
        finally:
            lanes.end(user)

    async def _handle(self, method: Method, call: Call | ManagementCall, own: dict[str, Any]) -> Any:
        schema = self._schemas[call.backend.id][method.name]
        if not isinstance(call, Call) or method.limited is None:
            return await method.handler(call, **await check_params(method, schema, own, call.post))
        # Before the schema, so that malformed guesses count too.
        async with call.backend.throttle.admitted(method.limited, _attempt(method, call, own)):
            return await method.handler(call, **await check_params(method, schema, own, call.post))

    def note_refusal(self, post: Post, error: RpcError, began: float) -> None:
        """Tells the observer of what was answered before it was known which method is called."""
        self._note(post, _new_request_id(), None, error.code, began)

    def _note(self, post: Post, request_id: str, method: str | None, code: int, began: float) -> None:
        is_known, is_method = post.backend_id in self._backends, method in self._methods
        seconds = time.perf_counter() - began
        self._observer.call_ended(
            CallEnded(request_id, post.backend_id, is_known, method, is_method, code, seconds, post.client)
        )


def _new_request_id() -> str:
    return random.getrandbits(64).to_bytes(8).hex()


def _attempt(method: Method, call: Call, params: Mapping[str, Any]) -> Attempt:
    username = call.user.username if method.session is SessionRule.REQUIRED else params.get("username")
    return Attempt(call.post.networks(), call.device, username, params.get("loginToken"), params.get("token"))


# --- what goes wrong ------------------------------------------------------------------------------------


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


# --- envelope --------------------------------------------------------------------------------------------


def _read_envelope(element: Any) -> dict[str, Any]:
    """What jsonrpcserver needs of an element: the method's name, and an id for the response. Raises InvalidRequest."""
    if (
        not isinstance(element, dict)
        or element.get("jsonrpc") != "2.0"
        or not isinstance(element.get("method"), str)
        or not isinstance(element.get("params", {}), dict | list)
        or ("id" in element and not _is_id(element["id"]))
    ):
        raise InvalidRequest
    return {"method": element["method"], "id": element.get("id")}


def _is_id(value: Any) -> bool:
    return value is None or (isinstance(value, str | int | float) and not isinstance(value, bool))


def _is_unanswered(element: Any, error: RpcError) -> bool:
    """Whether it is a notification; one that is malformed is none."""
    return isinstance(error, CallLimitExceeded) and isinstance(element, dict) and "id" not in element


def _echoable_id(element: Any) -> Any:
    """The id of a request that is refused where it can be told, else null."""
    request_id = element.get("id") if isinstance(element, dict) else None
    return request_id if _is_id(request_id) else None
