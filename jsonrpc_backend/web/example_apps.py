"""The example apps, as `serve --dev` gives them out under `/examples/`.

They are the files of the folder `examples` as they are, but for `settings.js`: that one the server writes itself, with
its own address and the API key of its first backend, for pages on this machine only (see development.py).
"""

import json
from pathlib import Path

from aiohttp import web

from jsonrpc_backend.config import Config
from jsonrpc_backend.config.loopback import is_loopback
from jsonrpc_backend.web.development import is_local
from jsonrpc_backend.web.page_headers import page_headers

APPS = ("monaca-app", "cloudboost-app", "notes-app")
SETTINGS = "settings.js"

_PACKAGE = Path(__file__).parent.parent


def examples_folder() -> Path:
    """Where the example apps are: inside the package in a wheel, beside it in a source tree."""
    installed = _PACKAGE / "examples"
    return installed if installed.is_dir() else _PACKAGE.parent / "examples"


def add_example_apps(app: web.Application, config: Config) -> None:
    """Serves `/examples/<app>/`. Browsers ask for each file anew, so that an edit is seen at once."""
    folder = examples_folder()
    files = {name: {path.name for path in (folder / name).iterdir()} for name in APPS}
    tells_settings = is_loopback(config.server.host)
    headers = page_headers(images="data:")  # of the icon, so that browsers do not ask for one

    async def send(request: web.Request) -> web.StreamResponse:
        name, file = request.match_info["app"], request.match_info["file"] or "index.html"
        if file not in files.get(name, ()):
            raise web.HTTPNotFound
        if file == SETTINGS and tells_settings and is_local(request):
            return _own_settings(request, config)
        return web.FileResponse(folder / name / file, headers=headers)

    async def add_slash(request: web.Request) -> web.Response:
        raise web.HTTPFound(f"/examples/{request.match_info['app']}/")

    app.router.add_get("/examples/{app}/{file:[^/]*}", send)
    app.router.add_get(f"/examples/{{app:{'|'.join(APPS)}}}", add_slash)


def _own_settings(request: web.Request, config: Config) -> web.Response:
    backend_id, backend = next(iter(config.backends.items()))
    origin = str(request.url.origin())
    settings = {"url": origin, "backendId": backend_id, "apiKey": backend.api_key, "mailPage": f"{origin}/dev/mail"}
    # Cross-Origin-Resource-Policy is one of them: else any web page could load it as a script, and read the key.
    headers = page_headers() | {"Cache-Control": "no-store"}
    text = f"var SETTINGS = {json.dumps(settings, indent=4)};\n"
    return web.Response(text=text, content_type="text/javascript", charset="utf-8", headers=headers)
