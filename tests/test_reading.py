"""Commands that read change no file and make none; who migrates a file says so, and never under a running server."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jsonrpc_backend.cli import main
from jsonrpc_backend.store import collections
from jsonrpc_backend.store.collections import Settings
from jsonrpc_backend.store.engine import DatabaseUnusable
from jsonrpc_backend.store.item_rights import NONE
from jsonrpc_backend.store.sqlite.database_file import open_for_writing
from jsonrpc_backend.store.sqlite.migrations import MIGRATIONS
from jsonrpc_backend.store.sqlite.reading import reading
from tests.commands import leaves
from tests.servers import served
from tests.shell import QuickShell, Shell
from tests.test_migrations import content, restore

pytestmark = pytest.mark.slow

CURRENT = len(MIGRATIONS)
ANNA = "anna@example.com"

READING = {
    "list": ["user", "list"],
    "search": ["user", "list", "--filter", "anna", "--query", "age != 1", "--sort", "_username", "--page", "1"],
    "show": ["user", "show", ANNA],
    "sessions": ["user", "sessions", ANNA],
    "mails": ["mail", "list"],
    "mail": ["mail", "show", "1"],
    "audit": ["audit", "list"],
    "held up": ["throttle", "list"],
    "collections": ["collection", "list"],
    "collection": ["collection", "show", "diary"],
    "items": ["collection", "items", "diary", "--query", "n == 1"],
    "dry run": ["user", "import", "users.jsonl", "--dry-run"],
    "dry run of an update": ["user", "import", "users.jsonl", "--existing", "update", "--send-reset", "--dry-run"],
    "dry run of items": ["collection", "import", "diary.jsonl", "--create", "--dry-run"],
    "export": ["user", "export", "-"],
    "export of items": ["collection", "export", "diary", "-"],
    "send-reset dry run": ["user", "send-reset", "--dry-run"],
}

EXPORTS = {"export", "export of items"}  # which are noted in the audit log

WRITING = {
    "add": ["user", "add", "dora@example.com", "--password-stdin"],
    "set": ["user", "set", ANNA, "--properties", "{}"],
    "passwd": ["user", "passwd", ANNA, "--password-stdin"],
    "delete": ["user", "delete", ANNA, "--yes"],
    "revoke": ["user", "sessions", ANNA, "--revoke", "all"],
    "disable": ["user", "disable", ANNA],
    "enable": ["user", "enable", ANNA],
    "clear": ["throttle", "clear", ANNA],
    "create": ["collection", "create", "diary"],
    "import": ["user", "import", "users.jsonl"],
    "import of items": ["collection", "import", "diary.jsonl", "--create"],
    "send-reset": ["user", "send-reset", "--yes"],
    "stop": ["user", "send-reset", "--stop"],
}

# The same of what no file of an old schema has.
WRITING_WHAT_IS_NEW = {
    "configure": ["collection", "set", "diary", "--insertable"],
    "drop": ["collection", "drop", "diary", "--yes"],
}

# Commands that open no database, and those of the server and of its folder, which other tests have.
OTHERS = {("init",), ("check-config",), ("mail", "send-test"), ("serve",), ("backup",), ("restore",)}


@pytest.fixture(autouse=True)
def smtp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a server `send-reset` has nothing to do."""
    monkeypatch.setenv("JSONRPC_BACKEND_SMTP_HOST", "localhost")


def restored(shell: Shell, version: int) -> Path:
    """A file of this schema in ./data, and files to import."""
    path = shell.folder / "data" / "app.sqlite3"
    restore(version, path)
    (shell.folder / "users.jsonl").write_text('{"username": "carl@example.com"}\n')
    (shell.folder / "diary.jsonl").write_text('{"n": 1}\n')
    return path


def current(shell: Shell) -> Path:
    """The same of today's schema, closed as a server closes it; with the key of its mails."""
    path = restored(shell, max(version for version in range(1, CURRENT + 1) if _is_stored(version)))
    with contextlib.closing(open_for_writing(path, lambda _: None)) as db:
        db.write(lambda db: collections.insert(db, "diary", Settings(True, NONE, "all", ()), 0))
    for copy in path.parent.glob("*.before-schema-*"):
        copy.unlink()
    return path


