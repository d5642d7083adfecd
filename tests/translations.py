"""Where the Japanese pages lag behind the English ones: `python -m tests.translations` lists it.

A list and no failing test, for nobody has to know Japanese to change the program. A translation has the same sections
in the same order, the same blocks, tables of the same size with the same code in each row, and names all that stands as
code in the English text. The words are the translator's.
"""

import re
from collections.abc import Iterator

from tests.documents import TRANSLATIONS, Block, blocks, code, read, sections, tables


def drift(english: str, japanese: str) -> Iterator[str]:
    """What differs between two documents, a line each."""
    levels = [[section.level for section in sections(document)] for document in (english, japanese)]
    if levels[0] != levels[1]:
        yield f"{japanese}: has other sections than {english}"
    yield from _drift_of_tables(english, japanese)
    programs = {_without_comments(block) for block in blocks(japanese) if block.language}
    for block in blocks(english):
        if block.language and _without_comments(block) not in programs:
            yield f"{japanese}: lacks the block of {block}: {block.first}"
    missing = sorted(set(code(read(english))) - set(code(read(japanese))))
    if missing:
        yield f"{japanese}: does not name {', '.join(missing)}"


def _drift_of_tables(english: str, japanese: str) -> Iterator[str]:
    originals, translations = tables(read(english)), tables(read(japanese))
    if [list(map(len, table)) for table in originals] != [list(map(len, table)) for table in translations]:
        yield f"{japanese}: has other tables than {english}"
        return
    for table, translated in zip(originals, translations, strict=True):
        for row, other in zip(table, translated, strict=True):
            is_code = bool(re.fullmatch(r"-?\d+", row[0]))  # of an error, with its message on the wire
            if sorted(code(" ".join(other))) != sorted(code(" ".join(row))) or (is_code and other[:2] != row[:2]):
                yield f"{japanese}: this row of {english} has another code: {row[0]}"
            if any(cell.endswith(".") for cell in row) and other == row:
                yield f"{japanese}: this row of {english} is still in English: {row[0]}"


def _without_comments(block: Block) -> str:
    """What is executed; the words in comments may be in either language."""
    return re.sub(r"(?m)\s*(#|//).*$", "", block.text) if block.language in {"toml", "python"} else block.text


def main() -> None:
    found = [line for english, japanese in TRANSLATIONS.items() for line in drift(english, japanese)]
    print("\n".join(found) or "The Japanese pages say what the English ones say.")


if __name__ == "__main__":
    main()
