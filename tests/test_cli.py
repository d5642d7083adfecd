"""The command line, run as people run it."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import click
import pytest

from jsonrpc_backend import __version__
from jsonrpc_backend.cli import main
from tests.commands import commands_of
from tests.servers import ServerProcess
from tests.servers import served as serve_process
from tests.setup import program
from tests.shell import QuickShell, Shell
from tests.wire import Wire


def test_version_and_help(shell: Shell, quick: QuickShell) -> None:
    assert __version__ in shell.ok("--version")
    overview = shell.ok("--help")
    for command in ("serve", "init", "check-config", "user", "backup"):
        assert command in overview
        assert "Usage:" in quick.ok(command, "--help")
    for command in ("list", "show", "add", "passwd", "delete"):
        assert "--backend" in quick.ok("user", command, "--help")


def test_help_is_never_cut(quick: QuickShell) -> None:
    groups: list[tuple[str, click.Group]] = [("", main)]
    groups += [(name, command) for name, command in commands_of(main).items() if isinstance(command, click.Group)]
    assert len(groups) > 3
    for name, group in groups:
        shown = " ".join(quick.ok(*name.split(), "--help").split())
        for command in commands_of(group).values():
            assert command.help is not None
            sentence = " ".join(command.help.split("\n\n")[0].split()).split(". ")[0].removesuffix(".")
            assert f"{command.name} {sentence}." in shown


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["serve", "--prot", "1"], ["serve", "--port", "x"], ["user", "add"]]
)
def test_wrong_usage_exits_2(shell: Shell, arguments: list[str]) -> None:
    assert "Usage:" in shell.fails(2, *arguments)


# --- init and check-config -------------------------------------------------------------------------------


def test_init_writes_a_private_file_that_is_valid(shell: Shell) -> None:
    shell.ok("init")
    file = shell.folder / "config.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "config.toml is valid. Backends: app" in shell.ok("check-config")
    shell.ok("init", "second.toml")
    keys = [re.findall('^api_key = "(.{32})"$', f.read_text(), re.MULTILINE) for f in shell.folder.glob("*.toml")]
    assert keys[0] != keys[1]


def test_init_overwrites_nothing(quick: QuickShell) -> None:
    (quick.folder / "config.toml").write_text("mine")
    assert "exists already" in quick.fails(1, "init")
    assert (quick.folder / "config.toml").read_text() == "mine"


def test_check_config_lists_every_problem(quick: QuickShell) -> None:
    (quick.folder / "my.toml").write_text("[server]\nport = 0.5\n[backends.app]\napi_key = 1\n")
    errors = quick.fails(3, "check-config", "my.toml")
    assert "my.toml: server.port: 0.5 is not allowed; use an integer from 0 to 65535" in errors
    assert "my.toml: backends.app.api_key: this value is not allowed" in errors


@pytest.mark.parametrize(
    ("words", "last", "completed"), [("jsonrpc-backend re", 1, "restore"), ("x user pas", 2, "passwd")]
)
def test_shells_complete_commands(shell: Shell, words: str, last: int, completed: str) -> None:
    variable = "_JSONRPC_BACKEND_COMPLETE"
    assert "complete -o nosort" in shell.ok(**{variable: "bash_source"})
    said = shell.ok(**{variable: "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(last)})
    assert said == f"plain,{completed}\n"


def test_check_config_takes_the_file_as_other_commands_do(quick: QuickShell) -> None:
    (quick.folder / "my.toml").write_text("[server]\nport = 0.5\n[backends.app]\napi_key = 'k'\n")
    assert "my.toml: server.port" in quick.fails(3, "check-config", "--config", "my.toml")
    assert "Name one file" in quick.fails(2, "check-config", "my.toml", "--config", "my.toml")


@pytest.mark.parametrize("arguments", [["check-config"], ["serve", "--config", "gone.toml"], ["user", "list"]])
def test_configuration_errors_exit_3(shell: Shell, arguments: list[str]) -> None:
    if arguments == ["user", "list"]:
        (shell.folder / "config.toml").write_text("[backends]")
    assert re.search("gone.toml|config.toml", shell.fails(3, *arguments))


# --- serve -----------------------------------------------------------------------------------------------


def test_unusable_database_exits_4(shell: Shell) -> None:
    (shell.folder / "data").mkdir()
    (shell.folder / "data" / "app.sqlite3").write_bytes(b"no database, certainly not" * 100)
    assert "app.sqlite3: cannot be opened: file is not a database" in shell.fails(4, "serve", "--port", "0")


def test_taken_port_is_said_with_a_way_out(shell: Shell, served: ServerProcess) -> None:
    port = served.url.rpartition(":")[2]
    error = shell.fails(1, "serve", "--port", port, "--data", "elsewhere")
    assert f"cannot listen on 127.0.0.1:{port}" in error
    assert "--port" in error


@pytest.mark.parametrize("bad", ["file", "readonly"])
def test_data_folder_that_cannot_be_used(shell: Shell, bad: str) -> None:
    if bad == "readonly" and os.geteuid() == 0:
        target = "/proc/data"
    elif bad == "readonly":
        (shell.folder / "locked").mkdir(mode=0o500)
        target = "locked/data"
    else:
        (shell.folder / "file").touch()
        target = "file/data"
    error = shell.fails(4, "serve", "--port", "0", "--data", target)
    assert "--data" in error


def test_printed_curl_line_registers_a_user(served: ServerProcess) -> None:
    program("curl")
    (line,) = [line for line in served.output.splitlines() if line.strip().startswith("curl ")]
    answer = json.loads(subprocess.run(line, shell=True, capture_output=True, check=True).stdout)
    assert answer["result"]["user"]["_username"] == "me@example.com"
    assert "Backend id  app" in served.output


@pytest.mark.slow
def test_key_is_kept_between_runs(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data").start()
    first = server.api_key
    assert server.stop() == 0
    server.start()
    assert server.api_key == first
    assert server.stop() == 0
    assert stat.S_IMODE((tmp_path / "data" / "app.api-key").stat().st_mode) == 0o600


@pytest.mark.slow
def test_configured_server_prints_endpoints_but_no_keys(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[backends.one]\napi_key = "geheim1"\n[backends.two]\napi_key = "geheim2"\n[server]\ndata_dir = "store"\n'
    )
    server = ServerProcess(tmp_path / "elsewhere", ["--config", "config.toml"]).start()
    try:
        assert "/json-rpc/one" in server.output
        assert "/json-rpc/two" in server.output
        assert "geheim" not in server.output
        assert (tmp_path / "elsewhere" / "two.sqlite3").is_file()  # --data wins over the file
    finally:
        assert server.stop() == 0


@pytest.mark.slow
@pytest.mark.parametrize("where", ["given", "in the environment", "in this folder"])
@pytest.mark.parametrize("on_path", [True, False])
def test_printed_command_reads_the_mails(tmp_path: Path, where: str, on_path: bool) -> None:
    """Also in a folder whose name a shell would split, with two backends, in a terminal without our environment."""
    folder = tmp_path / "my data"
    folder.mkdir()
    file = folder / ("config.toml" if where == "in this folder" else "my config.toml")
    file.write_text('[backends.one]\napi_key = "k1"\n[backends.two]\napi_key = "k2"\n')
    arguments = ["--config", str(file)] if where == "given" else []
    server = ServerProcess(folder / "accounts", arguments)
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join(each for each in os.environ["PATH"].split(os.pathsep) if each != beside)
    server.environment["PATH"] = f"{beside}{os.pathsep}{path}" if on_path else path
    if where == "in the environment":
        server.environment["JSONRPC_BACKEND_CONFIG"] = str(file)
    server.start()
    try:
        commands = re.findall(r"(?:with: | {20,})(.* mail list .*)", server.output)
        assert len(commands) == 2
        for command in commands:
            assert command.startswith("jsonrpc-backend mail list " if on_path else f"{beside}/jsonrpc-backend mail")
            environment = {"PATH": server.environment["PATH"]}
            done = subprocess.run(
                command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            assert (done.returncode, done.stderr) == (0, "No mails.\n")
    finally:
        assert server.stop() == 0


# --- user ------------------------------------------------------------------------------------------------


@pytest.fixture
def app(quick: QuickShell) -> QuickShell:
    """A folder with one user, anna, in ./data."""
    quick.ok("user", "add", "anna", "--password-stdin", "--properties", '{"age": 21, "ort": "Köln"}', stdin="secret\n")
    return quick


def users(shell: Shell) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(shell.ok("user", "list", "--json"))
    return listed


def test_add_list_show(app: QuickShell, shell: Shell) -> None:
    (anna,) = users(shell)
    assert (anna["_username"], anna["age"], anna["ort"]) == ("anna", 21, "Köln")
    assert app.ok("user", "list").split()[0::3] == [anna["_id"], "anna"][:1] or "anna" in app.ok("user", "list")
    for name in ("anna", "ANNA", anna["_id"]):
        assert json.loads(app.ok("user", "show", name, "--json")) == anna
    assert '"Köln"' in app.ok("user", "show", "anna")


@pytest.mark.parametrize(
    ("arguments", "stdin", "exit_code", "message"),
    [
        (["add", "anna"], "secret", 1, "Username is already taken."),
        (["add", "Anna"], "secret", 1, "Username is already taken."),
        (["add", "an"], "secret", 1, "Username must be at least 3 characters long."),
        (["add", "a nna"], "secret", 1, "Username must not contain spaces"),
        (["add", "bert"], "abc", 1, "Password must be at least 4 characters long."),
        (["add", "bert"], "ab cd", 1, "Password must not contain spaces."),
        (["add", "bert"], b"\xff\xff\xff\xff", 1, "not UTF-8"),
        (["add", "bert", "--properties", "{"], "secret", 2, "--properties is not valid JSON."),
        (["add", "bert", "--properties", "[]"], "secret", 1, "Properties must be an object."),
        (["add", "bert", "--properties", '{"_id": 1}'], "secret", 1, "Property names must consist of"),
        (["add", "bert", "--properties", '{"a": 1e999}'], "secret", 2, "--properties must not contain"),
        (["passwd", "anna"], "ab", 1, "Password must be at least 4 characters long."),
        (["passwd", "bert"], "secret", 1, "There is no user bert."),
    ],
)
def test_refusals(app: QuickShell, arguments: list[str], stdin: str | bytes, exit_code: int, message: str) -> None:
    before = users(app)
    assert message in app.fails(exit_code, "user", *arguments, "--password-stdin", stdin=stdin)
    assert users(app) == before


def test_password_is_no_argument(app: QuickShell) -> None:
    assert "unexpected extra argument" in app.fails(2, "user", "passwd", "anna", "newsecret")


def test_delete_asks_first(app: QuickShell, shell: Shell) -> None:
    shell.fails(1, "user", "delete", "anna", stdin="n\n")
    assert len(users(app)) == 1
    assert "Deleted anna." in shell.ok("user", "delete", "anna", stdin="y\n")
    assert users(app) == []
    assert "There is no user anna." in app.fails(1, "user", "delete", "anna", "--yes")


def test_missing_database_and_backend(quick: QuickShell) -> None:
    assert "There is no database data/app.sqlite3 yet." in quick.fails(4, "user", "list")
    assert list(quick.folder.iterdir()) == []
    assert "There is no backend x; there is app." in quick.fails(2, "user", "list", "--backend", "x")
    (quick.folder / "config.toml").write_text('[backends.a]\napi_key = "k"\n[backends.b]\napi_key = "k"\n')
    assert "Say --backend ID; there are a, b." in quick.fails(2, "user", "list")


async def test_changes_take_effect_in_the_running_server(
    quick: QuickShell, served: ServerProcess, http: aiohttp.ClientSession
) -> None:
    app = Wire(http, served)
    await app.register("anna", "secret")
    assert (await app.call("User.isAuthenticated")).result is True
    quick.ok("user", "passwd", "anna", "--password-stdin", stdin="new-secret\r\n")
    assert (await app.call("User.isAuthenticated")).result is False
    assert (await app.call("User.autoLogin", loginToken=app.login_token)).code == -32602
    assert (await app.call("User.login", username="anna", password="secret")).code == -32602
    assert (await app.call("User.login", username="anna", password="new-secret")).session
    quick.ok("user", "delete", "anna", "--yes")
    assert (await app.call("User.isAuthenticated")).result is False
    quick.ok("user", "add", "bert", "--password-stdin", stdin="secret")
    assert (await app.call("User.login", username="bert", password="secret")).session


async def test_id_of_one_user_as_the_name_of_another(
    quick: QuickShell, served: ServerProcess, http: aiohttp.ClientSession
) -> None:
    """Ids are public; taking one as a username must not draw the operator's commands to another account."""
    victim, attacker = Wire(http, served), Wire(http, served, "device-2")
    victims_id = (await victim.register("victim")).result["user"]["_id"]
    await attacker.register(victims_id)
    assert "is the username of" in quick.fails(1, "user", "delete", victims_id, "--yes")
    quick.ok("user", "passwd", "victim", "--password-stdin", stdin="new-secret")
    assert (await victim.call("User.isAuthenticated")).result is False
    assert (await attacker.call("User.isAuthenticated")).result is True
    quick.ok("user", "delete", "victim", "--yes")
    assert [user["_username"] for user in users(quick)] == [victims_id]


