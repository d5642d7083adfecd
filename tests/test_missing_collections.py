"""`serve --dev` tells how to make the collections that an app asks for."""

import asyncio
import html
import re
import subprocess
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.web.missing_collections import MOST
from tests.servers import InProcessServer, ServerProcess, make_config, running, served
from tests.wire import Wire

HEADING = "Collections that an app asks for"


async def ask(app: Wire, name: Any) -> None:
    answer = await app.call("Collection.find", collectionName=name)
    assert (answer.code, answer.data) == (-32602, {"collectionName": "Collection not found."})


async def start_page(http: aiohttp.ClientSession, server: InProcessServer | ServerProcess, **headers: str) -> str:
    async with http.get(f"{server.url}/", headers=headers) as response:
        return html.unescape(await response.text())


def paste(line: str, folder: Path) -> None:
    subprocess.run(line, shell=True, check=True, cwd=folder, capture_output=True)


@pytest.mark.slow
@pytest.mark.parametrize("backends", ["app", "app shop"])
async def test_the_line_that_is_told_mends_it(tmp_path: Path, http: aiohttp.ClientSession, backends: str) -> None:
    tables = [f'[backends.{backend_id}]\napi_key = "test-api-key"\n' for backend_id in backends.split()]
    (tmp_path / "the config.toml").write_text("".join(tables))
    with served(tmp_path / "data", "--dev", "--config", "the config.toml") as server:
        server.api_key = "test-api-key"
        app = Wire(http, server)
        await ask(app, "diary")
        told = server.read_until("To make it:")
        while not (found := re.search(r"\n  (.* collection create diary .*)\n", told)):
            told += server.read_until("\n")
        line = found[1]
        page = await start_page(http, server)
        assert HEADING in page
        assert line in page
        await asyncio.to_thread(paste, line, tmp_path)
        inserted = await app.call("Collection.insert", collectionName="diary", item={"a": 1})
        assert inserted.result["item"]["a"] == 1
        assert HEADING not in await start_page(http, server)


async def test_each_name_is_told_once(
    tmp_path: Path, http: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(make_config(tmp_path), development=True) as server:
        app = Wire(http, server)
        for _ in range(2):
            await ask(app, "a-1_B")
            await ask(app, "notes")
        answers = [
            await app.call("Collection.insert", collectionName="insert", item={}),
            await app.call("Collection.update", collectionName="update", itemOid="i", data={}),
            await app.call("Collection.delete", collectionName="delete", itemOid="i"),
            await app.call("Collection.getPermission", collectionName="getPermission", itemOid="i"),
            await app.call("Collection.updatePermission", collectionName="updatePermission", permission={}),
        ]
        assert [answer.code for answer in answers] == [-32602] * 5
    told = re.findall(r"collection create (\S+) --insertable", capsys.readouterr().out)
    assert told == ["a-1_B", "notes", "insert", "update", "delete", "getPermission", "updatePermission"]


@pytest.mark.parametrize(
    "name", ["", "1a", "a b", "a;reboot", "$(reboot)", "--help", "a\n", "x" * 65, "<script>", "あ", "\x1b[2J", "a'b"]
)
async def test_what_can_be_no_name_is_not_told(
    tmp_path: Path, http: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    async with running(make_config(tmp_path), development=True) as server:
        await ask(Wire(http, server), name)
        assert HEADING not in await start_page(http, server)
    assert "create" not in capsys.readouterr().out


async def test_who_makes_names_up_fills_no_terminal(
    tmp_path: Path, http: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(make_config(tmp_path), development=True) as server:
        for number in range(MOST + 5):
            await ask(Wire(http, server), f"name{number}")
        assert (await start_page(http, server)).count("collection create") == MOST
    assert capsys.readouterr().out.count("collection create") == MOST


async def test_only_this_machine_is_shown_them(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    async with running(make_config(tmp_path), development=True) as server:
        await ask(Wire(http, server), "notes")
        assert HEADING in await start_page(http, server)
        for headers in ({"Host": "evil.example.com"}, {"X-Forwarded-For": "192.0.2.1"}):
            assert HEADING not in await start_page(http, server, **headers)
    async with running(make_config(tmp_path, {"server": {"host": "0.0.0.0"}}), development=True) as server:
        await ask(Wire(http, server), "notes")
        assert HEADING not in await start_page(http, server)


async def test_nothing_is_told_where_nobody_develops(
    server: InProcessServer, http: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str], caplog: Any
) -> None:
    await ask(Wire(http, server), "notes")
    assert "notes" not in capsys.readouterr().out + caplog.text
