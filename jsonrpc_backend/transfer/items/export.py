"""Items as lines of JSON or CSV, from which an import makes the same items again."""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Protocol

from jsonrpc_backend.accounts.user_object import joined
from jsonrpc_backend.collections.definitions import definition_object
from jsonrpc_backend.collections.item_object import operator_fields
from jsonrpc_backend.store import collections, items
from jsonrpc_backend.store.collections import Collection
from jsonrpc_backend.store.engine import Db
from jsonrpc_backend.store.users import to_json
from jsonrpc_backend.transfer import cells
from jsonrpc_backend.transfer.export import csv_line
from jsonrpc_backend.transfer.items.files import DEFINITIONS, PREFIX
from jsonrpc_backend.transfer.items.naming import ITEM_FIELDS


class ItemLayout(Protocol):
    """How items are written. A line ends with a line feed and holds no other."""

    @property
    def header(self) -> bytes: ...

    def line(self, fields: Mapping[str, Any], properties_json: str) -> bytes: ...


class ItemLines:
    """A JSON object on each line."""

    header = b""

    def line(self, fields: Mapping[str, Any], properties_json: str) -> bytes:
        return joined(to_json(fields), properties_json).encode() + b"\n"


class ItemCsv:
    """A column for each of these properties, after a header row."""

    def __init__(self, property_names: Sequence[str]) -> None:
        self._names = property_names

    @property
    def header(self) -> bytes:
        return csv_line([*ITEM_FIELDS, *self._names])

    def line(self, fields: Mapping[str, Any], properties_json: str) -> bytes:
        properties = json.loads(properties_json)
        system = ["" if fields[name] is None else _cell(fields[name]) for name in ITEM_FIELDS]
        values = [cells.write_value(properties[name]) if name in properties else "" for name in self._names]
        return csv_line([*system, *values])


def _cell(value: Any) -> str:
    return cells.write_text(value) if isinstance(value, str) else cells.write_value(value)


def layout_of(db: Db, collection: Collection, format_name: str) -> ItemLayout:
    return ItemCsv(items.property_names(db, collection)) if format_name == "csv" else ItemLines()


def write_items(db: Db, collection: Collection, layout: ItemLayout, stream: BinaryIO) -> Iterator[None]:
    """Writes each item, in the order of insertion; yields afterwards."""
    stream.write(layout.header)
    for item in items.list_all(db, collection):
        stream.write(layout.line(operator_fields(db, item), item.properties_json))
        yield


def write_all(db: Db, stream: BinaryIO) -> Iterator[None]:
    """Writes a zip of all collections: their definitions, and a file of lines for the items of each."""
    found = collections.list_all(db)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=5) as archive:
        definitions = [definition_object(collection) for collection in found]
        archive.writestr(DEFINITIONS, json.dumps(definitions, ensure_ascii=False, indent=2))
        for collection in found:
            with archive.open(f"{PREFIX}{collection.name}.jsonl", "w", force_zip64=True) as member:
                yield from write_items(db, collection, ItemLines(), member)  # type: ignore[arg-type]
