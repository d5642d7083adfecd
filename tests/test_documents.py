"""What the documents say of commands, settings, files and each other is so."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import click
import pytest

from jsonrpc_backend import __version__
from jsonrpc_backend.cli import main
from jsonrpc_backend.config import (
    CONFIG_FILE_VARIABLE,
    ENVIRONMENT_PREFIX,
    MANAGEMENT_KEY_VARIABLE,
    BackendConfig,
    Config,
    ThrottleConfig,
    load_config,
    setting_key,
)
from tests.commands import commands_of, leaves
from tests.documents import (
    DOCUMENTS,
    ROOT,
    TRANSLATIONS,
    anchor,
    blocks,
    code,
    links,
    prose,
    read,
    section,
    sections,
    tables,
)

# CONTRIBUTING tells how to add a method.
TO_BE_WRITTEN = {"schemas/Account.isOlderThan.json", "tests/methods/test_account.py"}

# Not there where it could not be installed.
INSTALLED = {"tests/javascript/node_modules"}

EVERY_DOCUMENT = (*DOCUMENTS, *TRANSLATIONS.values())


# --- links -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", EVERY_DOCUMENT)
def test_links_lead_somewhere(document: str) -> None:
    for link in links(document):
        if re.match(r"https?:", link):
            continue
        path, _, fragment = link.partition("#")
        target = (ROOT / document).parent / path if path else ROOT / document
        assert target.exists(), link
        if fragment:
            headings = {anchor(each.title) for each in sections(str(target.resolve().relative_to(ROOT)))}
            assert fragment in headings, link


@pytest.mark.parametrize("document", EVERY_DOCUMENT)
def test_files_that_are_named_exist(document: str) -> None:
    folders = "|".join(path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in {"data", "build"})
    named = [span for span in code(read(document)) if re.fullmatch(rf"({folders})/[\w./-]+", span)]
    assert {span for span in named if not (ROOT / span).exists()} <= TO_BE_WRITTEN | INSTALLED


def test_what_is_not_released_is_not_called_so() -> None:
    released = re.findall(r"(?m)^## \[?(\d+\.\d+\.\d+)", read("CHANGELOG.md"))
    assert __version__ in released or re.fullmatch(r"\d+\.\d+\.\d+\.dev\d+", __version__)
    assert released or "release gets" not in read("SECURITY.md")


def test_hole_is_reported_where_there_is_somebody() -> None:
    """Nobody is sent to an address that is not there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    addresses = [person["email"] for person in project.get("authors", []) + project.get("maintainers", [])]
    (how,) = [section.text for section in sections("SECURITY.md") if section.title == "Reporting a hole"]
    assert "Report a vulnerability" in how
    assert addresses or not re.search(r"metadata|e-?mail|write to|@", how)


# --- commands ----------------------------------------------------------------------------------------------


COMMANDS = dict(leaves(main))


def find(words: list[str]) -> tuple[tuple[str, ...], click.Command] | None:
    return next(((path, command) for path, command in COMMANDS.items() if tuple(words[: len(path)]) == path), None)


def options(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts if name.startswith("--")} | {"--help"}


def command_rows() -> list[list[str]]:
    return tables(section("Commands").text)[0]


def test_table_of_commands_has_each() -> None:
    named = [span for row in command_rows() for span in code(row[0])]
    found = [find(span.split()) for span in named]
    assert None not in found, named
    assert {path for path, _ in filter(None, found)} == COMMANDS.keys()


def test_options_in_the_table_of_commands_exist() -> None:
    for row in command_rows():
        known = set().union(*(options(found[1]) for span in code(row[0]) if (found := find(span.split()))))
        assert set(re.findall(r"--[a-z][a-z-]+", " ".join(row))) <= known, row


def test_tables_of_commands_and_common_options_show_every_option() -> None:
    common = {name for row in tables(section("Commands").text)[1] for name in re.findall(r"--[a-z-]+", row[0])}
    for row in command_rows():
        (span,) = code(row[0])
        found = find(span.split())
        assert found
        own = set(re.findall(r"--[a-z][a-z-]+", row[1]))
        assert own | (common & options(found[1])) == options(found[1]) - {"--help"}


@pytest.mark.parametrize("document", EVERY_DOCUMENT)
def test_commands_of_documents(document: str) -> None:
    """In the text and in the blocks."""
    lines = code(read(document)) + [line for block in blocks(document) for line in block.text.splitlines()]
    for line in lines:
        words = re.match(r"(?:.*[ /])?jsonrpc-backend ([a-z][a-z-]*.*)", line)
        if words is None or re.search(r"systemctl|journalctl|git |install |cp |docker build", line):
            continue
        found = find(words[1].split())
        assert found or words[1].split()[0] in commands_of(main), line
        if found:
            assert set(re.findall(r"(?<= )--[a-z][a-z-]+", words[1])) <= options(found[1]), line


