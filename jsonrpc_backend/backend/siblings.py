"""The other processes of the same server, which answer calls beside this one: its workers."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from jsonrpc_backend.fairness.tally import OwnTally, Tally


class Siblings(Protocol):
    @property
    def tally(self) -> Tally:
        """What is under way in all of them."""

    @property
    def on_duty(self) -> asyncio.Event:
        """Set once this process does what one of them does for all: mails, removing what has ended. It stays set."""

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        """Held by one of them at a time. Whoever gets it has heard what was told under it."""

    def tell(self, what: str, *data: Any) -> None:
        """Tells the others; `data` as JSON knows it."""

    def hear(self, what: str, listener: Callable[..., None]) -> None:
        """Calls `listener(*data)` for what the others tell."""

    async def ask(self, question: str, /) -> list[Any]:
        """What the others answer, and at last what those have counted that have ended. Raises TimeoutError."""

    def answer(self, question: str, answer: Callable[[], Awaitable[Any]]) -> None:
        """Has the others' question answered by what `answer()` returns."""

    def count(self, counted: dict[str, float]) -> None:
        """What this process has counted since it began: it is still counted when the process has ended."""


class NoSiblings:
    """Of a server that is one process."""

    def __init__(self) -> None:
        self.tally = OwnTally()
        self.on_duty = asyncio.Event()
        self.on_duty.set()
        self._locks: dict[str, asyncio.Lock] = {}

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        return self._locks.setdefault(name, asyncio.Lock())

    def tell(self, what: str, *data: Any) -> None:
        """There is nobody to hear it."""

    def hear(self, what: str, listener: Callable[..., None]) -> None:
        """There is nobody to tell anything."""

    async def ask(self, _question: str, /) -> list[Any]:
        return []

    def answer(self, question: str, answer: Callable[[], Awaitable[Any]]) -> None:
        """There is nobody to ask."""

    def count(self, counted: dict[str, float]) -> None:
        """There is nobody to go on with it."""
