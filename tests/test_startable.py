"""What `serve` refuses before it starts, `check-config` says too: the key's path, a sentence, exit code 3."""

import re
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from jsonrpc_backend.config.example import EXAMPLE_KEY
from tests.servers import served
from tests.shell import QuickShell, Shell

APP = '[backends.app]\napi_key = "key"\n'
SMTP = APP + '[smtp]\nhost = "smtp.example.com"\n'


def template(sender: str) -> str:
    body = 'body = "%PASSWORD_RESET_TOKEN%"\n'
    return f'[backends.app.mail_templates.send_password_token]\nsubject = "S"\nfrom = "{sender}"\n{body}'


REFUSED = {
    "placeholder": (
        f'[backends.app]\napi_key = "{EXAMPLE_KEY}"',
        "backends.app.api_key: is the example's, which everybody knows",
    ),
    "scheme": (APP + '[server]\nhost = "http://localhost"', "server.host: 'http://localhost' is not allowed; use a"),
    "port in host": (APP + '[server]\nhost = "localhost:80"', "server.host: 'localhost:80' is not allowed; use a host"),
    "scheme of smtp": (APP + '[smtp]\nhost = "smtp://a.example"', "smtp.host: 'smtp://a.example' is not allowed"),
    "metrics at the server": (
        APP + "[metrics]\nenabled = true\nport = 8080",
        "metrics.port: is server.port, at the same address; use another one",
    ),
    "metrics on every address": (
        APP + '[metrics]\nenabled = true\nhost = "0.0.0.0"\nport = 8080',
        "metrics.port: is server.port, at the same address",
    ),
    "operators at localhost": (
        APP + '[management]\nhost = "localhost"\nport = 8080',
        "management.port: is server.port, at the same address",
    ),
    "metrics at the operators": (
        APP + '[management]\nhost = "::1"\nport = 9464\n[metrics]\nenabled = true\nhost = "::"',
        "metrics.port: is management.port, at the same address",
    ),
    "no password of smtp": (
        SMTP + 'username = "app"\n' + template("a@example.com"),
        "smtp.password: is missing for smtp.username; the environment is a good place for it",
    ),
    "sender by default": (
        SMTP,
        "backends.app.mail_templates.send_password_token.from: is no-reply@localhost, which mail servers refuse",
    ),
    "sender": (SMTP + template("A <me@localhost>"), "send_password_token.from: is me@localhost, which mail servers"),
    "no certificates": (
        APP + '[smtp]\nca_file = "gone.pem"',
        "smtp.ca_file: gone.pem cannot be used: No such file or directory",
    ),
    "damaged key of mails": (
        APP + '[server]\ndata_dir = "data"',
        "data/app.mail-key does not hold a key for mails. Restore it, or delete it",
    ),
    "data_dir is a file": (APP + '[server]\ndata_dir = "file"', "/file is a file; name a folder"),
    "data_dir below a file": (APP + '[server]\ndata_dir = "file/data"', "/file is a file; name a folder"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_both_refuse(quick: QuickShell, case: str) -> None:
    toml, sentence = REFUSED[case]
    (quick.folder / "file").touch()
    (quick.folder / "data").mkdir(mode=0o700)
    (quick.folder / "data" / "app.mail-key").write_text(
        "damaged" if "mails" in case else Fernet.generate_key().decode()
    )
    (quick.folder / "config.toml").write_text(toml)
    for command in ("check-config", "serve"):
        assert re.search(rf"config.toml: .*{re.escape(sentence)}", quick.fails(3, command))
    assert {path.name for path in quick.folder.iterdir()} == {"config.toml", "data", "file"}


def test_all_is_said_together(quick: QuickShell) -> None:
    (quick.folder / "config.toml").write_text(SMTP + 'username = "app"\nca_file = "gone.pem"\n')
    said = quick.fails(3, "check-config")
    for path in ("smtp.password", "smtp.ca_file", "backends.app.mail_templates.send_password_token.from"):
        assert f"config.toml: {path}: " in said


def test_missing_package(shell: Shell) -> None:
    (shell.folder / "gone").mkdir()
    missing = "raise ModuleNotFoundError('No module named \\'prometheus_client\\'', name='prometheus_client')\n"
    (shell.folder / "gone" / "prometheus_client.py").write_text(missing)
    (shell.folder / "config.toml").write_text(APP + "[metrics]\nenabled = true\n")
    said = shell.fails(3, "check-config", PYTHONPATH=str(shell.folder / "gone"))
    assert "metrics.enabled needs a package that is not installed: " in said


@pytest.mark.parametrize(
    "toml",
    [
        APP + '[smtp]\nhost = "mailbox"',  # of a container beside it
        APP + '[smtp]\nhost = "127.0.0.1"',
        SMTP + 'username = "app"\npassword = "secret"\n' + template("a@example.com"),
        APP + '[management]\nhost = "::1"\nport = 8080',
        APP + "[metrics]\nenabled = true\n[management]\nhost = '127.0.0.2'\nport = 8080",
        APP + "[metrics]\nport = 8080",  # and not enabled
        APP + '[server]\nhost = "fe80::1%eth0"',
        APP + '[server]\nhost = "bücher.example."',
    ],
)
def test_what_works_is_valid(quick: QuickShell, toml: str) -> None:
    (quick.folder / "config.toml").write_text(toml)
    (quick.folder / "config.toml").chmod(0o600)
    assert quick.run("check-config").stderr == ""
    assert quick.ok("check-config") == "config.toml is valid. Backends: app\n"


def test_flags_count(quick: QuickShell) -> None:
    (quick.folder / "config.toml").write_text(APP + "[metrics]\nenabled = true\n")
    assert "metrics.port: is server.port" in quick.fails(3, "serve", "--port", "9464")


# --- what others can read ------------------------------------------------------------------------------------


def expose(shell: Shell) -> list[str]:
    """Opens all that is private to others; the sentences that this is worth."""
    shell.ok("user", "add", "anna", "--password-stdin", stdin="password")
    config, folder = shell.folder / "config.toml", shell.folder / "data"
    (folder / "app.sqlite3.before-schema-1").touch(0o600)
    (folder / "notes.txt").touch(0o666)  # not ours
    config.chmod(0o640)  # its group may read, which nobody does by mistake
    assert quiet(shell) == ""
    changes = [(config, 0o644, 0o600), (folder, 0o755, 0o700)]
    changes += [(folder / "app.sqlite3", 0o646, 0o600), (folder / "app.sqlite3.before-schema-1", 0o660, 0o600)]
    for path, mode, _ in changes:
        path.chmod(mode)
    words = ["read", "read", "read and written", "written"]
    return [
        f"{path.relative_to(shell.folder)} can be {can} by other users (mode {mode:o}). Say: chmod {wanted:o} "
        for can, (path, mode, wanted) in zip(words, changes, strict=True)
    ]


def quiet(shell: Shell) -> str:
    return shell.run("check-config").stderr


def test_check_config_says_what_others_can_read(quick: QuickShell) -> None:
    (quick.folder / "config.toml").write_text(APP)
    expected = expose(quick)
    said = quick.run("check-config")
    assert said.returncode == 0
    assert [line.removeprefix("Note: ").partition("chmod")[0] for line in said.stderr.splitlines()] == [
        sentence.partition("chmod")[0] for sentence in expected
    ]
    (quick.folder / "data").chmod(0o700)  # nobody else gets to what is in it
    assert quick.run("check-config").stderr.count("Note: ") == 1


@pytest.mark.slow
def test_serve_says_what_others_can_read(quick: QuickShell, tmp_path: Path) -> None:
    (quick.folder / "config.toml").write_text(APP)
    expected = expose(quick)
    with served(tmp_path / "data", "--config", str(quick.folder / "config.toml")) as server:
        assert [sentence for sentence in expected if sentence not in server.output] == []
    assert "other users" not in (quick.folder / "config.toml").read_text()
