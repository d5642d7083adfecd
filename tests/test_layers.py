"""Imports point down: cli -> server -> web, methods -> rpc -> backend -> mail -> accounts -> store -> monaql.

Nothing goes in circles, nothing grows too large to be read at a sitting.
"""

import ast
import functools
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path, PurePosixPath

import pytest

import jsonrpc_backend
from tests.documents import blocks

PACKAGE = Path(jsonrpc_backend.__file__).parent
NAME = PACKAGE.name

LEAVES = {"clock", "config", "errors", "events", "fairness", "language"}
BELOW_BACKEND = {"accounts", "collections", "mail", "monaql", "store"} | LEAVES
BELOW_SERVER = {"backend", "methods", "rpc", "telemetry", "web"} | BELOW_BACKEND

# Each room of the package and what else of the package it may import. "" is the package's own __init__.py; "events" is
# telemetry's file that every room may import.
MAY_IMPORT = {
    "": set(),
    "errors": set(),
    "clock": set(),
    "config": set(),
    "language": set(),
    "events": set(),
    "fairness": {"errors"},
    "monaql": set(),
    "store": {"fairness", "monaql"},
    "accounts": {"monaql", "store"} | LEAVES - {"errors"},
    "mail": {"accounts", "store"} | LEAVES - {"errors"},
    "collections": {"accounts", "monaql", "store"} | LEAVES - {"errors"},
    "telemetry": {"config", "events", "store"},
    "backend": BELOW_BACKEND,
    "rpc": {"backend"} | BELOW_BACKEND,
    "methods": {"backend", "rpc"} | BELOW_BACKEND,
    "transfer": {"accounts", "collections", "config", "errors", "rpc", "store"},
    "demo": {"accounts", "backend", "collections", "config", "fairness", "store"},
    "web": {"methods", "rpc", "backend"} | BELOW_BACKEND,
    "server": BELOW_SERVER,
    "cli": {"client", "demo", "server", "transfer"} | BELOW_SERVER - {"methods"},
    "__main__": {"cli"},
    "client": {"errors"},
}

# Packages of others that belong into one place, and which files may import them. A folder stands for its files.
RESERVED = {
    "jsonrpcserver": {"rpc/dispatch.py"},
    "sqlite3": {"store/sqlite"},
    "aiosqlite": {"store/sqlite"},
    "argon2": {"accounts/passwords.py"},
    "bcrypt": {"accounts/foreign_hashes.py"},
    "aiohttp": {"cli", "client", "server", "web"},
    "aiosmtplib": {"mail/smtp.py"},
    "confusable_homoglyphs": {"accounts/look_alikes.py"},
    "cryptography": {"mail/seal.py"},
    "click": {"cli"},
    "prometheus_client": {"telemetry/metrics/meters.py"},
}

MOST_LINES_OF_A_MODULE = 300
MOST_LINES_OF_A_FUNCTION = 60

SQL = re.compile(
    r"\bSELECT\b.*\bFROM\b|\bINSERT\b.*\bINTO\b|\bUPDATE\b.*\bSET\b|\bDELETE FROM\b"
    r"|\b(CREATE|ALTER|DROP) (TABLE|INDEX|VIEW|TRIGGER)\b|\bPRAGMA\b|\bBEGIN\b|\bCOMMIT\b|\bROLLBACK\b|\bVACUUM\b",
    re.DOTALL,
)


def source_files() -> list[str]:
    return files_in(PACKAGE)


@functools.cache
def files_in(package: Path) -> list[str]:
    return sorted(path.relative_to(package).as_posix() for path in package.rglob("*.py"))


def part_of(module: str) -> str:
    """`jsonrpc_backend.store.users` is of the part `store`."""
    if f"{module}.".startswith(f"{NAME}.telemetry.events."):
        return "events"
    part = [*module.split("."), ""][1]
    return part if part in MAY_IMPORT or _is_module(part) else ""


def _is_module(name: str) -> bool:
    return (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()


def module_of(file: str) -> str:
    return ".".join([NAME, *Path(file).with_suffix("").parts]).removesuffix(".__init__")


def modules() -> set[str]:
    return {module_of(file) for file in source_files()}


def parse(file: str) -> ast.Module:
    return parsed(PACKAGE / file)


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(file: str) -> frozenset[str]:
    """Every module that a file imports, at the top or inside a function, and every name of it, in full."""
    return _imported(PACKAGE, file)


@functools.cache
def _imported(_: Path, file: str) -> frozenset[str]:
    return frozenset(_found_imported(file))


def _found_imported(file: str) -> Iterator[str]:
    known = modules()
    package = module_of(file).split(".")
    if not file.endswith("__init__.py"):
        package = package[:-1]
    for node in ast.walk(parse(file)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*parents, *([node.module] if node.module else [])])
            names = {f"{module}.{name.name}" for name in node.names}
            yield from names
            if not names <= known:
                yield module


