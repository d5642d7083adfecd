"""The documents of the project, taken apart: fenced blocks, headings, links, tables, code in the text."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent

DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CODE_OF_CONDUCT.md",
    "SECURITY.md",
    "CHANGELOG.md",
    *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
)

# By their originals. They repeat the blocks; tests/translations.py lists where they lag behind.
TRANSLATIONS = {
    "README.md": "README.ja.md",
    **{f"docs/{p.name}": f"docs/ja/{p.name}" for p in sorted((ROOT / "docs" / "ja").glob("*.md"))},
}

_FENCE = re.compile(r"(?ms)^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$")
_HEADING = re.compile(r"(?m)^(#+) (.*)$")


@dataclass(frozen=True)
class Block:
    """A fenced block, without its indentation."""

    document: str
    line: int
    language: str
    text: str

    @property
    def first(self) -> str:
        """Its first line, by which the tests name it."""
        return self.text.partition("\n")[0]

    def __str__(self) -> str:
        return f"{self.document}:{self.line} {self.language}"


@dataclass(frozen=True)
class Section:
    """A heading, and what is under it up to the next one."""

    level: int
    title: str
    text: str


def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str) -> list[Block]:
    text = read(document)
    return [
        Block(
            document,
            text.count("\n", 0, found.start()) + 1,
            found["language"],
            re.sub(rf"(?m)^{found['indent']}", "", found["text"]),
        )
        for found in _FENCE.finditer(text)
    ]


def prose(text: str) -> str:
    """The text without its fenced blocks."""
    return _FENCE.sub("", text)


def sections(document: str) -> list[Section]:
    text = read(document)
    hidden = _FENCE.sub(lambda found: re.sub(r"(?m)^#", "\0", found[0]), text)  # comments of a shell are no headings
    heads = list(_HEADING.finditer(hidden))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [Section(len(head[1]), head[2], text[head.end() : end]) for head, end in zip(heads, ends, strict=True)]


def section(title: str) -> Section:
    """The one section of all documents with this title."""
    (found,) = [section for document in DOCUMENTS for section in sections(document) if section.title == title]
    return found


def anchor(title: str) -> str:
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def links(document: str) -> list[str]:
    """Where the links of a document point to."""
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`(?!\])", "", prose(read(document))))


def code(text: str) -> list[str]:
    """The code within a text."""
    return re.findall(r"`([^`\n]+)`", prose(text))


def tables(text: str) -> list[list[list[str]]]:
    """The tables in a text: rows of cells, without the head."""
    found = re.findall(r"(?m)(?:^ *\|.*\n?)+", prose(text))
    return [[_cells(row) for row in table.splitlines()][2:] for table in found]


def _cells(row: str) -> list[str]:
    inner = row.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]
