"""Users as lines of JSON or CSV, from which an import makes the same users again."""

import csv
import errno
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from jsonrpc_backend.store.users import NO_PASSWORD, User
from jsonrpc_backend.transfer import cells
from jsonrpc_backend.transfer.naming import CREATED, DISABLED, ID, PASSWORD_HASH, UPDATED, USERNAME

FORMATS = ("jsonl", "csv")


class NothingToContinue(Exception):
    """The unfinished file cannot be gone on with; the message says why."""


class Layout(Protocol):
    """How users are written. A line ends with a line feed and holds no other."""

    @property
    def header(self) -> bytes: ...

    def line(self, user: User) -> bytes: ...

    def id_of(self, line: bytes) -> str:
        """The id of the user of a complete line. Raises ValueError."""
        ...


def _system_fields(user: User, *, with_hashes: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {
        ID: user.id,
        USERNAME: user.username,
        CREATED: user.created_at,
        UPDATED: user.updated_at,
    }
    if user.disabled_at is not None:
        fields[DISABLED] = user.disabled_at
    if with_hashes and user.password_hash != NO_PASSWORD:
        fields[PASSWORD_HASH] = user.password_hash
    return fields


class JsonLines:
    """A JSON object on each line."""

    header = b""

    def __init__(self, *, with_hashes: bool) -> None:
        self._with_hashes = with_hashes

    def line(self, user: User) -> bytes:
        fields = _system_fields(user, with_hashes=self._with_hashes) | user.properties
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    def id_of(self, line: bytes) -> str:
        try:
            return str(json.loads(line)[ID])
        except (TypeError, KeyError) as error:
            raise ValueError from error


class Csv:
    """A column for each of these properties, after a header row; one for disabled users where there are any."""

    def __init__(self, property_names: Sequence[str], *, with_hashes: bool, with_disabled: bool = False) -> None:
        self._with_hashes = with_hashes
        self._names = property_names
        disabled, password_hash = [DISABLED] if with_disabled else [], [PASSWORD_HASH] if with_hashes else []
        self._system = [ID, USERNAME, CREATED, UPDATED, *disabled, *password_hash]

    @property
    def header(self) -> bytes:
        return csv_line([*self._system, *self._names])

    def line(self, user: User) -> bytes:
        fields, properties = _system_fields(user, with_hashes=self._with_hashes), user.properties
        fields[USERNAME] = cells.write_text(user.username)
        values = [cells.write_value(properties[name]) if name in properties else "" for name in self._names]
        return csv_line([*(str(fields.get(name, "")) for name in self._system), *values])

    def id_of(self, line: bytes) -> str:
        return next(csv.reader([line.decode()]))[0]


def csv_line(row: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(row)
    return line.getvalue().encode()


def unfinished(destination: Path, *, with_hashes: bool) -> Path:
    """Where an export is written until it is complete; with hashes elsewhere, so that the two do not mix."""
    return destination.with_name(destination.name + (".hashes.part" if with_hashes else ".part"))


def begin(part: Path, layout: Layout) -> BinaryIO:
    """A new file, readable by its owner only, with the header in it."""
    part.unlink(missing_ok=True)
    file = os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b")
    file.write(layout.header)
    return file


def resume(part: Path, layout: Layout) -> tuple[BinaryIO, str | None]:
    """The unfinished file behind its last complete line, and the id of that line's user. Raises NothingToContinue."""
    file = _own(part)
    try:
        header, last, end = _complete_lines(file, len(layout.header))
        if header != layout.header:
            raise NothingToContinue(f"{part} has other columns than the users have now; leave out --continue.")
        file.truncate(end)
        file.seek(end)
        return file, layout.id_of(last) if last else None
    except (ValueError, IndexError, StopIteration) as error:
        file.close()
        raise NothingToContinue(f"{part} is damaged; leave out --continue.") from error
    except BaseException:
        file.close()
        raise


def _own(part: Path) -> BinaryIO:
    """A file that is there, opened unless somebody else may have put it there, to read what we write."""
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError as error:
        raise NothingToContinue(f"There is no {part} to continue; leave out --continue.") from error
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise NothingToContinue(f"{part} is a symbolic link; leave out --continue.") from error
    file, status = os.fdopen(descriptor, "r+b"), os.fstat(descriptor)
    if status.st_uid != os.geteuid() or status.st_nlink != 1:
        file.close()
        raise NothingToContinue(f"{part} is not yours alone; leave out --continue.")
    return file


def _complete_lines(file: BinaryIO, header_length: int) -> tuple[bytes, bytes, int]:
    """The header, the last complete line after it, and where that ends. What was cut off behind it does not count."""
    header = file.read(header_length)
    last, end = b"", header_length
    for line in file:
        if line.endswith(b"\n"):
            last, end = line, end + len(line)
    return header, last, end


def write(file: BinaryIO, layout: Layout, users: Iterable[User]) -> Iterator[User]:
    """Writes each user; yields it afterwards."""
    for user in users:
        file.write(layout.line(user))
        yield user


def complete(file: BinaryIO, part: Path, destination: Path) -> None:
    """Puts the file on the disk and in its place."""
    file.flush()
    os.fsync(file.fileno())
    part.replace(destination)