@pytest.mark.slow
def test_flag_wins_over_the_environment(tmp_path: Path) -> None:
    environment = {"JSONRPC_BACKEND_SERVER_DATA_DIR": str(tmp_path / "other")}
    with serve_process(tmp_path / "data", environment=environment) as server:
        assert str(tmp_path / "data") in server.output
    assert {file.name for file in (tmp_path / "data").iterdir()} >= {"app.api-key", "app.sqlite3"}
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("content", [b"", b"a b", b"\xff\xfe"])
def test_broken_key_file_is_named(shell: Shell, content: bytes) -> None:
    (shell.folder / "data").mkdir()
    (shell.folder / "data" / "app.api-key").write_bytes(content)
    error = shell.fails(3, "serve", "--port", "0")
    assert "app.api-key does not hold an API key. Delete it to get a new one." in error


def test_empty_host_does_not_mean_every_address(quick: QuickShell) -> None:
    assert "it must be a host name or address" in quick.fails(2, "serve", "--host", "", "--port", "0")


def test_serve_refuses_a_damaged_mail_key(shell: Shell) -> None:
    (shell.folder / "data").mkdir()
    (shell.folder / "data" / "app.mail-key").write_text("damaged")
    assert "app.mail-key does not hold a key for mails." in shell.fails(3, "serve", "--port", "0")


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_serve_refuses_a_file_of_certificates_that_cannot_be_used(shell: Shell, content: str | None) -> None:
    if content is not None:
        (shell.folder / "ca.pem").write_text(content)
    said = shell.fails(3, "serve", "--port", "0", JSONRPC_BACKEND_SMTP_CA_FILE="ca.pem")
    assert "smtp.ca_file: ca.pem cannot be used: " in said
    assert "None" not in said


def test_what_users_have_written_does_not_steer_the_terminal(quick: QuickShell) -> None:
    nasty = "\x1b[2J\x9b31m\u202egpj\u2028"
    properties = json.dumps({"nick": nasty})
    quick.ok("user", "add", "me@example.com", "--properties", properties, "--password-stdin", stdin="password")
    shown = quick.ok("user", "show", "me@example.com")
    assert not any(character in shown for character in nasty if not character.isascii() or character == "\x1b")
    assert r"\u009b31m\u202egpj\u2028" in shown
