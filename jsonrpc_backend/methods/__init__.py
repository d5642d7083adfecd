"""The handlers: parameters in, results out. Here are the two APIs, with their methods in the order of the documents."""

from jsonrpc_backend.errors import (
    DeviceRequired,
    InternalError,
    InvalidApiKey,
    InvalidParams,
    InvalidRequest,
    InvalidSessionId,
    MethodNotFound,
    ParseError,
)
from jsonrpc_backend.methods import (
    access,
    collection,
    collection_items,
    collection_management,
    device,
    mailer,
    management,
    password_reset,
    push,
    user,
)
from jsonrpc_backend.methods.discover import add_discover
from jsonrpc_backend.rpc.management import KEY_HEADER
from jsonrpc_backend.rpc.openrpc import Api
from jsonrpc_backend.rpc.registry import OF_APPS, OF_OPERATORS, Registry

_ANYWHERE = (ParseError, InvalidRequest, MethodNotFound, InvalidParams, InternalError, InvalidApiKey)

APP_API = Api(
    "User accounts",
    "Every call is a POST of JSON-RPC 2.0; every answer is HTTP 200, errors too. Params are named. Beside its own,"
    " a method takes the app's API key, an id of the device and, where somebody is signed in, the session id. A new"
    " session id is in the response header X-Set-Monaca-Cloud-Session. An optional parameter may be absent or null.",
    Registry.joined(
        OF_APPS, [user.handlers, password_reset.handlers, collection.handlers, device.handlers, mailer.handlers]
    ),
    (*_ANYWHERE, DeviceRequired, InvalidSessionId),
    for_apps=True,
)

MANAGEMENT_API = Api(
    "Management of user accounts",
    f"Every call is a POST of JSON-RPC 2.0 with a management key in the header {KEY_HEADER}; every answer is HTTP 200,"
    " errors too. Params are named. An optional parameter may be absent or null.",
    Registry.joined(
        OF_OPERATORS,
        [
            management.handlers,
            access.handlers,
            collection_management.handlers,
            collection_items.handlers,
            push.handlers,
        ],
    ),
    _ANYWHERE,
    for_apps=False,
)

add_discover(APP_API)
add_discover(MANAGEMENT_API)
