"""What is made of the program's own statements is what `python3 run.py docs` would write now."""

from pathlib import Path

import pytest

from tests.derived import derived
from tests.derived.markdown import Table, coded, markdown, translated
from tests.derived.tables import TABLES
from tests.documents import DOCUMENTS, ROOT, read

DERIVED = dict(derived())


@pytest.mark.parametrize("path", DERIVED, ids=str)
def test_nothing_lags_behind(path: Path) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == DERIVED[path], "run: python3 run.py docs"


def test_every_table_is_in_a_document() -> None:
    text = "".join(map(read, DOCUMENTS))
    assert [name for name in TABLES if f"<!-- begin generated: {name} -->" not in text] == []


TABLE = Table(("method", "result", "what it does"), [("`a`", "`x|y`", "One."), ("`b`", "`z`", "Another.")], words=2)


def test_a_translation_keeps_its_words() -> None:
    """By the name of the row, wherever it stands; a row that is new is in English until somebody translates it."""
    text = "| メソッド | 結果 | 説明 |\n|---|---|---|\n| `c` | `0` | 古い |\n| `b` | `old` | 別の |\n"
    assert translated(TABLE, text) == (
        "| メソッド | 結果 | 説明 |\n|---|---|---|\n| `a` | `x\\|y` | One. |\n| `b` | `z` | 別の |\n"
    )
    assert translated(TABLE, translated(TABLE, text)) == translated(TABLE, text)
    assert translated(TABLE, "") == markdown(TABLE)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Mails a token for User.login.", "Mails a token for `User.login`."),
        ("The same as _updatedAt: old.", "The same as `_updatedAt`: old."),
        ("From max_connections on, e.g. `a_b`.", "From `max_connections` on, e.g. `a_b`."),
        ("Better: JSONRPC_BACKEND_SMTP_PASSWORD.", "Better: `JSONRPC_BACKEND_SMTP_PASSWORD`."),
        ("%USERNAME% and %RESET_TOKEN% in ./config.toml", "%USERNAME% and `%RESET_TOKEN%` in ./config.toml"),
        ("With --dev, a well-known one.", "With `--dev`, a well-known one."),
        ("Whose X-Forwarded-For is believed.", "Whose `X-Forwarded-For` is believed."),
    ],
)
def test_names_in_sentences_are_shown_as_code(text: str, shown: str) -> None:
    assert coded(text) == shown
