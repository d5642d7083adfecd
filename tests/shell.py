"""The command line, as people run it."""

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from jsonrpc_backend.cli import main
from tests.patience import HANG_SECONDS


class Shell:
    """Runs `jsonrpc-backend` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str, stdin: str | bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
        completed = subprocess.run(
            [sys.executable, "-m", "jsonrpc_backend", *arguments],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            cwd=self.folder,
            env={**os.environ, **environment},
            timeout=HANG_SECONDS,
            check=False,
        )
        return subprocess.CompletedProcess(
            completed.args, completed.returncode, completed.stdout.decode(), completed.stderr.decode()
        )

    def ok(self, *arguments: str, stdin: str | bytes = b"", **environment: str) -> str:
        completed = self.run(*arguments, stdin=stdin, **environment)
        assert completed.returncode == 0, completed.stderr
        return completed.stdout

    def fails(self, exit_code: int, *arguments: str, stdin: str | bytes = b"", **environment: str) -> str:
        completed = self.run(*arguments, stdin=stdin, **environment)
        assert completed.returncode == exit_code, completed
        assert "Traceback" not in completed.stderr
        return completed.stderr

    def on_terminal(self, *arguments: str, typed: str = "", **environment: str) -> str:
        """What a person sees who runs it and types this."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "jsonrpc_backend", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=self.folder,
            env={**os.environ, **environment},
        )
        os.close(theirs)
        os.write(ours, typed.encode())
        shown = b""
        with contextlib.suppress(OSError):  # the end of the output, as Linux says it
            while some := os.read(ours, 65536):
                shown += some
        os.close(ours)
        process.wait(HANG_SECONDS)
        return shown.decode().replace("\r\n", "\n")


class QuickShell(Shell):
    """The same inside this process, for tests of many cases: a new one takes half a second to start."""

    def run(self, *arguments: str, stdin: str | bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
        with contextlib.chdir(self.folder):
            result = CliRunner().invoke(main, arguments, input=stdin, env=environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)
