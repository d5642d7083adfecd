"""The documents as a site: every link leads somewhere, and every page can be found."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import run
from tests.documents import DOCUMENTS, ROOT, TRANSLATIONS

pytestmark = pytest.mark.slow

PAGES = [*DOCUMENTS, *TRANSLATIONS.values()]


def copied(folder: Path) -> Path:
    """The documents and all that they name, without what others may build beside them."""
    hidden = shutil.ignore_patterns(".*", "build", "data", "node_modules", "__pycache__", "tests", "benchmarks")
    return shutil.copytree(ROOT, folder / "tree", ignore=hidden)


def build(tree: Path, builder: str = "dirhtml") -> tuple[int, str]:
    """The exit code of what `run.py site` runs, and what it prints. The builder `dummy` only checks."""
    command = [sys.executable, *(builder if word == "dirhtml" else word for word in run.BUILD_SITE)]
    ended = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def test_site_is_built_and_has_every_page(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    assert build(tree) == (0, "")
    site = tree / "build" / "site"
    for page in PAGES:
        assert (site / page.removesuffix(".md") / "index.html").is_file(), page
    start = (site / "README" / "index.html").read_text(encoding="utf-8")
    for page in set(PAGES) - {"README.md"}:
        assert f'href="../{page.removesuffix(".md")}/"' in start, f"no link to {page} in the contents"
    assert "url=README/" in (site / "index.html").read_text(encoding="utf-8")


def test_faults_end_the_build(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    (tree / "docs" / "lost.md").write_text("# Lost\n\n[Nowhere](gone.md) [Nobody](clients.md#nobody)\n")
    code, told = build(tree, "dummy")
    assert code == 1
    assert "gone.md" in told
    assert "'nobody'" in told
    assert "isn't included in any toctree" in told
