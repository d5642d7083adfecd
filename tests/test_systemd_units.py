"""The shipped systemd units: read by systemd's own checker, and their commands run, the server under their rules."""

import os
import re
import shlex
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
import yaml

from jsonrpc_backend.config import ServerConfig
from tests.mailbox import Mailbox, listening
from tests.patience import HANG_SECONDS
from tests.sandbox import values
from tests.servers import ServerProcess
from tests.setup import program
from tests.shell import QuickShell
from tests.wire import Wire

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
SERVER = EXAMPLES / "jsonrpc-backend.service"
BACKUP = EXAMPLES / "jsonrpc-backend-backup.service"
SERVICES = (SERVER, BACKUP)

INSTALLED = "/opt/jsonrpc-backend/.venv/bin/jsonrpc-backend"
HERE = f"{sys.executable} -m jsonrpc_backend"

# Without the folder of the script in the path, where tests/collections is not Python's.
SANDBOX = [sys.executable, "-P", str(ROOT / "tests" / "sandbox.py")]


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [program("systemd-analyze"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANG_SECONDS, check=False)


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    installed = tmp_path / "jsonrpc-backend"
    installed.write_text("#!/bin/sh\n")
    installed.chmod(0o700)
    for unit in EXAMPLES.glob("jsonrpc-backend*.*"):
        # Their names matter: a timer finds its service by it.
        (tmp_path / unit.name).write_text(unit.read_text(encoding="utf-8").replace(INSTALLED, str(installed)))
    units = sorted(tmp_path.glob("*.service")) + sorted(tmp_path.glob("*.timer"))
    assert len(units) == 3
    done = analyze("verify", "--man=no", *units)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: str(unit.stem))
def test_systemd_finds_little_exposed(unit: Path) -> None:
    done = analyze("security", "--offline=yes", "--threshold=15", unit)  # tenths; 100 is a service without any of it
    assert done.returncode == 0, done.stdout[-2000:]


def test_timer_is_every_night() -> None:
    (when,) = values(EXAMPLES / "jsonrpc-backend-backup.timer", "OnCalendar")
    assert analyze("calendar", when).returncode == 0


def test_server_has_room_for_its_connections_and_time_to_stop() -> None:
    assert int(values(SERVER, "LimitNOFILE")[0]) > ServerConfig().max_connections + 1000
    assert timedelta(seconds=int(values(SERVER, "TimeoutStopSec")[0])) > timedelta(seconds=10)


def command(unit: Path, key: str, folder: Path) -> str:
    """A command of a unit as systemd runs it, with the folders of a test."""
    (line,) = values(unit, key)
    specifiers = {"%d": str(folder), "%%": "%", "$$": "$"}
    line = re.sub(r"%.|\$\$", lambda found: specifiers[found[0]], line).replace(INSTALLED, HERE)
    return re.sub(r"/var/lib/(jsonrpc-backend[a-z-]*)", rf"{folder}/\1", line)


@pytest.fixture
def config(tmp_path: Path, quick: QuickShell) -> Path:
    quick.ok("init")
    return tmp_path / "config.toml"


async def test_server_works_under_the_rules_of_its_unit(
    tmp_path: Path, config: Path, http: aiohttp.ClientSession
) -> None:
    """Signs up, signs in and gets a mail."""
    program("systemd-analyze")
    arguments = shlex.split(command(SERVER, "ExecStart", tmp_path))[len(shlex.split(HERE)) :]
    assert arguments == ["serve", "--config", str(config), "--data", str(tmp_path / "jsonrpc-backend")]
    async with listening(Mailbox()) as mailbox:
        server = ServerProcess(
            tmp_path / "jsonrpc-backend",
            ["--config", str(config)],
            {f"JSONRPC_BACKEND_SMTP_{key.upper()}": str(value) for key, value in mailbox.settings.items()},
            launcher=[*SANDBOX, str(SERVER)],
        ).start()
        server.api_key = re.findall('(?m)^api_key = "(.*)"', config.read_text(encoding="utf-8"))[0]
        wire = Wire(http, server)
        await wire.register("me@example.com")
        assert (await wire.call("User.logout")).result == "OK"
        await wire.call("User.sendPasswordResetToken", username="me@example.com")
        token = (await mailbox.next()).token
        await wire.call("User.resetPasswordAndLogin", username="me@example.com", newPassword="other", token=token)
        assert (await wire.call("User.isAuthenticated")).result is True
        assert server.stop() == 0
    assert "ERROR" not in server.output
    assert "WARNING" not in server.output


@pytest.mark.parametrize(
    "attempt",
    [
        "import os; os.chroot('/')",
        "import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_READ|mmap.PROT_WRITE|mmap.PROT_EXEC)",
    ],
)
def test_rules_of_the_unit_forbid(attempt: str) -> None:
    program("systemd-analyze")
    plain = [sys.executable, "-c", attempt]
    ruled = [*SANDBOX, str(SERVER), *plain]
    done = subprocess.run(ruled, capture_output=True, text=True, check=False)
    assert "PermissionError" in done.stderr


def test_backup_of_the_unit(tmp_path: Path, config: Path, quick: QuickShell) -> None:
    with_data = ServerProcess(tmp_path / "jsonrpc-backend", ["--config", str(config)]).start()
    backups = tmp_path / "jsonrpc-backend-backups"
    old = backups / "2020-01-01-033000"
    old.mkdir(parents=True)
    (old / "app.sqlite3").touch()
    os.utime(old, (0, 0))
    for key in ("ExecStart", "ExecStartPost"):
        subprocess.run(shlex.split(command(BACKUP, key, tmp_path)), check=True, capture_output=True, text=True)
    assert with_data.stop() == 0
    (made,) = backups.iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-\d{6}", made.name)
    assert (made / "app.sqlite3").is_file()
    assert quick.ok("user", "list", "--json", "--config", str(config), "--data", str(made)).strip() == "[]"


def test_litestream_looks_where_the_unit_keeps_the_data() -> None:
    """Litestream itself is not run here."""
    (database,) = yaml.safe_load((EXAMPLES / "litestream.yml").read_text(encoding="utf-8"))["dbs"]
    (folder,) = values(SERVER, "StateDirectory")
    assert database["path"] == f"/var/lib/{folder}/app.sqlite3"
