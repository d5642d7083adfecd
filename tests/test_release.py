"""Program, npm package and changelog have one version, and a tag of another one is no release."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jsonrpc_backend import __version__
from tests.documents import ROOT, read

pytestmark = pytest.mark.slow

SCRIPT = ".ci/release_notes.py"
FILES = (SCRIPT, "jsonrpc_backend/__init__.py", "jsonrpc_backend/js/package.json", "CHANGELOG.md")

CHANGELOG = "# Changelog\n\n## 7.8.9 - 2027-01-02\n\n### Added\n\n- All.\n\n## 0.1.0 - 2026-11-24\n\nThe first.\n"


def headings() -> list[str]:
    return re.findall(r"(?m)^## (.*)$", read("CHANGELOG.md"))


def test_npm_package_has_the_version_of_the_program() -> None:
    package = json.loads(read("jsonrpc_backend/js/package.json"))
    assert package["version"] == __version__.replace(".dev", "-dev."), "npm's spelling of the same"


def test_changelog_says_what_is_released_and_when() -> None:
    released = [heading for heading in headings() if heading != "Unreleased"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", heading) for heading in released), released
    versions = [tuple(map(int, re.findall(r"\d+", heading)[:3])) for heading in released]
    assert versions == sorted(versions, reverse=True)
    assert versions[-1] == (0, 1, 0)


def test_version_under_development_comes_after_the_last_release() -> None:
    version = tuple(map(int, re.findall(r"\d+", __version__)[:3]))
    newest = tuple(map(int, re.findall(r"\d+", next(title for title in headings() if title != "Unreleased"))[:3]))
    if ".dev" in __version__:
        assert version > newest
        assert headings()[0] == "Unreleased"
    else:
        assert version == newest
        assert "Unreleased" not in headings()


# --- a tag ---------------------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What the script reads, as it would be in a commit that is version 7.8.9."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "jsonrpc_backend" / "__init__.py").write_text('"""Text."""\n\n__version__ = "7.8.9"\n')
    (tmp_path / "jsonrpc_backend" / "js" / "package.json").write_text('{"version": "7.8.9"}')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


def notes(tree: Path, tag: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, tag], cwd=tree, capture_output=True, text=True, check=False)


def test_tag_of_the_version_prints_its_notes(tree: Path) -> None:
    done = notes(tree, "v7.8.9")
    assert (done.returncode, done.stdout, done.stderr) == (0, "### Added\n\n- All.\n", "")


@pytest.mark.parametrize("tag", ["v7.8.8", "7.8.9", "v7.8.9.dev0", "v7.8", "main"])
def test_tag_of_nothing_is_no_release(tree: Path, tag: str) -> None:
    done = notes(tree, tag)
    assert (done.returncode, done.stdout) == (1, "")
    assert tag in done.stderr


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("jsonrpc_backend/__init__.py", "7.8.9", "7.8.9.dev0"),
        ("jsonrpc_backend/js/package.json", "7.8.9", "7.8.8"),
        ("CHANGELOG.md", "7.8.9 - 2027-01-02", "Unreleased"),
    ],
)
def test_what_is_out_of_step_is_named(tree: Path, file: str, old: str, new: str) -> None:
    (tree / file).write_text((tree / file).read_text().replace(old, new))
    done = notes(tree, "v7.8.9")
    assert done.returncode == 1
    assert file in done.stderr
    assert new in done.stderr
    assert done.stderr.count("\n") == 2, "the others are in step"
