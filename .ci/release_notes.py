"""Prints what CHANGELOG.md says of a release, or why there is none: `release_notes.py v1.2.3`.

A tag is a release when the program, the npm package and the changelog all have its version.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(tag: str) -> None:
    if not re.fullmatch(r"v\d+\.\d+\.\d+", tag):
        sys.exit(f"{tag} is not the tag of a release, v1.2.3.")
    version, notes = newest_release()
    versions = {
        "jsonrpc_backend/__init__.py": program_version(),
        "jsonrpc_backend/js/package.json": json.loads(read("jsonrpc_backend/js/package.json"))["version"],
        "CHANGELOG.md's newest section": version,
    }
    wrong = [f"{where} has {found}." for where, found in versions.items() if f"v{found}" != tag]
    if wrong:
        sys.exit("\n".join([f"{tag} is no release:", *wrong]))
    print(notes)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def program_version() -> str:
    """As it is written: what the release is built with need not be able to import the program."""
    found = re.search(r'(?m)^__version__ = "(.*)"$', read("jsonrpc_backend/__init__.py"))
    assert found
    return found[1]


def newest_release() -> tuple[str, str]:
    """The version and the text of the changelog's first section: "Unreleased" where there are changes after it."""
    section = re.split(r"(?m)^## ", read("CHANGELOG.md"))[1]
    heading, _, text = section.partition("\n")
    return heading.split(" - ")[0], text.strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
