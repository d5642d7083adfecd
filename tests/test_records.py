"""Records in files of every kind: the same ones however the file is cut into pieces, and never all of it in memory."""

import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsonrpc_backend.transfer.json_text import MAX_RECORD_BYTES, Stream, UnusableFile
from jsonrpc_backend.transfer.naming import Naming
from jsonrpc_backend.transfer.source import Bad, Record, Source

ANNA, BERT = {"_username": "anna", "n": -1.5e3}, {"_username": "bert", "ä": ["]", {"}": '"\\'}, "😀"]}


class Pieces(io.BytesIO):
    """A file of which each read gives so many bytes at the most."""

    def __init__(self, content: bytes, most: int) -> None:
        super().__init__(content)
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._most)


class Endless:
    """A file that begins so and goes on in the same way for ever."""

    def __init__(self, begin: bytes, again: bytes) -> None:
        self._begin, self._again = begin, again

    def read(self, size: int, /) -> bytes:
        begin, self._begin = self._begin, b""
        return begin + self._again * (size // len(self._again))

    def readline(self, limit: int, /) -> bytes:
        return self.read(limit)[:limit]


def read(stream: Stream, format_name: str) -> list[Record | Bad]:
    return list(Source(stream, format_name, Naming(), file="f", size=0))


def fields(content: str, format_name: str = "json", *, most: int = 1 << 20) -> list[Any]:
    records = read(Pieces(content.encode(), most), format_name)
    assert [record.number for record in records] == list(range(1, len(records) + 1))
    return [record.fields for record in records if isinstance(record, Record)]


KINDS = {
    "array": "[%s, %s]",
    "results": '{"results": [%s,%s]}',
    "results after others": '{"n": 12, "nested": {"results": [1]}, "results": [%s,%s], "more": 1}',
    "answer to a call": '{"jsonrpc": "2.0", "id": 17, "result": {"items": [%s,%s], "totalItems": 2}}',
    "number of items first": '{"result": {"totalItems": 2, "items": [%s,%s]}}',
    "result of a call": '{"items": [%s,%s], "totalItems": 2}',
    "lines": "%s\n%s",
    "BOM": "\ufeff \r\n[%s\n,\n%s\n]",
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("most", [1, 2, 7, 1000])
def test_kinds_of_json(kind: str, most: int) -> None:
    assert fields(kind % (json.dumps(ANNA), json.dumps(BERT, ensure_ascii=False)), most=most) == [ANNA, BERT]


@pytest.mark.parametrize(
    "record",
    [
        {"_id": "1", "items": [{"a": 1}]},
        {"_id": "1", "result": {"items": [{"a": 1}]}},
        {"result": {"a": 1, "items": [{"a": 1}]}},
        {"result": {"result": {"items": [{"a": 1}]}}},
        {"results": 5},
    ],
)
def test_record_that_has_a_list_is_a_record(record: dict[str, Any]) -> None:
    assert fields(json.dumps(record) + "\n{}") == [record, {}]


VALUES = st.recursive(st.none() | st.integers() | st.floats(-1e9, 1e9) | st.text(), st.lists, max_leaves=4)
RECORDS = st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=4)


@settings(max_examples=100, deadline=None)
@given(RECORDS, st.integers(1, 9), st.booleans())
def test_pieces_make_no_difference(records: list[dict[str, Any]], most: int, plain: bool) -> None:
    text = json.dumps(records, indent=1, ensure_ascii=plain)
    assert fields(text, most=most) == records
    assert fields("\n".join(map(json.dumps, records)), "jsonl", most=most) == records


@pytest.mark.parametrize("most", [1, 1000])
def test_error_is_told_by_its_place(most: int) -> None:
    content = b'[\n{"a": 1},\n  {"b": 1, }]'
    with pytest.raises(UnusableFile, match="line 3, column 12: the file is not valid JSON"):
        read(Pieces(content, most), "json")
    with pytest.raises(UnusableFile, match="line 3: the file is not UTF-8"):
        read(Pieces(b'[\n{"a": 1},\n"\xff"]', most), "json")


def test_long_array_is_never_all_in_memory() -> None:
    record = json.dumps(ANNA | {"text": "x" * 1000}).encode()
    source, number = Source(Endless(b"[" + record, b"," + record), "json", Naming(), file="f", size=0), 0
    tracemalloc.start()
    try:
        for number, _ in enumerate(source):
            if number == 20_000:
                break
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert number == 20_000
    assert most < MAX_RECORD_BYTES


@pytest.mark.parametrize("begin", ['[{"a": "', '{"a": "', '{"a": 1, "b": "x', '{"results": [{"a": "'])
def test_record_without_end(begin: str) -> None:
    source = Source(Endless(begin.encode(), b"x"), "json", Naming(), file="f", size=0)
    with pytest.raises(UnusableFile, match="line 1: the record takes more than 4 MiB"):
        next(iter(source))


@pytest.mark.parametrize(("begin", "line"), [("username,a", 1), ('username,a\n"', 2)])
def test_row_without_end(begin: str, line: int) -> None:
    source = Source(io.BytesIO(begin.encode() + b"x" * 5 * MAX_RECORD_BYTES), "csv", Naming(), file="f", size=0)
    with pytest.raises(UnusableFile, match=f"line {line}: the record takes more than 4 MiB"):
        list(source)


def test_line_that_is_too_long_is_one_bad_record() -> None:
    content = '{"a": "' + "x" * (2 * MAX_RECORD_BYTES) + '"}\n{"_username": "anna"}\n'
    bad, good = read(io.BytesIO(content.encode()), "jsonl")
    assert bad == Bad(1, 1, None, "The record takes more than 4 MiB.", "f")
    assert isinstance(good, Record)
    assert (good.number, good.line) == (2, 2)
