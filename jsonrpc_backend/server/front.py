"""What every request comes to first: calls go straight to their endpoint, all else through the application."""

from collections.abc import Awaitable, Callable, Iterable
from typing import cast

from aiohttp import web

from jsonrpc_backend.server.connections import Audience, Connection, Connections
from jsonrpc_backend.server.endpoint import Endpoint

Respond = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Front:
    """Spares calls of apps the application's router and middlewares, a sixth of a read.

    A call is recognized by what is sent as a rule: POST, and exactly the path of a backend. The same endpoint answers
    what the application's router brings it, such as paths with a query or the ids of backends that there are not.
    """

    def __init__(self, connections: Connections, endpoint: Endpoint, path: str, backend_ids: Iterable[str]) -> None:
        self._connections = connections
        self._endpoint = endpoint
        self._backend_ids = {f"{path}/{backend_id}": backend_id for backend_id in backend_ids}

    def before(self, application: Respond) -> Respond:
        """The way of a request, from its head on."""

        async def respond(request: web.BaseRequest) -> web.StreamResponse:
            connection = cast(Connection, request.protocol)
            self._connections.begin(connection)
            if self._connections.lets_go:
                # As if the client had asked for it: the answer says so, and the connection ends with it.
                request._message = request._message._replace(should_close=True)  # noqa: SLF001
            try:
                backend_id = self._called(request, connection)
                if backend_id is None:
                    return await application(request)
                return await self._endpoint.post(request, backend_id)
            finally:
                self._connections.end(connection)

        return respond

    def _called(self, request: web.BaseRequest, connection: Connection) -> str | None:
        """The backend that a plain call is for. One that awaits `100 Continue` is none."""
        if request.method != "POST" or "Expect" in request.headers or connection.audience is Audience.OPERATORS:
            return None
        return self._backend_ids.get(request.raw_path)
