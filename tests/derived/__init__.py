"""What is made of the schemas, settings, errors, metrics and commands: types and the tables of the documents.

`python3 run.py docs` writes it; a test compares. A document has a table, by its name, between these two lines:

    <!-- begin generated: methods -->
    <!-- end generated -->
"""

import re
from collections.abc import Iterator
from pathlib import Path

from jsonrpc_backend.config import example
from tests.derived import typescript
from tests.derived.markdown import markdown, translated
from tests.derived.tables import TABLES
from tests.documents import DOCUMENTS, TRANSLATIONS, read

_MARKED = re.compile(r"(?s)(?<=<!-- begin generated: )(?P<name>[\w ]+) -->\n(?P<table>.*?)(?=<!-- end generated -->)")


def derived() -> Iterator[tuple[Path, str]]:
    """The files that are made of others, in whole or in part, by their paths in the tree, as they should be."""
    yield typescript.FILE, typescript.render()
    yield Path("config.example.toml"), example.render()
    for document in (*DOCUMENTS, *TRANSLATIONS.values()):
        if _MARKED.search(read(document)):
            yield Path(document), _filled(document)


def _filled(document: str) -> str:
    def fill(found: re.Match[str]) -> str:
        table = TABLES[found["name"]]()
        is_translation = document in TRANSLATIONS.values()
        text = translated(table, found["table"]) if is_translation else markdown(table)
        return f"{found['name']} -->\n{text}"

    return _MARKED.sub(fill, read(document))
