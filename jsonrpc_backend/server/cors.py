"""CORS: which pages of other sites may call the server and read its answers."""

from aiohttp import web

PREFLIGHT_SECONDS = 86400

Headers = tuple[tuple[str, str], ...]


class Cors:
    """Lets the pages of these origins in ("*": all); they may read the `exposed` header beside the usual ones."""

    def __init__(self, origins: tuple[str, ...], exposed: str) -> None:
        self._is_open = "*" in origins
        self._for_all: Headers = (("Access-Control-Expose-Headers", exposed),)
        if self._is_open:
            self._for_all += (("Access-Control-Allow-Origin", "*"),)
        else:
            self._for_all += (("Vary", "Origin"),)
        self._by_origin = {origin: (*self._for_all, ("Access-Control-Allow-Origin", origin)) for origin in origins}

    def headers(self, request: web.BaseRequest) -> Headers:
        """What a response says of the pages that may read it."""
        if self._is_open:
            return self._for_all
        return self._by_origin.get(request.headers.get("Origin", ""), self._for_all)

    def allow(self, request: web.Request, response: web.StreamResponse) -> None:
        """Lets pages read a response."""
        response.headers.extend(self.headers(request))

    def preflight(self, request: web.Request) -> web.Response:
        """Allows any header that is asked for: without cookies none can do harm, and old WebViews know no `*` here."""
        response = web.Response(
            status=204,
            headers={
                "Access-Control-Allow-Methods": "POST, OPTIONS",
                "Access-Control-Allow-Headers": request.headers.get("Access-Control-Request-Headers", "Content-Type"),
                "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
                "Vary": "Access-Control-Request-Headers",
            },
        )
        self.allow(request, response)
        return response
