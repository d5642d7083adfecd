"""The server's log: text for people, or one JSON object a line for programs."""

import contextlib
import functools
import json
import logging
import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol, TextIO

from jsonrpc_backend.config import ServerConfig
from jsonrpc_backend.telemetry.events import CallEnded, Observer
from jsonrpc_backend.telemetry.output import Output, OutputWithoutThread, writing

MAX_NAME_LENGTH = 64  # of a name that a client has made up

# What a terminal obeys instead of showing it, and what looks like another line.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

_json = json.JSONEncoder(separators=(",", ":"))  # ASCII only, so nothing in it can end a line

_quoted = json.encoder.encode_basestring_ascii

CALLS_LOGGER = "jsonrpc_backend.calls"

_OF_CALLS = f'"level":"info","logger":"{CALLS_LOGGER}","message":"call",'


class LogFormat(Protocol):
    """Makes lines, each with its line break."""

    def record(self, record: logging.LogRecord) -> str: ...

    def call(self, call: CallEnded) -> str: ...

    def loss(self, lines: int) -> str: ...


class JsonFormat:
    """`time`, `level`, `logger` and `message`; a fault's `request_id` and `traceback`; what calls have to tell."""

    def record(self, record: logging.LogRecord) -> str:
        line = _line(int(record.created * 1000), record.levelname, record.name, record.getMessage())
        if hasattr(record, "request_id"):
            line["request_id"] = record.request_id
        traceback = _traceback(record)
        return _json.encode(line | ({"traceback": traceback} if traceback else {})) + "\n"

    def call(self, call: CallEnded) -> str:
        request_id, backend, is_ours, method, is_method, code, seconds, client = call
        if is_ours and is_method:
            what = _members(backend, method, code)
        else:
            named = None if method is None else _name(method, known=is_method)
            what = _members(_name(backend, known=is_ours), named, code)
        return (
            f'{{"time":"{_time(_now())}",{_OF_CALLS}"request_id":"{request_id}",{what},'
            f'"ms":{seconds * 1000:.3f},"client":"{client}"}}\n'  # an address, as we write it
        )

    def loss(self, lines: int) -> str:
        return _json.encode(_line(_now(), "WARNING", __name__, _loss(lines)) | {"dropped": lines}) + "\n"


class TextFormat:
    """Lines that begin with the time. Those of a traceback are indented, so that no text in it looks like another."""

    def record(self, record: logging.LogRecord) -> str:
        line = (
            f"{_time(int(record.created * 1000))} {record.levelname} {record.name}: {_escaped(record.getMessage())}\n"
        )
        traceback = _traceback(record)
        return line + "".join(f"  {_escaped(each)}\n" for each in traceback.split("\n") if traceback)

    def call(self, call: CallEnded) -> str:
        backend = _name(call.backend_id, known=call.backend_known)
        method = "-" if call.method is None else _name(call.method, known=call.method_known)
        took = f"{call.seconds * 1000:.1f} ms"
        begin = f"{_time(_now())} INFO call {call.request_id}"
        return f"{begin} {backend} {method} {call.code} {took} {call.client or '-'}\n"

    def loss(self, lines: int) -> str:
        return f"{_time(_now())} WARNING {__name__}: {_loss(lines)}\n"


def _line(milliseconds: int, level: str, logger: str, message: str) -> dict[str, Any]:
    return {"time": _time(milliseconds), "level": level.lower(), "logger": logger, "message": message}


def _loss(lines: int) -> str:
    return f"{lines} lines of the log were dropped: they could not be written in time"


def _now() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


# A busy server has several calls a millisecond, many of the same kind: what their lines have in common is kept, and a
# line takes two fifths of the time.


@functools.lru_cache(16)
def _time(milliseconds: int) -> str:
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03}Z"


@functools.lru_cache(16)
def _second(whole: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))


@functools.lru_cache(512)
def _members(backend: str, method: str | None, code: int) -> str:
    """All names are short, also those that clients have made up: they are kept."""
    named = "null" if method is None else _quoted(method)
    return f'"backend":{_quoted(backend)},"method":{named},"code":{code}'


def _name(name: str, *, known: bool) -> str:
    """A name that is not ours is in quotes, short and without any character that does something."""
    if known:
        return name
    return ascii(name if len(name) <= MAX_NAME_LENGTH else name[: MAX_NAME_LENGTH - 1] + "…")


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def _traceback(record: logging.LogRecord) -> str:
    return logging.Formatter().formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""


class CallLog(Observer):
    """A line for each call."""

    def __init__(self, output: Output, form: LogFormat) -> None:
        self._put = output.put
        self._render = form.call

    def call_ended(self, call: CallEnded) -> None:
        self._put(self._render(call))  # at once: what is kept until it is written should be small


class _Handler(logging.Handler):
    """Takes a record at once, but writes it later: kept as it is, it would keep what its traceback refers to."""

    def __init__(self, output: Output | OutputWithoutThread, form: LogFormat) -> None:
        super().__init__()
        self._output = output
        self._form = form

    def emit(self, record: logging.LogRecord) -> None:
        self._output.put(self._form.record(record))


class Log:
    """Where the server's lines go while it runs. `calls` writes those of calls, if they are wanted."""

    def __init__(self, output: Output, calls: Observer) -> None:
        self.flush = output.flush
        self.calls = calls
        self._output = output

    @property
    def dropped(self) -> int:
        """Lines since the start that could not be written."""
        return self._output.dropped


@contextlib.contextmanager
def logging_to(
    stream: TextIO, config: ServerConfig, alone: AbstractContextManager[None] | None = None
) -> Iterator[Log]:
    """Sends the whole process's log to a stream until the end of the block. `alone`: see Output."""
    form = _form(stream, config)
    with writing(stream, form.loss, alone) as output, _handled(_Handler(output, form), config) as level:
        yield Log(output, CallLog(output, form) if config.log_calls and level <= logging.INFO else Observer())


@contextlib.contextmanager
def logging_without_thread(stream: TextIO, config: ServerConfig) -> Iterator[None]:
    """The same for a process that answers no calls, and must not have threads."""
    with _handled(_Handler(OutputWithoutThread(stream), _form(stream, config)), config):
        yield


def _form(stream: TextIO, config: ServerConfig) -> LogFormat:
    as_text = config.log_format == "text" or (config.log_format == "auto" and stream.isatty())
    return TextFormat() if as_text else JsonFormat()


@contextlib.contextmanager
def _handled(handler: logging.Handler, config: ServerConfig) -> Iterator[int]:
    """The handler of all records until the end of the block; yields the level of the least severe ones."""
    root, level = logging.getLogger(), logging.getLevelNamesMapping()[config.log_level.upper()]
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield level
    finally:
        root.removeHandler(handler)
