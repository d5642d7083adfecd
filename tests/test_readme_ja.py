"""README.ja.md says what README.md says: the same sections in the same order, blocks, tables, and code in the cells.

The words are the translator's; whatever a program could read has to be the same.
"""

import re

import pytest

from tests.documents import Block, Section, blocks, code, read, sections, tables

ENGLISH, JAPANESE = sections("README.md"), sections("README.ja.md")


def translated_title(section: Section) -> str:
    """The English title, which the Japanese document has in a comment under each heading."""
    found = re.match(r"\s*<!-- (.*?) -->", section.text)
    return found[1] if found else section.title


PAIRS = [(section, other) for section in ENGLISH for other in JAPANESE if translated_title(other) == section.title]


def without_comments(block: Block) -> str:
    """What is executed; the words in comments may be in either language."""
    return re.sub(r"(?m)\s*(#|//).*$", "", block.text) if block.language in {"toml", "python"} else block.text


def test_sections_are_the_same() -> None:
    english = [(section.level, section.title) for section in ENGLISH]
    japanese = [(section.level, translated_title(section)) for section in JAPANESE]
    missing = [title for _, title in english if title not in {other for _, other in japanese}]
    gone = [title for _, title in japanese if title not in {other for _, other in english}]
    assert not missing, f"README.ja.md lacks these sections of README.md: {missing}"
    assert not gone, f"README.ja.md has sections that README.md does not have: {gone}"
    assert japanese == english, "the order or the level of the sections differs"


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0].title)
def test_tables_are_the_same(pair: tuple[Section, Section]) -> None:
    """As many rows and columns, and the same code in each row."""
    english, japanese = (tables(section.text) for section in pair)
    where = f"in the section {pair[0].title!r} the tables differ"
    assert [[len(row) for row in table] for table in japanese] == [[len(r) for r in table] for table in english], where
    for table, translated in zip(english, japanese, strict=True):
        for row, other in zip(table, translated, strict=True):
            assert sorted(code(" ".join(other))) == sorted(code(" ".join(row))), f"{where}: {row[0]}"
            if re.fullmatch(r"-?\d+", row[0]):
                assert other[:2] == row[:2], f"{where}: {row[0]}"  # an error's code, and its message on the wire


def test_blocks_are_the_same() -> None:
    english, japanese = blocks("README.md"), blocks("README.ja.md")
    programs = {without_comments(block) for block in japanese if block.language}
    for block in english:
        if block.language:
            assert without_comments(block) in programs, f"README.ja.md lacks the block of {block}: {block.first}"
    assert len(japanese) == len(english)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0].title)
def test_settings_and_commands_are_all_named(pair: tuple[Section, Section]) -> None:
    """What stands as code in the English text stands in the Japanese text too."""
    english, japanese = (set(code(section.text)) for section in pair)
    assert english <= japanese, f"the section {pair[0].title!r} lacks {sorted(english - japanese)}"


def test_documents_name_each_other() -> None:
    assert "(README.ja.md)" in read("README.md").split("\n## ")[0]
    assert "(README.md)" in read("README.ja.md").split("\n## ")[0]
