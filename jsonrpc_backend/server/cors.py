"""CORS: which pages of other sites may call the server and read its answers."""

from aiohttp import web

PREFLIGHT_SECONDS = 86400


class Cors:
    """Lets the pages of these origins in ("*": all); they may read the `exposed` header beside the usual ones."""

    def __init__(self, origins: tuple[str, ...], exposed: str) -> None:
        self._origins = origins
        self._exposed = exposed

    def allow(self, request: web.Request, response: web.StreamResponse) -> None:
        """Lets pages read a response."""
        headers = response.headers
        if "*" in self._origins:
            headers["Access-Control-Allow-Origin"] = "*"
        else:
            headers.add("Vary", "Origin")
            origin = request.headers.get("Origin")
            if origin in self._origins:
                headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = self._exposed

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
