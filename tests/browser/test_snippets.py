"""The JavaScript and HTML blocks of the documents, each in a page of its own; nothing but theirs is on the console."""

import re

import pytest

from jsonrpc_backend.client import AsyncClient
from tests.browser.conftest import Site, script_tag
from tests.collections.conftest import make_collection
from tests.documents import Block
from tests.servers import InProcessServer
from tests.test_snippets import to_run

# What a block prints, by the beginning of its first line. Others print nothing.
PRINTED = {
    "monaca.cloud.User.register(": "log: Welcome, anna@example.com",
    "var diary = ": "log: 1 Rain all day.",
    "var criteria = ": "log: Sun, and the first cherries.",
}

DONE = "documents-block-done"


def page(block: Block, text: str, server: InProcessServer) -> str:
    """The block as its reader puts it into a page; says at the end that it got there."""
    said = f'console.log("{DONE}")'
    head = '<!doctype html><link rel="icon" href="data:,">'
    if block.language == "html":
        return f"{head}{text}<script>{said}</script>"
    if "import " in text:  # a later script would not wait for this one's await
        return f'{head}<script type="module">{text}\n{said}</script>'
    return f"{head}{script_tag(server)}<script>{text}\n{said}</script>"


@pytest.mark.parametrize("block", to_run("js", "html"), ids=str)
async def test_block(block: Block, site: Site, server: InProcessServer) -> None:
    text = re.sub(r"http://127\.0\.0\.1:8080|https://example\.com", server.url, block.text)
    text = text.replace("<API key>", server.api_key)
    if "Collection(" in text:
        make_collection(server, "diary", indexes=("mood",))
    if "User.login(" in text:
        async with AsyncClient(server.url, backend_id=server.backend_id, api_key=server.api_key) as client:
            await client.user.register("anna@example.com", "secret")
    expected = {f"log: {DONE}", *(said for first, said in PRINTED.items() if block.first.startswith(first))}
    opened = await site.open("http", page(block, text, server))
    while len(site.console) < len(expected):
        await opened.wait_for_event("console")
    assert set(site.console) == expected
