"""The client scripts for apps, as the server gives them out under `/js/`.

The folder `js` holds modules. They are served as they are; the scripts for a plain `<script>` tag are put together of
the same modules: their import and export lines are taken out, and one function is put around the whole.
"""

import functools
import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web

FOLDER = Path(__file__).parent.parent / "js"

CONTENT_TYPE = "text/javascript"
TYPES_CONTENT_TYPE = "text/plain"  # editors and compilers read the .d.mts files, browsers do not

# Modules must not be mixed with those of another version: browsers ask each time whether they are still the same.
CACHED = "public, max-age=3600"

# The scripts for a plain `<script>` tag; `js/classic` has the last part of each, which makes the global that apps use.
_CLASSIC = ("monaca.cloud.js", "cloudboost.js")

_IMPORTED = re.compile(r'^import [^;]* from "[./]*([^/"]+)";$', re.MULTILINE)
_MODULE_LINES = re.compile(r"^(?:import [^;]*;|export \{[^;]*\};)\n+", re.MULTILINE)

# Comments that have lines of their own, and what lines are indented by; together they are a quarter of what is sent.
_FOR_READERS = re.compile(r"^ *(?:/\*\*.*?\*/\n|/\* .*?\*/\n|//[^\n]*\n)|^ +", re.MULTILINE | re.DOTALL)

_CLASSIC_SCRIPT = '/* {name} of jsonrpc-backend. MIT licence. */\n(function () {{\n"use strict";\n\n{code}}})();\n'


@dataclass(frozen=True)
class Script:
    """A file as it is sent."""

    content_type: str
    body: bytes
    compressed: bytes
    etag: str

    @classmethod
    def of(cls, content_type: str, text: str) -> "Script":
        body = text.encode()
        return cls(content_type, body, gzip.compress(body, mtime=0), hashlib.sha256(body).hexdigest()[:32])


def classic_script(name: str) -> str:
    """The text of a script for a plain `<script>` tag, without the modules' comments."""
    parts = _with_imported(FOLDER / "classic" / name, {})
    code = "\n".join(_FOR_READERS.sub("", _MODULE_LINES.sub("", part)) for part in parts.values())
    return _CLASSIC_SCRIPT.format(name=name, code=code)


def _with_imported(path: Path, known: dict[Path, str]) -> dict[Path, str]:
    """`known`, and the text of a file after those of the modules that it imports and that are not known yet."""
    if path in known:
        return known
    text = path.read_text(encoding="utf-8")
    for imported in _IMPORTED.findall(text):
        known = _with_imported(FOLDER / imported, known)
    return known | {path: text}


def all_scripts() -> dict[str, Script]:
    """Every file that is served, by its name."""
    return {name: Script.of(content_type, text) for name, content_type, text in _files()}


# For servers, of which a process may have several: the files do not change under them.
_shipped = functools.cache(all_scripts)


def _files() -> Iterator[tuple[str, str, str]]:
    for name in _CLASSIC:
        yield name, CONTENT_TYPE, classic_script(name)
    for path in sorted(FOLDER.glob("*.mts")):
        yield path.name, TYPES_CONTENT_TYPE, path.read_text(encoding="utf-8")
    for path in sorted(FOLDER.glob("*.mjs")):
        yield path.name, CONTENT_TYPE, path.read_text(encoding="utf-8")


def add_scripts(app: web.Application, *, development: bool) -> None:
    """Serves `/js/<name>`. In development files are read anew for every request, so that an edit is seen at once."""
    kept = all_scripts() if development else _shipped()

    async def send(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        script = (all_scripts() if development else kept).get(name)
        if script is None:
            raise web.HTTPNotFound(
                text=f"There is no such script; there are: {', '.join(kept)}.\n", headers=_ANY_ORIGIN
            )
        headers = {
            **_ANY_ORIGIN,
            "Cache-Control": "no-cache" if development or name not in _CLASSIC else CACHED,
            "ETag": f'W/"{script.etag}"',  # weak: the same for both encodings
            "Vary": hdrs.ACCEPT_ENCODING,
        }
        if any(etag.value in {script.etag, "*"} for etag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        body = script.body
        if _takes_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, "")):
            body, headers["Content-Encoding"] = script.compressed, "gzip"
        return web.Response(body=body, content_type=script.content_type, charset="utf-8", headers=headers)

    app.router.add_get("/js/{name}", send)


def _takes_gzip(accept_encoding: str) -> bool:
    codings = [coding.replace(" ", "").lower() for coding in accept_encoding.split(",")]
    return any(re.fullmatch(r"gzip(;q=(0\.0*[1-9]\d*|1(\.0*)?))?", coding) for coding in codings)


# A page may be of any origin, and may have asked its browser to load nothing from others that does not say so.
_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
