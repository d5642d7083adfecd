"""Errors in Japanese: for apps whose backend says so, and for callers who read it."""

import re
from pathlib import Path

import pytest

from jsonrpc_backend.language import japanese
from jsonrpc_backend.language.translation import MAX_TRANSLATED, in_japanese, prefers_japanese
from tests import operators
from tests.conftest import NewApp
from tests.translations import untranslated
from tests.wire import Answer, Wire

ENGLISH = {"username": "Username is required.", "password": "Password is required."}
JAPANESE = {"username": "ユーザー名は必須です。", "password": "パスワードは必須です。"}


async def without_params(wire: Wire, languages: str, method: str = "User.login") -> Answer:
    message = f'{{"jsonrpc":"2.0","method":"{method}","params":{{"__api_key":"{wire.server.api_key}"'
    return await wire.post((message + ',"__device":"1"},"id":1}').encode(), **{"Accept-Language": languages})


@pytest.mark.parametrize(
    ("setting", "languages", "data"),
    [
        ("", "", ENGLISH),
        ("", "en-US,en;q=0.9", ENGLISH),
        ("", "ja", JAPANESE),
        ("", "ja-JP,ja;q=0.9,en-US;q=0.8,en;q=0.7", JAPANESE),
        ("ja", "", JAPANESE),
        ("ja", "en", JAPANESE),
        ("en", "ja", ENGLISH),
    ],
)
async def test_backend_decides_else_the_caller(new_app: NewApp, setting: str, languages: str, data: object) -> None:
    answer = await without_params(await new_app(language=setting), languages)
    assert answer.error == {"code": -32602, "message": "Invalid params", "data": data}


async def test_reasons_are_translated_and_ids_of_requests_are_not(new_app: NewApp) -> None:
    app = await new_app(auto_login={"enabled": False}, language="ja")
    answer = await app.call("User.autoLogin", loginToken="0" * 32)
    assert answer.error["data"] == {"reason": "このバックエンドでは自動ログインが無効になっています。"}
    assert in_japanese("00000000c0ffee00") == "00000000c0ffee00"


async def test_what_clients_made_up_stays_as_it_is(new_app: NewApp) -> None:
    app = await new_app(language="ja")
    await app.register()
    wrong_name = await app.call("User.saveProperties", properties={"nick-name": 1})
    assert wrong_name.data == {
        "properties.nick-name": "プロパティの名前は半角英数字(a-z、A-Z、0-9)で、先頭は英字にしてください。"
    }
    wrong_query = await app.call("Collection.find", collectionName="notes", criteria="nickname CONTAINS 1")
    assert wrong_query.data == {
        "criteria": "条件(criteria)の10文字目に誤りがあります: 演算子が必要ですが、`CONTAINS`があります。",
    }


async def test_operators_too(operator: operators.Operator) -> None:
    message = {"jsonrpc": "2.0", "method": "User.get", "params": {"_id": "u1"}, "id": 1}
    assert (await operator.send(message)).data == {"_id": "There is no such user."}
    translated = await operator.send(message, **{"Accept-Language": "ja"})
    assert translated.data == {"_id": "そのユーザーは存在しません。"}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("ja", True),
        ("JA-jp", True),
        ("en;q=0.5, ja;q=0.6", True),
        ("ja;q=0.5, en;q=0.6", False),
        ("fr, ja;q=0.1", True),
        ("ja;q=0", False),
        ("ja, en", True),
        ("en, ja", False),
        ("*", False),
        ("", False),
        ("ja;q=x", False),
        ("j" * 100_000, False),
    ],
)
def test_who_reads_japanese(header: str, expected: bool) -> None:
    assert prefers_japanese(header) is expected


@pytest.mark.parametrize("sentence", [*japanese.SENTENCES])
def test_each_translation_is_reached_with_all_that_is_put_into_it(sentence: str) -> None:
    values = [f"<{number}>" for number in range(sentence.count("{}"))]
    translated = in_japanese(sentence.format(*values))
    assert translated == japanese.SENTENCES[sentence].format(*values)
    assert sorted(re.findall(r"<\d>", translated)) == values
    assert re.search("[ぁ-んァ-ヶ一-龠]", translated)


@pytest.mark.parametrize("part", [part for part in japanese.PARTS if "{}" in part])
def test_parts_keep_what_is_put_into_them(part: str) -> None:
    values = [f"<{number}>" for number in range(part.count("{}"))]
    assert sorted(re.findall(r"<\d>", japanese.PARTS[part].format(*values))) == values


def test_those_that_lack_a_translation_are_found(tmp_path: Path) -> None:
    (tmp_path / "room.py").write_text(
        '"""A docstring with a full stop."""\nWRONG = "Password is incorrect."\nNEW = "Nobody has translated this."\n'
        'raise QueryError(f"this is about {name}")\n'
    )
    assert set(untranslated(tmp_path)) == {"Nobody has translated this.", "this is about {}"}


def test_what_is_long_or_unknown_stays() -> None:
    long = "is wrong at position " * MAX_TRANSLATED
    assert in_japanese(long) == long
    assert in_japanese("Nobody has translated this.") == "Nobody has translated this."
