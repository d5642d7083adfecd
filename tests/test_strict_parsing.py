"""Bodies that are not JSON as the server reads it, values that could not be given back, and those that can.

Each refused body is a legal request but for the one flaw that its row is about, wherever that is possible.
"""

import gzip
import json
import logging
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.patience import HANG_SECONDS
from tests.servers import API_KEY, make_config, running
from tests.wire import FORM, Answer, Wire

RESERVED = f'"__api_key": "{API_KEY}", "__device": "device-1"'


def written(params: str = "", method: str = "User.isAuthenticated", more: str = "") -> str:
    """A request as JSON text; `params` and `more` are members, as text."""
    members = ", ".join(filter(None, [RESERVED, params]))
    return f'{{"jsonrpc": "2.0", "method": "{method}", "params": {{{members}}}, "id": 1{more}}}'


def noted(value: bytes) -> bytes:
    """A legal request but for the value of a member that nobody reads."""
    return written(more=', "note": @').encode().replace(b"@", value)


def quoted(content: bytes) -> bytes:
    return noted(b'"' + content + b'"')


LEGAL = written()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Whatever is sent, the server answers in time."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=HANG_SECONDS)) as session:
        yield session


@pytest.fixture(autouse=True)
def _no_fault_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever is sent, it is no fault of the server."""
    yield
    assert [record for record in caplog.get_records("call") if record.levelno >= logging.WARNING] == []


# --- not UTF-8 -------------------------------------------------------------------------------------------

NOT_UTF_8 = {
    "continuation byte alone": quoted(b"\x80"),
    "last continuation byte alone": quoted(b"\xbf"),
    "byte FE": quoted(b"\xfe"),
    "byte FF": quoted(b"\xff"),
    "two bytes cut short": quoted(b"\xc3"),
    "three bytes cut short": quoted(b"\xe2\x82"),
    "four bytes cut short": quoted(b"\xf0\x9f\x98"),
    "overlong slash in two bytes": quoted(b"\xc0\xaf"),
    "overlong DEL in two bytes": quoted(b"\xc1\xbf"),
    "overlong NUL": quoted(b"\xc0\x80"),
    "overlong slash in three bytes": quoted(b"\xe0\x80\xaf"),
    "overlong slash in four bytes": quoted(b"\xf0\x80\x80\xaf"),
    "overlong quotation mark": noted(b'"\xc0\xa2'),
    "surrogate in UTF-8": quoted(b"\xed\xa0\x80"),
    "surrogate pair in UTF-8 (CESU-8)": quoted(b"\xed\xa0\xbd\xed\xb8\x80"),
    "past U+10FFFF": quoted(b"\xf4\x90\x80\x80"),
    "first byte past U+10FFFF": quoted(b"\xf5\x80\x80\x80"),
    "five bytes": quoted(b"\xf8\x88\x80\x80\x80"),
    "six bytes": quoted(b"\xfc\x84\x80\x80\x80\x80"),
    "Latin-1": quoted("caf\u00e9".encode("latin-1")),
    "Windows-1252": quoted("\u201cquoted\u201d".encode("cp1252")),
    "Shift_JIS": quoted("\u65e5\u672c\u8a9e".encode("shift_jis")),
    "EUC-JP": quoted("\u65e5\u672c\u8a9e".encode("euc_jp")),
    "ISO-2022-JP": quoted("\u65e5\u672c\u8a9e".encode("iso2022_jp")),
    "GB18030": quoted("\u65e5\u672c\u8a9e".encode("gb18030")),
    "KOI8-R": quoted("\u043c\u0438\u0440".encode("koi8_r")),
    "in a key": LEGAL.encode().replace(b'"id"', b'"i\xff": 1, "id"'),
    "in the method": LEGAL.encode().replace(b"User.", b"User\xe9."),
    "in params": written('"name": "@"').encode().replace(b"@", b"\xff"),
    "between tokens": LEGAL.encode().replace(b", ", b",\xa0", 1),
    "before the request": b"\xff" + LEGAL.encode(),
    "after the request": LEGAL.encode() + b"\x80",
    "UTF-16 LE": LEGAL.encode("utf-16-le"),
    "UTF-16 BE": LEGAL.encode("utf-16-be"),
    "UTF-16 LE with a BOM": b"\xff\xfe" + LEGAL.encode("utf-16-le"),
    "UTF-16 BE with a BOM": b"\xfe\xff" + LEGAL.encode("utf-16-be"),
    "UTF-16 BOM alone": b"\xff\xfe",
    "UTF-32 LE": LEGAL.encode("utf-32-le"),
    "UTF-32 BE": LEGAL.encode("utf-32-be"),
    "UTF-32 LE with a BOM": b"\xff\xfe\x00\x00" + LEGAL.encode("utf-32-le"),
    "UTF-32 BE with a BOM": b"\x00\x00\xfe\xff" + LEGAL.encode("utf-32-be"),
    "UTF-7": LEGAL.encode().replace(b"{", b"+AHs-").replace(b"}", b"+AH0-"),
    "EBCDIC": LEGAL.encode("cp500"),
}

BYTE_ORDER_MARK = {
    "BOM before the request": b"\xef\xbb\xbf" + LEGAL.encode(),
    "BOM alone": b"\xef\xbb\xbf",
    "two BOMs": b"\xef\xbb\xbf" * 2 + LEGAL.encode(),
    "BOM after a space": b" \xef\xbb\xbf" + LEGAL.encode(),
    "BOM after the request": LEGAL.encode() + b"\xef\xbb\xbf",
    "BOM between tokens": LEGAL.encode().replace(b", ", b",\xef\xbb\xbf", 1),
    "BOM before a batch": b"\xef\xbb\xbf[" + LEGAL.encode() + b"]",
}

# --- not JSON --------------------------------------------------------------------------------------------

CUT_SHORT = {
    "nothing": b"",
    "space": b" ",
    "line feed": b"\n",
    "much white space": b" \t\r\n" * 1000,
    "NUL": b"\x00",
    "open object": b"{",
    "open array": b"[",
    "open string": b'"',
    "key without colon": b'{"a"',
    "key without value": b'{"a":',
    "member without end": b'{"a":1',
    "comma without member": b'{"a":1,',
    "element without end": b"[1",
    "comma without element": b"[1,",
    "string without end": noted(b'"abc')[:-1],
    "escape without end": b'"\\',
    "escaped quotation mark as end": b'"\\"',
    "code point without end": b'"\\u12',
    "true cut short": noted(b"tru"),
    "null cut short": noted(b"nul"),
    "request without last brace": LEGAL[:-1].encode(),
    "batch without bracket": b"[" + LEGAL.encode(),
    "batch without second half": b"[" + LEGAL.encode() + b",",
}

WRONG_STRUCTURE = {
    "trailing comma in the request": LEGAL[:-1].encode() + b",}",
    "trailing comma in params": written('"name": 1,').encode(),
    "trailing comma in an object": noted(b'{"a": 1,}'),
    "trailing comma in an array": noted(b"[1,]"),
    "trailing comma in a batch": b"[" + LEGAL.encode() + b",]",
    "trailing comma after the request": LEGAL.encode() + b",",
    "leading comma in an object": noted(b'{, "a": 1}'),
    "leading comma in an array": noted(b"[, 1]"),
    "two commas in an object": noted(b'{"a": 1,, "b": 2}'),
    "two commas in an array": noted(b"[1,, 2]"),
    "comma alone": noted(b"[,]"),
    "comma missing in an object": noted(b'{"a": 1 "b": 2}'),
    "comma missing in an array": noted(b"[1 2]"),
    "comma missing in a batch": b"[" + LEGAL.encode() + b" " + LEGAL.encode() + b"]",
    "colon missing": noted(b'{"a" 1}'),
    "two colons": noted(b'{"a":: 1}'),
    "equals sign": noted(b'{"a" = 1}'),
    "value missing": noted(b'{"a": }'),
    "value missing before a comma": noted(b'{"a": , "b": 1}'),
    "key missing": noted(b"{: 1}"),
    "key without quotation marks": noted(b"{a: 1}"),
    "key a number": noted(b"{1: 1}"),
    "key null": noted(b"{null: 1}"),
    "key an array": noted(b"{[1]: 1}"),
    "set": noted(b'{"a"}'),
    "colon in an array": noted(b'["a": 1]'),
    "brace too many": LEGAL.encode() + b"}",
    "bracket too many": LEGAL.encode() + b"]",
    "bracket closes a brace": LEGAL[:-1].encode() + b"]",
    "brace closes a bracket": noted(b"[1}"),
    "tuple": noted(b"(1, 2)"),
    "ellipsis": noted(b"[1, ...]"),
    "line comment": LEGAL.encode().replace(b", ", b", // comment\n", 1),
    "block comment": LEGAL.encode().replace(b", ", b", /* comment */ ", 1),
    "hash comment": LEGAL.encode().replace(b", ", b", # comment\n", 1),
    "comment before the request": b"// comment\n" + LEGAL.encode(),
    "comment after the request": LEGAL.encode() + b" /* comment */",
    "single quotes": LEGAL.encode().replace(b'"', b"'"),
    "single quotes round a value": noted(b"'a'"),
    "back-quotes round a value": noted(b"`a`"),
    "typographic quotes round a value": noted("\u201ca\u201d".encode()),
    "triple quotes": noted(b'"""a"""'),
    "two values": b"1 2",
    "two requests": LEGAL.encode() * 2,
    "two requests with a space": LEGAL.encode() + b" " + LEGAL.encode(),
    "two requests on two lines": LEGAL.encode() + b"\n" + LEGAL.encode() + b"\n",
    "two requests with a comma": LEGAL.encode() + b"," + LEGAL.encode(),
    "two batches": b"[] []",
    "request and a word": LEGAL.encode() + b" true",
    "request and a NUL": LEGAL.encode() + b"\x00",
    "no-break space between tokens": LEGAL.replace(", ", ",\u00a0", 1).encode(),
    "line separator between tokens": LEGAL.replace(", ", ",\u2028", 1).encode(),
    "ideographic space between tokens": LEGAL.replace(", ", ",\u3000", 1).encode(),
    "zero-width space between tokens": LEGAL.replace(", ", ",\u200b", 1).encode(),
    "vertical tab between tokens": LEGAL.replace(", ", ",\v", 1).encode(),
    "form feed between tokens": LEGAL.replace(", ", ",\f", 1).encode(),
    "NUL between tokens": LEGAL.replace(", ", ",\0", 1).encode(),
}

WRONG_STRING = {
    "line feed in a string": quoted(b"a\nb"),
    "carriage return in a string": quoted(b"a\rb"),
    "tab in a string": quoted(b"a\tb"),
    "NUL in a string": quoted(b"a\x00b"),
    "unit separator in a string": quoted(b"a\x1fb"),
    "escape character in a string": quoted(b"\x1b[31m"),
    "line feed in a key": noted(b'{"a\nb": 1}'),
    "backslash and line feed": quoted(b"a\\\nb"),
    "escape x41": quoted(b"\\x41"),
    "escape 0": quoted(b"\\0"),
    "escape 101": quoted(b"\\101"),
    "escape a": quoted(b"\\a"),
    "escape v": quoted(b"\\v"),
    "escape '": quoted(b"\\'"),
    "escape upper-case U": quoted(b"\\U0041"),
    "escape upper-case N": quoted(b"\\N"),
    "escape space": quoted(b"\\ "),
    "code point in braces": quoted(b"\\u{41}"),
    "code point of three digits": quoted(b"\\u041"),
    "code point with a letter past F": quoted(b"\\u004g"),
    "code point with a sign": quoted(b"\\u+041"),
    "code point with 0x": quoted(b"\\u0x41"),
    "code point with a space": quoted(b"\\u 041"),
    "code point with an underscore": quoted(b"\\u0_41"),
    "code point in wide digits": quoted(b"\\u" + "\uff10\uff10\uff14\uff11".encode()),
    "quotation mark not escaped": quoted(b'a"b'),
    "percent-encoded request": b"%7B%22jsonrpc%22%3A%222.0%22%7D",
}

WRONG_LITERAL = {
    "NaN": noted(b"NaN"),
    "Infinity": noted(b"Infinity"),
    "minus Infinity": noted(b"-Infinity"),
    "plus Infinity": noted(b"+Infinity"),
    "minus NaN": noted(b"-NaN"),
    "nan": noted(b"nan"),
    "inf": noted(b"inf"),
    "NaN as the body": b"NaN",
    "NaN as id": LEGAL.replace('"id": 1', '"id": NaN').encode(),
    "Infinity in params": written('"name": Infinity').encode(),
    "NaN in properties": written('"username": "abc", "properties": {"a": [NaN]}', "User.validate").encode(),
    "NaN in a batch": b"[" + LEGAL.encode() + b", NaN]",
    "leading zero": noted(b"01"),
    "leading zero after minus": noted(b"-01"),
    "two zeros": noted(b"00"),
    "leading zero before a fraction": noted(b"00.5"),
    "hexadecimal": noted(b"0x1F"),
    "octal": noted(b"0o17"),
    "binary": noted(b"0b1"),
    "plus sign": noted(b"+1"),
    "two minus signs": noted(b"--1"),
    "minus alone": noted(b"-"),
    "minus and a space": noted(b"- 1"),
    "no digit before the point": noted(b".5"),
    "no digit between minus and point": noted(b"-.5"),
    "no digit after the point": noted(b"1."),
    "no digit between point and exponent": noted(b"1.e5"),
    "no digit in the exponent": noted(b"1e"),
    "no digit after the sign of the exponent": noted(b"1e+"),
    "fraction in the exponent": noted(b"1e1.5"),
    "two points": noted(b"1.2.3"),
    "underscore in a number": noted(b"1_000"),
    "suffix n": noted(b"1n"),
    "suffix L": noted(b"1L"),
    "imaginary": noted(b"1j"),
    "wide digit": noted("\uff11".encode()),
    "Arabic digit": noted("\u0661".encode()),
    "minus sign U+2212": noted("\u22121".encode()),
    "undefined": noted(b"undefined"),
    "True": noted(b"True"),
    "FALSE": noted(b"FALSE"),
    "None": noted(b"None"),
    "NULL": noted(b"NULL"),
    "nil": noted(b"nil"),
    "truefalse": noted(b"truefalse"),
    "nullx": noted(b"nullx"),
    "bare word": noted(b"word"),
    "regular expression": noted(b"/a/"),
    "function call": noted(b"Date(0)"),
    "bare word as the body": b"hello",
}

ANOTHER_FORMAT = {
    "form": b"jsonrpc=2.0&method=User.isAuthenticated&id=1",
    "request in a form field": b"request=" + LEGAL.encode(),
    "JSONP": b"callback(" + LEGAL.encode() + b");",
    "prefix against JSON hijacking": b")]}',\n" + LEGAL.encode(),
    "XML-RPC": b"<?xml version='1.0'?><methodCall><methodName>User.login</methodName></methodCall>",
    "HTML": b"<!DOCTYPE html><title>Hello</title>",
    "YAML": b"jsonrpc: '2.0'\nmethod: User.isAuthenticated\nid: 1\n",
    "MessagePack": b"\x83\xa7jsonrpc\xa32.0\xa2id\x01\xa6method\xa3foo",
    "gzip without saying so": gzip.compress(LEGAL.encode()),
    "RFC 7464 record": b"\x1e" + LEGAL.encode() + b"\n",
    "LSP header": b"Content-Length: 2\r\n\r\n{}",
    "HTTP request": b"POST /json-rpc/app HTTP/1.1\r\n\r\n",
}

# --- duplicate keys --------------------------------------------------------------------------------------

DUPLICATE_KEYS = {
    "jsonrpc twice": LEGAL.replace('"id"', '"jsonrpc": "2.0", "id"'),
    "method twice": LEGAL.replace('"id"', '"method": "User.logout", "id"'),
    "params twice": LEGAL.replace('"id"', '"params": {}, "id"'),
    "id twice": written(more=', "id": 2'),
    "id twice, both equal": written(more=', "id": 1'),
    "extra member twice": written(more=', "note": 1, "note": 2'),
    "inside an extra member": written(more=', "note": [{"a": 1, "a": 2}]'),
    "API key twice": written(f'"__api_key": "{API_KEY}"'),
    "device twice": written('"__device": "device-2"'),
    "session twice": written('"__session": null, "__session": "abc"'),
    "parameter twice": written('"username": "abc", "username": "abd"', "User.validate"),
    "parameter that does not exist twice": written('"x": 1, "x": 1'),
    "property twice": written('"username": "abc", "properties": {"a": 1, "a": 2}', "User.validate"),
    "inside a property": written('"username": "abc", "properties": {"a": {"b": 1, "b": 1}}', "User.validate"),
    "inside an array of a property": written('"username": "abc", "properties": {"a": [{"b": 1, "b": 1}]}'),
    "on level 31": written('"name": ' + '{"a":' * 28 + '{"b": 1, "b": 1}' + "}" * 28),
    "once plain and once escaped": written(more=', "a": 1, "\\u0061": 2'),
    "in different escapes": written(more=', "\\u002f": 1, "\\/": 2'),
    "empty key twice": written(more=', "": 1, "": 2'),
    "three times": written(more=', "a": 1, "a": 2, "a": 3'),
    "far apart": written(more="".join(f', "k{i}": 1' for i in range(1000)) + ', "k0": 1'),
    "lone surrogate twice": written(more=', "\\ud800": 1, "\\uD800": 2'),
    "in the first element of a batch": "[" + written(more=', "id": 2') + ", " + LEGAL + "]",
    "in the last element of a batch": "[" + LEGAL + ", " + written(more=', "id": 2') + "]",
    "in a batch of notifications": '[{"a": 1, "a": 1}]',
    "before the method is known": '{"method": "foobar", "method": "foobar"}',
}

# --- too deep --------------------------------------------------------------------------------------------

TOO_DEEP = {
    "arrays": "[" * 33 + "]" * 33,
    "objects": '{"a":' * 33 + "1" + "}" * 33,
    "objects and arrays by turns": '{"a":[' * 16 + "{}" + "]}" * 16,
    "below an extra member": written(more=', "note": ' + "[" * 32 + "]" * 32),
    "below params": written('"x": ' + "[" * 31 + "]" * 31),
    "in a batch": "[" + written('"x": ' + "[" * 30 + "]" * 30) + "]",
    "behind much that is flat": "[" + "[]," * 100 + "[" * 32 + "]" * 32 + "]",
    "in one of many branches": "[" + ("[" * 30 + "]" * 30 + ",") * 20 + "[" * 32 + "]" * 32 + "]",
    "beside a number out of range": "[" * 33 + "1e400" + "]" * 33,
    "100 arrays": "[" * 100 + "]" * 100,
    "5,000 arrays": "[" * 5_000 + "]" * 5_000,
    "100,000 arrays": "[" * 100_000 + "]" * 100_000,
    "100,000 objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "100,000 objects and arrays by turns": '[{"a":' * 100_000 + "1" + "}]" * 100_000,
    "100,000 open arrays": "[" * 100_000,
    "100,000 open objects": '{"a":' * 100_000,
    "1,000,000 open arrays": "[" * 1_000_000,
    "100,000 arrays below a parameter": written('"x": ' + "[" * 100_000 + "]" * 100_000),
    "100,000 arrays beside a number out of range": "[1e400," + "[" * 100_000 + "]" * 100_000 + "]",
}


def _rows(**tables: dict[str, Any]) -> Iterator[Any]:
    for table, rows in tables.items():
        for name, body in rows.items():
            shown = f"{table.replace('_', ' ')}: {name}"
            yield pytest.param(body if isinstance(body, bytes) else body.encode(), id=shown)


PARSE_ERRORS = list(
    _rows(
        not_UTF_8=NOT_UTF_8,
        byte_order_mark=BYTE_ORDER_MARK,
        cut_short=CUT_SHORT,
        wrong_structure=WRONG_STRUCTURE,
        wrong_string=WRONG_STRING,
        wrong_literal=WRONG_LITERAL,
        another_format=ANOTHER_FORMAT,
        duplicate_keys=DUPLICATE_KEYS,
        too_deep=TOO_DEEP,
    )
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_server_for_all(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Wire]:
    """One for the whole table: what cannot be read changes nothing, and so it shows that the server goes on."""
    timeout = aiohttp.ClientTimeout(total=HANG_SECONDS)
    async with (
        running(make_config(tmp_path_factory.mktemp("data"))) as server,
        aiohttp.ClientSession(timeout=timeout) as http,
    ):
        yield Wire(http, server)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("body", PARSE_ERRORS)
async def test_a_malformed_body_is_a_parse_error(one_server_for_all: Wire, body: bytes) -> None:
    answer = await one_server_for_all.post(body)
    assert answer.body == {"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": None}


async def test_the_request_that_the_tables_spoil_is_legal(wire: Wire) -> None:
    for body in [LEGAL.encode(), noted(b"1"), quoted(b"a"), written('"__session": null').encode()]:
        assert (await wire.post(body)).body == {"jsonrpc": "2.0", "result": False, "id": 1}


async def test_every_beginning_of_a_request_is_a_parse_error(wire: Wire) -> None:
    for length in range(len(LEGAL)):
        assert (await wire.post(LEGAL[:length].encode())).code == -32700, LEGAL[:length]


async def test_a_malformed_body_does_not_end_the_connection_or_the_server(wire: Wire) -> None:
    for body in [b"[" * 100_000, b"\xff", b'{"a": 1, "a": 1}']:
        assert (await wire.post(body)).code == -32700
        assert (await wire.post(LEGAL.encode())).result is False


async def test_bodies_changed_at_random_never_make_the_server_fail(wire: Wire) -> None:
    chance = random.Random(20)  # the same changes in each run
    base = written('"username": "\\u00e9\\ud83d\\ude00", "properties": {"a": [1.5e3, null], "b": {}}', "User.validate")
    alphabet = [*(bytes([byte]) for byte in b'{}[]",:\\0e-'), b"\xff", b"\\ud800", b"1e999", b"9" * 30, b"null"]
    known = {-32700, -32600, -32601, -32602, 4, 10, 12}
    for _ in range(500):
        body = bytearray(base.encode())
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(body))
            body[at : at + chance.choice([0, 1, 1, 5])] = chance.choice([b"", *alphabet])
        async with wire.http.post(wire.server.endpoint, data=bytes(body), headers={"Content-Type": FORM}) as response:
            raw = await response.read()
        assert response.status in {200, 204}, bytes(body)
        responses = json.loads(raw or b"[]")
        for each in responses if isinstance(responses, list) else [responses]:
            assert "result" in each or each["error"]["code"] in known, (bytes(body), each)


# --- legal, though it looks odd --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f" \t\r\n{LEGAL}\r\n\t ".encode(), id="white space round the request"),
        pytest.param(LEGAL.replace(" ", "").encode(), id="no white space"),
        pytest.param(LEGAL.replace(" ", "\r\n\t ").encode(), id="much white space"),
        pytest.param("".join(f"\\u{ord(c):04x}" if c.isalpha() else c for c in LEGAL).encode(), id="escaped letters"),
        pytest.param(noted(b"-0"), id="minus zero"),
        pytest.param(noted(b"0e0"), id="zero with an exponent"),
        pytest.param(noted(b"1E+01"), id="exponent with a leading zero"),
        pytest.param(quoted(b"\x7f"), id="DEL in a string"),
        pytest.param(quoted("\ufeff".encode()), id="BOM in a string"),
        pytest.param(quoted("\u2028\u2029\u00a0".encode()), id="line separators in a string"),
        pytest.param(quoted("\U0010ffff\uffff".encode()), id="noncharacters in a string"),
        pytest.param(quoted(b'\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000'), id="every escape"),
        pytest.param(noted(b'{"a": {"a": {"a": 1}}, "b": {"a": 1}}'), id="the same key on different levels"),
        pytest.param(noted(b'{"a": 1, "A": 2}'), id="keys that differ in case"),
        pytest.param(noted(b'{"\xc3\xa9": 1, "e\xcc\x81": 2}'), id="keys that differ in normal form"),
        pytest.param(noted(b'[{"a": 1}, {"a": 1}]'), id="the same key in two objects"),
    ],
)
async def test_a_legal_body_is_read(wire: Wire, body: bytes) -> None:
    assert (await wire.post(body)).body == {"jsonrpc": "2.0", "result": False, "id": 1}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("[" * 32 + "]" * 32, id="arrays"),
        pytest.param("[" + '{"a":' * 31 + "1" + "}" * 31 + "]", id="objects in a batch"),
        pytest.param("[" + '{"a":[' * 15 + "{}" + "]}" * 15 + "]", id="objects and arrays by turns"),
    ],
)
async def test_32_levels_are_read(wire: Wire, body: str) -> None:
    answer = await wire.post(body.encode())
    assert [response["error"]["code"] for response in answer.body] == [-32600]


async def test_32_levels_below_a_property_are_saved_and_33_are_refused(wire: Wire) -> None:
    await wire.register()
    for levels, code in [(29, None), (30, -32700)]:  # the request, params and properties are levels themselves
        nested = json.loads("[" * levels + "]" * levels)
        answer = await wire.send(
            {"jsonrpc": "2.0", "method": "User.saveProperties", "params": wire.params({"properties": {"a": nested}})}
            | {"id": 1}
        )
        assert answer.body.get("error", {}).get("code") == code
    read = await wire.call("User.getProperty", name="a")
    assert read.result == {"value": json.loads("[" * 29 + "]" * 29)}


@pytest.mark.parametrize("text", ["[" * 1000, "{" * 1000, '\\"[{' * 500, "\\\\" + "[" * 1000, "]" * 1000])
async def test_brackets_in_a_string_are_no_levels(wire: Wire, text: str) -> None:
    assert (await wire.post(noted(f'"{text}"'.encode()))).result is False
    assert (await wire.post(noted(f'{{"{text}": 1}}'.encode()))).result is False


# --- values that could not be given back -----------------------------------------------------------------


def validate(username: str = '"somebody"', properties: str = "{}") -> bytes:
    return written(f'"username": {username}, "properties": {properties}', "User.validate").encode()


def _with_value(value: str) -> Iterator[tuple[str, bytes, str]]:
    """Where a value can stand: a description, the body, the parameter that `data` has to name."""
    yield "username", validate(username=value), "username"
    yield "property", validate(properties=f'{{"a": {value}}}'), "properties"
    yield "array in a property", validate(properties=f'{{"a": [0, {value}]}}'), "properties"
    yield "deep in a property", validate(properties='{"a": ' + "[" * 28 + value + "]" * 28 + "}"), "properties"
    yield "unknown parameter", written(f'"username": "abc", "x": {value}', "User.validate").encode(), "x"
    yield "array below an unknown parameter", written(f'"x": [[{value}]]').encode(), "x"


LONE_SURROGATES = {
    "first high one": '"\\ud800"',
    "last high one": '"\\udbff"',
    "first low one": '"\\udc00"',
    "last low one": '"\\udfff"',
    "upper-case digits": '"\\uD83D"',
    "inside a word": '"some\\ud800body"',
    "at the end": '"somebody\\udbff"',
    "pair in the wrong order": '"\\ude00\\ud83d"',
    "two high ones": '"\\ud83d\\ud83d"',
    "behind a pair": '"\\ud83d\\ude00\\ude00"',
    "parted by a character": '"\\ud83d \\ude00"',
}

NUMBERS = {
    "1e400": "1e400",
    "-1e999": "-1e999",
    "1E+400": "1E+400",
    "exponent of 30 digits": "1e" + "9" * 30,
    "1.8e308": "1.8e308",
    "fraction past every double": "9" * 400 + ".5",
    "22 digits": "1" + "0" * 21,
    "-22 digits": "-1" + "0" * 21,
    "400 digits": "9" * 400,
    "4,300 digits": "9" * 4300,
    "5,000 digits": "9" * 5000,
    "-5,000 digits": "-" + "9" * 5000,
    "200,000 digits": "9" * 200_000,
}


def _unportable_rows() -> Iterator[Any]:
    for kind, values in [("lone surrogate", LONE_SURROGATES), ("number", NUMBERS)]:
        first, *others = values.items()
        for place, body, name in _with_value(first[1]):
            yield pytest.param(body, name, id=f"{kind}, {first[0]}: {place}")
        for described, value in others:
            yield pytest.param(validate(properties=f'{{"a": {value}}}'), "properties", id=f"{kind}, {described}")
    for described, key in [("property name", '{"\\ud800": 1}'), ("nested key", '{"a": {"\\udc00": 1}}')]:
        yield pytest.param(validate(properties=key), "properties", id=f"lone surrogate, {described}")
    in_array = '{"a": [{"b": {"\\udfff": []}}]}'
    yield pytest.param(validate(properties=in_array), "properties", id="lone surrogate, key below an array")


def names_of(answer: Answer) -> set[str]:
    """The parameters that an answer complains of; nested names are dotted."""
    assert (answer.code, answer.error["message"]) == (-32602, "Invalid params")
    assert all(isinstance(sentence, str) and sentence.endswith(".") for sentence in answer.data.values())
    return {name.split(".")[0] for name in answer.data}


@pytest.mark.parametrize(("body", "name"), list(_unportable_rows()))
async def test_a_value_that_could_not_be_given_back_is_an_invalid_parameter(wire: Wire, body: bytes, name: str) -> None:
    assert names_of(await wire.post(body)) == {name}


@pytest.mark.parametrize("method", ["User.register", "User.login"])
@pytest.mark.parametrize("value", ['"pass\\ud800word"', "1e400", "9" * 22])
async def test_a_password_that_could_not_be_hashed_is_an_invalid_parameter(wire: Wire, method: str, value: str) -> None:
    answer = await wire.post(written(f'"username": "somebody", "password": {value}', method).encode())
    assert names_of(answer) == {"password"}


@pytest.mark.parametrize("value", ['"\\ud800"', "1e400"])
async def test_a_login_token_that_could_not_be_hashed_is_an_invalid_parameter(wire: Wire, value: str) -> None:
    answer = await wire.post(written(f'"loginToken": {value}', "User.autoLogin").encode())
    assert names_of(answer) == {"loginToken"}


@pytest.mark.parametrize(
    ("method", "params", "names"),
    [
        ("User.saveProperty", '"name": "a", "value": "\\ud800"', {"value"}),
        ("User.saveProperty", '"name": "a", "value": {"\\ud800": 1}', {"value"}),
        ("User.saveProperty", '"name": "a", "value": 1e400', {"value"}),
        ("User.saveProperty", '"name": "\\ud800", "value": 1', {"name"}),
        ("User.saveProperty", '"name": "\\ud800", "value": 1e400', {"name", "value"}),
        ("User.saveProperties", '"properties": {"\\ud800": 1}', {"properties"}),
        ("User.getProperty", '"name": "\\ud800"', {"name"}),
        ("User.getProperties", '"names": ["a", "\\ud800"]', {"names"}),
        ("User.getProperties", '"names": [1e400]', {"names"}),
        ("User.updatePassword", '"oldPassword": "\\ud800", "newPassword": "\\udfff"', {"oldPassword", "newPassword"}),
        ("User.unregister", '"password": "\\ud800"', {"password"}),
    ],
)
async def test_a_signed_in_user_cannot_send_what_could_not_be_given_back(
    wire: Wire, method: str, params: str, names: set[str]
) -> None:
    await wire.register()
    answer = await wire.post(written(f'"__session": "{wire.session}", {params}', method).encode())
    assert names_of(answer) == names
    assert (await wire.call("User.getProperties")).result == {"properties": {}}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(written('"\\ud800": 1').encode(), id="parameter name"),
        pytest.param(validate(properties='{"\\ud800": 1}'), id="property name"),
        pytest.param(validate(properties='{"a": {"\\ud800": 1}}'), id="nested key"),
        pytest.param(validate(properties='{"a": "\\ud800"}'), id="value"),
    ],
)
async def test_an_answer_about_a_lone_surrogate_holds_none(wire: Wire, body: bytes) -> None:
    answer = await wire.post(body)
    assert answer.code == -32602
    json.dumps(answer.body, ensure_ascii=False).encode()  # raises UnicodeEncodeError where there is one


async def test_a_parameter_name_with_a_lone_surrogate_is_named_once(wire: Wire) -> None:
    answer = await wire.post(written('"\\ud800": 1').encode())
    assert (answer.code, len(answer.data)) == (-32602, 1)


@pytest.mark.parametrize("name", ["wrong%05d", "\\ud800%05d", "\\u00e9%05d"])
async def test_very_many_wrong_names_do_not_make_a_long_answer(wire: Wire, name: str) -> None:
    wrong = ", ".join(f'"{name % number}": 0' for number in range(10_000))
    answer = await wire.post(written(wrong).encode())
    assert answer.code == -32602
    assert len(json.dumps(answer.body)) < 10_000


@pytest.mark.parametrize("beginning", ["wrong", "\\ud800"])
async def test_a_very_long_wrong_name_does_not_make_a_long_answer(wire: Wire, beginning: str) -> None:
    answer = await wire.post(written(f'"{beginning}{"x" * 100_000}": 0').encode())
    assert answer.code == -32602
    assert len(json.dumps(answer.body)) < 10_000


async def test_every_wrong_parameter_is_named(wire: Wire) -> None:
    answer = await wire.post(validate(username='"\\ud800"', properties='{"a": 1e400}'))
    assert names_of(answer) == {"username", "properties"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        pytest.param(API_KEY, "\\ud800", 4, id="API key a lone surrogate"),
        pytest.param(API_KEY, API_KEY + "\\udc00", 4, id="API key and a lone surrogate"),
        pytest.param(f'"{API_KEY}"', "1e400", 4, id="API key a number out of range"),
        pytest.param(f'"{API_KEY}"', "9" * 5000, 4, id="API key of 5,000 digits"),
        pytest.param("device-1", "device\\ud800", 12, id="device with a lone surrogate"),
        pytest.param('"device-1"', "-1e999", 12, id="device a number out of range"),
        pytest.param('"device-1"', "9" * 22, 12, id="device an integer of 22 digits"),
        pytest.param('"device-1"', '"device-1", "__session": "abc\\udfff"', 10, id="session with a lone surrogate"),
        pytest.param('"device-1"', '"device-1", "__session": 1e400', 10, id="session a number out of range"),
        pytest.param("User.isAuthenticated", "User.\\ud800", -32601, id="method with a lone surrogate"),
        pytest.param("User.isAuthenticated", "\\udc00", -32601, id="method a lone surrogate"),
        pytest.param('"User.isAuthenticated"', "1e400", -32600, id="method a number out of range"),
        pytest.param('"2.0"', '"2.0\\ud800"', -32600, id="version with a lone surrogate"),
        pytest.param('"2.0"', "2e400", -32600, id="version a number out of range"),
    ],
)
async def test_where_no_parameter_stands_such_a_value_is_just_wrong(wire: Wire, old: str, new: str, code: int) -> None:
    answer = await wire.post(LEGAL.replace(old, new).encode())
    assert (answer.code, answer.body["id"]) == (code, 1)


# --- what is saved comes back ----------------------------------------------------------------------------

AWKWARD = [
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.0",
    "-0.0",
    "0.1",
    "1.5e3",
    "1e-300",
    "5e-324",
    "1e-400",
    "1.7976931348623157e308",
    "0.30000000000000004",
    "3.141592653589793238462643383279502884",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "123456789012345678901",
    "-123456789012345678901",
    "999999999999999999999",
    '""',
    '" "',
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\u0001\\u001f\\u007f\\u0080"',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
    '"\\ud83d\\ude00"',
    '"\U0001f468\u200d\U0001f469\u200d\U0001f467"',
    '"\u2028\u2029"',
    '"\ufeff"',
    '"\ufffe\uffff\U0010ffff"',
    '"\u00e9 e\u0301"',
    '"\u65e5\u672c\u8a9e"',
    '"\u202eright to left"',
    '"\\\\ud800"',
    '"1e400"',
    '"NaN"',
    '"%s %PASSWORD_RESET_TOKEN% {0} $1 </script>"',
    "'; DROP TABLE users; --".join('""'),
    "[]",
    "{}",
    "[[]]",
    '[{}, null, [], 1, 1.0, true, ""]',
    '{"": 0}',
    '{" ": {"__proto__": 1, "constructor": [], "_id": "x", "a.b": 1, "$ref": "#"}}',
    '{"\\u0000": 1, "\u00e9": 2, "e\u0301": 3, "\\ud83d\\ude00": 4}',
    '{"b": 1, "a": 2, "10": 3, "9": 4}',
    "[" * 29 + "]" * 29,
    '{"a":' * 29 + "-0.0" + "}" * 29,
    "[" + "0," * 5000 + "0]",
]


def exactly(value: Any) -> str:
    """Tells 1 from 1.0 and from true, -0.0 from 0.0, and the order of keys."""
    return repr(value)


@pytest.mark.parametrize("value", AWKWARD, ids=lambda value: value if len(value) < 60 else f"{value[:30]}…")
async def test_an_awkward_but_legal_value_comes_back_as_it_was_saved(wire: Wire, value: str) -> None:
    await wire.register()
    saved = await wire.post(
        written(f'"__session": "{wire.session}", "properties": {{"a": {value}}}', "User.saveProperties").encode()
    )
    assert saved.result == "OK"
    one = await wire.call("User.getProperty", name="a")
    some = await wire.call("User.getProperties")
    login = await wire.call("User.login", username="me@example.com", password="password")
    expected = exactly(json.loads(value))
    assert exactly(one.result["value"]) == expected
    assert exactly(some.result["properties"]["a"]) == expected
    assert exactly(login.result["user"]["a"]) == expected


async def test_all_awkward_values_together_come_back_from_the_registration(wire: Wire) -> None:
    members = ", ".join(f'"p{number}": {value}' for number, value in enumerate(AWKWARD))
    params = f'"username": "somebody", "password": "password", "properties": {{{members}}}'
    answer = await wire.post(written(params, "User.register").encode())
    user = answer.result["user"]
    assert exactly([user[f"p{number}"] for number in range(len(AWKWARD))]) == exactly(list(map(json.loads, AWKWARD)))


@pytest.mark.parametrize("name", ["", " ", "_id", "__proto__", "1a", "a b", "a-b", "a.b", "\u00e9", "a\n", "a\0"])
async def test_a_property_name_that_is_not_letters_and_digits_is_refused(wire: Wire, name: str) -> None:
    await wire.register()
    answer = await wire.call("User.saveProperties", properties={name: 1})
    assert names_of(answer) == {"properties"}
    assert (await wire.call("User.getProperties")).result == {"properties": {}}
