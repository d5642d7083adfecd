"""Files that items come in: alone, or together in a zip of which nothing is unpacked to the disk."""

import contextlib
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, BinaryIO

from jsonrpc_backend.errors import ParseError
from jsonrpc_backend.rpc.parse import parse
from jsonrpc_backend.transfer.json_text import Stream, UnusableFile
from jsonrpc_backend.transfer.source import format_of

DEFINITIONS = "collections.json"
PREFIX = "collection_"

_NAME = re.compile("[a-zA-Z][a-zA-Z0-9_-]{0,63}")
_READ_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_MAX_DEFINITIONS_BYTES = 4 << 20

# A zip may unpack to so many times its size, or to so many bytes. Items are text of the same few names: a hundred
# times is a bomb.
MAX_TIMES, MAX_SMALL_BYTES = 100, 256 << 20


@dataclass(frozen=True)
class Member:
    """The items of one file. `label`: as messages call it. `size` in bytes, as the file or the zip says."""

    label: str
    format_name: str
    size: int
    open: Callable[[], contextlib.AbstractContextManager[Stream]]

    @property
    def collection(self) -> str:
        """Raises UnusableFile where the name of the file says none."""
        name = PurePosixPath(self.label.replace("\\", "/")).stem.removeprefix(PREFIX)
        if not _NAME.fullmatch(name):
            raise UnusableFile("the file's name is not that of a collection; say --collection NAME")
        return name


@dataclass(frozen=True)
class Contents:
    """What a file holds. `left`: members of a zip that are none of items."""

    members: Sequence[Member]
    definitions: Sequence[Any] = ()
    left: Sequence[str] = ()

    @property
    def has_several(self) -> bool:
        """Whether the names of the files say that they are of several collections."""
        return len({member.collection for member in self.members if f"/{PREFIX}" in member.label}) > 1


@contextlib.contextmanager
def contents_of(path: Path) -> Iterator[Contents]:
    """Raises UnusableFile, OSError."""
    if path.suffix.lower() == ".zip":
        with _opened_zip(path) as contents:
            yield contents
        return
    format_name = format_of(path)
    if format_name is None:
        raise UnusableFile("the file's name must end in .jsonl, .ndjson, .json, .csv or .zip")
    yield Contents([Member(str(path), format_name, path.stat().st_size, lambda: path.open("rb"))])


@contextlib.contextmanager
def _opened_zip(path: Path) -> Iterator[Contents]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError) as error:
        raise UnusableFile("the file is not a zip") from error
    with archive:
        allowance = Allowance(max(MAX_SMALL_BYTES, MAX_TIMES * path.stat().st_size))
        names = [info for info in archive.infolist() if not info.is_dir()]
        wanted, left = _sorted_out(names)
        members = [_member(archive, info, path, allowance) for info in wanted]
        yield Contents(members, _definitions(archive, names, allowance), [info.filename for info in left])


def _sorted_out(infos: Sequence[zipfile.ZipInfo]) -> tuple[list[zipfile.ZipInfo], list[zipfile.ZipInfo]]:
    """The members with items, and the others. Where some are called `collection_…`, only these have items."""
    wanted = [info for info in infos if _may_be_items(PurePosixPath(info.filename))]
    marked = [info for info in wanted if PurePosixPath(info.filename).name.startswith(PREFIX)]
    wanted = marked or wanted
    left = [info for info in infos if info not in wanted and PurePosixPath(info.filename).name != DEFINITIONS]
    return wanted, left


def _may_be_items(name: PurePosixPath) -> bool:
    is_hidden = name.name.startswith(".") or name.parts[0] == "__MACOSX"
    return format_of(name) is not None and name.name != DEFINITIONS and not is_hidden


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: PurePath, allowance: "Allowance") -> Member:
    def open_member() -> contextlib.AbstractContextManager[Stream]:
        return _reading(archive, info, allowance)

    return Member(f"{path}/{info.filename}", format_of(PurePosixPath(info.filename)) or "", info.file_size, open_member)


def _definitions(archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo], allowance: "Allowance") -> list[Any]:
    for info in infos:
        if PurePosixPath(info.filename).name == DEFINITIONS:
            with _reading(archive, info, allowance) as stream:
                content = stream.read(_MAX_DEFINITIONS_BYTES)
            try:
                found = parse(content)
            except ParseError as error:
                raise UnusableFile(f"{info.filename} is not valid JSON") from error
            if not isinstance(found, list):
                raise UnusableFile(f"{info.filename} is not a list of collections")
            return found
    return []


# --- out of a zip ----------------------------------------------------------------------------------------


@dataclass
class Allowance:
    """How many bytes may still come out of a zip, whatever it says of their number."""

    bytes: int

    def take(self, number: int) -> None:
        self.bytes -= number
        if self.bytes < 0:
            raise UnusableFile(f"the zip unpacks to more than {MAX_TIMES} times its size")


class _Unpacked(io.RawIOBase):
    """A member of a zip as it is unpacked."""

    def __init__(self, packed: BinaryIO, allowance: Allowance) -> None:
        self._packed = packed
        self._allowance = allowance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            some = self._packed.read(len(buffer))
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise UnusableFile("the zip is damaged") from error
        self._allowance.take(len(some))
        buffer[: len(some)] = some
        return len(some)


@contextlib.contextmanager
def _reading(archive: zipfile.ZipFile, info: zipfile.ZipInfo, allowance: Allowance) -> Iterator[Stream]:
    if info.flag_bits & 1:
        raise UnusableFile("the zip is encrypted")
    if info.compress_type not in _READ_METHODS:
        raise UnusableFile("the zip is packed in an unusual way; pack it anew")
    try:
        packed = archive.open(info)
    except zipfile.BadZipFile as error:
        raise UnusableFile("the zip is damaged") from error
    with packed, io.BufferedReader(_Unpacked(packed, allowance), 1 << 16) as stream:  # type: ignore[arg-type]
        yield stream
