"""The other workers, as a worker sees them: through its parent."""

import asyncio
import contextlib
import itertools
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from jsonrpc_backend.fairness.tally import Before
from jsonrpc_backend.server.workers.hub import Message

log = logging.getLogger(__name__)

LONGEST_MESSAGE = 1 << 24  # bytes
SECONDS_TO_ANSWER = 5.0


class Colleagues:
    """`Siblings` and `Tally` at once."""

    def __init__(self) -> None:
        self.on_duty = asyncio.Event()
        self.told_to_stop: Callable[[bool], None] = lambda _: None  # whether another one takes its place
        self._writer: asyncio.StreamWriter | None = None
        self._numbers = itertools.count()
        self._awaited: dict[int, asyncio.Future[Any]] = {}
        self._listeners: dict[str, list[Callable[..., None]]] = {}
        self._answers: dict[str, Callable[[], Awaitable[Any]]] = {}
        self._answering: set[asyncio.Task[None]] = set()

    @property
    def tally(self) -> "Colleagues":
        return self

    @contextlib.asynccontextmanager
    async def connected(self, parent: socket.socket) -> AsyncIterator[None]:
        """Hears and is heard until the end of the block."""
        reader, self._writer = await asyncio.open_connection(sock=parent, limit=LONGEST_MESSAGE)
        listening = asyncio.create_task(self._listen(reader))
        try:
            yield
        finally:
            listening.cancel()
            await asyncio.wait([listening])
            with contextlib.suppress(ConnectionError):
                await self._writer.drain()

    async def begin(self, names: Sequence[str]) -> list[Before]:
        try:
            return [Before(*each) for each in await self._call("begin", names)]
        except asyncio.CancelledError:
            self.end(names)  # which the parent reads after it
            raise

    def end(self, names: Sequence[str]) -> None:
        self._send("end", names)

    def lock(self, name: str) -> contextlib.AbstractAsyncContextManager[None]:
        return _Lock(self, name)

    def tell(self, what: str, *data: Any) -> None:
        self._send("tell", what, data)

    def hear(self, what: str, listener: Callable[..., None]) -> None:
        self._listeners.setdefault(what, []).append(listener)

    async def ask(self, question: str, /) -> list[Any]:
        answers, counted_by_the_gone = await asyncio.wait_for(self._call("ask", question), SECONDS_TO_ANSWER)
        return [*answers, counted_by_the_gone]

    def answer(self, question: str, answer: Callable[[], Awaitable[Any]]) -> None:
        self._answers[question] = answer

    def count(self, counted: dict[str, float]) -> None:
        self._send("count", counted)

    def note_ready(self, what: dict[str, Any]) -> None:
        """This one answers calls."""
        self._send("ready", what)

    async def take(self, name: str) -> None:
        """A lock, when it is free."""
        number = next(self._numbers)
        try:
            await self._called(number, "lock", name)
        except asyncio.CancelledError:
            self._send("give_up", name, number)
            raise

    def release(self, name: str) -> None:
        self._send("unlock", name)

    async def _call(self, what: str, *rest: Any) -> Any:
        return await self._called(next(self._numbers), what, *rest)

    async def _called(self, number: int, what: str, *rest: Any) -> Any:
        reply = self._awaited[number] = asyncio.get_running_loop().create_future()
        self._send(what, number, *rest)
        try:
            return await reply
        finally:
            del self._awaited[number]

    def _send(self, *message: Any) -> None:
        if self._writer is not None:
            self._writer.write(json.dumps(message).encode() + b"\n")

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        async for line in reader:
            self._hear(json.loads(line))

    def _hear(self, message: Message) -> None:
        match message:
            case ["reply", number, value]:
                if number in self._awaited and not self._awaited[number].done():
                    self._awaited[number].set_result(value)
            case ["told", what, data]:
                for listener in self._listeners.get(what, ()):
                    listener(*data)
            case ["question", key, question]:
                task = asyncio.create_task(self._give_answer(key, question))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)
            case ["duty"]:
                self.on_duty.set()
            case ["stop", is_replaced]:
                self.told_to_stop(is_replaced)

    async def _give_answer(self, key: int, question: str) -> None:
        try:
            answer = await self._answers[question]()
        except Exception:
            log.exception("the question %s of another worker cannot be answered", question)
            answer = None
        self._send("answer", key, answer)


class _Lock:
    """One that the workers share."""

    def __init__(self, colleagues: Colleagues, name: str) -> None:
        self._colleagues, self._name = colleagues, name
        self._in_this_process = asyncio.Lock()

    async def __aenter__(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self._in_this_process)
            await self._colleagues.take(self._name)
            stack.pop_all()

    async def __aexit__(self, *_: object) -> None:
        self._colleagues.release(self._name)
        self._in_this_process.release()