# --- settings ----------------------------------------------------------------------------------------------


def settings(table: Any, path: str = "") -> Iterator[str]:
    """The path of every setting: `server.port`, `backends.app.api_key`."""
    for field in fields(table):
        value, inner = getattr(table, field.name), f"{path}{setting_key(field)}"
        if is_dataclass(value):
            yield from settings(value, f"{inner}.")
        elif isinstance(value, dict):
            for name, entry in value.items():
                yield from settings(entry, f"{inner}.{name}.")
        else:
            yield inner


SETTINGS = set(settings(Config(backends={"app": BackendConfig(api_key="key")})))


@pytest.mark.parametrize("document", EVERY_DOCUMENT)
def test_settings_that_are_named_exist(document: str) -> None:
    top = "|".join(field.name for field in fields(Config))
    for span in code(read(document)):
        if re.fullmatch(rf"({top})\.[a-z_.]+", span) and not re.search(r"\.(py|lock|mail|sqlite)", span):
            assert span in SETTINGS, span
        is_metric = span.startswith("jsonrpc_backend_")  # the tests of the metrics look at those
        if not is_metric and re.fullmatch(r"[a-z]+_[a-z_]+_(seconds|minutes|bytes|flight|connections|batch)", span):
            assert any(setting.endswith(f".{span}") for setting in SETTINGS), span


@pytest.mark.parametrize("document", EVERY_DOCUMENT)
def test_variables_that_are_named_exist(document: str) -> None:
    known = {ENVIRONMENT_PREFIX, CONFIG_FILE_VARIABLE, MANAGEMENT_KEY_VARIABLE}
    known.add(f"{ENVIRONMENT_PREFIX}COMPLETE")  # of click: with an underscore before it
    known |= {f"{ENVIRONMENT_PREFIX}{re.sub('[^A-Z0-9]', '_', setting.upper())}" for setting in SETTINGS}
    assert set(re.findall(rf"{ENVIRONMENT_PREFIX}[A-Z_]*", read(document))) <= known


def test_limits_of_the_documents_are_the_defaults() -> None:
    limits = load_config({"backends": {"app": {"api_key": "key"}}}, environment={}).throttle
    text = section("Configuration").text
    assert f"Within {limits.window_minutes} minutes:" in text
    assert [row[1] for row in tables(text)[0]] == [
        str(limits.failed_logins_per_user),
        str(limits.failed_logins_per_user_unknown_devices),
        str(limits.failed_logins_per_address),
        str(limits.auto_logins_per_family),
        str(limits.registrations_per_address),
        f"{limits.reset_requests_per_address}; {limits.reset_mails_per_user}, one a minute",
        f"{limits.mails_per_recipient}; {limits.mails_per_recipient_of_new_accounts}",
        f"{limits.mails_per_sender}; {limits.mails_per_recipient}; {limits.mails_per_recipient_of_new_accounts}",
        str(limits.anonymous_inserts_per_address),
        f"{limits.bytes_of_new_accounts:,}",
    ]
    assert isinstance(limits, ThrottleConfig)


# --- the code ----------------------------------------------------------------------------------------------


def test_drawing_of_the_code() -> None:
    """CONTRIBUTING's drawing names files and folders that exist, and every folder of the package."""
    (drawing,) = [block.text for block in blocks("CONTRIBUTING.md") if block.first == "jsonrpc_backend/"]
    named = set()
    for line in drawing.splitlines():
        found = re.match(r"( *)(\S+(?:, \S+)*)(?:  +|$)", line)
        assert found, line
        folder = ROOT / "jsonrpc_backend" if found[1] else ROOT
        for name in found[2].split(", "):
            assert (folder / name).exists(), name
            named.add(name.rstrip("/"))
    folders = {path.parent.name for path in (ROOT / "jsonrpc_backend").glob("*/__init__.py")} | {"js"}
    assert folders <= named


def test_promises_name_tests_that_exist() -> None:
    for name in re.findall(r"\btests/[\w/]+\.py", prose(read("docs/promises.md"))):
        assert (ROOT / name).is_file(), name
    for name in re.findall(r"`tests\.(\w+)", read("docs/promises.md")):
        assert (ROOT / "tests" / f"{name}.py").is_file(), name
