"""What comes from elsewhere: bounded where it is asked for, pinned by its hash where it is fetched, and kept fresh."""

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = ("server", "test", "build", "audit")


def project(file: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / file).read_text(encoding="utf-8"))


def asked_for() -> Iterator[tuple[str, Requirement]]:
    """Every requirement that the project states, and where."""
    for file in ("pyproject.toml", "client-package/pyproject.toml"):
        table = project(file)
        stated = [*table["build-system"]["requires"], *table["project"]["dependencies"]]
        stated += [one for extra in table["project"].get("optional-dependencies", {}).values() for one in extra]
        yield from ((file, Requirement(one)) for one in stated)
    for name in ("build", "audit"):
        for line in (ROOT / "requirements" / f"{name}.in").read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                yield f"requirements/{name}.in", Requirement(line)


def locked(name: str) -> dict[str, str]:
    """The versions of a lock file by canonical names."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return {canonicalize_name(found[1]): found[2] for found in re.finditer(r"(?m)^([\w.-]+)==([\w.]+)", text)}


# --- bounds and hashes ---------------------------------------------------------------------------------------


def test_every_requirement_has_both_bounds() -> None:
    for file, requirement in asked_for():
        operators = {specifier.operator for specifier in requirement.specifier}
        assert operators == {">=", "<"}, f"{file}: {requirement}"


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_nothing_but_versions_and_hashes(name: str) -> None:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    entries = [line for line in lines if not re.match(r" *#", line)]
    kinds = [r"[\w.-]+==[\w.]+( ; [^\\]+)? \\", r"    --hash=sha256:[0-9a-f]{64}( \\)?"]
    assert [line for line in entries if not any(re.fullmatch(kind, line) for kind in kinds)] == []
    assert not re.search(r"://|--(extra-)?index|--find-links", "\n".join(lines)), "no word of who served them"
    pins = [index for index, line in enumerate(entries) if "==" in line.split(" ")[0]]
    assert all(entries[index + 1].startswith("    --hash") for index in pins), "each has a hash"


def test_locks_are_of_what_is_asked_for() -> None:
    server, test, build, audit = map(locked, LOCKS)
    for file, requirement in asked_for():
        name = canonicalize_name(requirement.name)
        found = [lock[name] for lock in (server, test, build, audit) if name in lock]
        assert found, f"{file}: {requirement} is in no lock"
        assert all(requirement.specifier.contains(version) for version in found), f"{file}: {requirement}: {found}"
    for requirement in map(Requirement, project("pyproject.toml")["project"]["dependencies"]):
        assert canonicalize_name(requirement.name) in server
    assert {name: test[name] for name in server} == server, "the tests test what the image has"
    assert {name: test.get(name) for name in build} == build


@pytest.mark.parametrize("name", ["server", "test"])
def test_locks_are_complete(name: str) -> None:
    """By what the packages say that are installed here: pip would refuse the first one that has no hash."""
    names = locked(name).keys()
    missing = {
        f"{package} needs {needed.name}"
        for package in names
        for needed in requirements_of(package)
        if canonicalize_name(needed.name) not in names
    }
    assert missing == set()


def requirements_of(package: str) -> Iterator[Requirement]:
    try:
        stated = metadata.requires(package) or []
    except metadata.PackageNotFoundError:  # of another platform, or of the build alone
        return
    for requirement in map(Requirement, stated):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement


# --- the image -----------------------------------------------------------------------------------------------


def test_image_is_made_of_what_is_pinned() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    (base,) = re.findall(r"(?m)^ARG PYTHON=(.*)$", dockerfile)
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base)
    assert re.findall(r"(?m)^FROM (\S+)", dockerfile) == ["${PYTHON}", "${PYTHON}"]
    commands = re.findall(r"pip (?:install|wheel) [^&\n]*", dockerfile)
    assert len(commands) == 4
    for command in commands:
        assert "--require-hashes" in command or "--no-deps" in command, command
        assert command.startswith("pip install") or "--no-build-isolation" in command, command
    for file in re.findall(r"-r (\S+)", " ".join(commands)):
        assert (ROOT / file).is_file(), file


# --- what keeps it fresh -------------------------------------------------------------------------------------


def test_everything_pinned_is_watched() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    watched = {
        (update["package-ecosystem"], folder)
        for update in updates
        for folder in update.get("directories", [update.get("directory")])
    }
    assert watched == {
        ("pip", "/"),
        ("pip", "/client-package"),
        ("pip", "/requirements"),
        ("github-actions", "/"),
        ("docker", "/"),
        ("docker-compose", "/"),
        ("npm", "/tests/javascript"),
    }
    assert all((ROOT / folder.lstrip("/")).is_dir() for _, folder in watched)
