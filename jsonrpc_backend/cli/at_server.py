"""A server far away, through the operators' API, for commands."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from jsonrpc_backend.cli.found_page import FoundPage
from jsonrpc_backend.cli.progress import progress
from jsonrpc_backend.client import ManagementClient, wire
from jsonrpc_backend.client.management import find_only_backend
from jsonrpc_backend.config import MANAGEMENT_KEY_VARIABLE
from jsonrpc_backend.errors import (
    ConnectionFailed,
    InvalidApiKey,
    InvalidParams,
    InvalidResponse,
    InvalidStatus,
    RpcError,
)
from jsonrpc_backend.rpc.parse import unportable

SECONDS = 120.0  # for one call: a search takes 20 s at most where nothing else is configured, and may have to wait
AT_ONCE = 1024  # users or items in one answer
REFUSED = "The server refuses the management key: it is wrong, or not for {} or this address."


def read_key(file: Path | None) -> str:
    """The management key. It is no option: other users of the machine could see it. Raises ClickException."""
    if file is None:
        key = os.environ.get(MANAGEMENT_KEY_VARIABLE, "")
        if not key:
            raise click.UsageError(f"--url needs a management key: in {MANAGEMENT_KEY_VARIABLE}, or in a --key-file.")
        return key
    try:
        return (sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise click.ClickException(f"{file} cannot be read: {reason}.") from error


@contextlib.contextmanager
def connected(url: str, backend_id: str | None, key: str) -> Iterator[ManagementClient]:
    """Without a backend id that of the server's only backend. Raises ClickException, inside the block too."""
    try:
        with _client(url, backend_id, key) as client:
            yield client
    except InvalidApiKey as error:
        raise click.ClickException(REFUSED.format("this backend")) from error
    except InvalidParams as error:
        raise click.ClickException(" ".join(map(str, error.data.values()))) from error
    except RpcError as error:
        raise click.ClickException(f"{url}: {error}") from error


def _client(url: str, backend_id: str | None, key: str) -> ManagementClient:
    try:
        return ManagementClient(url, backend_id or _find_backend(url, key), key, timeout=SECONDS)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error


def _find_backend(url: str, key: str) -> str:
    try:
        return asyncio.run(find_only_backend(url, key, seconds=SECONDS))
    except ConnectionFailed:
        raise
    except (InvalidStatus, InvalidResponse) as error:
        if error.data == {"status": 403}:
            several = "the server has several backends: then say which, with --backend ID."
            raise click.ClickException(f"{REFUSED.format('the backend')[:-1]}; or {several}") from error
        raise click.UsageError("Which backend? Say --backend ID; the server does not tell.") from error


def called(client: ManagementClient, method: str, params: Mapping[str, Any]) -> Any:
    """The result of a call. Raises UsageError for what JSON cannot express."""
    if unportable(params):
        raise click.UsageError("The arguments are not UTF-8.")
    return client.call(method, params)


def page_of(result: Any) -> FoundPage:
    """As the methods that list give it."""
    return FoundPage(wire.member(result, "items"), wire.member(result, "totalItems"))


def all_pages(page: Callable[[int, int], FoundPage]) -> Iterator[dict[str, Any]]:
    """One page after the other, by its number from 1 and its size; smaller ones where they would be refused."""
    first, total, size = 0, 1, AT_ONCE
    with contextlib.ExitStack() as stack:
        advance = None
        while first < total:
            try:
                found = page(1 + first // size, size)
            except InvalidParams as error:
                if "itemsInPage" not in error.data or size == 1:
                    raise
                size //= 2  # what has been read is still a number of whole pages
                continue
            first, total = first + size, found.total
            advance = advance or stack.enter_context(progress("Reading", total if total > size else 0))
            yield from found.items
            advance(len(found.items))