def strings(file: str) -> Iterator[str]:
    """The string literals of a file but its docstrings; of an f-string what is written out."""
    tree = parse(file)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize("file", source_files())
def test_imports_point_down(file: str) -> None:
    part = part_of(module_of(file))
    assert part in MAY_IMPORT, f"{file} is of no layer; say in MAY_IMPORT what it may import"
    inside = {part_of(module) for module in imported(file) if module.split(".")[0] == NAME}
    # "" is harmless to anybody: the package's __init__.py holds the version alone.
    assert inside <= MAY_IMPORT[part] | {part, ""}


def test_the_drawing_has_every_room() -> None:
    (drawing,) = [block.text for block in blocks("CONTRIBUTING.md") if block.first == f"{NAME}/"]
    folders = [path for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"]
    # What git has taken away leaves a folder with __pycache__ alone.
    there = {f"{path.name}/" for path in folders if any(child.name != "__pycache__" for child in path.iterdir())}
    assert {*re.findall(r"(?m)^  (\S+)", drawing)} == there | {"errors.py"}


def test_rooms_form_no_circle() -> None:
    TopologicalSorter(MAY_IMPORT).prepare()  # raises CycleError, which names them


def test_modules_form_no_circle() -> None:
    known = modules()
    TopologicalSorter({module_of(file): known & imported(file) for file in source_files()}).prepare()


@pytest.mark.parametrize("file", source_files())
def test_nothing_is_too_large(file: str) -> None:
    functions = [node for node in ast.walk(parse(file)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lines = {function.name: (function.end_lineno or 0) - function.lineno + 1 for function in functions}
    assert [name for name, number in lines.items() if number > MOST_LINES_OF_A_FUNCTION] == []
    assert (PACKAGE / file).read_text(encoding="utf-8").count("\n") <= MOST_LINES_OF_A_MODULE


def test_a_name_means_one_thing() -> None:
    """A class has its name alone, and so has a function that others call without its module's name.

    The Python client has its own: it is a program apart, in the words of the wire.
    """
    files = [file for file in source_files() if not file.startswith("client/")]
    called = {name for file in files for name in imported(file)}
    where: dict[str, set[str]] = {}
    for file in files:
        for node in parse(file).body:
            match node:
                case ast.ClassDef(name=name):
                    where.setdefault(name, set()).add(file)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if (
                    f"{module_of(file)}.{name}" in called
                ):
                    where.setdefault(name, set()).add(file)
    assert {name: found for name, found in where.items() if len(found) > 1 and not name.startswith("_")} == {}


@pytest.mark.parametrize("package", sorted(RESERVED))
def test_a_package_is_used_in_its_place_only(package: str) -> None:
    users = {file for file in source_files() if any(module.split(".")[0] == package for module in imported(file))}
    outside = {file for file in users if not {file, *map(str, PurePosixPath(file).parents)} & RESERVED[package]}
    assert outside == set()


def test_only_the_store_knows_its_engine() -> None:
    """Others ask store/engines.py; of the name of a file of SQLite they know nothing either."""
    others = [file for file in source_files() if not file.startswith("store/")]
    assert [
        file for file in others if any(module.startswith(f"{NAME}.store.sqlite") for module in imported(file))
    ] == []
    assert [file for file in others if "sqlite3" in (PACKAGE / file).read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("file", [file for file in source_files() if not file.startswith("store/")])
def test_sql_is_written_in_the_store_only(file: str) -> None:
    assert [text for text in strings(file) if SQL.search(text)] == []


def test_the_rules_see_what_they_forbid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that finds nothing because it cannot see would pass for ever."""
    monkeypatch.setattr("tests.test_layers.PACKAGE", tmp_path)
    (tmp_path / "store").mkdir()
    (tmp_path / "methods").mkdir()
    (tmp_path / "server.py").touch()
    (tmp_path / "methods" / "bad.py").write_text(
        '"""SELECT x FROM docstring"""\n'
        "from jsonrpc_backend import __version__, server\n"
        "from ..store import users\n"
        "def late():\n    import jsonrpc_backend.cli.serve\n    return f'SELECT {1} FROM users'\n"
    )
    modules = set(imported("methods/bad.py"))
    assert {"jsonrpc_backend.server", "jsonrpc_backend.store", "jsonrpc_backend.cli.serve"} <= modules
    assert {part_of(module) for module in modules} == {"", "server", "store", "cli"}
    assert any(SQL.search(text) for text in strings("methods/bad.py"))
    assert not any("docstring" in text for text in strings("methods/bad.py"))
