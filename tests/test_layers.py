"""Imports point down: cli -> app -> methods -> rpc -> accounts, mail -> store; errors and config are leaves."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import jsonrpc_backend

PACKAGE = Path(jsonrpc_backend.__file__).parent
NAME = PACKAGE.name

LEAVES = {"config", "errors", "events", "fairness", "one_core"}
BELOW_RPC = {"accounts", "mail", "monaql", "store"} | LEAVES
BELOW_CLI = {
    "app",
    "client",
    "config_file",
    "connections",
    "dev",
    "example_apps",
    "logs",
    "methods",
    "metrics",
    "open_files",
    "output",
    "rpc",
    "transfer",
} | BELOW_RPC

# Each part of the package and what else of the package it may import. "" is the package's own __init__.py.
MAY_IMPORT = {
    "": set(),
    "errors": set(),
    "config": set(),
    "events": set(),
    "fairness": set(),
    "output": set(),
    "logs": {"config", "events", "output"},
    "metrics": {"accounts", "config", "events", "rpc", "store"},
    "config_file": {"config"},
    "monaql": set(),
    "store": {"config", "fairness", "monaql"},
    "accounts": {"store"} | LEAVES,
    "mail": {"accounts", "store"} | LEAVES,
    "rpc": BELOW_RPC,
    "methods": {"rpc"} | BELOW_RPC,
    "transfer": {"methods", "rpc"} | BELOW_RPC,
    "dev": {"mail"},
    "mail_page": {"accounts", "dev", "mail", "reference", "rpc"},
    "scripts": set(),
    "page_headers": set(),
    "example_apps": {"config", "dev", "page_headers"},
    "front_page": {"reference"},
    "reference": {"config", "dev", "errors", "example_apps", "methods", "page_headers", "rpc"},
    "places": {"rpc"},
    "crowd": {"config", "places", "rpc"},
    "connections": {"config", "crowd"},
    "listener": set(),
    "open_files": set(),
    "one_core": set(),
    "app": {
        "connections",
        "dev",
        "example_apps",
        "front_page",
        "listener",
        "logs",
        "mail_page",
        "methods",
        "metrics",
        "open_files",
        "reference",
        "rpc",
        "scripts",
    }
    | BELOW_RPC,
    "cli": BELOW_CLI,
    "__main__": {"cli"},
    "client": {"errors"},
}

# Packages of others that belong into one place, and which files may import them. A folder stands for its files.
RESERVED = {
    "jsonrpcserver": {"rpc/dispatch.py"},
    "aiosqlite": {"store/database.py"},
    "argon2": {"accounts/passwords.py"},
    "bcrypt": {"accounts/foreign_hashes.py"},
    "aiohttp": {
        "app.py",
        "connections.py",
        "dev.py",
        "example_apps.py",
        "front_page.py",
        "mail_page.py",
        "reference.py",
        "metrics/__init__.py",
        "scripts.py",
        "rpc/bodies.py",
        "rpc/endpoint.py",
        "cli",
        "client",
    },
    "aiosmtplib": {"mail/smtp.py"},
    "confusable_homoglyphs": {"accounts/look_alikes.py"},
    "cryptography": {"mail/seal.py"},
    "click": {"cli"},
    "prometheus_client": {"metrics/meters.py"},
}

SQL = re.compile(
    r"\bSELECT\b.*\bFROM\b|\bINSERT\b.*\bINTO\b|\bUPDATE\b.*\bSET\b|\bDELETE FROM\b"
    r"|\b(CREATE|ALTER|DROP) (TABLE|INDEX|VIEW|TRIGGER)\b|\bPRAGMA\b|\bBEGIN\b|\bCOMMIT\b|\bROLLBACK\b|\bVACUUM\b",
    re.DOTALL,
)


def source_files() -> list[str]:
    return sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def part_of(module: str) -> str:
    """`jsonrpc_backend.store.users` is of the part `store`."""
    part = [*module.split("."), ""][1]
    return part if part in MAY_IMPORT or _is_module(part) else ""


def _is_module(name: str) -> bool:
    return (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()


def module_of(file: str) -> str:
    return ".".join([NAME, *Path(file).with_suffix("").parts]).removesuffix(".__init__")


def parse(file: str) -> ast.Module:
    return ast.parse((PACKAGE / file).read_text(encoding="utf-8"), file)


def imported(file: str) -> Iterator[str]:
    """Every module that a file imports, at the top or inside a function, with its full name."""
    package = module_of(file).split(".")
    if not file.endswith("__init__.py"):
        package = package[:-1]
    for node in ast.walk(parse(file)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*parents, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{name.name}" for name in node.names if module == NAME)  # perhaps modules


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


@pytest.mark.parametrize("package", sorted(RESERVED))
def test_a_package_is_used_in_its_place_only(package: str) -> None:
    users = {file for file in source_files() if any(module.split(".")[0] == package for module in imported(file))}
    outside = {file for file in users if not {file, file.split("/")[0]} & RESERVED[package]}
    assert outside == set()


@pytest.mark.parametrize("file", [file for file in source_files() if not file.startswith("store/")])
def test_sql_is_written_in_the_store_only(file: str) -> None:
    assert [text for text in strings(file) if SQL.search(text)] == []


def test_the_rules_see_what_they_forbid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that finds nothing because it cannot see would pass for ever."""
    monkeypatch.setattr("tests.test_layers.PACKAGE", tmp_path)
    (tmp_path / "store").mkdir()
    (tmp_path / "methods").mkdir()
    (tmp_path / "app.py").touch()
    (tmp_path / "methods" / "bad.py").write_text(
        '"""SELECT x FROM docstring"""\n'
        "from jsonrpc_backend import app\n"
        "from ..store import users\n"
        "def late():\n    import jsonrpc_backend.cli.serve\n    return f'SELECT {1} FROM users'\n"
    )
    modules = set(imported("methods/bad.py"))
    assert {"jsonrpc_backend.app", "jsonrpc_backend.store", "jsonrpc_backend.cli.serve"} <= modules
    assert {part_of(module) for module in modules} == {"", "app", "store", "cli"}
    assert any(SQL.search(text) for text in strings("methods/bad.py"))
    assert not any("docstring" in text for text in strings("methods/bad.py"))