def _is_stored(version: int) -> bool:
    return (Path(__file__).parent / "released_schemas" / f"{version}.sql").is_file()


def files(folder: Path) -> dict[str, bytes]:
    """Every file with its content; that of an index of a log is memory of processes."""
    found = {path.name: path for path in folder.iterdir()}
    return {name: b"" if name.endswith("-shm") else path.read_bytes() for name, path in found.items()}


def killed(path: Path) -> None:
    """Writes to the file as a process that is killed before it closes it."""
    program = (
        "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None);"
        'db.execute("UPDATE users SET properties = \'{\\"late\\": 1}\'"); os._exit(1)'
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert path.with_name(f"{path.name}-wal").stat().st_size > 0


@contextlib.contextmanager
def held(folder: Path, holder: str) -> Iterator[None]:
    """The lock of a server whose process and schema are these."""
    with (folder / "server.lock").open("w") as file:
        file.write(holder)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


COMMANDS = {words for words, _ in leaves(main)}


def test_every_command_reads_or_writes() -> None:
    stated = [*READING.values(), *WRITING.values(), *WRITING_WHAT_IS_NEW.values()]
    known = {words for words in COMMANDS if any(tuple(each[: len(words)]) == words for each in stated)}
    assert known | OTHERS == COMMANDS
    assert not known & OTHERS


# --- what reads only reads -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [name for name in READING if name not in EXPORTS])
@pytest.mark.parametrize("state", ["closed", "killed", "log without index"])
def test_reading_leaves_the_folder_as_it_is(quick: QuickShell, command: str, state: str) -> None:
    path = current(quick)
    if state != "closed":
        killed(path)
    if state == "log without index":
        path.with_name(f"{path.name}-shm").unlink()
    before = files(path.parent)
    look(quick, command)
    assert files(path.parent) == before
    if command == "show":
        assert ("late" in quick.ok(*READING[command])) is (state != "closed"), "what the log holds is read, too"


@pytest.mark.parametrize("command", READING)
def test_older_schema_is_refused_in_a_sentence_and_left_alone(quick: QuickShell, command: str) -> None:
    path = restored(quick, 2)
    before = files(path.parent)
    error = quick.fails(4, *READING[command])
    assert f"data/app.sqlite3: has schema 2, and this version reads schema {CURRENT}. Start the server once" in error
    assert files(path.parent) == before


def test_dry_run_makes_no_file(quick: QuickShell) -> None:
    (quick.folder / "users.jsonl").write_text('{"username": "carl@example.com"}\n')
    assert "1 ready to import" in quick.ok(*READING["dry run"])
    assert [path.name for path in quick.folder.iterdir()] == ["users.jsonl"]


def test_backup_of_an_older_schema_leaves_the_original_alone(quick: QuickShell) -> None:
    path = restored(quick, 2)
    before, rows = files(path.parent), content(path)
    quick.ok("backup", "copy")
    assert files(path.parent) == before
    assert content(quick.folder / "copy" / "app.sqlite3") == rows


@pytest.fixture
def backup(quick: QuickShell) -> Path:
    """A copy of a folder, as `backup` makes it, from which that folder is gone."""
    path = current(quick)
    quick.ok("backup", "copy")
    shutil.rmtree(path.parent)
    return quick.folder / "copy"


@pytest.mark.parametrize("command", READING)
def test_looking_into_a_backup_leaves_it_as_it_is(quick: QuickShell, backup: Path, command: str) -> None:
    before = files(backup)
    look(quick, command, "--data", "copy")
    assert files(backup) == before


def look(shell: Shell, command: str, *options: str) -> None:
    # The key of the stored mail is nowhere.
    code = 1 if command == "mail" else 0
    completed = shell.run(*READING[command], *options)
    assert completed.returncode == code, completed.stderr


@pytest.mark.parametrize("command", ["list", "dry run", "export"])  # a process each
@pytest.mark.parametrize("state", ["closed", "killed", "log without index"])
def test_folder_that_cannot_be_written_is_read(shell: Shell, command: str, state: str) -> None:
    path = current(shell)
    if state != "closed":
        killed(path)
    if state == "log without index":
        path.with_name(f"{path.name}-shm").unlink()
    before = files(path.parent)
    completed = without_permission(shell, path.parent, READING[command])
    assert completed.returncode == 0, completed.stderr
    assert files(path.parent) == before
    assert ("The audit log cannot be written to" in completed.stderr) is (command == "export")


def without_permission(shell: Shell, folder: Path, arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    """Runs a command that must not write to the folder and its files, whoever runs the tests."""
    for file in folder.iterdir():
        file.chmod(0o400)
    folder.chmod(0o500)
    launcher = ["setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []
    command = [*launcher, sys.executable, "-m", "jsonrpc_backend", *arguments]
    try:
        return subprocess.run(command, cwd=shell.folder, capture_output=True, text=True, check=False)
    finally:
        folder.chmod(0o700)


def test_reading_beside_a_server(shell: Shell, quick: QuickShell) -> None:
    (shell.folder / "users.jsonl").write_text('{"username": "carl@example.com"}\n')
    (shell.folder / "diary.jsonl").write_text('{"n": 1}\n')
    with served(shell.folder / "data") as server:
        shell.ok("user", "add", ANNA, "--password-stdin", stdin="password")
        shell.ok("collection", "create", "diary")
        for command, arguments in READING.items():
            before = files(server.data_dir)
            completed = quick.run(*arguments)
            after = files(server.data_dir)
            assert completed.returncode == 0 or "There is no mail 1." in completed.stderr
            changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
            assert changed == ({"app.sqlite3-wal"} if command in EXPORTS else set()), command


def test_file_that_changes_while_it_is_read_as_it_is(quick: QuickShell) -> None:
    path = current(quick)
    with pytest.raises(DatabaseUnusable, match="was written to while it was read"), reading(path):
        quick.ok("user", "set", ANNA, "--properties", '{"age": 22}')


# --- who writes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [*WRITING.values(), *WRITING_WHAT_IS_NEW.values()], ids=" ".join)
@pytest.mark.parametrize("holder", ["{process}", "{process} 2", "{process} 99", ""])
def test_nobody_migrates_under_a_server_of_another_schema(quick: QuickShell, arguments: list[str], holder: str) -> None:
    path = restored(quick, 2)
    with held(path.parent, holder.format(process=os.getpid())):
        before = files(path.parent)
        error = quick.fails(4, *arguments, stdin="password")
        assert files(path.parent) == before
    assert f"this version works on schema {CURRENT}. Use the commands of the server's version, or stop it." in error
    assert (f"(process {os.getpid()})" in error) is bool(holder)


def test_nobody_writes_under_a_server_of_another_schema(quick: QuickShell) -> None:
    """Not even where the file is of ours: an older version has migrated under its server."""
    path = current(quick)
    with held(path.parent, "1234 2"):
        before = files(path.parent)
        assert "a server that works on schema 2 is running" in quick.fails(4, *WRITING["set"])
        assert files(path.parent) == before
    quick.ok(*WRITING["set"])
    with held(path.parent, f"1234 {CURRENT}"):
        quick.ok(*WRITING["set"])
    with held(path.parent, "1234"):  # of a version that did not write it: the file tells
        quick.ok(*WRITING["set"])


@pytest.mark.parametrize("command", WRITING)
@pytest.mark.parametrize("last_server", ["", "1234", "1234 2"])
def test_who_migrates_says_so(quick: QuickShell, command: str, last_server: str) -> None:
    path = restored(quick, 2)
    before = content(path)
    if last_server:
        (path.parent / "server.lock").write_text(last_server)
    completed = quick.run(*WRITING[command], stdin="password")
    assert completed.returncode == 0, completed.stderr
    copy = f"data/app.sqlite3.before-schema-{CURRENT}"
    said = f"data/app.sqlite3: migrated from schema 2 to {CURRENT}; a copy is in {copy}\n"
    assert completed.stderr.count(said) == 1
    assert content(path)[0] == CURRENT
    assert content(quick.folder / copy) == before


def test_server_says_that_it_has_migrated(shell: Shell) -> None:
    path = restored(shell, 2)
    with served(path.parent) as server:
        copy = f"{path}.before-schema-{CURRENT}"
        assert f"{path}: migrated from schema 2 to {CURRENT}; a copy is in {copy}" in server.output
        assert server.process is not None
        assert (path.parent / "server.lock").read_text() == f"{server.process.pid} {CURRENT}"
