"""What contributors meet: the forms of issues, the hooks of commits, white space as .editorconfig has it."""

import fnmatch
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.documents import ROOT, read

FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")

# Made by others, or by a program.
NOT_OURS = ("tests/openrpc/*", "*.sql", "*-lock.json", "*.png", "*.csv", "requirements/*.txt")


def files() -> Iterator[Path]:
    """Every text file of ours."""
    folders = [
        ".ci",
        ".github",
        "benchmarks",
        "client-package",
        "docs",
        "examples",
        "jsonrpc_backend",
        "schemas",
        "tests",
    ]
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    paths += [path for path in ROOT.iterdir() if path.suffix in {".md", ".toml", ".json", ".yaml", ".py"}]
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        others = any(fnmatch.fnmatch(name, pattern) for pattern in NOT_OURS)
        if path.is_file() and not others and not {"node_modules", "__pycache__"}.intersection(path.parts):
            yield path


def test_white_space_is_as_editors_are_told() -> None:
    found = list(files())
    assert len(found) > 300
    for path in found:
        text = path.read_bytes().decode()
        assert "\r" not in text, path
        assert not text or text.endswith("\n"), path
        assert not re.search(r"(?m)[ \t]+$", text), path
        assert "\t" not in text or path.name == "Caddyfile", path


# --- forms -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_form_of_an_issue_is_one(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form.keys() == {"name", "description", "labels", "body"}
    fields = [part for part in form["body"] if part["type"] != "markdown"]
    for part in fields:
        assert part["type"] in {"input", "textarea"}
        assert {"label", "description"} & part["attributes"].keys()
    ids = [part["id"] for part in fields]
    assert len(ids) == len(set(ids))
    assert any(part.get("validations", {}).get("required") for part in fields)


def test_nobody_is_named_who_is_not_a_maintainer() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    lines = [line for line in read(".github/CODEOWNERS").splitlines() if line and not line.startswith("#")]
    assert bool(lines) == bool(project.get("maintainers"))


# --- hooks -------------------------------------------------------------------------------------------------


def test_hooks_run_what_is_installed_here_on_what_is_there() -> None:
    (repository,) = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "local", "others would have versions of their own"
    wanted = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]["test"]
    installed = {re.split(r"[<>=]", requirement)[0] for requirement in wanted}
    for hook in repository["hooks"]:
        program, *arguments = shlex.split(hook["entry"])
        assert program.removeprefix(".venv/bin/") in installed, hook
        assert all((ROOT / each).exists() for each in arguments if "/" in each), hook
