"""Builds the documents as a site: `python3 run.py site`. They are plain Markdown, to be read as they are, too.

The source folder is the root of the tree, so that each link means the same on the site as in the repository.
"""

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from jsonrpc_backend import __version__  # noqa: E402 (the tree that the documents are of)

project = "jsonrpc-backend"
version = release = __version__
extensions = ["myst_parser"]
root_doc = "README"
include_patterns = ["*.md", "docs/**.md"]
myst_heading_anchors = 4  # made like those that links in the repository go by
myst_links_external_new_tab = False
suppress_warnings = ["myst.header"]  # a page may begin with a section of the second level

html_theme = "furo"  # light and dark, as the reader's system is
html_title = f"jsonrpc-backend {__version__}"
html_copy_source = False
html_show_sphinx = False

# Who reads what. A page that is named nowhere is an error.
READERS = {
    "Write an app": ["clients", "collections", "methods", "bring-your-app-back"],
    "Run the server": ["commands", "configuration", "running", "operations", "moving-in", "managing", "performance"],
    "Trust it": ["promises", "/SECURITY"],
    "Change it": ["/CONTRIBUTING", "/CODE_OF_CONDUCT", "/CHANGELOG"],
    "日本語": ["/README.ja", "ja/clients", "ja/collections", "ja/methods", "ja/bring-your-app-back"],
}

_LINK = re.compile(r"\[([^\[\]]*)\]\(([^)\s#:]+)\)")


def _contents() -> str:
    """The side bar. It stands in no document, for elsewhere a reader would see the directives."""
    trees = [
        "\n".join(["```{toctree}", ":hidden:", f":caption: {reader}", "", *map(_name, pages), "```"])
        for reader, pages in READERS.items()
    ]
    return "\n\n" + "\n\n".join(trees) + "\n"


def _name(page: str) -> str:
    return page if page.startswith("/") else f"/docs/{page}"


def _prepare(_: Sphinx, name: str, source: list[str]) -> None:
    """Folders can be opened in the repository alone: on the site their names remain."""
    here = ROOT / Path(name).parent
    source[0] = _LINK.sub(lambda link: link[1] if (here / link[2]).is_dir() else link[0], source[0])
    if name == root_doc:
        source[0] += _contents()


def _open_at_the_readme(app: Sphinx, exception: Exception | None) -> None:
    if exception is None:
        to = '<meta http-equiv="refresh" content="0; url=README/">'
        Path(app.outdir, "index.html").write_text(f"<!doctype html>{to}", encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.connect("source-read", _prepare)
    app.connect("build-finished", _open_at_the_readme)
