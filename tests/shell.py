"""The command line, as people run it."""

import os
import subprocess
import sys
from pathlib import Path


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
            timeout=30,
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
