"""Where Japanese lags behind English, in pages and in errors: `python -m tests.translations` lists it.

A list and no failing test, for nobody has to know Japanese to change the program. A translation has the same sections
in the same order, the same blocks, tables of the same size with the same code in each row, and names all that stands as
code in the English text. The words are the translator's.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonrpc_backend
from jsonrpc_backend.language import japanese
from jsonrpc_backend.language.translation import in_japanese
from jsonrpc_backend.rpc.schema_files import schema_folder
from tests.documents import TRANSLATIONS, Block, blocks, code, read, sections, tables

PACKAGE = Path(jsonrpc_backend.__file__).parent


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


# --- sentences of errors -----------------------------------------------------------------------------------

ROOMS_THAT_REFUSE = ("accounts", "collections", "methods", "monaql", "rpc")
DESCRIPTIONS = {"methods/__init__.py", "rpc/openrpc.py"}  # their sentences are for the reference page
PROBLEMS = {"QueryError", "BindError"}  # what is handed to these becomes a part of a sentence
_PLACE = re.compile(r"\{[^{}]*\}")


def untranslated(folder: Path) -> Iterator[str]:
    """The sentences and parts of sentences in the modules of a folder that Japanese callers get in English."""
    for path in sorted(folder.rglob("*.py")):
        if f"{folder.name}/{path.name}" in DESCRIPTIONS:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = {_text_of(node) for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr)}
        docstrings = {_text_of(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        yield from (text for text in sorted(texts - docstrings) if _is_sentence(text) and in_japanese(text) == text)
        yield from (text for text in map(_text_of, _problems(tree)) if text and _is_missing_part(text))


def _problems(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PROBLEMS and node.args:
            yield node.args[0]


def _text_of(node: ast.AST) -> str:
    """A literal as the tables write it, with `{}` for what is put in; empty for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _PLACE.sub("{}", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text_of(part) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


def _is_sentence(text: str) -> bool:
    """Ones that end with what another part of the program says are made of parts that are looked at there."""
    return bool(re.fullmatch(r"[A-Z].* .*(?<!\{\})\.", text))


def _is_missing_part(text: str) -> bool:
    return text not in japanese.PARTS and in_japanese(f"{{}} {text}.") == f"{{}} {text}."


def untranslated_in_schemas() -> Iterator[str]:
    for path in sorted(schema_folder().glob("*.json")):
        for text in _messages(json.loads(path.read_text(encoding="utf-8"))):
            if in_japanese(text) == text:
                yield text


def _messages(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict) and isinstance(stated := schema.get("messages"), dict):
        yield from stated.values()
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _messages(inner)


def main() -> None:
    found = [line for english, translated in TRANSLATIONS.items() for line in drift(english, translated)]
    found += [f"{room}: {text}" for room in ROOMS_THAT_REFUSE for text in untranslated(PACKAGE / room)]
    found += [f"schemas: {text}" for text in untranslated_in_schemas()]
    print("\n".join(found) or "Japanese says what English says.")


if __name__ == "__main__":
    main()
